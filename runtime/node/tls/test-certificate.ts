import { webcrypto } from 'node:crypto';
import type { KeyType } from '../../tls/authority.ts';
import { certificateFingerprint, encodePem } from '../../tls/pem.ts';
import type { TlsIdentity } from './contexts.ts';
import { x509 } from './x509.ts';

const ALGORITHMS = {
  'ecdsa-p256': { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' },
  'rsa-2048': {
    ...{ name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', modulusLength: 2048 },
    publicExponent: Uint8Array.of(1, 0, 1),
  },
} as const satisfies Record<KeyType, object>;

/** A self-signed certificate for tests of TLS, valid for the hour around now. */
export async function testCertificate(
  names: readonly string[],
  keyType: KeyType = 'ecdsa-p256',
): Promise<TlsIdentity & { readonly names: readonly string[] }> {
  x509.cryptoProvider.set(webcrypto as Crypto);
  const algorithm = ALGORITHMS[keyType];
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
