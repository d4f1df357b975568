import { typeName } from '../../../api/rdata/types.ts';
import { RecordType } from '../message/codes.ts';
import {
  LABEL_BYTES_MAX,
  NAME_BYTES_MAX,
  type NameKey,
  nameText,
  parentOf,
} from '../message/name.ts';
import type { Rrset } from '../zone/rrset.ts';
import { nameWire } from './canonical.ts';

/**
 * An NSEC record that says which types a name has, and nothing of any other name (RFC 9824 §3): the
 * next name is the very next that there could be. Its own types are added.
 */
export function nsecRrset({
  owner,
  origin,
  types,
  ttlS,
  below = 'ours',
}: {
  readonly owner: NameKey;
  /** Of the zone: after its last name comes the first. */
  readonly origin: NameKey;
  readonly types: readonly number[];
  /** RFC 9077 §3: that of negative answers. */
  readonly ttlS: number;
  /** Whose the names below the owner are; left out: they could be the zone's. */
  readonly below?: 'ours' | 'delegated';
}): Rrset {
  const all = [...new Set([...types, RecordType.RRSIG, RecordType.NSEC])].toSorted((a, b) => a - b);
  const next = below === 'ours' ? successor(owner, origin) : nextBeside(owner, origin);
  const record = {
    // Bytes, for this name is never compressed (RFC 4034 §4.1.1).
    parts: [nameWire(next), typeBitmap(all)],
    /** Nobody reads it of most, and it takes longer than the rest. */
    get text() {
      return `${nameText(next)}. ${all.map(typeName).join(' ')}`;
    },
  };
  return { type: RecordType.NSEC, ttlS, records: [record], targets: [] };
}

/** Type bit maps (RFC 4034 §4.1.2). `types`: sorted, without duplicates. */
export function typeBitmap(types: readonly number[]): Buffer {
  const windows = new Map<number, Buffer>();
  for (const type of types) {
    const bits = windows.get(type >> 8) ?? Buffer.alloc(32);
    const at = (type & 0xff) >> 3;
    bits[at] = (bits[at] ?? 0) | (0x80 >> (type & 7));
    windows.set(type >> 8, bits);
  }
  return Buffer.concat(
    [...windows].flatMap(([window, bits]) => {
      const length = bits.findLastIndex((byte) => byte !== 0) + 1;
      return [Buffer.of(window, length), bits.subarray(0, length)];
    }),
  );
}

/**
 * The name right after another one in canonical order (RFC 4034 §6.1), of all that could be:
 * mostly `\000.` before it; for names too long for that as RFC 4470 §4 says. After the last one
 * of all comes the origin.
 */
export function successor(name: NameKey, origin: NameKey): NameKey {
  // Two bytes more, and the root label, which a key does not have.
  if (name.length + 3 <= NAME_BYTES_MAX) return `\x01\0${name}` as NameKey;
  return nextBeside(name, origin);
}

/**
 * The name right after another one and all that lies below it: a delegation says nothing of names
 * that are not the zone's (RFC 9824 §3.4). `name` is not the origin.
 */
export function nextBeside(name: NameKey, origin: NameKey): NameKey {
  for (let rest = name; rest !== origin; rest = parentOf(rest)) {
    const next = nextSibling(rest);
    if (next !== undefined) return next;
  }
  return origin;
}

/** The first name after all that lie below this one; undefined: there is none of its parent's. */
function nextSibling(name: NameKey): NameKey | undefined {
  const length = name.charCodeAt(0);
  const label = name.slice(1, 1 + length);
  const parent = parentOf(name);
  if (length < LABEL_BYTES_MAX && name.length + 2 <= NAME_BYTES_MAX) {
    return `${String.fromCharCode(length + 1)}${label}\0${parent}` as NameKey;
  }
  // The last byte that can be greater is, and those behind it go.
  const end = [...label].findLastIndex((character) => character !== '\xff');
  if (end < 0) return undefined;
  const next = nextByte(label.charCodeAt(end));
  const greater = label.slice(0, end) + String.fromCharCode(next);
  return `${String.fromCharCode(greater.length)}${greater}${parent}` as NameKey;
}

/** Upper case sorts, and is written, as lower case (RFC 4034 §6.1): it is passed over. */
function nextByte(byte: number): number {
  return byte === 0x40 ? 0x5b : byte + 1;
}
