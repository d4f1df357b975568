import { createHash, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { connect as connectTcp, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { testClientHello } from '../../tls/client-hello.fixture.ts';
import { systemClock } from '../clock.ts';
import { type HttpLimits, type HttpListener, listenHttp } from '../http-listener.ts';
import { systemRandom } from '../random.ts';
import { type AlpnProofs, createAlpnProofs } from './alpn-proofs.ts';
import { createTlsContexts, type TlsIdentity } from './contexts.ts';
import { testCertificate } from './test-certificate.ts';
import { x509 } from './x509.ts';

const HOST = '127.0.0.1';
const DIGEST = createHash('sha256').update('token.thumbprint').digest();
const PROOF = new Map([['new.test', { digest: DIGEST }]]);
/** RFC 8737 §3: the value of acmeIdentifier is an OCTET STRING that holds the digest. */
const EXTENSION = Buffer.concat([Buffer.of(4, 32), DIGEST]);

let blog: TlsIdentity;
beforeAll(async () => {
  blog = await testCertificate(['blog.test']);
});

const undo: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const each of undo.splice(0).toReversed()) await each();
});

async function listen(
  limits: Partial<HttpLimits> = {},
): Promise<{ readonly listener: HttpListener; readonly proofs: AlpnProofs }> {
  const contexts = createTlsContexts();
  contexts.replace(new Map([['blog.test', blog]]));
  const proofs = createAlpnProofs(systemClock(), systemRandom());
  const listener = await listenHttp({
    addresses: [HOST],
    httpPort: 0,
    httpsPort: 0,
    handler: () => ({ status: 200, headers: [], body: 'served' }),
    contexts,
    proofs,
    limits,
  });
  undo.push(() => listener.close({ graceMs: 0 }));
  return { listener, proofs };
}

async function shake(port: number, options: ConnectionOptions): Promise<TLSSocket> {
  const socket = connect({ host: HOST, port, rejectUnauthorized: false, ...options });
  undo.push(() => void socket.destroy());
  await once(socket, 'secureConnect');
  return socket;
}

const ACME = { servername: 'new.test', ALPNProtocols: ['acme-tls/1'] };

test.each([
  { version: 'TLSv1.2', servername: 'new.test' },
  { version: 'TLSv1.3', servername: 'new.test' },
  { version: 'TLSv1.3', servername: 'NEW.test' },
] as const)('a CA sees the proof with $version at $servername (RFC 8737 §3)', async (given) => {
  const { listener, proofs } = await listen();
  proofs.replace(PROOF);
  const { version: minVersion, servername } = given;
  const versions = { minVersion, maxVersion: minVersion };
  const socket = await shake(listener.httpsPort, { ...ACME, ...versions, servername });
  const { raw } = socket.getPeerCertificate();
  // Nothing is served there: the connection ends.
  const closed = once(socket.resume(), 'close');
  expect(socket.alpnProtocol).toBe('acme-tls/1');
  const certificate = new x509.X509Certificate(raw);
  const extension = certificate.getExtension('1.3.6.1.5.5.7.1.31');
  expect(extension?.critical).toBe(true);
  expect(Buffer.from(extension?.value ?? new ArrayBuffer())).toEqual(EXTENSION);
  const { subjectAltName, publicKey } = new X509Certificate(raw);
  expect(subjectAltName).toBe('DNS:new.test');
  expect(publicKey.asymmetricKeyDetails).toMatchObject({ namedCurve: 'prime256v1' });
  expect(await certificate.verify()).toBe(true);
  await closed;
});

test.each([
  { when: 'offers more than it', servername: 'blog.test', protocols: ['acme-tls/1', 'http/1.1'] },
  { when: 'is anybody else', servername: 'blog.test', protocols: ['http/1.1'] },
  { when: 'offers nothing', servername: 'blog.test', protocols: [] },
])('who $when goes on as ever while a proof is up', async ({ servername, protocols }) => {
  const { listener, proofs } = await listen();
  proofs.replace(PROOF);
  const ALPNProtocols = [...protocols];
  const socket = await shake(listener.httpsPort, { servername, ALPNProtocols });
  expect(socket.getPeerCertificate().subjectaltname).toBe('DNS:blog.test');
  socket.write('GET / HTTP/1.1\r\nhost: blog.test\r\nconnection: close\r\n\r\n');
  expect(Buffer.concat(await socket.toArray()).toString()).toMatch(/^HTTP\/1\.1 200 .*served/su);
});

test.each([
  { when: 'the name has no proof', options: { ...ACME, servername: 'other.test' } },
  {
    when: 'other protocols are offered, too',
    options: { ...ACME, ALPNProtocols: ['acme-tls/1', 'h2'] },
  },
  { when: 'only HTTP is offered', options: { servername: 'new.test', ALPNProtocols: ['h2'] } },
])('the proof is not shown when $when', async ({ options }) => {
  const { listener, proofs } = await listen();
  proofs.replace(PROOF);
  await expect(shake(listener.httpsPort, options)).rejects.toThrow(
    /unrecognized name|no application protocol/u,
  );
});

test('a proof goes and another comes, and each connection sees that of its time', async () => {
  const { listener, proofs } = await listen();
  const shown = async (): Promise<string> => {
    const socket = await shake(listener.httpsPort, ACME);
    return new x509.X509Certificate(socket.getPeerCertificate().raw).serialNumber;
  };
  await expect(shown()).rejects.toThrow();
  proofs.replace(PROOF);
  const first = await shown();
  proofs.replace(new Map([...PROOF, ['second.test', { digest: DIGEST }]]));
  expect(await shown()).toBe(first);
  proofs.replace(new Map([['new.test', { digest: Buffer.alloc(32, 1) }]]));
  expect(await shown()).not.toBe(first);
  proofs.replace(new Map());
  expect(proofs.size).toBe(0);
  await expect(shown()).rejects.toThrow();
});

test('while proofs come and go nobody else loses a connection or a request', async () => {
  const { listener, proofs } = await listen();
  let turn = 0;
  const toggle = setInterval(() => {
    turn += 1;
    proofs.replace(turn % 3 === 0 ? new Map() : PROOF);
  }, 3);
  undo.push(() => clearInterval(toggle));
  const outcomes = await Promise.all(
    Array.from({ length: 90 }, async (_, index): Promise<string> => {
      await sleep(2 * index);
      if (index % 3 === 0) return over2(listener.httpsPort);
      const ALPNProtocols = index % 3 === 1 ? ['http/1.1'] : ['acme-tls/1', 'http/1.1'];
      const socket = await shake(listener.httpsPort, { servername: 'blog.test', ALPNProtocols });
      socket.write('GET / HTTP/1.1\r\nhost: blog.test\r\nconnection: close\r\n\r\n');
      return Buffer.concat(await socket.toArray()).toString();
    }),
  );
  expect(turn).toBeGreaterThan(6);
  expect(outcomes.filter((each) => !each.includes('served'))).toEqual([]);
});

async function over2(port: number): Promise<string> {
  const session = connectHttp2(`https://blog.test:${port}`, {
    createConnection: () =>
      connect({
        ...{ host: HOST, port, servername: 'blog.test', rejectUnauthorized: false },
        ALPNProtocols: ['h2'],
      }),
  });
  undo.push(() => session.destroy());
  const stream = session.request({ ':path': '/', ':authority': 'blog.test' });
  return Buffer.concat(await stream.toArray()).toString();
}

async function dial(port: number): Promise<Socket> {
  const socket = connectTcp({ host: HOST, port });
  undo.push(() => void socket.destroy());
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

test('who says nothing, or not all of it, is cut in time', async () => {
  const { listener, proofs } = await listen({ handshakeMs: 2_000 });
  proofs.replace(PROOF);
  const hello = testClientHello({ serverName: 'new.test', protocols: ['acme-tls/1'] });
  const [silent, slow, gone] = [
    await dial(listener.httpsPort),
    await dial(listener.httpsPort),
    await dial(listener.httpsPort),
  ];
  slow.write(hello.subarray(0, 60));
  gone.write(hello.subarray(0, 60));
  gone.end();
  await Promise.all([silent, slow, gone].map((socket) => once(socket.resume(), 'close')));
  await expect.poll(() => listener.connections()).toBe(0);
});

test('who sends no TLS is told as ever; a message in many pieces is read all the same', async () => {
  const { listener, proofs } = await listen();
  proofs.replace(PROOF);
  const plain = await dial(listener.httpsPort);
  plain.write('GET / HTTP/1.1\r\n\r\n');
  expect(Buffer.concat(await plain.toArray()).toString()).not.toContain('HTTP');

  const below = await dial(listener.httpsPort);
  const write = below.write.bind(below);
  // Byte by byte, each a segment of its own.
  below.setNoDelay(true);
  below.write = ((bytes: Buffer, ...rest: []) => {
    for (const byte of bytes.subarray(0, 40)) write(Buffer.of(byte));
    return write(bytes.subarray(40), ...rest);
  }) as typeof below.write;
  const socket = await shake(listener.httpsPort, { ...ACME, socket: below });
  expect(socket.alpnProtocol).toBe('acme-tls/1');
});

test('closing ends what is being looked at', async () => {
  const { listener, proofs } = await listen();
  proofs.replace(PROOF);
  const silent = await dial(listener.httpsPort);
  await expect.poll(() => listener.connections()).toBe(1);
  const closed = once(silent.resume(), 'close');
  await listener.close({ graceMs: 0 });
  await closed;
});
