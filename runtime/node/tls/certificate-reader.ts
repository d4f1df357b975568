import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import type { PeerCertificate } from 'node:tls';
import type { CertificateFacts, CertificateReader } from '../../acme/acme.ts';
import type { KeyType } from '../../tls/authority.ts';
import { decodePem } from '../../tls/pem.ts';

/** A chain of any CA is a few KiB. */
export const CHAIN_CHARACTERS_MAX = 1024 * 1024;
export const CHAIN_CERTIFICATES_MAX = 16;

/** Reads real certificates. It trusts nobody: who issued them is for others to judge. */
export const certificateReader: CertificateReader = {
  read(chainPem, keyPem) {
    const [leaf, ...above] = parseChain(chainPem);
    const chain = [leaf, ...above];
    const publicKey = publicKeyOf(leaf);
    return {
      names: dnsNames(leaf.subjectAltName),
      notBeforeMs: parseTimeMs(leaf.validFrom),
      notAfterMs: parseTimeMs(leaf.validTo),
      fingerprint: leaf.fingerprint256.replaceAll(':', '').toLowerCase(),
      serialNumber: leaf.serialNumber.toLowerCase(),
      keyType: keyTypeOf(publicKey),
      issuers: chain.filter((one) => one.subject !== one.issuer).map(issuerName),
      problems: [
        ...strengthProblems(publicKey),
        ...(keyPem === undefined ? [] : keyProblems(leaf, keyPem)),
        ...chain.flatMap(linkProblems),
      ],
    } satisfies CertificateFacts;
  },
};

/**
 * The DNS names of `subjectAltName` in Node's words, lower case, sorted: `DNS:a.example, IP Address:::1`;
 * a name with a comma in it stands in quotes, so that it cannot pass for two.
 */
export function dnsNames(subjectAltName: string | undefined): readonly string[] {
  const entries = (subjectAltName ?? '').matchAll(
    /(?:^|, )([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^,]*)/g,
  );
  return [...entries]
    .filter(([, kind]) => kind === 'DNS')
    .map(([, , value = '']) => value.toLowerCase())
    .filter((name) => /^(\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*$/.test(name))
    .toSorted();
}

function parseChain(chainPem: string): readonly [X509Certificate, ...(readonly X509Certificate[])] {
  if (chainPem.length > CHAIN_CHARACTERS_MAX)
    throw new Error(`read a certificate: more than ${CHAIN_CHARACTERS_MAX} characters`);
  const blocks = decodePem('CERTIFICATE', chainPem);
  if (blocks.length > CHAIN_CERTIFICATES_MAX)
    throw new Error(`read a certificate: more than ${CHAIN_CERTIFICATES_MAX} in one chain`);
  const [leaf, ...above] = blocks.map((der, index) => parseCertificate(der, index + 1));
  if (leaf === undefined) throw new Error('read a certificate: the text holds no PEM block');
  return [leaf, ...above];
}

function parseCertificate(der: Uint8Array, position: number): X509Certificate {
  try {
    return new X509Certificate(der);
  } catch (cause) {
    throw new Error(`read a certificate: block ${position} of the chain is none`, { cause });
  }
}

/** It is only looked at when it is asked for. */
function publicKeyOf(leaf: X509Certificate): KeyObject {
  try {
    return leaf.publicKey;
  } catch (cause) {
    throw new Error('read a certificate: its public key is none that is known', { cause });
  }
}

function parseTimeMs(text: string): number {
  const ms = Date.parse(text);
  if (Number.isNaN(ms)) throw new Error('read a certificate: its times cannot be read');
  return ms;
}

/** What no browser would take (CA/Browser Forum BR §6.1.5), whoever signed it. */
function strengthProblems({
  asymmetricKeyType,
  asymmetricKeyDetails,
}: KeyObject): readonly string[] {
  const { modulusLength = 0 } = asymmetricKeyDetails ?? {};
  const isWeak = asymmetricKeyType === 'rsa' && modulusLength < 2048;
  return isWeak ? [`its RSA key has ${modulusLength} bits; 2048 are the least`] : [];
}

function keyProblems(leaf: X509Certificate, keyPem: string): readonly string[] {
  try {
    const isOwn = leaf.checkPrivateKey(createPrivateKey(keyPem));
    return isOwn ? [] : ['the private key does not belong to the certificate'];
  } catch {
    // Its own error could quote what it could not read.
    return ['the private key cannot be read: it must be PEM, without a password'];
  }
}

function linkProblems(
  certificate: X509Certificate,
  index: number,
  chain: readonly X509Certificate[],
): readonly string[] {
  const next = chain[index + 1];
  if (next === undefined || hasSigned(next, certificate)) return [];
  const name = `certificate ${index + 2} of the chain (${commonName(next.toLegacyObject().subject)})`;
  const isMisplaced = chain.some((other) => other !== certificate && hasSigned(other, certificate));
  return [`${name} did not sign the one before it${isMisplaced ? '; put them in order' : ''}`];
}

function hasSigned(issuer: X509Certificate, certificate: X509Certificate): boolean {
  try {
    return issuer.ca && certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
  } catch {
    // An algorithm that OpenSSL does not know.
    return false;
  }
}

function keyTypeOf(key: KeyObject): KeyType | 'other' {
  const { asymmetricKeyType, asymmetricKeyDetails: details } = key;
  if (asymmetricKeyType === 'ec' && details?.namedCurve === 'prime256v1') return 'ecdsa-p256';
  return asymmetricKeyType === 'rsa' && details?.modulusLength === 2048 ? 'rsa-2048' : 'other';
}

function issuerName(certificate: X509Certificate): string {
  return commonName(certificate.toLegacyObject().issuer);
}

/** The first one, for a name may have several; else the organization that it names. */
function commonName({ CN, O }: PeerCertificate['subject']): string {
  const [name] = [CN, O].flat().filter((text) => text !== undefined && text !== '');
  return name ?? 'without a name';
}
