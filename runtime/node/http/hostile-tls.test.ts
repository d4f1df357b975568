import { once } from 'node:events';
import { connect as connectTcp, createServer, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { expect, test } from 'vitest';
import { inRecords, testClientHello } from '../../tls/client-hello.fixture.ts';
import { closeOf } from '../close-of.ts';
import { echo, expectStillServing, HOST, listen, undo } from './http2-client.fixture.ts';

/** Long enough for a busy machine, and short enough to be waited for. */
const SHORT = { handshakeMs: 1_500, headersMs: 1_500 };

async function raw(port: number): Promise<Socket> {
  const socket = connectTcp({ host: HOST, port });
  undo.push(() => void socket.destroy());
  socket.on('error', () => undefined).resume();
  await once(socket, 'connect');
  return socket;
}

async function ended(socket: Socket): Promise<void> {
  if (!socket.destroyed && !socket.readableEnded) await closeOf(socket);
}

const LONG_NAME = `${'a.'.repeat(150)}test`;
const extension = (...octets: readonly number[]): Buffer => Buffer.from(octets);

test.each([
  { when: 'NUL in it', hello: testClientHello({ serverName: 'blog.test\0.evil' }) },
  { when: 'nothing in it', hello: testClientHello({ serverName: '' }) },
  { when: 'more than any name has', hello: testClientHello({ serverName: LONG_NAME }) },
  { when: 'octets that are no text', hello: testClientHello({ serverName: '\u00ff\u00fe/../' }) },
  { when: 'an address', hello: testClientHello({ serverName: '127.0.0.1' }) },
  {
    when: 'a name of an object of JavaScript',
    hello: testClientHello({ serverName: '__proto__' }),
  },
  {
    when: 'a list that is too short',
    hello: testClientHello({ extensions: [[0, extension(0, 1, 0)]] }),
  },
  {
    when: 'a list that is too long',
    hello: testClientHello({ extensions: [[0, extension(255, 255, 0)]] }),
  },
  { when: 'no list', hello: testClientHello({ extensions: [[0, extension()]] }) },
  {
    when: 'another kind of name',
    hello: testClientHello({ extensions: [[0, extension(0, 4, 7, 0, 1, 97)]] }),
  },
  {
    when: 'itself a second time',
    hello: testClientHello({
      serverName: 'blog.test',
      extensions: [[0, extension(0, 4, 0, 0, 1, 97)]],
    }),
  },
])('a server name with $when costs its own connection', async ({ hello }) => {
  const { httpsPort } = await listen(echo, SHORT);
  const socket = await raw(httpsPort);
  socket.write(hello);
  await ended(socket);
  await expectStillServing(httpsPort);
});

test.each([
  { when: 'HTTP in the clear', bytes: Buffer.from('GET / HTTP/1.1\r\nhost: a\r\n\r\n') },
  { when: 'a record longer than records are', bytes: Buffer.of(22, 3, 1, 255, 255, 1) },
  {
    when: 'empty records',
    bytes: Buffer.concat(Array<Buffer>(2000).fill(Buffer.of(22, 3, 1, 0, 0))),
  },
  {
    when: 'alerts',
    bytes: Buffer.concat(Array<Buffer>(2000).fill(Buffer.of(21, 3, 1, 0, 2, 1, 90))),
  },
  { when: 'data before the keys', bytes: Buffer.of(23, 3, 3, 0, 2, 1, 2) },
  { when: 'a heartbeat (CVE-2014-0160)', bytes: Buffer.of(24, 3, 2, 0, 3, 1, 64, 0) },
  { when: 'a message of 16 MB', bytes: inRecords(Buffer.of(1, 255, 255, 255, 3, 3), 100) },
  { when: 'SSL 2', bytes: Buffer.of(0x80, 0x2e, 1, 0, 2, 0, 0x15, 0, 0, 0, 0x10) },
  { when: 'half a hello', bytes: testClientHello({ serverName: 'blog.test' }).subarray(0, 50) },
  { when: 'nothing', bytes: Buffer.alloc(0) },
])('in place of a handshake: $when', async ({ bytes }) => {
  const { httpsPort } = await listen(echo, SHORT);
  const socket = await raw(httpsPort);
  socket.write(bytes);
  await ended(socket);
  await expectStillServing(httpsPort);
});

test('a client that ends its half at once, or resets, is gone', async () => {
  const listener = await listen(echo, { handshakeMs: 600_000, headersMs: 600_000 });
  for (const port of [listener.httpPort, listener.httpsPort]) {
    const halfOpen = connectTcp({ host: HOST, port, allowHalfOpen: true });
    undo.push(() => void halfOpen.destroy());
    halfOpen.on('error', () => undefined).resume();
    halfOpen.end();
    await once(halfOpen, 'end');
    halfOpen.destroy();
    (await raw(port)).resetAndDestroy();
  }
  await expect.poll(() => listener.connections()).toBe(0);
  await expectStillServing(listener.httpsPort);
});

/** A way to `port` on which the client's first record is sent by `resend`. */
async function fragmenting(port: number, resend: (first: Buffer, to: Socket) => void) {
  const server = createServer((from) => {
    const to = connectTcp({ host: HOST, port, noDelay: true });
    undo.push(() => void to.destroy());
    from.once('data', (first: Buffer) => {
      resend(first, to);
      from.pipe(to);
    });
    to.pipe(from);
    from.on('error', () => undefined);
    to.on('error', () => undefined);
  });
  undo.push(() => void server.close());
  server.listen(0, HOST);
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new TypeError('no port');
  return address.port;
}

test.each([
  {
    when: 'byte by byte',
    resend: (first: Buffer, to: Socket) => {
      for (const octet of first) to.write(Buffer.of(octet));
    },
  },
  {
    when: 'in records of some bytes',
    resend: (first: Buffer, to: Socket) => void to.write(inRecords(first.subarray(5), 40)),
  },
  {
    when: 'in records of one byte',
    resend: (first: Buffer, to: Socket) => void to.write(inRecords(first.subarray(5), 1)),
  },
])('a ClientHello that comes $when is answered', async ({ resend }) => {
  const { httpsPort } = await listen(echo, SHORT);
  const port = await fragmenting(httpsPort, resend);
  const options = { host: HOST, port, servername: 'blog.test', rejectUnauthorized: false };
  const socket = connectTls({ ...options, ALPNProtocols: ['http/1.1'] });
  undo.push(() => void socket.destroy());
  const outcome = await Promise.race([
    once(socket, 'secureConnect').then(() => 'answered'),
    closeOf(socket).then(() => 'refused'),
  ]).catch(() => 'refused');
  expect(outcome).toBe('answered');
  await expectStillServing(httpsPort);
});

test('a handshake within a connection is not begun anew (RFC 9325 §3.5)', async () => {
  const { httpsPort } = await listen(echo, SHORT);
  const options = { host: HOST, port: httpsPort, servername: 'blog.test' };
  const socket: TLSSocket = connectTls({
    ...{ ...options, rejectUnauthorized: false },
    maxVersion: 'TLSv1.2',
  });
  undo.push(() => void socket.destroy());
  socket.on('error', () => undefined);
  await once(socket, 'secureConnect');
  const outcome = await new Promise((resolve) => {
    socket.once('close', () => resolve('ended'));
    socket.renegotiate({}, (error) => resolve(error === null ? 'begun anew' : 'refused'));
  });
  expect(outcome).not.toBe('begun anew');
  await expectStillServing(httpsPort);
});

test('a protocol that nobody speaks is refused by an alert (RFC 7301 §3.2); none at all is HTTP/1.1', async () => {
  const { httpsPort } = await listen(echo, SHORT);
  const options = { host: HOST, port: httpsPort, servername: 'blog.test' };
  const open = (ALPNProtocols?: readonly string[]): TLSSocket => {
    const given = ALPNProtocols === undefined ? {} : { ALPNProtocols: [...ALPNProtocols] };
    const socket = connectTls({ ...options, ...given, rejectUnauthorized: false });
    undo.push(() => void socket.destroy());
    return socket;
  };
  const [error] = (await once(open(['imap', 'h3']), 'error')) as [NodeJS.ErrnoException];
  expect(error.code).toBe('ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL');
  const silent = open();
  silent.write('GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n');
  const [answer] = (await once(silent, 'data')) as [Buffer];
  expect(answer.toString('latin1')).toMatch(/^HTTP\/1\.1 200 OK\r\n/u);
  await expectStillServing(httpsPort);
});
