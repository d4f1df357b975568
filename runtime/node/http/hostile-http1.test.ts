import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { describe, expect, test } from 'vitest';
import { closeOf } from '../close-of.ts';
import type { HttpLimits } from '../http-listener.ts';
import { HOST, listen, ok, undo } from './http2-client.fixture.ts';

interface Server {
  readonly connect: () => Promise<Socket>;
  /** Paths that the handler was asked for. */
  readonly asked: readonly string[];
}

type Start = (limits?: Partial<HttpLimits>) => Promise<Server>;

async function start(protocol: 'plain' | 'TLS', limits: Partial<HttpLimits> = {}): Promise<Server> {
  const asked: string[] = [];
  const listener = await listen(({ path }) => {
    asked.push(path);
    return ok(`<${path}>`);
  }, limits);
  const connect = async (): Promise<Socket> => {
    const socket =
      protocol === 'plain'
        ? connectTcp({ host: HOST, port: listener.httpPort })
        : connectTls({
            ...{ host: HOST, port: listener.httpsPort, servername: 'blog.test' },
            rejectUnauthorized: false,
            ALPNProtocols: ['http/1.1'],
          });
    undo.push(() => void socket.destroy());
    socket.on('error', () => undefined);
    await once(socket, protocol === 'plain' ? 'connect' : 'secureConnect');
    return socket;
  };
  return { connect, asked };
}

/** All that comes back until the server ends the connection. */
async function exchange(server: Server, text: string): Promise<string> {
  const socket = await server.connect();
  let said = '';
  socket.on('data', (piece: Buffer) => {
    said += piece.toString('latin1');
  });
  socket.write(text, 'latin1');
  await closeOf(socket);
  return said;
}

async function expectNextIsAnswered(server: Server): Promise<void> {
  const text = 'GET /normal HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n';
  expect(await exchange(server, text)).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*<\/normal>$/u);
}

const GET = 'GET / HTTP/1.1\r\nhost: a\r\n';
const POST = 'POST / HTTP/1.1\r\nhost: a\r\n';

/** Whatever comes behind each is never taken for a request (RFC 9112 §11.2). */
const SMUGGLING: readonly {
  readonly when: string;
  readonly text: string;
  readonly status: number;
}[] = [
  {
    when: 'CL+TE',
    text: `${POST}content-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
    status: 400,
  },
  {
    when: 'TE+CL',
    text: `${POST}transfer-encoding: chunked\r\ncontent-length: 4\r\n\r\n0\r\n\r\n`,
    status: 400,
  },
  {
    when: 'two lengths',
    text: `${POST}content-length: 0\r\ncontent-length: 44\r\n\r\n`,
    status: 400,
  },
  { when: 'a list of lengths', text: `${POST}content-length: 0, 44\r\n\r\n`, status: 400 },
  {
    when: 'TE with a tab',
    text: `${POST}transfer-encoding:\tchunked\r\n\r\n0\r\n\r\n`,
    status: 405,
  },
  {
    when: 'TE with a vertical tab',
    text: `${POST}transfer-encoding: \vchunked\r\n\r\n`,
    status: 400,
  },
  {
    when: 'TE in capitals',
    text: `${POST}Transfer-Encoding: CHUNKED\r\n\r\n0\r\n\r\n`,
    status: 405,
  },
  { when: 'TE that is unknown', text: `${POST}transfer-encoding: xchunked\r\n\r\n`, status: 501 },
  { when: 'TE identity', text: `${POST}transfer-encoding: identity\r\n\r\n`, status: 501 },
  {
    when: 'TE chunked, then more',
    text: `${POST}transfer-encoding: chunked, gzip\r\n\r\n`,
    status: 501,
  },
  {
    when: 'two TE',
    text: `${POST}transfer-encoding: chunked\r\ntransfer-encoding: x\r\n\r\n`,
    status: 400,
  },
  {
    when: 'TE with a space before its colon',
    text: `${POST}transfer-encoding : chunked\r\n\r\n`,
    status: 400,
  },
  {
    when: 'TE on a folded line',
    text: `${POST}transfer-encoding:\r\n chunked\r\n\r\n`,
    status: 400,
  },
  {
    when: 'TE in quotation marks',
    text: `${POST}transfer-encoding: "chunked"\r\n\r\n`,
    status: 501,
  },
  {
    when: 'chunk extensions without end',
    text: `${POST}transfer-encoding: chunked\r\n\r\n1;${'x'.repeat(5000)}\r\na\r\n0\r\n\r\n`,
    status: 405,
  },
  {
    when: 'a chunk of a broken length',
    text: `${POST}transfer-encoding: chunked\r\n\r\nffffffffffffffffff\r\n`,
    status: 405,
  },
  { when: 'bare LF', text: 'GET / HTTP/1.1\nhost: a\n\n', status: 400 },
  { when: 'LF behind CRLF', text: `${GET}x: y\r\n\n`, status: 400 },
  { when: 'bare CR', text: `${GET}x: y\rz: 1\r\n\r\n`, status: 400 },
  { when: 'obs-fold', text: `${GET}x: y\r\n z\r\n\r\n`, status: 400 },
  { when: 'a space before a colon', text: `${GET}x : y\r\n\r\n`, status: 400 },
  { when: 'two hosts', text: `${GET}host: b\r\n\r\n`, status: 400 },
  { when: 'no host', text: 'GET / HTTP/1.1\r\n\r\n', status: 400 },
  { when: 'a length in GET', text: `${GET}content-length: 44\r\n\r\n`, status: 413 },
  {
    when: 'a length in HTTP/1.0',
    text: 'GET / HTTP/1.0\r\ncontent-length: 44\r\n\r\n',
    status: 413,
  },
  { when: 'Upgrade to h2c (RFC 9113 §3.1)', text: 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', status: 505 },
  { when: 'NUL in a header', text: `${GET}x: \0\r\n\r\n`, status: 400 },
  { when: 'NUL in the target', text: 'GET /\0 HTTP/1.1\r\nhost: a\r\n\r\n', status: 400 },
];

/** Too much of something. */
const GREEDY: readonly { readonly when: string; readonly text: string; readonly status: number }[] =
  [
    {
      when: 'a long target',
      text: `GET /${'a'.repeat(20_000)} HTTP/1.1\r\nhost: a\r\n\r\n`,
      status: 414,
    },
    { when: 'a target without end', text: `GET /${'a'.repeat(20_000)}`, status: 414 },
    { when: 'a long header', text: `${GET}x: ${'y'.repeat(20_000)}\r\n\r\n`, status: 431 },
    { when: 'a long name', text: `${GET}${'y'.repeat(20_000)}: x\r\n\r\n`, status: 431 },
    { when: 'many headers', text: `${GET}${'x: y\r\n'.repeat(128)}\r\n`, status: 431 },
    { when: 'a head without end', text: `${GET}${'x: y\r\n'.repeat(5000)}`, status: 431 },
    {
      when: 'a long method',
      text: `${'A'.repeat(1000)} / HTTP/1.1\r\nhost: a\r\n\r\n`,
      status: 400,
    },
    { when: 'empty lines without end', text: '\r\n'.repeat(2000), status: 400 },
  ];

describe.each(['plain', 'TLS'] as const)('over %s', (protocol) => {
  const begin: Start = (limits) => start(protocol, limits);

  test.each(SMUGGLING)('$when: nothing behind it is a request', async ({ text, status }) => {
    const server = await begin();
    const said = await exchange(server, `${text}GET /smuggled HTTP/1.1\r\nhost: a\r\n\r\n`);
    expect(said.match(/HTTP\/1\.1 \d+/gu)).toEqual([`HTTP/1.1 ${status}`]);
    expect(said).toContain('connection: close');
    expect(server.asked).toEqual([]);
    await expectNextIsAnswered(server);
  });

  test.each(GREEDY)('$when is refused', async ({ text, status }) => {
    const server = await begin();
    expect(await exchange(server, text)).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `, 'u'));
    expect(server.asked).toEqual([]);
    await expectNextIsAnswered(server);
  });

  test('a head that comes byte by byte is cut, however long each one keeps it alive', async () => {
    const server = await begin({ headersMs: 2_000 });
    const socket = await server.connect();
    let said = '';
    socket.on('data', (piece: Buffer) => {
      said += piece.toString('latin1');
    });
    const closed = closeOf(socket);
    socket.write(GET);
    const timer = setInterval(() => socket.write('x'), 20);
    await closed.finally(() => clearInterval(timer));
    expect(said).toMatch(/^HTTP\/1\.1 408 /u);
    await expectNextIsAnswered(server);
  });

  test('a body that comes byte by byte is not waited for', async () => {
    const server = await begin();
    const socket = await server.connect();
    let said = '';
    socket.on('data', (piece: Buffer) => {
      said += piece.toString('latin1');
    });
    const closed = closeOf(socket);
    socket.write(`${POST}content-length: 1000000\r\n\r\n`);
    const timer = setInterval(() => socket.write('x'), 20);
    await closed.finally(() => clearInterval(timer));
    expect(said).toMatch(/^HTTP\/1\.1 405 /u);
    await expectNextIsAnswered(server);
  });

  test('ten thousand requests at once, none of whose answers is read, hold up nobody', async () => {
    const server = await begin();
    const socket = await server.connect();
    socket.pause();
    socket.write(`${GET}\r\n`.repeat(10_000));
    await expectNextIsAnswered(server);
    socket.destroy();
    await expectNextIsAnswered(server);
  });
});
