import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'node:tls';
import { expect, test } from 'vitest';
import type { HttpHandler } from '../../http.ts';
import { ERROR, FLAG, FRAME } from '../../http2/frames.ts';
import { closeOf } from '../close-of.ts';
import {
  echo,
  expectStillServing,
  fields,
  HOST,
  listen,
  ok,
  open,
  request,
  uint32,
  undo,
  WAIT,
} from './http2-client.fixture.ts';

test('answers have status, headers, length, date and body', async () => {
  const { httpsPort } = await listen(echo);
  const client = await open(httpsPort);
  client.get(1, '/a');
  await client.isDone(1);
  expect(client.head(1)).toMatch(
    /^:status: 200\ncontent-type: text\/plain\ncontent-length: 8\ndate: \w{3}, .* GMT\n$/u,
  );
  expect(client.body(1).toString()).toBe('GET /a a');
  expect(client.of(FRAME.settings).map(({ flags }) => flags)).toEqual([0, FLAG.ack]);
});

test('no answer may lie in memory that is used again: windows hold it up', async () => {
  const { httpsPort } = await listen(({ copiedBytesMax }) => ok(`${copiedBytesMax}`));
  const client = await open(httpsPort);
  client.get(1, '/a');
  await client.isDone(1);
  expect(client.body(1).toString()).toBe('undefined');
});

test('both windows are kept, and all of them at once', async () => {
  const { httpsPort } = await listen(() => ok(Buffer.alloc(100_000, 'x')));
  const client = await open(httpsPort, [[4, 20_000]]);
  for (const id of [1, 3, 5, 7]) client.get(id, '/');
  const sent = (): number => [1, 3, 5, 7].reduce((sum, id) => sum + client.body(id).length, 0);
  await expect.poll(sent, WAIT).toBe(65_535);
  for (const id of [1, 3, 5, 7]) expect(client.body(id).length).toBeLessThanOrEqual(20_000);
  client.send(FRAME.windowUpdate, 0, 0, uint32(1_000_000));
  await expect.poll(sent, WAIT).toBe(80_000);
  client.send(FRAME.windowUpdate, 0, 3, uint32(10));
  await expect.poll(() => client.body(3).length, WAIT).toBe(20_010);
  // For those that are open, too (RFC 9113 §6.9.2).
  client.send(FRAME.settings, 0, 0, Buffer.concat([Buffer.of(0, 4), uint32(100_000)]));
  await Promise.all([1, 3, 5, 7].map((id) => client.isDone(id)));
  expect(sent()).toBe(400_000);
});

test('a window below zero is filled before anything is sent (RFC 9113 §6.9.2)', async () => {
  const { httpsPort } = await listen(() => ok(Buffer.alloc(30_000, 'x')));
  const client = await open(httpsPort, [[4, 20_000]]);
  client.get(1, '/');
  await expect.poll(() => client.body(1).length, WAIT).toBe(20_000);
  client.send(FRAME.settings, 0, 0, Buffer.concat([Buffer.of(0, 4), uint32(0)]));
  client.send(FRAME.windowUpdate, 0, 1, uint32(20_000));
  client.send(FRAME.ping, 0, 0, Buffer.alloc(8));
  await expect.poll(() => client.of(FRAME.ping).length, WAIT).toBe(1);
  expect(client.body(1)).toHaveLength(20_000);
  client.send(FRAME.windowUpdate, 0, 1, uint32(10_000));
  await client.isDone(1);
  expect(client.body(1)).toHaveLength(30_000);
});

test('a change of the table is acknowledged before the next header block (RFC 7541 §4.2)', async () => {
  const { httpsPort } = await listen(echo);
  const client = await open(httpsPort, [[1, 0]]);
  client.get(1, '/a');
  await client.isDone(1);
  expect(client.head(1)).toContain(':status: 200');
});

test('padding, priority, CONTINUATION and frames that nobody knows', async () => {
  const { httpsPort } = await listen(echo);
  const client = await open(httpsPort);
  const block = request('/padded');
  const padded = Buffer.concat([Buffer.of(3), Buffer.alloc(5), block, Buffer.alloc(3)]);
  const all = FLAG.endStream | FLAG.endHeaders;
  client.send(FRAME.headers, all | FLAG.padded | FLAG.priority, 1, padded);
  client.send(0x77, 0, 0, Buffer.alloc(20));
  client.send(FRAME.priority, 0, 99, Buffer.alloc(5));
  client.send(FRAME.headers, FLAG.endStream, 3, block.subarray(0, 10));
  client.send(FRAME.continuation, 0, 3, block.subarray(10, 20));
  client.send(FRAME.continuation, FLAG.endHeaders, 3, block.subarray(20));
  await Promise.all([client.isDone(1), client.isDone(3)]);
  expect([1, 3].map((id) => client.body(id).toString())).toEqual([
    'GET /padded a',
    'GET /padded a',
  ]);
});

test.each([
  { when: 'no path', block: fields([':method', 'GET'], [':scheme', 'https']) },
  { when: 'two methods', block: Buffer.concat([request('/'), fields([':method', 'GET'])]) },
  {
    when: 'a pseudo-header behind a header',
    block: fields([':method', 'GET'], [':path', '/'], ['a', 'b'], [':scheme', 'https']),
  },
  { when: 'an unknown pseudo-header', block: Buffer.concat([request('/'), fields([':x', 'y'])]) },
  { when: 'an upper-case name', block: Buffer.concat([request('/'), fields(['Host', 'a'])]) },
  {
    when: 'a line feed in a value',
    block: Buffer.concat([request('/'), fields(['x', 'a\nb: c'])]),
  },
  { when: 'NUL in a value', block: Buffer.concat([request('/'), fields(['x', 'a\0'])]) },
  { when: 'a space in the path', block: request('/a b') },
  { when: 'a whole URL as its path', block: request('https://b/next') },
  { when: 'a path that does not begin', block: request('next') },
  {
    when: 'transfer-encoding',
    block: Buffer.concat([request('/'), fields(['transfer-encoding', 'chunked'])]),
  },
  { when: 'connection', block: Buffer.concat([request('/'), fields(['connection', 'close'])]) },
  {
    when: 'another host than authority',
    block: Buffer.concat([request('/'), fields(['host', 'b'])]),
  },
  {
    when: 'two hosts',
    block: fields(
      [':method', 'GET'],
      [':scheme', 'https'],
      [':path', '/'],
      ['host', 'a'],
      ['host', 'a'],
    ),
  },
  {
    when: 'a length, and no body',
    block: Buffer.concat([request('/'), fields(['content-length', '5'])]),
  },
])('a malformed request costs its stream alone: $when', async ({ block }) => {
  const asked: string[] = [];
  const { httpsPort } = await listen((given) => {
    asked.push(given.path);
    return echo(given);
  });
  const client = await open(httpsPort);
  client.send(FRAME.headers, FLAG.endStream | FLAG.endHeaders, 1, block);
  client.get(3, '/next');
  await client.isDone(3);
  expect(client.of(FRAME.rstStream, 1)[0]?.payload.readUInt32BE(0)).toBe(ERROR.protocol);
  expect(asked).toEqual(['/next']);
});

test('no preface: no HTTP/2', async () => {
  const { httpsPort } = await listen(echo);
  const socket = connect({
    ...{ host: HOST, port: httpsPort, servername: 'blog.test' },
    rejectUnauthorized: false,
    ALPNProtocols: ['h2'],
  });
  undo.push(() => void socket.destroy());
  socket.write('GET / HTTP/1.1\r\nhost: blog.test\r\n\r\n');
  socket.resume();
  await once(socket, 'end');
  await expectStillServing(httpsPort);
});

test('more streams than allowed are refused, and the others answered', async () => {
  const waiting: (() => void)[] = [];
  const { httpsPort } = await listen(
    ({ path }) => new Promise((resolve) => waiting.push(() => resolve(ok(path)))),
    { streamsMax: 3 },
  );
  const client = await open(httpsPort);
  for (const id of [1, 3, 5, 7]) client.get(id, `/${id}`);
  await expect.poll(() => client.of(FRAME.rstStream, 7).length, WAIT).toBe(1);
  expect(client.of(FRAME.rstStream, 7)[0]?.payload.readUInt32BE(0)).toBe(ERROR.refusedStream);
  for (const answer of waiting) answer();
  await Promise.all([1, 3, 5].map((id) => client.isDone(id)));
  expect(client.body(5).toString()).toBe('/5');
});

test('a reset closes what the answer holds open', async () => {
  const state = { read: 0, closed: 0 };
  const { httpsPort } = await listen(() =>
    ok(
      (async function* () {
        try {
          for (;;) {
            state.read += 1;
            yield Buffer.alloc(65_536);
          }
        } finally {
          state.closed += 1;
        }
      })(),
    ),
  );
  const client = await open(httpsPort);
  client.get(1, '/');
  await expect.poll(() => client.body(1).length, WAIT).toBe(65_535);
  expect(state.read).toBeLessThanOrEqual(2);
  client.send(FRAME.rstStream, 0, 1, uint32(ERROR.cancel));
  await expect.poll(() => state.closed, WAIT).toBe(1);
});

test('who is slow is cut: with its preface, its headers, as a reader that only pings', async () => {
  const handler: HttpHandler = (asked) =>
    asked.path === '/normal' ? echo(asked) : ok(Buffer.alloc(200_000));
  // Each limit by itself, and long enough for what must come before.
  const greeting = await listen(handler, { headersMs: 150 });
  const headers = await listen(handler, { headersMs: 2_000 });
  const reading = await listen(handler, { idleMs: 2_000 });
  const silent = connect({
    ...{ host: HOST, port: greeting.httpsPort, servername: 'blog.test' },
    rejectUnauthorized: false,
    ALPNProtocols: ['h2'],
  });
  undo.push(() => void silent.destroy());
  silent.on('error', () => undefined).resume();
  await closeOf(silent);
  const slow = await open(headers.httpsPort);
  slow.send(FRAME.headers, FLAG.endStream, 1, request('/').subarray(0, 5));
  const partial = await open(headers.httpsPort);
  partial.socket.write(Buffer.of(0, 0, 100, 1, 5, 0, 0, 0, 1, 0));
  expect(await slow.goaway()).toBe(ERROR.enhanceYourCalm);
  expect(await partial.goaway()).toBe(ERROR.enhanceYourCalm);
  const stalled = await open(reading.httpsPort);
  stalled.get(1, '/');
  while (stalled.of(FRAME.goaway).length === 0 && !stalled.socket.destroyed) {
    stalled.send(FRAME.ping, 0, 0, Buffer.alloc(8));
    await sleep(20);
  }
  expect(stalled.body(1)).toHaveLength(65_535);
  for (const { httpsPort } of [headers, reading]) await expectStillServing(httpsPort);
});

test('close announces the end, answers what comes meanwhile, and then refuses', async () => {
  const { listener, client } = await (async () => {
    const made = await listen(echo);
    return { listener: made, client: await open(made.httpsPort) };
  })();
  client.get(1, '/before');
  await client.isDone(1);
  const closed = listener.close({ graceMs: 10_000 });
  await expect.poll(() => client.of(FRAME.ping).length, WAIT).toBe(1);
  client.get(3, '/meanwhile');
  await client.isDone(3);
  client.send(FRAME.ping, FLAG.ack, 0, client.of(FRAME.ping)[0]?.payload);
  await once(client.socket, 'end');
  client.socket.end();
  await closed;
  const lastIds = client.of(FRAME.goaway).map(({ payload }) => payload.readUInt32BE(0));
  expect(lastIds).toEqual([0x7fff_ffff, 3]);
});
