import { createHmac, timingSafeEqual } from 'node:crypto';
import {
  TRANSFER_KEY_ALGORITHMS,
  type TransferKeyAlgorithm,
} from '../../../runtime/dns/transfer-key.ts';
import { CLASS_ANY } from '../message/codes.ts';
import { type NameKey, parseName, ROOT } from '../message/name.ts';
import { type TsigRecord, timers, wireName, withoutTsig, withTsig } from './tsig-record.ts';

/** A secret that a secondary shares (RFC 8945 §8). */
export interface TsigKey {
  readonly name: NameKey;
  readonly algorithm: TransferKeyAlgorithm;
  readonly secret: Uint8Array;
}

/** What is wrong with a signature, by number (RFC 8945 §3). */
export const TsigError = { NONE: 0, BADSIG: 16, BADKEY: 17, BADTIME: 18, BADTRUNC: 22 } as const;
export type TsigError = (typeof TsigError)[keyof typeof TsigError];

/** "Not authorized" in a TSIG answer; in others "not authoritative" (RFC 8945 §5.2). */
export const RCODE_NOTAUTH = 9;

/** How far clocks may differ (RFC 8945 §10). */
export const FUDGE_S = 300;
/** RFC 8945 §5.2.2.1: a shorter MAC is no MAC. */
const MAC_BYTES_MIN = 10;

const MAC_BYTES: Readonly<Record<TransferKeyAlgorithm, number>> = {
  'hmac-sha256': 32,
  'hmac-sha384': 48,
  'hmac-sha512': 64,
};

export type TsigVerdict =
  | { readonly kind: 'signed'; readonly key: TsigKey }
  | { readonly kind: 'malformed' }
  /** `key`: the answer is to be signed all the same, for this is not about the key. */
  | { readonly kind: 'refused'; readonly error: TsigError; readonly key: TsigKey | undefined };

/** Undefined: not one of ours. */
export function algorithmOf(text: string): TransferKeyAlgorithm | undefined {
  return TRANSFER_KEY_ALGORITHMS.find((algorithm) => algorithm === text);
}

/**
 * Checks the signature of a whole message, in the order of RFC 8945 §5.2: key, MAC, time,
 * truncation. A truncated MAC is refused even if it is right (§5.2.4): none of our keys needs it.
 */
export function verifyTsig(
  message: Buffer,
  record: TsigRecord,
  { keys, nowS }: { readonly keys: ReadonlyMap<NameKey, TsigKey>; readonly nowS: number },
): TsigVerdict {
  const key = keys.get(record.keyName);
  if (key === undefined || record.algorithm !== nameOf(key.algorithm)) {
    return { kind: 'refused', error: TsigError.BADKEY, key: undefined };
  }
  const macBytes = MAC_BYTES[key.algorithm];
  const { mac } = record;
  if (mac.length > macBytes || mac.length < Math.max(MAC_BYTES_MIN, macBytes / 2)) {
    return { kind: 'malformed' };
  }
  const expected = macOf(key, [withoutTsig(message, record), variables(record)]);
  if (!timingSafeEqual(mac, expected.subarray(0, mac.length))) {
    return { kind: 'refused', error: TsigError.BADSIG, key: undefined };
  }
  if (Math.abs(nowS - record.timeSignedS) > record.fudgeS) {
    return { kind: 'refused', error: TsigError.BADTIME, key };
  }
  return mac.length === macBytes
    ? { kind: 'signed', key }
    : { kind: 'refused', error: TsigError.BADTRUNC, key };
}

/** Signs what goes back for one request: one message, or one after the other (RFC 8945 §5.3). */
export class TsigSigner {
  readonly #key: TsigKey;
  #previousMac: Buffer;
  #count = 0;

  /** `previousMac`: of the request. */
  constructor(key: TsigKey, previousMac: Buffer) {
    this.#key = key;
    this.#previousMac = Buffer.from(previousMac);
  }

  /** Bytes that a signature takes at the end of a message. */
  get bytes(): number {
    const { name, algorithm } = this.#key;
    return name.length + 1 + 10 + nameOf(algorithm).length + 1 + 16 + MAC_BYTES[algorithm];
  }

  /** The first message is signed with all that TSIG says, later ones with the time alone (§5.3.1). */
  sign(message: Uint8Array, nowS: number): Buffer {
    const record = { ...unsignedRecord(message, this.#key), timeSignedS: nowS };
    const tail = this.#count === 0 ? variables(record) : timers(record);
    const mac = macOf(this.#key, [sized(this.#previousMac), message, tail]);
    this.#count += 1;
    this.#previousMac = mac;
    return withTsig(message, { ...record, mac });
  }
}

/** Signs a message of our own accord, such as a NOTIFY. */
export function signRequest(message: Uint8Array, key: TsigKey, nowS: number): Buffer {
  const record = { ...unsignedRecord(message, key), timeSignedS: nowS };
  return withTsig(message, { ...record, mac: macOf(key, [message, variables(record)]) });
}

/** Whether a reply to `requestMac` was signed with the key; its time is not looked at. */
export function isSignedReply(
  message: Buffer,
  record: TsigRecord,
  { key, requestMac }: { readonly key: TsigKey; readonly requestMac: Buffer },
): boolean {
  if (record.keyName !== key.name || record.algorithm !== nameOf(key.algorithm)) return false;
  const body = withoutTsig(message, record);
  const expected = macOf(key, [sized(requestMac), body, variables(record)]);
  return record.mac.length === expected.length && timingSafeEqual(record.mac, expected);
}

/**
 * A reply that says what is wrong with the request's TSIG (RFC 8945 §5.3.2). Of a key or a MAC that
 * is wrong it is not signed: with what? A wrong time is the client's, with ours beside it.
 */
export function refuseTsig(
  message: Uint8Array,
  request: TsigRecord,
  given: {
    readonly error: TsigError;
    readonly key: TsigKey | undefined;
    readonly nowS: number;
  },
): Buffer {
  const { error, key, nowS } = given;
  const other = Buffer.alloc(error === TsigError.BADTIME ? 6 : 0);
  if (error === TsigError.BADTIME) other.writeUIntBE(nowS, 0, 6);
  const record = {
    keyName: request.keyName,
    algorithm: request.algorithm,
    timeSignedS: error === TsigError.BADTIME ? request.timeSignedS : nowS,
    fudgeS: error === TsigError.BADTIME ? request.fudgeS : FUDGE_S,
    mac: Buffer.alloc(0),
    originalId: idOf(message),
    error,
    other,
  };
  if (key === undefined) return withTsig(message, record);
  const mac = macOf(key, [sized(request.mac), message, variables(record)]);
  return withTsig(message, { ...record, mac });
}

function unsignedRecord(message: Uint8Array, key: TsigKey): Omit<TsigRecord, 'start'> {
  return {
    keyName: key.name,
    algorithm: nameOf(key.algorithm),
    timeSignedS: 0,
    fudgeS: FUDGE_S,
    mac: Buffer.alloc(0),
    originalId: idOf(message),
    error: TsigError.NONE,
    other: Buffer.alloc(0),
  };
}

/** RFC 8945 §4.3.3. */
function variables(record: Omit<TsigRecord, 'start' | 'mac'>): Buffer {
  const classAndTtl = Buffer.of(0, CLASS_ANY, 0, 0, 0, 0);
  const tail = Buffer.alloc(4);
  tail.writeUInt16BE(record.error, 0);
  tail.writeUInt16BE(record.other.length, 2);
  return Buffer.concat([
    ...[wireName(record.keyName), classAndTtl, wireName(record.algorithm)],
    ...[timers(record), tail, record.other],
  ]);
}

/** RFC 8945 §4.3.1: a MAC is digested after its length. */
function sized(mac: Buffer): Buffer {
  return Buffer.concat([Buffer.of(mac.length >> 8, mac.length & 0xff), mac]);
}

function macOf({ algorithm, secret }: TsigKey, parts: readonly Uint8Array[]): Buffer {
  const hmac = createHmac(algorithm.slice('hmac-'.length), secret);
  for (const part of parts) hmac.update(part);
  return hmac.digest();
}

function nameOf(algorithm: TransferKeyAlgorithm): NameKey {
  return parseName(algorithm) ?? ROOT;
}

function idOf(message: Uint8Array): number {
  return ((message[0] ?? 0) << 8) | (message[1] ?? 0);
}
