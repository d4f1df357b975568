import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { type ClientHttp2Session, connect as connectHttp2, constants } from 'node:http2';
import { Agent, request as httpsRequest } from 'node:https';
import { connect as connectTcp } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { afterEach, beforeAll, expect, test } from 'vitest';
import type { HttpAnswer, HttpHandler } from '../http.ts';
import { closeOf } from './close-of.ts';
import { type HttpLimits, type HttpListener, listenHttp } from './http-listener.ts';
import { createTlsContexts, type TlsContexts, type TlsIdentity } from './tls/contexts.ts';
import { testCertificate } from './tls/test-certificate.ts';

const HOST = '127.0.0.1';
let blog: TlsIdentity;
let blogRenewed: TlsIdentity;
let shop: TlsIdentity;

beforeAll(async () => {
  [blog, blogRenewed, shop] = await Promise.all([
    testCertificate(['blog.test']),
    testCertificate(['blog.test']),
    testCertificate(['shop.test']),
  ]);
});

const undo: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const each of undo.splice(0).toReversed()) await each();
});

async function listen(
  handler: HttpHandler,
  limits: Partial<HttpLimits> = {},
): Promise<{ readonly listener: HttpListener; readonly contexts: TlsContexts }> {
  const contexts = createTlsContexts();
  contexts.replace(
    new Map([
      ['blog.test', blog],
      ['shop.test', shop],
    ]),
  );
  const listener = await listenHttp({
    addresses: [HOST],
    httpPort: 0,
    httpsPort: 0,
    handler,
    contexts,
    limits,
  });
  undo.push(() => listener.close({ graceMs: 0 }));
  return { listener, contexts };
}

function answer(status: number, body?: HttpAnswer['body']): HttpAnswer {
  return { status, headers: [['content-type', 'text/plain']], body };
}

/** Says back what it was asked. */
const echo: HttpHandler = ({ method, path, host, secure }) =>
  answer(200, `${method} ${path} ${host} ${secure}`);

async function read(message: IncomingMessage): Promise<string> {
  return Buffer.concat(await message.toArray()).toString();
}

interface Asked {
  readonly status: number;
  readonly text: string;
  readonly headers: IncomingMessage['headers'];
  readonly fingerprint: string;
}

async function ask(
  port: number,
  options: {
    readonly servername?: string;
    readonly agent?: Agent;
    readonly method?: string;
    readonly headers?: Record<string, string>;
    readonly body?: string;
  } = {},
): Promise<Asked> {
  const { servername = 'blog.test', agent, body, ...rest } = options;
  const request = httpsRequest({
    host: HOST,
    port,
    path: '/a?b',
    servername,
    rejectUnauthorized: false,
    ...rest,
    headers: { host: servername, ...rest.headers },
    agent: agent ?? false,
  });
  request.end(body);
  const [message] = (await once(request, 'response')) as [IncomingMessage];
  const fingerprint = (message.socket as TLSSocket).getPeerCertificate().fingerprint256;
  return {
    status: message.statusCode ?? 0,
    text: await read(message),
    headers: message.headers,
    fingerprint: fingerprint.replaceAll(':', '').toLowerCase(),
  };
}

function openHttp2(port: number, servername = 'blog.test'): ClientHttp2Session {
  const session = connectHttp2(`https://${servername}:${port}`, {
    rejectUnauthorized: false,
    servername,
    createConnection: () =>
      connectTls({
        host: HOST,
        port,
        servername,
        ALPNProtocols: ['h2'],
        rejectUnauthorized: false,
      }),
  });
  session.on('error', () => undefined);
  undo.push(() => session.destroy());
  return session;
}

async function ask2(
  session: ClientHttp2Session,
  headers: Record<string, string>,
  { endStream } = { endStream: true },
): Promise<{ status: number; headers: Record<string, unknown>; text: string }> {
  const stream = session.request(headers, { endStream });
  const lost = once(stream, 'close').then(() => Promise.reject(new Error('stream closed')));
  const [got] = (await Promise.race([once(stream, 'response'), lost])) as [Record<string, unknown>];
  lost.catch(() => undefined);
  const text = Buffer.concat(await stream.toArray()).toString();
  return { status: Number(got[':status']), headers: got, text };
}

/** Sends raw bytes in the clear; resolves to all that came back once the server has closed. */
async function raw(port: number, text: string): Promise<string> {
  const socket = connectTcp({ host: HOST, port });
  undo.push(() => void socket.destroy());
  const pieces: Buffer[] = [];
  socket.on('data', (piece: Buffer) => pieces.push(piece)).on('error', () => undefined);
  socket.write(text);
  await closeOf(socket);
  return Buffer.concat(pieces).toString('latin1');
}

test('serves HTTP/1.1 in the clear, HTTP/1.1 and HTTP/2 over TLS', async () => {
  const { listener } = await listen(echo);
  const request = httpRequest({
    host: HOST,
    port: listener.httpPort,
    path: '/x',
    headers: { host: 'h' },
  });
  request.end();
  const [message] = (await once(request, 'response')) as [IncomingMessage];
  expect(await read(message)).toBe('GET /x h false');
  expect((await ask(listener.httpsPort)).text).toBe('GET /a?b blog.test true');
  const answered = await ask2(openHttp2(listener.httpsPort), { ':path': '/y?z' });
  expect(answered.text).toBe(`GET /y?z blog.test:${listener.httpsPort} true`);
  expect(answered.headers['content-type']).toBe('text/plain');
});

test('each name gets its certificate; another name gets the alert unrecognized_name', async () => {
  const { listener } = await listen(echo);
  const port = listener.httpsPort;
  expect((await ask(port)).fingerprint).toBe(blog.fingerprint);
  expect((await ask(port, { servername: 'SHOP.test' })).fingerprint).toBe(shop.fingerprint);
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    const socket = connectTls({
      host: HOST,
      port,
      servername: 'other.test',
      minVersion: version,
      maxVersion: version,
    });
    const [error] = (await once(socket, 'error').catch((each: unknown) => [each])) as [Error];
    expect(error.message).toMatch(/unrecognized name/u);
  }
  await expect(ask(port, { servername: '' })).rejects.toThrow(/handshake failure/u);
  expect((await ask(port)).status).toBe(200);
});

test('TLS 1.1 is refused', async () => {
  const { listener } = await listen(echo);
  const socket = connectTls({
    host: HOST,
    port: listener.httpsPort,
    servername: 'blog.test',
    rejectUnauthorized: false,
    minVersion: 'TLSv1',
    maxVersion: 'TLSv1.1',
    ciphers: 'DEFAULT@SECLEVEL=0',
  });
  await expect(once(socket, 'secureConnect')).rejects.toThrow(/protocol|version/iu);
});

test('a swap of certificates leaves open connections alone and shows in new ones', async () => {
  const { listener, contexts } = await listen(echo);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  undo.push(() => agent.destroy());
  const session = openHttp2(listener.httpsPort);
  await ask2(session, { ':path': '/' });
  expect((await ask(listener.httpsPort, { agent })).fingerprint).toBe(blog.fingerprint);

  const before = contexts.contextFor('shop.test');
  contexts.replace(
    new Map([
      ['blog.test', blogRenewed],
      ['shop.test', shop],
    ]),
  );
  expect(contexts.contextFor('shop.test')).toBe(before);
  expect((await ask(listener.httpsPort, { agent })).fingerprint).toBe(blog.fingerprint);
  expect((await ask2(session, { ':path': '/' })).status).toBe(200);
  expect((await ask(listener.httpsPort)).fingerprint).toBe(blogRenewed.fingerprint);
});

test('INV-29: a certificate is not replaced by a broken or a missing one, only dropped with its host', async () => {
  const { contexts } = await listen(echo);
  const broken = { ...blogRenewed, keyPem: shop.keyPem };
  const problems = contexts.replace(
    new Map([
      ['blog.test', broken],
      ['shop.test', undefined],
    ]),
  );
  expect([...problems.keys()]).toEqual(['blog.test']);
  expect(problems.get('blog.test')).not.toContain('PRIVATE');
  expect(contexts.fingerprintFor('blog.test')).toBe(blog.fingerprint);
  expect(contexts.fingerprintFor('shop.test')).toBe(shop.fingerprint);
  contexts.replace(new Map());
  expect(contexts.contextFor('blog.test')).toBeUndefined();
});

test('request bodies are refused: with 405, or with 413 where the method is served', async () => {
  const { listener } = await listen(echo);
  const refused = await ask(listener.httpsPort, { method: 'POST', body: 'hello' });
  expect(refused.status).toBe(405);
  expect(refused.headers.allow).toBe('GET, HEAD, OPTIONS');
  expect(refused.headers.connection).toBe('close');
  const served = 'OPTIONS / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhello';
  expect(await raw(listener.httpPort, served)).toMatch(/^HTTP\/1\.1 413 /u);
  const length = await raw(
    listener.httpPort,
    'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 9999999\r\n\r\nx',
  );
  expect(length).toMatch(/^HTTP\/1\.1 405 /u);
  const expecting = await raw(
    listener.httpPort,
    'PUT / HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 5\r\n\r\n',
  );
  expect(expecting).toMatch(/^HTTP\/1\.1 405 /u);
  const session = openHttp2(listener.httpsPort);
  const answered = await ask2(session, { ':method': 'POST' }, { endStream: false });
  expect(answered.status).toBe(405);
  expect((await ask2(session, { ':method': 'GET' }, { endStream: false })).status).toBe(413);
  expect((await ask2(session, { ':path': '/' })).status).toBe(200);
});

test('what is not HTTP, or too much of it, costs only its own connection', async () => {
  const { httpPort, httpsPort } = (await listen(echo)).listener;
  const hurried = (await listen(echo, { headersMs: 2_000, handshakeMs: 200 })).listener;
  expect(await raw(httpPort, 'nonsense\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /u);
  const long = `GET / HTTP/1.1\r\nhost: a\r\nx: ${'a'.repeat(17 * 1024)}\r\n\r\n`;
  expect(await raw(httpPort, long)).toMatch(/^HTTP\/1\.1 431 /u);
  const half = 'GET / HTTP/1.1\r\nhost: a\r\n';
  expect(await raw(hurried.httpPort, half)).toMatch(/^HTTP\/1\.1 408 /u);
  expect(await raw(httpsPort, 'GET / HTTP/1.1\r\n\r\n')).not.toContain('HTTP');
  expect(await raw(hurried.httpsPort, '\u0016\u0003\u0001')).toBe('');
  await expect(ask(httpsPort, { headers: { x: 'a'.repeat(17 * 1024) } })).resolves.toMatchObject({
    status: 431,
  });
  const session = openHttp2(httpsPort);
  await ask2(session, { ':path': '/' });
  await expect(ask2(session, { ':path': '/', x: 'a'.repeat(40 * 1024) })).rejects.toThrow();
  expect((await ask(httpsPort)).status).toBe(200);
});

test('whose request it is, is told over HTTP/1.1, HTTP/2 and without TLS', async () => {
  const { listener } = await listen(({ address }) => answer(200, `from ${address}`));
  const plain = await fetch(`http://${HOST}:${listener.httpPort}/`);
  expect(await plain.text()).toBe(`from ${HOST}`);
  expect((await ask(listener.httpsPort)).text).toBe(`from ${HOST}`);
  const session = openHttp2(listener.httpsPort);
  expect((await ask2(session, { ':path': '/' })).text).toBe(`from ${HOST}`);
});

test('a handler that fails answers 500, and the next request is served', async () => {
  const errors: unknown[] = [];
  const contexts = createTlsContexts();
  contexts.replace(new Map([['blog.test', blog]]));
  const handler: HttpHandler = ({ path }) => {
    if (path === '/later') return Promise.reject(new Error('later'));
    throw new Error('now');
  };
  const listener = await listenHttp({
    addresses: [HOST],
    httpPort: 0,
    httpsPort: 0,
    handler,
    contexts,
    onError: (error) => errors.push(error),
  });
  undo.push(() => listener.close({ graceMs: 0 }));
  expect((await ask(listener.httpsPort)).status).toBe(500);
  expect((await ask2(openHttp2(listener.httpsPort), { ':path': '/later' })).status).toBe(500);
  expect(errors).toHaveLength(2);
});

test('HEAD sends the headers alone', async () => {
  const head: HttpAnswer = { status: 200, headers: [['content-length', '5']], body: undefined };
  const { listener } = await listen(() => head);
  const answered = await ask(listener.httpsPort, { method: 'HEAD' });
  expect(answered).toMatchObject({ text: '', headers: { 'content-length': '5' } });
  const answered2 = await ask2(openHttp2(listener.httpsPort), { ':method': 'HEAD' });
  expect(answered2).toMatchObject({ text: '', headers: { 'content-length': '5' } });
});

/** A file of `pieces` times 64 KiB that counts what was read from it. */
function bigFile(pieces: number): {
  handler: HttpHandler;
  state: { read: number; closed: number };
} {
  const state = { read: 0, closed: 0 };
  async function* body(): AsyncGenerator<Uint8Array> {
    try {
      for (let index = 0; index < pieces; index += 1) {
        state.read += 1;
        yield Buffer.alloc(65_536, index);
      }
    } finally {
      state.closed += 1;
    }
  }
  const headers = [['content-length', String(pieces * 65_536)]] as const;
  return { state, handler: () => ({ status: 200, headers, body: body() }) };
}

test.each(['http/1.1', 'h2'] as const)(
  'over %s a slow reader holds back the file, and leaving closes it',
  async (protocol) => {
    const pieces = 2000;
    const { handler, state } = bigFile(pieces);
    const { listener } = await listen(handler);
    const port = listener.httpsPort;
    const message =
      protocol === 'h2'
        ? openHttp2(port).request({ ':path': '/' })
        : ((
            await once(
              httpsRequest({
                host: HOST,
                port,
                servername: 'blog.test',
                rejectUnauthorized: false,
                agent: false,
              }).end(),
              'response',
            )
          )[0] as IncomingMessage);
    message.on('error', () => undefined).pause();
    // Until nothing moves any more: the buffers of both ends and of the kernel are full.
    let before = -1;
    while (before !== state.read || state.read === 0) {
      before = state.read;
      await sleep(150);
    }
    expect(state.read).toBeLessThan(pieces / 4);
    message.destroy();
    await expect.poll(() => state.closed).toBe(1);
  },
);

test('a big file arrives whole; one that ends early looks broken', async () => {
  const { handler } = bigFile(64);
  const { listener } = await listen(handler);
  expect((await ask(listener.httpsPort)).text).toHaveLength(64 * 65_536);
  const session = openHttp2(listener.httpsPort);
  expect((await ask2(session, { ':path': '/' })).text).toHaveLength(64 * 65_536);

  async function* broken(): AsyncGenerator<Uint8Array> {
    yield Buffer.alloc(10);
    throw new Error('disk gone');
  }
  const short = await listen(() => ({
    status: 200,
    headers: [['content-length', '20']],
    body: broken(),
  }));
  await expect(ask(short.listener.httpsPort)).rejects.toThrow(/aborted|hang up/u);
  const stream = openHttp2(short.listener.httpsPort).request({ ':path': '/' });
  await expect(stream.toArray()).rejects.toThrow(/stream closed|NGHTTP2/iu);
});

test('close tells clients to leave, finishes what is in flight and cuts the rest', async () => {
  let release: ((value: HttpAnswer) => void) | undefined;
  const { listener } = await listen(({ path }) => {
    if (path !== '/slow') return answer(200, 'fast');
    return new Promise((resolve) => {
      release = resolve;
    });
  });
  const session = openHttp2(listener.httpsPort);
  await ask2(session, { ':path': '/' });
  const slow = ask2(session, { ':path': '/slow' });
  await expect.poll(() => release).toBeDefined();
  const goaway = once(session, 'goaway');
  const closed = listener.close({ graceMs: 10_000 });
  expect((await goaway)[0]).toBe(constants.NGHTTP2_NO_ERROR);
  await expect(ask(listener.httpsPort)).rejects.toThrow(/ECONNREFUSED/u);
  release?.(answer(200, 'done'));
  expect((await slow).text).toBe('done');
  await closed;
  expect(listener.connections()).toBe(0);
});

test('clients that are to leave are told so, and whoever comes all the same is answered', async () => {
  const { listener } = await listen(echo);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  undo.push(() => agent.destroy());
  expect((await ask(listener.httpsPort, { agent })).headers.connection).not.toBe('close');
  const session = openHttp2(listener.httpsPort);
  await ask2(session, { ':path': '/' });
  const goaway = once(session, 'goaway');
  listener.guide('leave');
  expect((await goaway)[0]).toBe(constants.NGHTTP2_NO_ERROR);
  // The one that waited for its next request is gone.
  await expect.poll(() => listener.connections()).toBeLessThanOrEqual(1);
  const headers = { connection: 'keep-alive' };
  const late = await ask(listener.httpsPort, { headers });
  expect([late.status, late.headers.connection]).toEqual([200, 'close']);
  const other = openHttp2(listener.httpsPort);
  expect((await ask2(other, { ':path': '/' })).status).toBe(200);
  listener.guide('stay');
  expect((await ask(listener.httpsPort, { headers })).headers.connection).not.toBe('close');
  const last = openHttp2(listener.httpsPort);
  const told: unknown[] = [];
  last.on('goaway', (code) => told.push(code));
  await ask2(last, { ':path': '/' });
  expect((await ask2(last, { ':path': '/' })).status).toBe(200);
  expect(told).toEqual([]);
});

test('close cuts what is left after the grace', async () => {
  const { listener } = await listen(() => new Promise(() => undefined));
  const stuck = ask(listener.httpsPort).catch((error: unknown) => error);
  const stuck2 = ask2(openHttp2(listener.httpsPort), { ':path': '/' }).catch(
    (error: unknown) => error,
  );
  await expect.poll(() => listener.connections()).toBe(2);
  await sleep(50);
  await listener.close({ graceMs: 50 });
  expect(await stuck).toBeInstanceOf(Error);
  expect(await stuck2).toBeInstanceOf(Error);
  expect(listener.connections()).toBe(0);
});

test.each(['http', 'https'] as const)(
  'a client that resets its connection to the port of %s disturbs no close',
  async (protocol) => {
    const { listener } = await listen(() => new Promise(() => undefined));
    const port = protocol === 'http' ? listener.httpPort : listener.httpsPort;
    const below = connectTcp({ host: HOST, port });
    await once(below, 'connect');
    if (protocol === 'http') below.write('GET / HTTP/1.1\r\nhost: blog.test\r\n\r\n');
    else {
      const socket = connectTls({
        socket: below,
        servername: 'blog.test',
        rejectUnauthorized: false,
      });
      await once(socket, 'secureConnect');
      socket.write('GET / HTTP/1.1\r\nhost: blog.test\r\n\r\n');
    }
    await expect.poll(() => listener.connections()).toBe(1);
    await sleep(50);
    const closed = listener.close({ graceMs: 10_000 });
    below.resetAndDestroy();
    await closed;
    expect(listener.connections()).toBe(0);
  },
);

test('two listeners share the ports', async () => {
  const { listener } = await listen(echo);
  const contexts = createTlsContexts();
  contexts.replace(new Map([['blog.test', blog]]));
  const { httpPort, httpsPort } = listener;
  const other = await listenHttp({
    addresses: [HOST],
    httpPort,
    httpsPort,
    handler: echo,
    contexts,
  });
  await listener.close({ graceMs: 0 });
  expect((await ask(httpsPort)).status).toBe(200);
  await other.close({ graceMs: 0 });
});

test('an address that is not ours rejects', async () => {
  await expect(
    listenHttp({
      addresses: [HOST, '192.0.2.1'],
      httpPort: 0,
      httpsPort: 0,
      handler: echo,
      contexts: createTlsContexts(),
    }),
  ).rejects.toThrow(/listen for HTTP on 127\.0\.0\.1, 192\.0\.2\.1/u);
});
