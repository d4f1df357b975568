import { expect, test } from 'vitest';
import { TYPE_TXT } from '../../load/dns-client.ts';
import { encodeQuery } from '../../load/dns-query.ts';
import type { DnsExchange } from '../check.ts';
import { addressOf, exchangeOf, txtOf, watched } from './dns.fixture.ts';
import { repliesCheck } from './replies.ts';

const plain = exchangeOf({}, { answers: [addressOf('london')] });
const TC = 0x0200;
const OWN = [1, 2, 3, 4, 5, 6, 7, 8];
const SERVER = Array.from({ length: 16 }, (_, index) => 100 + index);
const large = exchangeOf(
  { name: 'example.test', type: TYPE_TXT },
  { answers: txtOf('x'.repeat(480)) },
);
const query = encodeQuery({ id: 7, name: 'blog.example.test', type: 1 });

test.each([
  { when: 'one answer', of: [plain] },
  { when: 'silence to a response', of: [{ ...plain, query: with80(query), reply: undefined }] },
  {
    when: 'silence to rubbish',
    of: [{ ...plain, query: Buffer.from('rubbish, rubbish'), reply: undefined }],
  },
  { when: 'many bytes over TCP', of: [{ ...large, transport: 'tcp' as const }] },
  { when: 'the same over TCP', of: [plain, { ...plain, transport: 'tcp' as const }] },
  { when: 'a cookie of its own', of: [cookieReply(OWN, [...OWN, ...SERVER])] },
  {
    when: 'more over TCP after TC',
    of: [exchangeOf({}, { flags: TC }), { ...plain, transport: 'tcp' as const }],
  },
])('well: $when', ({ of }) => {
  expect(found(of)).toEqual([]);
});

test.each([
  { when: 'no answer', of: [{ ...plain, reply: undefined }] },
  { when: 'a cookie that was not asked for', of: [cookieReply(undefined, [...OWN, ...SERVER])] },
  { when: "another client's cookie", of: [cookieReply(OWN, [...SERVER.slice(8), ...SERVER])] },
  { when: 'half a cookie', of: [cookieReply(OWN, OWN)] },
  { when: 'an answer to a response', of: [{ ...plain, query: with80(query) }] },
  {
    when: 'another id',
    of: [{ ...plain, query: encodeQuery({ id: 8, name: plain.name, type: 1 }) }],
  },
  {
    when: 'another question',
    of: [{ ...plain, query: encodeQuery({ id: 7, name: 'docs.example.test', type: 1 }) }],
  },
  { when: 'a query', of: [{ ...plain, reply: query }] },
  { when: 'bytes that are no message', of: [{ ...plain, reply: plain.reply?.subarray(0, 40) }] },
  { when: 'more than 512 bytes without EDNS', of: [large] },
  { when: 'no EDNS to one who has it', of: [exchangeOf({ sizeBytes: 512 }, {})] },
  {
    when: 'half of it with TC',
    of: [exchangeOf({}, { flags: TC, answers: [addressOf('london')] })],
  },
  {
    when: 'more over TCP without TC',
    of: [exchangeOf({}, {}), { ...plain, transport: 'tcp' as const }],
  },
])('INV-25: $when', ({ of }) => {
  expect(found(of)).toHaveLength(1);
});

test('what another client is told, or the same one later, may differ', () => {
  const it = watched(repliesCheck);
  const other = exchangeOf({}, { answers: [addressOf('tokyo')] });
  it.check.asked?.(plain);
  it.check.asked?.({ ...other, client: '203.0.113.20' });
  it.nowMs = 1;
  it.check.asked?.({ ...plain, client: '203.0.113.20' });
  expect(it.found).toEqual([]);
});

function found(exchanges: readonly DnsExchange[]): readonly string[] {
  const { check, found: all } = watched(repliesCheck);
  for (const exchange of exchanges) check.asked?.(exchange);
  return all;
}

function with80(bytes: Uint8Array): Uint8Array {
  return bytes.with(2, 0x80);
}

function cookieReply(cookie: readonly number[] | undefined, got: readonly number[]): DnsExchange {
  const option = { code: 10, data: Buffer.from(got) };
  const opt = { type: 'OPT', name: '.', udpPayloadSize: 1232, flags: 0, options: [option] };
  const sent = cookie === undefined ? undefined : Uint8Array.from(cookie);
  return exchangeOf(
    { sizeBytes: 1232, cookie: sent },
    { answers: [addressOf('london')], additionals: [opt as never] },
  );
}
