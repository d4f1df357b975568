import { generateKeyPairSync, sign } from 'node:crypto';
import { certificateFingerprint, encodePem } from '../../tls/pem.ts';
import type { TlsIdentity } from './contexts.ts';

/**
 * A certificate that vouches for nobody, for privacy without authentication (RFC 7858 §4.1, RFC 9539
 * §3.1) or to show a CA a proof (RFC 8737 §3): ECDSA P-256, signed with its own key.
 *
 * Written here in DER, byte by byte: a library for X.509 would take 10 MB of every nameserver.
 */
export function selfSignedIdentity(given: {
  /** A DNS name, lower case. */
  readonly name: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** 16 random bytes. */
  readonly serialNumber: Uint8Array;
  /** At most 64 characters (RFC 5280 appendix A.1); left out: the name, however long. */
  readonly commonName?: string;
  /** SHA-256 of a key authorization, for the critical extension acmeIdentifier; left out: none. */
  readonly acmeIdentifier?: Uint8Array;
}): TlsIdentity {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  const name = sequence(
    tagged(
      SET,
      sequence(COMMON_NAME, tagged(UTF8_STRING, bytesOf(given.commonName ?? given.name))),
    ),
  );
  const validity = sequence(timeOf(given.notBeforeMs), timeOf(given.notAfterMs));
  // The first bit off: the number is positive (RFC 5280 §4.1.2.2), and the next one on: never 0.
  const [first = 0, ...others] = given.serialNumber;
  const serial = tagged(INTEGER, Buffer.of((first & 0x3f) | 0x40, ...others));
  const alternativeName = octets(sequence(tagged(DNS_NAME, bytesOf(given.name))));
  const proof =
    given.acmeIdentifier === undefined
      ? []
      : [sequence(ACME_IDENTIFIER, CRITICAL, octets(octets(given.acmeIdentifier)))];
  const extensions = tagged(
    EXTENSIONS,
    sequence(sequence(ALTERNATIVE_NAME, alternativeName), ...proof),
  );
  const version = tagged(VERSION, tagged(INTEGER, Buffer.of(2)));
  const body = sequence(
    ...[version, serial, ECDSA_WITH_SHA256, name],
    ...[validity, name, spki, extensions],
  );
  const signature = sign('sha256', body, privateKey);
  const certificate = sequence(
    body,
    ECDSA_WITH_SHA256,
    tagged(BIT_STRING, Buffer.of(0), signature),
  );
  const chainPem = encodePem('CERTIFICATE', certificate);
  const keyPem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  return { chainPem, keyPem, fingerprint: certificateFingerprint(chainPem) };
}

const [INTEGER, BIT_STRING, OCTET_STRING, UTF8_STRING, GENERALIZED_TIME] = [2, 3, 4, 12, 24];
const [SEQUENCE, SET, DNS_NAME, VERSION, EXTENSIONS] = [0x30, 0x31, 0x82, 0xa0, 0xa3];
/** 1.2.840.10045.4.3.2, as an AlgorithmIdentifier without parameters (RFC 5758 §3.2). */
const ECDSA_WITH_SHA256 = Buffer.from('300a06082a8648ce3d040302', 'hex');
/** 2.5.4.3 and 2.5.29.17 (RFC 5280 §4.1.2.4, §4.2.1.6). */
const COMMON_NAME = Buffer.from('0603550403', 'hex');
const ALTERNATIVE_NAME = Buffer.from('0603551d11', 'hex');

/** 1.3.6.1.5.5.7.1.31 (RFC 8737 §6.1). */
const ACME_IDENTIFIER = Buffer.from('06082b0601050507011f', 'hex');
const CRITICAL = Buffer.from('0101ff', 'hex');

function octets(content: Uint8Array): Buffer {
  return tagged(OCTET_STRING, content);
}

function sequence(...parts: readonly Uint8Array[]): Buffer {
  return tagged(SEQUENCE, ...parts);
}

/** Tag, length, content (X.690 §8.1.3). */
function tagged(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const size =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.of(tag, ...size), content]);
}

function timeOf(ms: number): Buffer {
  const text = new Date(ms).toISOString().replaceAll(/[-:T]|\.\d+/g, '');
  return tagged(GENERALIZED_TIME, bytesOf(text));
}

function bytesOf(text: string): Buffer {
  return Buffer.from(text, 'utf8');
}
