import { decodePem } from '../../tls/pem.ts';
import { x509 } from '../tls/x509.ts';

/**
 * How ACME names a certificate (RFC 9773 §4.1): base64url of its authority key identifier, a dot,
 * base64url of its serial number as it stands in the DER. Undefined when it has no such identifier.
 */
export function certificateId(chainPem: string): string | undefined {
  const leaf = new x509.X509Certificate(leafDer(chainPem));
  const authorityKey = leaf.getExtension(x509.AuthorityKeyIdentifierExtension)?.keyId;
  if (authorityKey === undefined) return undefined;
  const serial = Buffer.from(leaf.serialNumber, 'hex');
  // In DER a zero goes before a first bit that would make it negative; the library drops it.
  const isNegative = (serial[0] ?? 0) >= 0x80;
  const inDer = isNegative ? Buffer.concat([Buffer.of(0), serial]) : serial;
  return `${Buffer.from(authorityKey, 'hex').toString('base64url')}.${inDer.toString('base64url')}`;
}

/** Throws when the text holds no certificate. */
export function leafDer(chainPem: string): Uint8Array<ArrayBuffer> {
  const [leaf] = decodePem('CERTIFICATE', chainPem);
  if (leaf === undefined) throw new Error('read a certificate: the text holds no PEM block');
  return Uint8Array.from(leaf);
}
