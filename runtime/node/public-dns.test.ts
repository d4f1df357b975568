import { createSocket } from 'node:dgram';
import { type Answer, decode, encode, type RecordType } from 'dns-packet';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { PublicDns, PublicType } from '../dns/public-dns.ts';
import { nodePublicDns } from './public-dns.ts';

const ANSWERS: readonly Answer[] = [
  {
    type: 'CAA',
    name: 'a.test',
    data: { flags: 0, tag: 'issue', value: 'ca.test; accounturi=https://x/1' },
  },
  { type: 'CAA', name: 'a.test', data: { flags: 128, tag: 'iodef', value: 'Unknown' } },
  { type: 'CAA', name: 'a.test', data: { flags: 0, tag: 'issuewild', value: ';' } },
  { type: 'NS', name: 'a.test', data: 'NS1.a.test' },
  { type: 'CNAME', name: 'alias.test', data: 'Proofs.a.test' },
  { type: 'A', name: 'a.test', data: '192.0.2.1' },
  { type: 'AAAA', name: 'a.test', data: '2001:db8::1' },
];

const socket = createSocket('udp4');
let dns: PublicDns;
const none = new AbortController().signal;

beforeEach(async () => {
  socket.on('message', (message, from) => {
    const { id, questions = [] } = decode(message);
    const [question] = questions;
    const type: RecordType | undefined = question?.type;
    if (question?.name === 'mute.test') return;
    const rcode = question?.name === 'none.test' ? 3 : question?.name === 'broken.test' ? 2 : 0;
    const answers = ANSWERS.filter((each) => each.name === question?.name && each.type === type);
    const reply = encode({
      type: 'response',
      ...(id !== undefined && { id }),
      flags: 0x0180 | rcode,
      questions,
      answers,
    });
    socket.send(reply, from.port, from.address);
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  dns = nodePublicDns({ servers: [`127.0.0.1:${socket.address().port}`], timeoutMs: 5_000 });
});

afterEach(async () => {
  await new Promise<void>((resolve) => socket.close(() => resolve()));
});

test('what the world is told of names, as text', async () => {
  const ask = async (name: string, type: PublicType): Promise<readonly string[]> =>
    (await dns.lookup(name, type, none)).toSorted();
  expect(await ask('a.test', 'CAA')).toEqual([
    '0 issue ca.test; accounturi=https://x/1',
    '0 issuewild ;',
    '128 iodef Unknown',
  ]);
  expect(await ask('a.test', 'NS')).toEqual(['ns1.a.test']);
  expect(await ask('alias.test', 'CNAME')).toEqual(['proofs.a.test']);
  expect(await ask('a.test', 'A')).toEqual(['192.0.2.1']);
  expect(await ask('a.test', 'AAAA')).toEqual(['2001:db8::1']);
  expect(await ask('alias.test', 'CAA')).toEqual([]);
  expect(await ask('none.test', 'CAA')).toEqual([]);
  await expect(ask('broken.test', 'CAA')).rejects.toThrow('look broken.test CAA up');
  const controller = new AbortController();
  const asked = dns.lookup('mute.test', 'CAA', controller.signal);
  controller.abort(new Error('enough'));
  await expect(asked).rejects.toThrow('look mute.test CAA up');
});
