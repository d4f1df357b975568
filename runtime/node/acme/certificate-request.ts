import { createPrivateKey, createPublicKey, webcrypto } from 'node:crypto';
import { x509 } from '../tls/x509.ts';

/**
 * PKCS #10 in DER for these DNS names, signed with the certificate's key. Its subject is empty: the
 * names stand in the alternative names, and CAs' newer profiles take them from nowhere else.
 */
export async function certificateRequest(
  names: readonly string[],
  keyPem: string,
): Promise<Uint8Array> {
  const key = readKey(keyPem);
  const algorithm = key.asymmetricKeyType === 'rsa' ? RSA_SHA256 : ECDSA_P256;
  x509.cryptoProvider.set(webcrypto as Crypto);
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    keys: {
      privateKey: key.toCryptoKey(algorithm, false, ['sign']),
      publicKey: createPublicKey(key).toCryptoKey(algorithm, true, ['verify']),
    },
    signingAlgorithm: algorithm,
    extensions: [
      new x509.SubjectAlternativeNameExtension(names.map((value) => ({ type: 'dns', value }))),
    ],
  });
  return new Uint8Array(request.rawData);
}

const ECDSA_P256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const RSA_SHA256 = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' } as const;

function readKey(keyPem: string): ReturnType<typeof createPrivateKey> {
  try {
    return createPrivateKey(keyPem);
  } catch {
    // Its own error could quote what it could not read.
    throw new Error('read the private key of a certificate: it is not PEM with PKCS #8');
  }
}
