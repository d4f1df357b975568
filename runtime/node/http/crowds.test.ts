import { connect, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { FLAG, FRAME } from '../../http2/frames.ts';
import {
  echo,
  expectStillServing,
  HOST,
  listen,
  ok,
  open,
  uint32,
  undo,
} from './http2-client.fixture.ts';

/** Connections from 127.0.1.x, each address with as many. */
async function crowd(
  port: number,
  { addresses, each }: { readonly addresses: number; readonly each: number },
): Promise<readonly Socket[]> {
  const sockets = Array.from({ length: addresses * each }, (_, index) => {
    const localAddress = `127.0.1.${1 + (index % addresses)}`;
    const socket = connect({ host: HOST, port, localAddress });
    undo.push(() => void socket.destroy());
    return socket.on('error', () => undefined).resume();
  });
  // Some may be cut before they know that they were there.
  const settled = sockets.map(
    (socket) => new Promise((resolve) => socket.once('connect', resolve).once('close', resolve)),
  );
  await Promise.all(settled);
  return sockets;
}

test('thousands of connections that say nothing keep nobody out', async () => {
  const listener = await listen(echo, { connectionsMax: 1500, headersMs: 600_000 });
  for (const port of [listener.httpPort, listener.httpsPort]) {
    await crowd(port, { addresses: 4, each: 250 });
    await expectStillServing(listener.httpsPort);
  }
  expect(listener.connections()).toBeLessThanOrEqual(1500);
});

test('so do those that were answered once, and those in the middle of a head', async () => {
  const listener = await listen(echo, { connectionsMax: 200, headersMs: 600_000 });
  const all: Socket[] = [];
  for (const said of ['GET / HTTP/1.1\r\nhost: a\r\n\r\n', 'GET / HTTP/1.1\r\nhost: ']) {
    const sockets = await crowd(listener.httpPort, { addresses: 4, each: 60 });
    for (const socket of sockets) socket.write(said);
    all.push(...sockets);
  }
  // All were taken, and as many were cut as had no room.
  await expect.poll(() => all.filter(({ destroyed }) => destroyed).length).toBe(480 - 200);
  await expectStillServing(listener.httpsPort);
});

test('one address has its share of connections, whatever it does with them; others have theirs', async () => {
  const listener = await listen(echo, { connectionsPerClientMax: 50 });
  const sockets = await crowd(listener.httpPort, { addresses: 1, each: 80 });
  await expect.poll(() => sockets.filter(({ destroyed }) => destroyed).length).toBe(30);
  expect(listener.connections()).toBe(50);
  await expectStillServing(listener.httpsPort);
});

/** A body without end that notes how much of it was asked for. */
function endless(): { readonly answer: ReturnType<typeof ok>; readonly heldBytes: () => number } {
  let heldBytes = 0;
  const pieces: AsyncIterableIterator<Uint8Array> = {
    [Symbol.asyncIterator]: () => pieces,
    next: (bytesMax: number = 65_536) => {
      heldBytes += bytesMax;
      return Promise.resolve({ done: false, value: Buffer.alloc(bytesMax) });
    },
  };
  return { answer: ok(pieces), heldBytes: () => heldBytes };
}

test.each([
  { when: 'no window', windowBytes: 0, heldBytesMax: 256 * 1024 },
  { when: 'windows of a byte', windowBytes: 1, heldBytesMax: 256 * 1024 },
  { when: 'wide windows in a narrow one', windowBytes: 0x7fff_ffff, heldBytesMax: 512 * 1024 },
])('128 large files over $when hold little memory', async ({ windowBytes, heldBytesMax }) => {
  const { answer, heldBytes } = endless();
  const { httpsPort } = await listen((request) =>
    request.path === '/large' ? answer : echo(request),
  );
  const client = await open(httpsPort, [[4, windowBytes]]);
  for (let stream = 0; stream < 128; stream += 1) client.get(1 + 2 * stream, '/large');
  await expect.poll(() => client.of(FRAME.headers).length).toBe(128);
  await expectStillServing(httpsPort);
  expect(heldBytes()).toBeLessThan(heldBytesMax);
});

test('a small file is answered beside large ones that nobody reads', async () => {
  const { answer } = endless();
  const { httpsPort } = await listen((request) =>
    request.path === '/large' ? answer : echo(request),
  );
  const client = await open(httpsPort);
  client.send(FRAME.windowUpdate, 0, 0, uint32(0x7000_0000));
  for (let stream = 0; stream < 100; stream += 1) client.get(1 + 2 * stream, '/large');
  await expect.poll(() => client.body(1).length).toBe(65_535);
  client.get(201, '/small');
  await client.isDone(201);
  expect(client.body(201).toString()).toBe('GET /small a');
});

test('windows of a byte, given again and again, are too much trouble (CVE-2019-9511)', async () => {
  const { answer } = endless();
  const { httpsPort } = await listen((request) =>
    request.path === '/large' ? answer : echo(request),
  );
  const client = await open(httpsPort, [[4, 0]]);
  client.get(1, '/large', FLAG.endHeaders | FLAG.endStream);
  await expect.poll(() => client.of(FRAME.headers).length).toBe(1);
  for (let round = 0; round < 3000 && client.of(FRAME.goaway).length === 0; round += 1) {
    const before = client.body(1).length;
    client.send(FRAME.windowUpdate, 0, 1, uint32(1));
    if (round % 50 === 0)
      await expect
        .poll(() => client.body(1).length > before || client.of(FRAME.goaway).length > 0)
        .toBe(true);
  }
  expect(await client.goaway()).toBe(11);
  await expectStillServing(httpsPort);
});
