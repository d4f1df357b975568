import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { expect, test } from 'vitest';
import { FLAG, FRAME, PREFACE } from '../../http2/frames.ts';
import { closeOf } from '../close-of.ts';
import { Client, echo, HOST, listen, ok, undo } from './http2-client.fixture.ts';

const GRACE = { graceMs: 15_000 };

test('who has connected and not asked yet is still answered: HTTP/1.1', async () => {
  const listener = await listen(echo);
  const socket = connectTcp({ host: HOST, port: listener.httpPort });
  undo.push(() => void socket.destroy());
  await expect.poll(() => listener.connections()).toBe(1);
  const closed = listener.close(GRACE);
  socket.write('GET /late HTTP/1.1\r\nhost: a\r\n\r\n');
  let said = '';
  socket.on('data', (piece: Buffer) => {
    said += piece.toString();
  });
  await closeOf(socket);
  expect(said).toMatch(/^HTTP\/1\.1 200 OK[^]*connection: close[^]*GET \/late a$/u);
  await closed;
});

test.each([
  { when: 'before the handshake', agreed: 'no' },
  { when: 'after the handshake', agreed: 'yes' },
])('who has connected and not asked yet is still answered: HTTP/2, $when', async ({ agreed }) => {
  const listener = await listen(echo);
  const below = connectTcp({ host: HOST, port: listener.httpsPort });
  undo.push(() => void below.destroy());
  await expect.poll(() => listener.connections()).toBe(1);
  const begin = () =>
    connectTls({
      ...{ socket: below, servername: 'blog.test', rejectUnauthorized: false },
      ALPNProtocols: ['h2'],
    });
  let socket = agreed === 'yes' ? begin() : undefined;
  if (socket !== undefined) await once(socket, 'secureConnect');
  const closed = listener.close(GRACE);
  socket ??= begin();
  const client = new Client(socket);
  socket.write(PREFACE);
  client.send(FRAME.settings, 0, 0);
  client.get(1, '/late', FLAG.endStream | FLAG.endHeaders);
  await client.isDone(1);
  expect(client.body(1).toString()).toBe('GET /late a');
  expect(await client.goaway()).toBe(0);
  await closed;
});

test('who has connected and never asks is let go long before the grace is over', async () => {
  const listener = await listen(echo, { handshakeMs: 1000 });
  for (const port of [listener.httpPort, listener.httpsPort]) {
    const socket = connectTcp({ host: HOST, port });
    undo.push(() => void socket.destroy());
    socket.on('error', () => undefined).resume();
  }
  await expect.poll(() => listener.connections()).toBe(2);
  // Of TLS it is the handshake that takes too long.
  await listener.close({ graceMs: 19_000 });
  expect(listener.connections()).toBe(0);
});

test('who has pipelined more than fits, and reads it late, is let go then', async () => {
  const body = Buffer.alloc(60_000, 'x');
  const listener = await listen(() => ok(body));
  const socket = connectTcp({ host: HOST, port: listener.httpPort });
  undo.push(() => void socket.destroy());
  socket.pause();
  let bytes = 0;
  socket.on('data', (piece: Buffer) => {
    bytes += piece.length;
  });
  socket.pause();
  socket.write('GET / HTTP/1.1\r\nhost: a\r\n\r\n'.repeat(300));
  await expect.poll(() => listener.connections()).toBe(1);
  const closed = listener.close(GRACE);
  socket.resume();
  await closeOf(socket);
  expect(bytes).toBeGreaterThanOrEqual(60_000);
  await closed;
});
