import { typeName } from '../../../api/rdata/types.ts';
import { DNSSEC_ALGORITHM } from '../../../runtime/dns/dnssec.ts';
import { type NameKey, nameText } from '../message/name.ts';
import { ownBytes } from '../zone/own-bytes.ts';
import type { RecordData } from '../zone/rrset.ts';
import type { Entry } from '../zone/zone.ts';
import { labelCount, nameWire } from './canonical.ts';
import type { SignPort } from './ecdsa.ts';
import type { SigningKey } from './keys.ts';

/** From when until when a signature is good, in seconds since the epoch. */
export interface Validity {
  readonly inceptionS: number;
  readonly expirationS: number;
}

/**
 * How far back signatures begin: validators, and this machine, may have a clock that is wrong by so
 * much. That a signature could have been made earlier harms nobody.
 */
export const INCEPTION_BACK_S = 24 * 3600;
/** How long they last at least. */
export const LIFETIME_S = 7 * 24 * 3600;
/** By so much they last longer, each by its own share, so that they do not all end at once. */
export const JITTER_S = 24 * 3600;
/**
 * What has less time left is signed anew. Resolvers keep an answer for a day at most, so even one
 * whose clock, or ours, is wrong by two days sees no signature that has ended.
 */
export const REFRESH_S = 4 * 24 * 3600;

/** `share`: 0 to 1, of the jitter. */
export function validityAt(nowMs: number, share: number): Validity {
  const nowS = Math.floor(nowMs / 1000);
  const expirationS = nowS + LIFETIME_S + Math.floor(share * JITTER_S);
  return { inceptionS: nowS - INCEPTION_BACK_S, expirationS };
}

/** Whether a signature is still one to hand out. */
export function isFresh({ inceptionS, expirationS }: Validity, nowMs: number): boolean {
  const nowS = nowMs / 1000;
  // A clock that was set back finds signatures of the future.
  return inceptionS < nowS && expirationS - nowS >= REFRESH_S;
}

interface SignatureInput {
  readonly entry: Pick<Entry, 'owner' | 'rrset'>;
  /** The rrset as it is signed; see `canonicalRrset`. */
  readonly canonical: Uint8Array;
  /** The origin of the zone that it is of. */
  readonly origin: NameKey;
  readonly key: SigningKey;
  readonly validity: Validity;
}

/**
 * The data of an RRSIG record (RFC 4034 §3.1). The label count is always the owner's own, also for
 * what a wildcard stands for: as if there were the name (RFC 9824 §3.3), so that nothing has to be
 * proven beside it.
 */
export function signatureRecord(input: SignatureInput, sign: SignPort): RecordData {
  const { entry, canonical, origin, key, validity } = input;
  const { owner, rrset } = entry;
  const signer = nameWire(origin);
  const head = Buffer.alloc(18 + signer.length);
  head.writeUInt16BE(rrset.type, 0);
  head[2] = DNSSEC_ALGORITHM;
  head[3] = labelCount(owner);
  head.writeUInt32BE(rrset.ttlS, 4);
  head.writeUInt32BE(serialTime(validity.expirationS), 8);
  head.writeUInt32BE(serialTime(validity.inceptionS), 12);
  head.writeUInt16BE(key.keyTag, 16);
  head.set(signer, 18);
  const signature = sign(Buffer.concat([head, canonical]), key.privateKey);
  return {
    // One small buffer: thousands of these are kept.
    parts: [ownBytes(head, signature)],
    get text() {
      return signatureText(this.parts[0], origin);
    },
  };
}

/** In presentation format (RFC 4034 §3.2), with times in seconds; `data` is as it is above. */
function signatureText(data: RecordData['parts'][number] | undefined, origin: NameKey): string {
  if (!Buffer.isBuffer(data)) return '';
  const [ttlS, expirationS, inceptionS] = [4, 8, 12].map((at) => data.readUInt32BE(at));
  const signature = data.subarray(18 + nameWire(origin).length).toString('base64');
  const what = `${typeName(data.readUInt16BE(0))} ${data[2]} ${data[3]} ${ttlS}`;
  const times = `${expirationS} ${inceptionS}`;
  return `${what} ${times} ${data.readUInt16BE(16)} ${nameText(origin)}. ${signature}`;
}

/** Times go round after 2³² seconds (RFC 4034 §3.1.5). */
function serialTime(timeS: number): number {
  return timeS >>> 0;
}
