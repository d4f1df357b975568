import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { DnsAnswerer } from '../../dns/reply.ts';
import { dial as dialOnly, frame, read } from './client.fixture.ts';
import { type DnsListener, type DnsListenerOptions, listenDns } from './listener.ts';

const opened: { close(): unknown }[] = [];

afterEach(async () => {
  for (const one of opened.splice(0).toReversed()) await one.close();
});

/** Answers what it hears, upper case. */
const shout: DnsAnswerer = (query) => Buffer.from(Buffer.from(query).toString().toUpperCase());

async function listen(given: Partial<DnsListenerOptions> = {}): Promise<DnsListener> {
  const listener = await listenDns({ addresses: ['127.0.0.1'], port: 0, answer: shout, ...given });
  opened.push(listener);
  return listener;
}

async function askUdp(port: number, query: string, host = '127.0.0.1'): Promise<string> {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  socket.send(query, port, host);
  const [reply] = (await once(socket, 'message')) as [Buffer];
  socket.close();
  return reply.toString();
}

function dial(port: number, host = '127.0.0.1'): Socket {
  const socket = dialOnly(port, host);
  opened.push({ close: () => socket.destroy() });
  return socket;
}

describe('UDP', () => {
  test('answers on every address, IPv4 and IPv6, on one port', async () => {
    const { port } = await listen({ addresses: ['127.0.0.1', '127.0.0.53', '::1'] });
    expect(await askUdp(port, 'a')).toBe('A');
    expect(await askUdp(port, 'b', '127.0.0.53')).toBe('B');
    expect(await askUdp(port, 'c', '::1')).toBe('C');
  });

  test('several listeners share a port', async () => {
    const { port } = await listen();
    await listen({ port });
    const replies = await Promise.all(Array.from({ length: 20 }, (_, i) => askUdp(port, `q${i}`)));
    expect(replies).toEqual(replies.map((_, i) => `Q${i}`));
  });

  test('tells who asks; a throw or an answer too long costs only that query', async () => {
    const errors: string[] = [];
    const answer: DnsAnswerer = (query, peer) => {
      const text = Buffer.from(query).toString();
      if (text === 'throw') throw new Error('a bug');
      if (text === 'long') return Buffer.alloc(65_535);
      return text === 'silence' ? undefined : Buffer.from(`${peer.address} ${peer.transport}`);
    };
    const { port } = await listen({ answer, onError: ({ message }) => void errors.push(message) });
    const socket = createSocket('udp4');
    for (const query of ['throw', 'long', 'silence', 'who']) socket.send(query, port, '127.0.0.1');
    const [reply] = (await once(socket, 'message')) as [Buffer];
    socket.close();
    expect(reply.toString()).toBe('127.0.0.1 udp');
    const expected = ['a bug', expect.stringContaining('EMSGSIZE')];
    await vi.waitFor(() => expect(errors).toEqual(expected), { timeout: 15_000 });
  });

  test('a client that is gone does no harm', async () => {
    const { port } = await listen();
    for (let count = 0; count < 5; count += 1) {
      const socket = createSocket('udp4');
      await new Promise((resolve) => socket.send('x', port, '127.0.0.1', resolve));
      socket.close();
    }
    expect(await askUdp(port, 'still')).toBe('STILL');
  });
});

describe('TCP', () => {
  test('queries in pieces of one byte', async () => {
    const { port } = await listen();
    const socket = dial(port);
    for (const byte of frame('hello')) {
      socket.write(Buffer.of(byte));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await read(socket, 7)).toBe('\0\x05HELLO');
  });

  test('many queries in one piece are answered in order, and after them one more', async () => {
    const { port } = await listen();
    const socket = dial(port, '127.0.0.1');
    const queries = Array.from({ length: 500 }, (_, index) => `query-${index}`);
    const whole = Buffer.concat(queries.map(frame));
    socket.write(Buffer.concat([whole, frame('half').subarray(0, 3)]));
    const expected = whole.toString('latin1').toUpperCase();
    expect(await read(socket, whole.length)).toBe(expected);
    socket.write(frame('half').subarray(3));
    expect(await read(socket, 6)).toBe('\0\x04HALF');
  });

  test.each([
    { when: 'a query is too long', bytes: Buffer.of(0x10, 0x01) },
    { when: 'there is nothing to answer', bytes: frame('silence') },
    { when: 'the answerer throws', bytes: frame('throw') },
  ])('the connection ends when $when', async ({ bytes }) => {
    const answer: DnsAnswerer = (query) => {
      if (query.length === 5) throw new Error('a bug');
      return undefined;
    };
    const { port } = await listen({ answer });
    const socket = dial(port);
    socket.write(bytes);
    expect(await read(socket, 1)).toBe('');
  });

  test('single bytes do not keep an idle connection alive', async () => {
    const { port } = await listen({ limits: { idleMs: 150 } });
    const socket = dial(port);
    const drip = setInterval(() => socket.write('\0'), 20);
    socket.write(Buffer.of(0x0f, 0xff));
    // A byte that comes as it is cut is answered by a reset.
    const cut = await read(socket, 1).catch((error: unknown) => (error as { code?: string }).code);
    clearInterval(drip);
    expect(['', 'ECONNRESET']).toContain(cut);
  });

  test('a client that does not read is cut, and others are served meanwhile', async () => {
    let answered = 0;
    const answer: DnsAnswerer = () => {
      answered += 1;
      return Buffer.alloc(60_000);
    };
    const { port } = await listen({ answer, limits: { stallMs: 200, idleMs: 60_000 } });
    const greedy = dial(port);
    greedy.pause();
    const closed = new Promise((resolve) => greedy.once('close', resolve));
    greedy.write(Buffer.concat(Array.from({ length: 5000 }, () => frame('more'))));
    const polite = dial(port);
    polite.write(frame('x'));
    expect((await read(polite, 60_002)).length).toBe(60_002);
    polite.destroy();
    // A paused reader sees the end only when it writes.
    const nag = setInterval(() => greedy.write('\0'), 20);
    await closed;
    clearInterval(nag);
    // Nothing like 5000 answers had been made for it.
    expect(answered).toBeLessThan(1000);
  });

  test('an address has only so many connections, and gets others once it closes some', async () => {
    const { port } = await listen({ limits: { connectionsPerAddressMax: 2 } });
    const ask = async (): Promise<string> => {
      const socket = dial(port);
      socket.write(frame('a'));
      return read(socket, 3).catch(() => '');
    };
    expect([await ask(), await ask(), await ask()]).toEqual(['\0\x01A', '\0\x01A', '']);
    await opened.splice(1, 1)[0]?.close();
    let reply = '';
    while (reply === '') reply = await ask();
    expect(reply).toBe('\0\x01A');
  });

  test('when there is no room, the one that has been idle longest makes way', async () => {
    const { port } = await listen({ limits: { connectionsMax: 2 } });
    const ask = async (socket: Socket): Promise<string> => {
      socket.write(frame('a'));
      return read(socket, 3).catch(() => '');
    };
    const [first, second] = [dial(port), dial(port)];
    expect(await ask(first)).toBe('\0\x01A');
    expect(await ask(second)).toBe('\0\x01A');
    // It asks again, and so the second one is idle longest.
    expect(await ask(first)).toBe('\0\x01A');
    expect(await ask(dial(port))).toBe('\0\x01A');
    expect(await ask(second)).toBe('');
    expect(await ask(first)).toBe('\0\x01A');
  });
});

test('an address that cannot be bound is refused, and nothing stays open', async () => {
  const { port } = await listen();
  const refused = listenDns({ addresses: ['127.0.0.1', '192.0.2.1'], port, answer: shout });
  await expect(refused).rejects.toThrow('listen for DNS on 127.0.0.1, 192.0.2.1');
});

test('close cuts open connections', async () => {
  const listener = await listen();
  const socket = dial(listener.port);
  socket.write(frame('a'));
  await read(socket, 3);
  await listener.close();
  opened.shift();
  expect(await read(socket, 1).catch(() => '')).toBe('');
});
