import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import packet from 'dns-packet';
import { afterEach, describe, expect, test } from 'vitest';
import { type DnsAsked, DnsType } from '../../dns/client.ts';
import { systemRandom } from '../random.ts';
import { nodeDnsClient } from './client.ts';

const opened: { close(): unknown }[] = [];
afterEach(() => {
  for (const one of opened.splice(0)) one.close();
});

/** Says all that `reply` makes of each datagram. */
async function udpServer(reply: (query: Buffer, count: number) => readonly Buffer[]) {
  const socket = createSocket('udp4');
  opened.push(socket);
  let count = 0;
  socket.on('message', (query, { port, address }) => {
    count += 1;
    for (const bytes of reply(query, count)) socket.send(bytes, port, address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return socket.address().port;
}

/** Writes what `reply` makes of the first query, each piece by itself, and ends. */
async function tcpServer(reply: (query: Buffer) => readonly Buffer[]) {
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on('error', () => undefined);
    socket.once('data', (bytes: Buffer) => void write(socket, reply(bytes.subarray(2))));
  });
  opened.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

async function write(socket: Socket, pieces: readonly Buffer[]): Promise<void> {
  for (const piece of pieces) {
    socket.write(piece);
    await new Promise((resolve) => setImmediate(resolve));
  }
  socket.end();
}

function answerTo(query: Buffer, { id = 0, name = '', text = '192.0.2.1' } = {}): Buffer {
  const asked = packet.decode(query);
  const [question] = asked.questions ?? [];
  return packet.encode({
    ...{ id: (asked.id ?? 0) ^ id, type: 'response' },
    questions: [{ type: 'A', class: 'IN', name: name || (question?.name ?? '') }],
    answers: [{ type: 'A', name: 'example.com', ttl: 60, data: text }],
  });
}

function ask(port: number, given: Partial<DnsAsked> = {}, timeoutMs = 5_000) {
  const client = nodeDnsClient({ random: systemRandom(), timeoutMs });
  const server = { address: '127.0.0.1', port };
  const asked = { name: 'example.com', type: DnsType.A, server, transport: 'udp' } as const;
  const signal = AbortSignal.timeout(10_000);
  return client.ask({ ...asked, recursion: 'unwished', ...given }, signal);
}

describe('over UDP', () => {
  test('only what has the id and the question is the answer', async () => {
    const port = await udpServer((query) => [
      Buffer.from('no message'),
      answerTo(query, { id: 1, text: '192.0.2.66' }),
      answerTo(query, { name: 'example.org', text: '192.0.2.67' }),
      query,
      answerTo(query),
    ]);
    const { answer } = await ask(port);
    expect(answer.map(({ text }) => text)).toEqual(['192.0.2.1']);
  });

  test('a lost datagram is sent again', async () => {
    const port = await udpServer((query, count) => (count < 3 ? [] : [answerTo(query)]));
    expect((await ask(port, {}, 1_000)).answer).toHaveLength(1);
  });

  test('an error may come without its question', async () => {
    const bare = (query: Buffer): Buffer => {
      const header = Buffer.alloc(12);
      query.copy(header, 0, 0, 2);
      header.writeUInt16BE(0x8005, 2);
      return header;
    };
    const port = await udpServer((query) => [bare(query)]);
    expect(await ask(port)).toMatchObject({ rcode: 5, question: undefined });
  });

  test('silence', async () => {
    const port = await udpServer(() => []);
    await expect(ask(port, {}, 50)).rejects.toMatchObject({
      silence: 'timeout',
      message: `ask 127.0.0.1 port ${port} for example.com TYPE1 over udp: no answer`,
    });
  });
});

describe('over TCP', () => {
  test('an answer in pieces', async () => {
    const port = await tcpServer((query) => {
      const answer = answerTo(query);
      const framed = Buffer.concat([Buffer.of(0, answer.length), answer]);
      return [framed.subarray(0, 1), framed.subarray(1, 5), framed.subarray(5)];
    });
    expect((await ask(port, { transport: 'tcp' })).answer).toHaveLength(1);
  });

  test.each([
    { when: 'nothing', pieces: [], silence: 'broken' },
    { when: 'half an answer', pieces: [Buffer.of(0, 99, 1)], silence: 'broken' },
    { when: 'what is no message', pieces: [Buffer.of(0, 3, 1, 2, 3)], silence: 'broken' },
  ])('$when', async ({ pieces, silence }) => {
    const port = await tcpServer(() => pieces);
    await expect(ask(port, { transport: 'tcp' })).rejects.toMatchObject({ silence });
  });

  test('nobody listens', async () => {
    const port = await tcpServer(() => []);
    opened.shift()?.close();
    await expect(ask(port, { transport: 'tcp' })).rejects.toMatchObject({ silence: 'refused' });
  });
});

test('a name that is none is refused before anything is sent', async () => {
  await expect(ask(9, { name: 'a b' })).rejects.toThrow('"a b" is not a domain name');
});
