import { execFileSync } from 'node:child_process';
import {
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  webcrypto,
  X509Certificate,
} from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { virtualClock } from '../../test-clock.ts';
import { authorityCases } from '../../tls/authority.case.ts';
import { systemClock } from '../clock.ts';
import { systemRandom } from '../random.ts';
import { createAuthority, generateCa } from './authority.ts';
import { x509 } from './x509.ts';

const HOUR_MS = 60 * 60 * 1000;
const random = systemRandom();
const folder = mkdtempSync(join(tmpdir(), 'b8s-authority-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the authority over WebCrypto', () => {
  authorityCases({
    async make(clock) {
      const ca = await generateCa({ clock, random, name: 'b8s test' });
      return createAuthority({ ...ca, clock, random });
    },
    publicKeyOf: (keyPem) => spki(createPublicKey(createPrivateKey(keyPem))),
    read,
    request,
  });

  test('a CA is not loaded with the key of another', async () => {
    const clock = virtualClock();
    const [one, other] = [await newCa(), await newCa()];
    const loading = createAuthority({ caPem: one.caPem, caKeyPem: other.caKeyPem, clock, random });
    await expect(loading).rejects.toThrow('does not belong');
  });

  test('a strong RSA key is signed too', async () => {
    const ca = await newCa();
    const authority = await createAuthority({ ...ca, clock: systemClock(), random });
    const keys = await webcrypto.subtle.generateKey(rsa(2048), true, ['sign', 'verify']);
    const csr = await pkcs10(keys, rsa(2048));
    const identity = { kind: 'node', name: 'london', uid: 'u1' } as const;
    const signed = await authority.signRequest({ csr, identity, lifetimeMs: HOUR_MS });
    expect(new X509Certificate(signed.chainPem).publicKey.asymmetricKeyType).toBe('rsa');
  });

  test('openssl accepts the chain for its purpose, and only for that', async () => {
    const ca = await newCa();
    const authority = await createAuthority({ ...ca, clock: systemClock(), random });
    const server = await authority.issueServer({
      names: ['dom.b8s.internal', '127.0.0.1'],
      keyType: 'rsa-2048',
      lifetimeMs: HOUR_MS,
    });
    const identity = { kind: 'node', name: 'london', uid: 'u1' } as const;
    const client = await authority.issueClient({ identity, lifetimeMs: HOUR_MS });
    const paths = save({ ca: ca.caPem, server: server.chainPem, client: client.chainPem });
    expect(verify(paths.ca, paths.server, 'sslserver')).toContain('OK');
    expect(verify(paths.ca, paths.client, 'sslclient')).toContain('OK');
    expect(() => verify(paths.ca, paths.server, 'sslclient')).toThrow();
    expect(() => verify(paths.ca, paths.client, 'sslserver')).toThrow();
  });

  test('openssl reads the extensions as they were meant', async () => {
    const ca = await newCa();
    const authority = await createAuthority({ ...ca, clock: systemClock(), random });
    const identity = { kind: 'node', name: 'london', uid: 'u1' } as const;
    const client = await authority.issueClient({ identity, lifetimeMs: HOUR_MS });
    const paths = save({ ca: ca.caPem, client: client.chainPem });
    expect(text(paths.ca)).toMatch(/Basic Constraints: critical\s+CA:TRUE, pathlen:0/);
    expect(text(paths.ca)).toMatch(/Key Usage: critical\s+Certificate Sign, CRL Sign/);
    const leaf = text(paths.client);
    expect(leaf).toMatch(/Subject: CN = london/);
    expect(leaf).toMatch(/Basic Constraints: critical\s+CA:FALSE/);
    expect(leaf).toMatch(/Key Usage: critical\s+Digital Signature\n/);
    expect(leaf).toMatch(/Extended Key Usage: \s+TLS Web Client Authentication/);
    expect(leaf).toMatch(/Subject Alternative Name: \s+URI:b8s:\/\/node\/london\/u1\n/);
    const caKeyId = /Subject Key Identifier: \s+([0-9A-F:]+)/.exec(text(paths.ca))?.[1];
    expect(/Authority Key Identifier: \s+([0-9A-F:]+)/.exec(leaf)?.[1]).toBe(caKeyId);
  });
});

function newCa() {
  return generateCa({ clock: systemClock(), random, name: 'b8s test' });
}

function read(chainPem: string) {
  const certificate = new X509Certificate(chainPem);
  const names = (certificate.subjectAltName ?? '').split(', ').filter((name) => name !== '');
  const after = (prefix: string) =>
    names.filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length));
  return {
    commonName: /^CN=(.*)$/m.exec(certificate.subject)?.[1] ?? '',
    names: [...after('DNS:'), ...after('IP Address:')],
    uris: after('URI:'),
    usage: certificate.keyUsage?.includes('1.3.6.1.5.5.7.3.1')
      ? ('server' as const)
      : ('client' as const),
    chainsTo: (caPem: string) => certificate.verify(new X509Certificate(caPem).publicKey),
    serialNumber: certificate.serialNumber.toLowerCase(),
    fingerprint: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
    notBeforeMs: Date.parse(certificate.validFrom),
    notAfterMs: Date.parse(certificate.validTo),
    publicKey: spki(certificate.publicKey),
  };
}

const P256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

async function request(fault: 'none' | 'weak key' | 'foreign signature' | 'garbage') {
  const algorithm = fault === 'weak key' ? rsa(1024) : P256;
  const keys = (await webcrypto.subtle.generateKey(algorithm, true, [
    'sign',
    'verify',
  ])) as webcrypto.CryptoKeyPair;
  const publicKey = spki(webcryptoKey(await webcrypto.subtle.exportKey('spki', keys.publicKey)));
  if (fault === 'garbage') return { csr: Buffer.from('garbage'), publicKey };
  const csr = await pkcs10(keys, algorithm);
  if (fault !== 'foreign signature') return { csr, publicKey };
  // One bit of the name, which the signature covers.
  const at = Buffer.from(csr).indexOf('intruder');
  csr[at] = (csr[at] ?? 0) ^ 1;
  return { csr, publicKey };
}

async function pkcs10(
  keys: webcrypto.CryptoKeyPair,
  signingAlgorithm: { name: string; hash: string },
) {
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: [{ CN: ['intruder'] }],
    keys,
    signingAlgorithm,
    extensions: [
      new x509.BasicConstraintsExtension(true, 3, true),
      new x509.SubjectAlternativeNameExtension([{ type: 'url', value: 'b8s://user/root/admin' }]),
    ],
  });
  return new Uint8Array(request.rawData);
}

function rsa(modulusLength: number) {
  const publicExponent = Uint8Array.of(1, 0, 1);
  return { name: 'RSASSA-PKCS1-v1_5', modulusLength, publicExponent, hash: 'SHA-256' };
}

function webcryptoKey(der: ArrayBuffer): KeyObject {
  return createPublicKey({ key: Buffer.from(der), format: 'der', type: 'spki' });
}

function spki(key: KeyObject): string {
  return key.export({ type: 'spki', format: 'der' }).toString('hex');
}

function save<Name extends string>(texts: Record<Name, string>): Record<Name, string> {
  const paths: Record<string, string> = {};
  for (const [name, content] of Object.entries<string>(texts)) {
    paths[name] = join(folder, `${name}-${random.bytes(4).join('')}.pem`);
    writeFileSync(paths[name] ?? '', content);
  }
  return paths as Record<Name, string>;
}

function verify(caPath: string, path: string, purpose: string): string {
  return execFileSync('openssl', ['verify', '-CAfile', caPath, '-purpose', purpose, path], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
}

function text(path: string): string {
  return execFileSync('openssl', ['x509', '-in', path, '-noout', '-text'], { encoding: 'utf8' });
}
