import { CLASS_IN, RecordType } from '../message/codes.ts';
import { isWildcard, type NameKey, ROOT } from '../message/name.ts';
import type { RecordData, Rrset } from '../zone/rrset.ts';

interface OwnedRrset {
  readonly owner: NameKey;
  readonly rrset: Rrset;
}

/** Bytes before a record's data: type, class, TTL, length. */
const FIXED_BYTES = 10;

/**
 * What is signed of an rrset (RFC 4034 §3.1.8.1): each record with its owner, in canonical form
 * (§6.2) and order (§6.3), one of each. Names are in lower case already, as `NameKey`s are.
 */
export function canonicalRrset({ owner, rrset }: OwnedRrset): Buffer {
  const name = nameWire(owner);
  const sorted = rrset.records.map((record) => canonicalData(rrset.type, record)).toSorted(compare);
  const parts = sorted
    .filter((data, index) => index === 0 || !data.equals(sorted[index - 1] ?? data))
    .flatMap((data) => {
      const fixed = Buffer.alloc(FIXED_BYTES);
      fixed.writeUInt16BE(rrset.type, 0);
      fixed.writeUInt16BE(CLASS_IN, 2);
      fixed.writeUInt32BE(rrset.ttlS, 4);
      fixed.writeUInt16BE(data.length, 8);
      return [name, fixed, data];
    });
  return Buffer.concat(parts);
}

/** A record's data with every name whole and in lower case (RFC 4034 §6.2, RFC 6840 §5.1). */
export function canonicalData(type: number, { parts }: RecordData): Buffer {
  const wires = parts.map((part) => (typeof part === 'string' ? nameWire(part) : part));
  const data = Buffer.concat(wires);
  const nameAt = UNCOMPRESSED_NAME_AT.get(type)?.(data);
  return nameAt === undefined ? data : withLowerCase(data, nameAt);
}

/** A name on the wire, whole. */
export function nameWire(key: NameKey): Buffer {
  return Buffer.from(`${key}\0`, 'latin1');
}

/** How many labels a name has: the root counts not, nor does a leading `*` (RFC 4034 §3.1.3). */
export function labelCount(key: NameKey): number {
  let count = isWildcard(key) ? -1 : 0;
  for (let rest: string = key; rest !== ROOT; rest = rest.slice(1 + rest.charCodeAt(0))) count += 1;
  return count;
}

/**
 * Where a name begins in the data of types whose names are canonical in lower case, but are never
 * compressed, so that they may stand there as bytes: as they were declared, letter case and all.
 */
const UNCOMPRESSED_NAME_AT: ReadonlyMap<number, (data: Buffer) => number | undefined> = new Map([
  [RecordType.SRV, () => 6],
  // Order, preference, then three texts (RFC 3403 §4.1).
  [RecordType.NAPTR, (data: Buffer) => afterText(data, afterText(data, afterText(data, 4)))],
  // DNAME: the name is all there is.
  [39, () => 0],
]);

function afterText(data: Buffer, at: number): number {
  return at + 1 + (data[at] ?? 0);
}

/** Length bytes are below `A`, so they are never touched. */
function withLowerCase(data: Buffer, start: number): Buffer {
  const lower = Buffer.from(data);
  for (let at = start; at < lower.length; at += 1) {
    const byte = lower[at] ?? 0;
    if (byte >= 0x41 && byte <= 0x5a) lower[at] = byte + 0x20;
  }
  return lower;
}

/** As left-justified unsigned octets; where one ends before the other, it comes first. */
function compare(one: Buffer, other: Buffer): number {
  return Buffer.compare(one, other);
}
