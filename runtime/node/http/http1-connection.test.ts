import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import type { HttpAnswer, HttpHandler } from '../../http.ts';
import { closeOf } from '../close-of.ts';
import { type HttpLimits, type HttpListener, listenHttp } from '../http-listener.ts';
import { createTlsContexts } from '../tls/contexts.ts';

const HOST = '127.0.0.1';
const undo: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const each of undo.splice(0).toReversed()) await each();
});

async function listen(
  handler: HttpHandler,
  limits: Partial<HttpLimits> = {},
): Promise<HttpListener> {
  const given = { addresses: [HOST], httpPort: 0, httpsPort: 0, contexts: createTlsContexts() };
  const listener = await listenHttp({ ...given, handler, limits });
  undo.push(() => listener.close({ graceMs: 0 }));
  return listener;
}

/** Collects what comes back. */
function open(port: number): { readonly socket: Socket; readonly text: () => string } {
  const socket = connect({ host: HOST, port, allowHalfOpen: true });
  undo.push(() => void socket.destroy());
  let text = '';
  socket.on('data', (piece: Buffer) => {
    text += piece.toString('latin1');
  });
  socket.on('error', () => undefined);
  return { socket, text: () => text };
}

/** All that came once the server has ended. */
async function exchange(port: number, text: string): Promise<string> {
  const { socket, text: said } = open(port);
  socket.write(text, 'latin1');
  await once(socket, 'end');
  return said();
}

const echo: HttpHandler = ({ method, path }) => ok(`${method} ${path}`);

function ok(body: HttpAnswer['body']): HttpAnswer {
  return { status: 200, headers: [['content-type', 'text/plain']], body };
}

function get(path: string, ...fields: readonly string[]): string {
  return `GET ${path} HTTP/1.1\r\nhost: a\r\n${fields.map((field) => `${field}\r\n`).join('')}\r\n`;
}

async function expectStillServing(port: number): Promise<void> {
  expect(await exchange(port, get('/normal', 'connection: close'))).toMatch(/\/normal$/u);
}

test('answers have a date, a length and the connection as the client wants it', async () => {
  const { httpPort } = await listen(echo);
  const { socket, text } = open(httpPort);
  socket.write(get('/a'));
  await expect.poll(text).toContain('GET /a');
  expect(text()).toMatch(
    /^HTTP\/1\.1 200 OK\r\ncontent-type: text\/plain\r\ncontent-length: 6\r\ndate: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT\r\n\r\nGET \/a$/u,
  );
  socket.write(get('/b', 'connection: close'));
  await once(socket, 'end');
  expect(text()).toContain('\r\nconnection: close\r\n');
  expect(text()).toContain('GET /b');
});

test('pipelined requests are answered in their order, however long each takes', async () => {
  const { httpPort } = await listen(async ({ path }) => {
    if (path.startsWith('/slow')) await sleep(20);
    if (path === '/pieces') {
      return {
        ...ok(
          (async function* () {
            yield Buffer.from('pie');
            await sleep(5);
            yield Buffer.from('ces');
          })(),
        ),
        headers: [['content-length', '6']],
      };
    }
    return ok(`<${path}>`);
  });
  const text = await exchange(
    httpPort,
    ['/1', '/slow1', '/2', '/pieces', '/slow2'].map((path) => get(path)).join('') +
      get('/last', 'connection: close'),
  );
  expect(text.match(/<[^>]+>|pieces/gu)).toEqual([
    '</1>',
    '</slow1>',
    '</2>',
    'pieces',
    '</slow2>',
    '</last>',
  ]);
});

test('a thousand requests at once are answered, with few answers held in memory', async () => {
  const body = Buffer.alloc(8 * 1024, 'x');
  let asked = 0;
  const { httpPort } = await listen(() => {
    asked += 1;
    return ok(body);
  });
  const { socket, text } = open(httpPort);
  socket.pause();
  socket.write(get('/').repeat(4000));
  let before = -1;
  while (before !== asked || asked === 0) {
    before = asked;
    await sleep(100);
  }
  expect(asked).toBeLessThan(4000);
  socket.resume();
  socket.write(get('/', 'connection: close'));
  await once(socket, 'end');
  expect(asked).toBe(4001);
  expect(text().match(/HTTP\/1\.1 200 OK/gu)).toHaveLength(4001);
});

test('byte by byte is as good as at once, and so is an end behind the request', async () => {
  const { httpPort } = await listen(async ({ path }) => {
    await sleep(10);
    return ok(path);
  });
  const { socket, text } = open(httpPort);
  for (const character of get('/slowly')) {
    socket.write(character);
    await sleep(0);
  }
  socket.end(get('/last'));
  await once(socket, 'end');
  expect(text()).toContain('/slowly');
  expect(text()).toContain('/last');
});

test('HTTP/1.0 is answered and ended, and kept where it asks for it', async () => {
  const { httpPort } = await listen(echo);
  expect(await exchange(httpPort, 'GET /old HTTP/1.0\r\n\r\n')).toContain('GET /old');
  const { socket, text } = open(httpPort);
  socket.write('GET /kept HTTP/1.0\r\nconnection: keep-alive\r\n\r\n');
  await expect.poll(text).toContain('GET /kept');
  socket.write('GET /again HTTP/1.0\r\n\r\n');
  await once(socket, 'end');
  expect(text()).toContain('GET /again');
});

test('HEAD and 304 have no body, whatever the handler gives', async () => {
  const { httpPort } = await listen(({ method }) =>
    method === 'HEAD' ? ok('body') : { status: 304, headers: [], body: undefined },
  );
  const text = await exchange(
    httpPort,
    `HEAD / HTTP/1.1\r\nhost: a\r\n\r\n${get('/', 'connection: close')}`,
  );
  expect(text).not.toContain('body');
  expect(text.match(/HTTP\/1\.1 \d+/gu)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 304']);
});

test.each([
  {
    when: 'CL+TE',
    text: 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
  },
  { when: 'TE', text: 'POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n' },
  { when: 'CL', text: 'GET / HTTP/1.1\r\nhost: a\r\ncontent-length: 30\r\n\r\n' },
  { when: 'bare LF', text: 'GET / HTTP/1.1\nhost: a\n\n' },
  { when: 'obs-fold', text: 'GET / HTTP/1.1\r\nhost: a\r\nx: y\r\n\tz\r\n\r\n' },
  { when: 'two hosts', text: 'GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n' },
  { when: 'a long header', text: `GET / HTTP/1.1\r\nhost: a\r\nx: ${'y'.repeat(70_000)}\r\n\r\n` },
  {
    when: 'Expect',
    text: 'PUT / HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 5\r\n\r\n',
  },
])('nothing behind it is taken for a request: $when', async ({ text }) => {
  const asked: string[] = [];
  const { httpPort } = await listen((request) => {
    asked.push(request.path);
    return echo(request);
  });
  const said = await exchange(httpPort, `${text}${get('/smuggled')}`);
  expect(said).toMatch(/^HTTP\/1\.1 (?:400|405|413|431) /u);
  expect(said.match(/HTTP\/1\.1 /gu)).toHaveLength(1);
  expect(said).toContain('connection: close');
  expect(asked).toEqual([]);
  await expectStillServing(httpPort);
});

test('an answer to who still sends a body arrives', async () => {
  const { httpPort } = await listen(echo);
  const { socket, text } = open(httpPort);
  socket.write('POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 500000\r\n\r\n');
  for (let index = 0; index < 50; index += 1) socket.write(Buffer.alloc(10_000));
  await once(socket, 'end');
  expect(text()).toMatch(/^HTTP\/1\.1 405 /u);
});

test('who sends on and on behind its last answer is cut', async () => {
  const { httpPort } = await listen(echo);
  const { socket } = open(httpPort);
  const sentBytesMax = 64 * 1024 * 1024;
  const piece = Buffer.alloc(64 * 1024);
  let sentBytes = 0;
  socket.write(`POST / HTTP/1.1\r\nhost: a\r\ncontent-length: ${2 * sentBytesMax}\r\n\r\n`);
  const closed = new Promise((resolve) => socket.once('close', resolve));
  for (; !socket.destroyed && sentBytes < sentBytesMax; sentBytes += piece.length) {
    if (socket.write(piece)) continue;
    await Promise.race([new Promise((resolve) => socket.once('drain', resolve)), closed]);
  }
  expect(sentBytes).toBeLessThan(sentBytesMax);
  await expectStillServing(httpPort);
});

test('who is slow is cut: silent, with its headers, between requests, as a reader', async () => {
  let asked = 0;
  const handler: HttpHandler = ({ path }) => {
    if (path !== '/large') return ok(path);
    asked += 1;
    return ok(Buffer.alloc(64 * 1024 * 1024));
  };
  // Each limit by itself: what is to be served has all the time that there is.
  const headers = await listen(handler, { headersMs: 2_000 });
  const between = await listen(handler, { keepAliveMs: 200 });
  const reading = await listen(handler, { idleMs: 200 });
  const cut = ['', 'GET / HTTP/1.1\r\nhost: a\r\n'].map((sent) => exchange(headers.httpPort, sent));
  expect(await Promise.all(cut)).toEqual(['', expect.stringMatching(/^HTTP\/1\.1 408 /u)]);
  expect(await exchange(between.httpPort, get('/once'))).toMatch(/\/once$/u);
  const { socket, text } = open(reading.httpPort);
  socket.pause();
  socket.write(get('/large'));
  await expect.poll(() => asked).toBe(1);
  await expect.poll(() => reading.connections()).toBe(0);
  const ended = Promise.race([once(socket, 'end'), closeOf(socket)]);
  socket.resume();
  await ended;
  expect(text().length).toBeLessThan(64 * 1024 * 1024);
  for (const { httpPort } of [headers, between, reading]) await expectStillServing(httpPort);
});

test('a header that cannot be sent is a bug that is told, and costs 500', async () => {
  const errors: unknown[] = [];
  const listener = await listenHttp({
    ...{ addresses: [HOST], httpPort: 0, httpsPort: 0, contexts: createTlsContexts() },
    handler: () => ({ status: 200, headers: [['x', 'a\r\nset-cookie: b']], body: 'x' }),
    onError: (error) => errors.push(error),
  });
  undo.push(() => listener.close({ graceMs: 0 }));
  expect(await exchange(listener.httpPort, get('/'))).toMatch(/^HTTP\/1\.1 500 /u);
  expect(errors).toHaveLength(1);
});
