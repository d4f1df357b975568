import { createHash, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import type { Random } from '../random.ts';

/** ECDSA P-256 with SHA-256 (RFC 6605): the only algorithm that zones are signed with. */
export const DNSSEC_ALGORITHM = 13;
/** SHA-256 (RFC 4509): the digest that a DS record is made with. */
export const DS_DIGEST_TYPE = 2;
/** Zone key and secure entry point (RFC 4034 §2.1.1): one key signs all there is in a zone. */
export const ZONE_KEY_FLAGS = 257;
/** x and y, 32 bytes each (RFC 6605 §4). */
export const PUBLIC_KEY_BYTES = 64;

/** A key of a zone, as it was made. */
export interface ZoneKeyMaterial {
  /** PUBLIC_KEY_BYTES of them. */
  readonly publicKey: Uint8Array;
  /** PEM, PKCS #8. A secret: seal it before it is stored. */
  readonly privatePem: string;
}

/** What a parent zone holds of a key of its child (RFC 4034 §5). */
export interface DsData {
  readonly keyTag: number;
  readonly algorithm: number;
  readonly digestType: number;
  /** Lower-case hex. */
  readonly digest: string;
}

/** What the private keys of a zone are sealed for (see Sealer). */
export function zoneKeyContext(zoneUid: string): string {
  return `zone-key/${zoneUid}`;
}

const SCALAR_BYTES = 32;
/** About one of 2³² texts of 256 bits is no key of the curve. */
const TRIES_MAX = 8;

/** A new key pair from `random` alone: the same numbers make the same key. */
export function generateZoneKey(random: Random): ZoneKeyMaterial {
  for (let tries = 0; tries < TRIES_MAX; tries += 1) {
    const made = keyOf(random.bytes(SCALAR_BYTES));
    if (made !== undefined) return made;
  }
  throw new Error(`make a key for a zone: ${TRIES_MAX} random numbers in a row are no keys`);
}

/** Reads a private key. Throws a RangeError, without the text, for what is no P-256 key. */
export function parseZoneKey(privatePem: string): KeyObject {
  let key: KeyObject | undefined;
  try {
    key = createPrivateKey(privatePem);
  } catch {
    // The cause may quote what it could not read.
  }
  if (key?.asymmetricKeyDetails?.namedCurve !== 'prime256v1') {
    throw new RangeError('a private key is not ECDSA P-256 in PEM');
  }
  return key;
}

/** The public half of a private or public key: PUBLIC_KEY_BYTES of them. */
export function publicKeyOf(key: KeyObject): Uint8Array {
  const { x = '', y = '' } = createPublicKey(key).export({ format: 'jwk' });
  return Buffer.concat([Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')]);
}

/** RFC 4034 §2.1: flags, protocol 3, algorithm, key. */
export function dnskeyRdata(publicKey: Uint8Array): Uint8Array {
  const fixed = Buffer.of(ZONE_KEY_FLAGS >> 8, ZONE_KEY_FLAGS & 0xff, 3, DNSSEC_ALGORITHM);
  return Buffer.concat([fixed, publicKey]);
}

/** RFC 4034 appendix B: a sum over the data of a DNSKEY record. Two keys may have the same. */
export function keyTagOf(rdata: Uint8Array): number {
  let sum = 0;
  for (const [index, byte] of rdata.entries()) sum += index % 2 === 0 ? byte << 8 : byte;
  return (sum + (sum >> 16)) & 0xffff;
}

/**
 * The DS record of a key (RFC 4034 §5.1.4). `ownerWire`: the origin on the wire, lower case, with
 * the root label.
 */
export function dsOf(ownerWire: Uint8Array, publicKey: Uint8Array): DsData {
  const rdata = dnskeyRdata(publicKey);
  return {
    keyTag: keyTagOf(rdata),
    algorithm: DNSSEC_ALGORITHM,
    digestType: DS_DIGEST_TYPE,
    digest: createHash('sha256').update(ownerWire).update(rdata).digest('hex'),
  };
}

/** `12345 13 2 AB…`, as registrars ask for it. */
export function dsText({ keyTag, algorithm, digestType, digest }: DsData): string {
  return `${keyTag} ${algorithm} ${digestType} ${digest.toUpperCase()}`;
}

/** A host name on the wire: `example.com`, in lower case and without a final dot or escapes. */
export function hostWire(name: string): Uint8Array {
  const labels = name === '' ? [] : name.split('.');
  const parts = labels.map((label) => Buffer.from(`${String.fromCharCode(label.length)}${label}`));
  return Buffer.concat([...parts, Buffer.of(0)]);
}

/** Undefined: the scalar is 0, or not below the order of the curve. */
function keyOf(scalar: Uint8Array): ZoneKeyMaterial | undefined {
  // ECPrivateKey of RFC 5915 §3, without the public key, which OpenSSL then computes.
  const head = Buffer.from('30310201010420', 'hex');
  const curve = Buffer.from('a00a06082a8648ce3d030107', 'hex');
  try {
    const der = Buffer.concat([head, scalar, curve]);
    const key = createPrivateKey({ key: der, format: 'der', type: 'sec1' });
    const privatePem = key.export({ type: 'pkcs8', format: 'pem' }).toString();
    return { publicKey: publicKeyOf(key), privatePem };
  } catch {
    return undefined;
  }
}
