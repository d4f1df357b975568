import type { CertificateFacts, CertificateReader } from '../acme/acme.ts';
import type { KeyType } from './authority.ts';
import { type FakeCertificate, fakePublicKey } from './fake-authority.ts';
import { certificateFingerprint, decodePem } from './pem.ts';

/** Reads what the fake authorities sign: a signature fits when the issuer's key is the next one's. */
export const fakeCertificateReader: CertificateReader = {
  read(chainPem, keyPem) {
    const [leaf, ...above] = parseFakeChain(chainPem);
    const chain = [leaf, ...above];
    return {
      names: leaf.names.map((name) => name.toLowerCase()).toSorted(),
      notBeforeMs: leaf.notBeforeMs,
      notAfterMs: leaf.notAfterMs,
      fingerprint: certificateFingerprint(chainPem),
      serialNumber: leaf.serialNumber,
      keyType: leaf.keyType ?? 'ecdsa-p256',
      issuers: chain.filter((one) => one.issuer !== one.publicKey).map(issuerName),
      problems: [...keyProblems(leaf, keyPem), ...chain.flatMap(linkProblems)],
    } satisfies CertificateFacts;
  },
};

/** All certificates of a chain. Throws for what is none, or not a fake one. */
export function parseFakeChain(
  chainPem: string,
): readonly [FakeCertificate, ...(readonly FakeCertificate[])] {
  const [leaf, ...above] = decodePem('CERTIFICATE', chainPem).map(parse);
  if (leaf === undefined) throw new Error('read a certificate: the text holds no PEM block');
  return [leaf, ...above];
}

/** A fake key says its type by its length. */
export function fakeKeyBytes(type: KeyType): number {
  return type === 'ecdsa-p256' ? 16 : 32;
}

/** Throws when the text is no key. */
export function fakeKeyType(keyPem: string): KeyType {
  const [bytes] = decodePem('PRIVATE KEY', keyPem);
  if (bytes === undefined) throw new Error('read a private key: the text holds no PEM block');
  return bytes.length === fakeKeyBytes('ecdsa-p256') ? 'ecdsa-p256' : 'rsa-2048';
}

function parse(bytes: Uint8Array): FakeCertificate {
  try {
    const parsed = JSON.parse(Buffer.from(bytes).toString('utf8')) as FakeCertificate;
    if (typeof parsed.publicKey === 'string' && Array.isArray(parsed.names)) return parsed;
  } catch {
    // Said below.
  }
  throw new Error('read a certificate: it is not one of the fake authority');
}

function issuerName(certificate: FakeCertificate): string {
  return certificate.issuerName ?? 'b8s';
}

function keyProblems(leaf: FakeCertificate, keyPem: string | undefined): readonly string[] {
  if (keyPem === undefined || fakePublicKey(keyPem) === leaf.publicKey) return [];
  return ['the private key does not belong to the certificate'];
}

function linkProblems(
  certificate: FakeCertificate,
  index: number,
  chain: readonly FakeCertificate[],
): readonly string[] {
  const next = chain[index + 1];
  if (next === undefined || next.publicKey === certificate.issuer) return [];
  return [
    `certificate ${index + 2} of the chain (${next.commonName}) did not sign the one before it`,
  ];
}
