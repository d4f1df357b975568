import { webcrypto } from 'node:crypto';
import { certificateFingerprint, encodePem } from '../pem.ts';
import type { TlsIdentity } from './tls-contexts.ts';
import { x509 } from './x509.ts';

/** A self-signed certificate for tests of TLS, valid for the hour around now. */
export async function testCertificate(
  names: readonly string[],
): Promise<TlsIdentity & { readonly names: readonly string[] }> {
  x509.cryptoProvider.set(webcrypto as Crypto);
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: `CN=${names[0] ?? ''}`,
    notBefore: new Date(Date.now() - 1_800_000),
    notAfter: new Date(Date.now() + 1_800_000),
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      new x509.SubjectAlternativeNameExtension(names.map((value) => ({ type: 'dns', value }))),
    ],
  });
  const chainPem = certificate.toString('pem');
  const pkcs8 = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
  return {
    names,
    chainPem,
    keyPem: encodePem('PRIVATE KEY', new Uint8Array(pkcs8)),
    fingerprint: certificateFingerprint(chainPem),
  };
}
