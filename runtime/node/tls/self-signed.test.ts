import { X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { expect, test } from 'vitest';
import { selfSignedIdentity } from './self-signed.ts';

const notBeforeMs = Date.UTC(2026, 10, 21);
const notAfterMs = Date.UTC(2060, 0, 2, 3, 4, 5);

test.each([
  { name: 'london', serialNumber: Buffer.alloc(16) },
  { name: `${'a'.repeat(60)}.example`, serialNumber: Buffer.alloc(16, 0xff) },
])('a certificate that OpenSSL reads: $name', ({ name, serialNumber }) => {
  const made = selfSignedIdentity({ name, notBeforeMs, notAfterMs, serialNumber });
  const certificate = new X509Certificate(made.chainPem);
  expect(certificate.subject).toBe(`CN=${name}`);
  expect(certificate.issuer).toBe(`CN=${name}`);
  expect(certificate.checkHost(name)).toBe(name);
  expect(Date.parse(certificate.validFrom)).toBe(notBeforeMs);
  expect(Date.parse(certificate.validTo)).toBe(notAfterMs);
  expect(certificate.verify(certificate.publicKey)).toBe(true);
  expect(certificate.serialNumber.length).toBe(32);
  expect(made.fingerprint).toBe(certificate.fingerprint256.replaceAll(':', '').toLowerCase());
  createSecureContext({ cert: made.chainPem, key: made.keyPem });
});
