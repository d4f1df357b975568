import { webcrypto } from 'node:crypto';
import type { KeyMaker } from '../../session/enrolment.ts';
import { encodePem } from '../../tls/pem.ts';

const P256 = { name: 'ECDSA', namedCurve: 'P-256' } as const;

/** ECDSA P-256 keys from the operating system's randomness, by WebCrypto. */
export const nodeKeyMaker: KeyMaker = {
  async create(commonName) {
    // A node needs it once in days, and it would take 10 MB of its memory all the time.
    const { x509 } = await import('./x509.ts');
    const keys = await webcrypto.subtle.generateKey(P256, true, ['sign', 'verify']);
    const request = await x509.Pkcs10CertificateRequestGenerator.create({
      name: [{ CN: [commonName] }],
      keys,
      signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
    });
    const pkcs8 = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
    return {
      keyPem: encodePem('PRIVATE KEY', new Uint8Array(pkcs8)),
      csr: new Uint8Array(request.rawData),
    };
  },
};
