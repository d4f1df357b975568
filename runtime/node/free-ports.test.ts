import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { freePortsAt, portsFree } from './free-ports.ts';

const HOST = '127.0.0.1';
const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const each of undo.splice(0)) await each();
});

/** Somebody who would share the port with whoever asks for it. */
const STRANGERS: readonly {
  readonly who: string;
  readonly take: (port: number) => Promise<void>;
}[] = [
  {
    who: 'TCP',
    async take(port) {
      const server = createServer().listen({ port, host: HOST, reusePort: true });
      undo.push(() => once(server.close(), 'close'));
      await once(server, 'listening');
    },
  },
  {
    who: 'UDP',
    async take(port) {
      const socket = createSocket({ type: 'udp4', reusePort: true });
      undo.push(() => socket.close());
      socket.bind(port, HOST);
      await once(socket, 'listening');
    },
  },
];

test.each(STRANGERS)('a port that somebody would share over $who is not free', async ({ take }) => {
  const [last = 0] = await freePortsAt([HOST], 1);
  const taken = [last + 1, last + 3];
  for (const port of taken) await take(port);
  expect(await portsFree([HOST], last + 1)).toBe(false);
  const found = await freePortsAt([HOST], 3);
  expect(found.filter((port) => taken.includes(port))).toEqual([]);
  expect(new Set(found).size).toBe(3);
});

test('one that is free at one address only is not', async () => {
  const [port = 0] = await freePortsAt([HOST, '127.0.0.53'], 1);
  await STRANGERS[0]?.take(port);
  expect(await portsFree(['127.0.0.53'], port)).toBe(true);
  expect(await portsFree([HOST, '127.0.0.53'], port)).toBe(false);
});
