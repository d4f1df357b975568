import { once } from 'node:events';
import { type ConnectionOptions, connect } from 'node:tls';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type HttpListener, listenHttp } from '../http-listener.ts';
import { createTlsContexts } from './contexts.ts';
import { testCertificate } from './test-certificate.ts';

/*
 * The level that Mozilla calls intermediate (Server Side TLS, version 5.7), as a scanner would look
 * at it, with a client that itself takes anything.
 */
let listener: HttpListener;

beforeAll(async () => {
  const contexts = createTlsContexts();
  const ecdsa = await testCertificate(['ecdsa.test']);
  const rsa = await testCertificate(['rsa.test'], 'rsa-2048');
  contexts.replace(
    new Map([
      ['ecdsa.test', ecdsa],
      ['rsa.test', rsa],
    ]),
  );
  const handler = () => ({ status: 200, headers: [], body: undefined });
  const ports = { httpPort: 0, httpsPort: 0 };
  listener = await listenHttp({ addresses: ['127.0.0.1'], ...ports, handler, contexts });
});

afterAll(() => listener.close({ graceMs: 0 }));

/** The cipher. */
async function shake(options: ConnectionOptions): Promise<string> {
  const socket = connect({
    ...{ host: '127.0.0.1', port: listener.httpsPort, servername: 'ecdsa.test' },
    rejectUnauthorized: false,
    ...options,
    ciphers: `${options.ciphers ?? 'ALL'}:@SECLEVEL=0`,
  });
  socket.on('error', () => undefined);
  try {
    await once(socket, 'secureConnect');
    return socket.getCipher().name;
  } finally {
    socket.destroy();
  }
}

function only(version: 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3'): ConnectionOptions {
  return { minVersion: version, maxVersion: version };
}

test.each(['TLSv1', 'TLSv1.1'] as const)('%s is refused', async (version) => {
  await expect(shake(only(version))).rejects.toThrow(/protocol version/u);
});

test.each([
  { name: 'ecdsa.test', cipher: 'ECDHE-ECDSA-AES128-GCM-SHA256' },
  { name: 'ecdsa.test', cipher: 'ECDHE-ECDSA-AES256-GCM-SHA384' },
  { name: 'ecdsa.test', cipher: 'ECDHE-ECDSA-CHACHA20-POLY1305' },
  { name: 'rsa.test', cipher: 'ECDHE-RSA-AES128-GCM-SHA256' },
  { name: 'rsa.test', cipher: 'ECDHE-RSA-AES256-GCM-SHA384' },
  { name: 'rsa.test', cipher: 'ECDHE-RSA-CHACHA20-POLY1305' },
])('TLS 1.2 is spoken with $cipher', async ({ name: servername, cipher }) => {
  expect(await shake({ ...only('TLSv1.2'), servername, ciphers: cipher })).toBe(cipher);
});

test.each([
  { what: 'CBC', name: 'ecdsa.test', cipher: 'ECDHE-ECDSA-AES128-SHA256' },
  { what: 'CBC', name: 'ecdsa.test', cipher: 'ECDHE-ECDSA-AES256-SHA' },
  { what: 'CBC', name: 'rsa.test', cipher: 'ECDHE-RSA-AES128-SHA' },
  { what: 'CBC', name: 'rsa.test', cipher: 'ECDHE-RSA-AES256-SHA384' },
  { what: 'a key exchange without forward secrecy', name: 'rsa.test', cipher: 'AES128-GCM-SHA256' },
  { what: 'a key exchange without forward secrecy', name: 'rsa.test', cipher: 'AES256-SHA' },
  { what: 'CCM', name: 'ecdsa.test', cipher: 'ECDHE-ECDSA-AES128-CCM8' },
  { what: 'nobody known', name: 'rsa.test', cipher: 'AECDH-AES128-SHA' },
  { what: 'no encryption', name: 'rsa.test', cipher: 'ECDHE-RSA-NULL-SHA' },
])('TLS 1.2 is refused with $what: $cipher', async ({ name: servername, cipher }) => {
  const shaking = shake({ ...only('TLSv1.2'), servername, ciphers: cipher });
  await expect(shaking).rejects.toThrow(/handshake failure/u);
});

test.each(['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'])(
  'TLS 1.3 is spoken with %s',
  async (cipher) => {
    expect(await shake({ ...only('TLSv1.3'), ciphers: `${cipher}:ALL` })).toBe(cipher);
  },
);

test('TLS 1.3 is refused with CCM', async () => {
  const shaking = shake({ ...only('TLSv1.3'), ciphers: 'TLS_AES_128_CCM_SHA256:ALL' });
  await expect(shaking).rejects.toThrow(/handshake failure/u);
});

test.each(['TLSv1.2', 'TLSv1.3'] as const)('%s takes the groups of that level', async (version) => {
  for (const ecdhCurve of ['X25519', 'prime256v1', 'secp384r1'])
    await shake({ ...only(version), servername: 'rsa.test', ecdhCurve });
  for (const ecdhCurve of ['secp521r1', 'X448'])
    await expect(shake({ ...only(version), servername: 'rsa.test', ecdhCurve })).rejects.toThrow(
      /handshake failure/u,
    );
});

test('a client that fears the computers of tomorrow gets a key to its liking', async () => {
  await shake({ ...only('TLSv1.3'), ecdhCurve: 'X25519MLKEM768' });
});

test.each(['TLSv1.2', 'TLSv1.3'] as const)(
  '%s shows no certificate for a name that is not served, nor for none',
  async (version) => {
    const unknown = shake({ ...only(version), servername: 'other.test' });
    await expect(unknown).rejects.toThrow(/unrecognized name/u);
    await expect(shake({ ...only(version), servername: '' })).rejects.toThrow(/handshake failure/u);
  },
);

test('a client cannot begin a handshake anew within its connection', async () => {
  const socket = connect({
    ...{ host: '127.0.0.1', port: listener.httpsPort, servername: 'ecdsa.test' },
    ...{ rejectUnauthorized: false, ...only('TLSv1.2') },
  });
  await once(socket, 'secureConnect');
  const outcome = await new Promise<Error | null>((resolve) => {
    socket.on('error', resolve);
    socket.renegotiate({ rejectUnauthorized: false }, resolve);
  });
  expect(outcome?.message).toMatch(/no renegotiation/u);
  socket.destroy();
});
