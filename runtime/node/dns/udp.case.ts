import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { DnsAnswerer, DnsStream } from '../../dns/reply.ts';
import { DATAGRAM_BYTES_MAX, type UdpOptions, type UdpSocket } from './udp-socket.ts';

type Listen = (options: UdpOptions) => Promise<UdpSocket>;

const HOST = '127.0.0.1';
/** More than any implementation takes at once; few enough for the buffer that a kernel gives. */
const MANY = 200;
/** A busy machine is no failure. */
const WAIT = { timeout: 15_000 };

/** What every implementation of a DNS server's UDP socket does; `listenUdp` says it in words. */
export function udpCases(name: string, listen: Listen): void {
  describe(name, () => {
    const opened = new Set<{ close(): unknown }>();
    afterEach(async () => {
      for (const one of opened) await one.close();
      opened.clear();
    });

    /** Answers what it hears, upper case, unless something else is given. */
    async function serve(given: Partial<UdpOptions> = {}): Promise<UdpSocket> {
      const answer: DnsAnswerer = (query) => Buffer.from(String(query).toUpperCase());
      const onError = (): void => undefined;
      const socket = await listen({ host: HOST, port: 0, answer, onError, ...given });
      opened.add(socket);
      return socket;
    }

    async function close(socket: UdpSocket | Socket): Promise<void> {
      opened.delete(socket);
      await socket.close();
    }

    function client(type: 'udp4' | 'udp6' = 'udp4'): Socket {
      const socket = createSocket({ type, recvBufferSize: 4 * 1024 * 1024 });
      opened.add(socket);
      return socket;
    }

    async function ask(port: number, query: string | Buffer, host = HOST): Promise<string> {
      const socket = client(host.includes(':') ? 'udp6' : 'udp4');
      socket.send(query, port, host);
      const [reply, from] = (await once(socket, 'message')) as [Buffer, RemoteInfo];
      expect([from.address, from.port]).toEqual([host, port]);
      await close(socket);
      return String(reply);
    }

    test.each([HOST, '127.0.0.53', '::1'])('answers at %s', async (host) => {
      const { address } = await serve({ host });
      expect(address).toMatchObject({ address: host, family: host === '::1' ? 'IPv6' : 'IPv4' });
      expect(await ask(address.port, 'hello', host)).toBe('HELLO');
      expect(await ask(address.port, 'again', host)).toBe('AGAIN');
    });

    test('says who asks, as text', async () => {
      const answer: DnsAnswerer = (_, peer) => Buffer.from(`${peer.address} ${peer.transport}`);
      expect(await ask((await serve({ answer })).address.port, '?')).toBe('127.0.0.1 udp');
      const { address } = await serve({ answer, host: '::1' });
      expect(await ask(address.port, '?', '::1')).toBe('::1 udp');
    });

    test(`${MANY} clients at once: each has its own answers, to all that it asked`, async () => {
      const { address } = await serve();
      const clients = Array.from({ length: 20 }, () => client());
      const heard = clients.map(() => [] as string[]);
      for (const [index, socket] of clients.entries())
        socket.on('message', (reply) => heard[index]?.push(String(reply)));
      const asked = clients.map((_, index) =>
        Array.from({ length: MANY / 20 }, (__, count) => `q${index}-${count}`),
      );
      for (const [index, queries] of asked.entries())
        for (const query of queries) clients[index]?.send(query, address.port, HOST);
      const expected = asked.map((queries) => queries.map((query) => query.toUpperCase()));
      await vi.waitFor(() => expect(heard).toEqual(expected), WAIT);
    });

    test('a throw, an answer too long or of several messages costs only that query', async () => {
      const errors: string[] = [];
      let ended = 0;
      const stream: DnsStream = { next: () => undefined, end: () => void (ended += 1) };
      const answer: DnsAnswerer = (query) => {
        const text = String(query);
        if (text === 'throw') throw new Error('a bug');
        if (text === 'long') return Buffer.alloc(DATAGRAM_BYTES_MAX + 1);
        if (text === 'stream') return stream;
        if (text === 'empty') return Buffer.alloc(0);
        return text === 'silence' ? undefined : Buffer.from('an answer');
      };
      const onError = ({ message }: Error): void => void errors.push(message);
      const { address } = await serve({ answer, onError });
      const socket = client();
      const heard: string[] = [];
      socket.on('message', (reply) => heard.push(String(reply)));
      for (const query of ['throw', 'long', 'stream', 'silence', 'empty', 'ask'])
        socket.send(query, address.port, HOST);
      await vi.waitFor(() => expect(heard).toEqual(['an answer']), WAIT);
      expect(errors).toEqual(['a bug', `EMSGSIZE: ${DATAGRAM_BYTES_MAX + 1} bytes`]);
      expect(ended).toBe(1);
    });

    test('queries and answers of every length up to the longest; longer ones are dropped', async () => {
      const { address } = await serve({ answer: (query) => Buffer.from(query) });
      for (const length of [1, 12, 512, 1232, 4095, DATAGRAM_BYTES_MAX]) {
        const query = Buffer.alloc(length, length % 256);
        expect(await ask(address.port, query)).toBe(String(query));
      }
      const socket = client();
      const lengths: number[] = [];
      socket.on('message', ({ length }) => lengths.push(length));
      for (const length of [DATAGRAM_BYTES_MAX + 1, 9000, 65_507, 7])
        socket.send(Buffer.alloc(length), address.port, HOST);
      await vi.waitFor(() => expect(lengths).toEqual([7]), WAIT);
    });

    test('what an answerer keeps of a query stays as it was', async () => {
      const kept: Uint8Array[] = [];
      const answer: DnsAnswerer = (query) => {
        kept.push(query);
        return query;
      };
      const { address } = await serve({ answer });
      const asked = Array.from({ length: 10 }, (_, index) => `query ${index}`);
      for (const query of asked) await ask(address.port, query);
      expect(kept.map(String)).toEqual(asked);
    });

    test('clients that are gone do no harm', async () => {
      const { address } = await serve();
      for (let count = 0; count < 20; count += 1) {
        const socket = client();
        await new Promise((resolve) => socket.send('x', address.port, HOST, resolve));
        await close(socket);
      }
      expect(await ask(address.port, 'still')).toBe('STILL');
    });

    test('a datagram from port 0 is not even looked at', async () => {
      // No socket of Node can send one: what is left to show is that an empty one is none either.
      const asked: string[] = [];
      const answer: DnsAnswerer = (query) => {
        asked.push(String(query));
        return undefined;
      };
      const { address } = await serve({ answer });
      const socket = client();
      socket.send('', address.port, HOST);
      socket.send('x', address.port, HOST);
      await vi.waitFor(() => expect(asked).toContain('x'), WAIT);
    });

    test('several share a port, and each can go while the others serve', async () => {
      const first = await serve();
      const { port } = first.address;
      const others = [await serve({ port }), await serve({ port })];
      const askAll = async (): Promise<void> => {
        const queries = Array.from({ length: 30 }, (_, index) => `q${index}`);
        const replies = await Promise.all(queries.map((query) => ask(port, query)));
        expect(replies).toEqual(queries.map((query) => query.toUpperCase()));
      };
      await askAll();
      await close(first);
      await askAll();
      expect(others.map((other) => other.address.port)).toEqual([port, port]);
    });

    test('closed in the middle of answering: the rest is left, and the port is free', async () => {
      let answered = 0;
      const socket: UdpSocket = await serve({
        answer: (query) => {
          answered += 1;
          if (answered === 3) void close(socket);
          return query;
        },
      });
      const { port } = socket.address;
      const asker = client();
      for (let count = 0; count < MANY; count += 1) asker.send('x', port, HOST);
      await vi.waitFor(() => expect(answered).toBeGreaterThanOrEqual(3), WAIT);
      await vi.waitFor(async () => {
        const next = await serve({ port });
        expect(await ask(port, 'next')).toBe('NEXT');
        await close(next);
      }, WAIT);
      expect(answered).toBeLessThan(MANY);
    });

    test.each([
      { when: 'an address that is not here', host: '192.0.2.1', code: 'EADDRNOTAVAIL' },
      { when: 'an address of IPv6 that is not here', host: '2001:db8::1', code: 'EADDRNOTAVAIL' },
    ])('$when cannot be bound', async ({ host, code }) => {
      await expect(serve({ host })).rejects.toMatchObject({ code });
    });

    test('a port that another has for itself cannot be bound', async () => {
      const other = client();
      other.bind({ address: HOST, port: 0, exclusive: true });
      await once(other, 'listening');
      const { port } = other.address();
      await expect(serve({ port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
    });
  });
}
