import { createHash, createPublicKey, verify } from 'node:crypto';
import { DNSSEC_ALGORITHM, keyTagOf, PUBLIC_KEY_BYTES } from './dnssec.ts';

/** An rrset that stands at the origin of its zone, in canonical form (RFC 4034 §6.2). */
export interface OriginSet {
  /** The origin on the wire, in lower case, with the root label. */
  readonly origin: Uint8Array;
  readonly type: number;
  /** Data of its records, in any order. */
  readonly records: readonly Uint8Array[];
}

export type SignatureVerdict =
  | { readonly kind: 'good'; readonly keyTag: number; readonly untilMs: number }
  | { readonly kind: 'bad'; readonly why: string }
  /** Of another algorithm than ours: nothing can be said of it. */
  | { readonly kind: 'unknown' };

/** Zone key (RFC 4034 §2.1.1). */
const ZONE_FLAG = 0x01;
/** Fields of RRSIG before the signer's name (RFC 4034 §3.1). */
const RRSIG_FIXED_BYTES = 18;
const HALF_CIRCLE_S = 2 ** 31;
const HASHES: Readonly<Record<number, string>> = { 1: 'sha1', 2: 'sha256', 4: 'sha384' };

/**
 * Whether one RRSIG record is good for a set (RFC 4035 §5.3). `rrsig` and `keys`: data of RRSIG and
 * DNSKEY records, untrusted. Never throws.
 */
export function verifyRrsig(
  set: OriginSet,
  { rrsig, keys }: { readonly rrsig: Uint8Array; readonly keys: readonly Uint8Array[] },
  nowMs: number,
): SignatureVerdict {
  const { origin, type, records } = set;
  const data = Buffer.from(rrsig.buffer, rrsig.byteOffset, rrsig.byteLength);
  const headBytes = RRSIG_FIXED_BYTES + origin.length;
  if (data.length <= headBytes || data.readUInt16BE(0) !== type) return bad('is malformed');
  if (!data.subarray(RRSIG_FIXED_BYTES, headBytes).equals(origin))
    return bad('is signed by another zone');
  if (data[2] !== DNSSEC_ALGORITHM) return { kind: 'unknown' };
  const keyTag = data.readUInt16BE(16);
  const fitting = keys.filter((key) => isZoneKey(key) && keyTagOf(key) === keyTag);
  if (fitting.length === 0) return bad(`is of key ${keyTag}, which is not there`);
  const nowS = Math.floor(nowMs / 1000);
  const leftS = since(data.readUInt32BE(8), nowS);
  if (leftS < 0) return bad(`ended at ${timeText(nowMs + 1000 * leftS)}`);
  if (since(nowS, data.readUInt32BE(12)) < 0) return bad('has not begun');
  const signed = Buffer.concat([
    data.subarray(0, headBytes),
    ...[...records].toSorted(Buffer.compare).flatMap((record) => {
      const fixed = Buffer.alloc(10);
      fixed.writeUInt16BE(type, 0);
      fixed.writeUInt16BE(1, 2);
      // The TTL that was signed, whatever is left of it (RFC 4035 §5.3.2).
      fixed.set(data.subarray(4, 8), 4);
      fixed.writeUInt16BE(record.length, 8);
      return [origin, fixed, record];
    }),
  ]);
  const isGood = fitting.some((key) => isSigned(signed, data.subarray(headBytes), key));
  return isGood
    ? { kind: 'good', keyTag, untilMs: nowMs + 1000 * leftS }
    : bad(`of key ${keyTag} is false`);
}

/**
 * Whether a DS record is of a key of the zone (RFC 4034 §5.1.4). `ds`: `tag algorithm digest-type
 * digest`, hex in lower case. Undefined: its digest is of a kind that is not known here.
 */
export function isDsOf(ds: string, origin: Uint8Array, key: Uint8Array): boolean | undefined {
  const [tag, algorithm, digestType, digest] = ds.split(' ');
  const hash = HASHES[Number(digestType)];
  if (Number(tag) !== keyTagOf(key) || Number(algorithm) !== key[3]) return false;
  if (hash === undefined) return undefined;
  return createHash(hash).update(origin).update(key).digest('hex') === digest;
}

function bad(why: string): SignatureVerdict {
  return { kind: 'bad', why };
}

/** Flags, protocol 3, algorithm (RFC 4034 §2.1). */
function isZoneKey(key: Uint8Array): boolean {
  const isOurs = key.length === 4 + PUBLIC_KEY_BYTES && key[3] === DNSSEC_ALGORITHM;
  return isOurs && key[2] === 3 && ((key[0] ?? 0) & ZONE_FLAG) !== 0;
}

function isSigned(signed: Uint8Array, signature: Uint8Array, key: Uint8Array): boolean {
  const [x, y] = [key.subarray(4, 36), key.subarray(36)].map((half) =>
    Buffer.from(half).toString('base64url'),
  );
  try {
    const jwk = { kty: 'EC', crv: 'P-256', x, y };
    const publicKey = createPublicKey({ key: jwk as never, format: 'jwk' });
    return verify('sha256', signed, { key: publicKey, dsaEncoding: 'ieee-p1363' }, signature);
  } catch {
    // No point of the curve.
    return false;
  }
}

/** Times are compared on their circle (RFC 4034 §3.1.5). */
function since(one: number, other: number): number {
  const difference = (((one - other) % 2 ** 32) + 2 ** 32) % 2 ** 32;
  return difference < HALF_CIRCLE_S ? difference : difference - 2 ** 32;
}

function timeText(ms: number): string {
  return new Date(ms).toISOString();
}
