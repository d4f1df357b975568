import type { ContinentCode } from '../../../api/countries.ts';
import { parseAddress } from '../geo/address.ts';
import type { Locate, Location } from '../geo/geography.ts';
import { decodeParts, type GeoTableParts, HASH_AT, HASH_BYTES } from './format.ts';
import { hashOf } from './hash.ts';
import { RangeReader } from './range-reader.ts';

/** Whether these bytes are a table of this version, whole and unchanged since it was compiled. */
export function isWholeGeoTable(bytes: Uint8Array): boolean {
  if (decodeParts(bytes) === undefined) return false;
  return Buffer.compare(hashOf(bytes), bytes.subarray(HASH_AT, HASH_AT + HASH_BYTES)) === 0;
}

/**
 * Looks clients up in a compiled table, which may lie over a SharedArrayBuffer; nothing is copied.
 * The place is exactly the one of the database that it was compiled from; the prefix is the widest
 * around the address that lies within one range of that place, for an answer holds for all of it
 * (RFC 7871 §7.2.1). `source` names the database for people. Throws when the bytes are no table.
 */
export function openGeoTable({
  source,
  bytes,
}: {
  readonly source: string;
  readonly bytes: Uint8Array;
}): Locate {
  const parts = decodeParts(bytes);
  if (parts === undefined) throw new Error(`read ${source} as a table of geography`);
  const { aliasBits, ipv4, ipv6 } = parts;
  const places = placeReader(parts, source);
  const readers = {
    ipv4: ipv4 && new RangeReader(ipv4),
    ipv6: ipv6 && new RangeReader(ipv6),
  };
  const words4 = new Uint32Array(1);
  const words6 = new Uint32Array(4);

  function locateIpv4(bitsBefore: number): Location | undefined {
    if (readers.ipv4 === undefined) return undefined;
    const place = readers.ipv4.find(words4);
    return places(place, bitsBefore + prefixOf(readers.ipv4, words4));
  }

  return (address) => {
    const binary = typeof address === 'string' ? parseAddress(address) : address;
    if (binary?.length === 4) {
      words4[0] = wordAt(binary, 0);
      return locateIpv4(0);
    }
    if (binary?.length !== 16 || readers.ipv6 === undefined) return undefined;
    for (let word = 0; word < 4; word += 1) words6[word] = wordAt(binary, 4 * word);
    const place = readers.ipv6.find(words6);
    const before = aliasBits[place - parts.regions.length];
    if (before === undefined) return places(place, prefixOf(readers.ipv6, words6));
    words4[0] = bitsAt(words6, before);
    return locateIpv4(before);
  };
}

function placeReader(
  { latitudes, longitudes, regions, regionNames }: GeoTableParts,
  source: string,
): (place: number, prefixBits: number) => Location | undefined {
  const names = Buffer.from(regionNames).toString('latin1');
  const codes = Array.from({ length: names.length / 4 }, (_, index) => {
    const [country, continent] = [4 * index, 4 * index + 2].map((at) => names.slice(at, at + 2));
    return {
      ...(country === '\0\0' ? {} : { country }),
      ...(continent === '\0\0' ? {} : { continent: continent as ContinentCode }),
    };
  });
  return (place, prefixBits) => {
    if (place === 0 || place >= regions.length) return undefined;
    const region = codes[regions[place] ?? 0];
    const latitude = latitudes[place] ?? Number.NaN;
    const longitude = longitudes[place] ?? Number.NaN;
    if (Number.isNaN(latitude)) return { ...region, prefixBits, source };
    return { latitude, longitude, ...region, prefixBits, source };
  };
}

/** The shortest prefix of the address that holds neither what lies before the range nor behind. */
function prefixOf({ start, end }: RangeReader, address: Uint32Array): number {
  return Math.max(bitsShared(address, start, 1), bitsShared(address, end, 0)) + 1;
}

/**
 * How many leading bits the address shares with `bound` less `minus`; -1 if there is no such bound:
 * a range from the first address on, or up to the last one.
 */
function bitsShared(address: Uint32Array, bound: Uint32Array, minus: 0 | 1): number {
  // The lowest word that is not zero: those below it become all ones.
  let lowest = bound.length - 1;
  while (lowest >= 0 && bound[lowest] === 0) lowest -= 1;
  if (lowest < 0) return -1;
  for (let word = 0; word < bound.length; word += 1) {
    const value = bound[word] ?? 0;
    const other = minus === 0 || word < lowest ? value : value - 1;
    const difference = ((address[word] ?? 0) ^ other) >>> 0;
    if (difference !== 0) return 32 * word + Math.clz32(difference);
  }
  return 32 * bound.length;
}

/** Four bytes, the highest first. */
function wordAt(bytes: Uint8Array, at: number): number {
  const high = ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
  return ((high << 16) | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0)) >>> 0;
}

/** 32 bits from some bit on. */
function bitsAt(words: Uint32Array, bit: number): number {
  const word = bit >>> 5;
  const shift = bit & 31;
  const first = words[word] ?? 0;
  return shift === 0 ? first : ((first << shift) | ((words[word + 1] ?? 0) >>> (32 - shift))) >>> 0;
}
