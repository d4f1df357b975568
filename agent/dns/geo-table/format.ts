/**
 * The compact table that nameservers look clients up in: what a database says of every address, and
 * nothing else. All numbers are little-endian; sections begin at multiples of 8.
 *
 * ```
 * head      magic "B8SGEOT" and the version · SHA-256 of all that follows · 16 numbers of 32 bits
 * places    latitudes, longitudes (as 32-bit floats if none loses a bit by that, else 64-bit ones),
 *           and for each an index of 16 bits into the regions
 * regions   country and continent, 4 letters (zeros: unknown)
 * aliases   for each network of IPv6 that repeats IPv4 (::ffff:0:0/96, 2002::/16): how many bits
 *           come before the IPv4 address
 * ranges    for IPv4 and IPv6: blocks of 64 ranges; where each block begins, as an address and in
 *           the codes; then the codes
 * ```
 *
 * Ranges follow one another without gaps, neighbours differ in their place. A range is a byte: its
 * high half tells its length, as one of the 15 commonest (0: it follows), the low half its place, as
 * that of the range so many before plus one (0: it follows as a number; the commonest are the
 * smallest). Place 0 is unknown; numbers from the count of places on are aliases. The last range of
 * a block ends where the next begins.
 */
export const GEO_TABLE_VERSION = 1;

const MAGIC = [...'B8SGEOT'].map((letter) => letter.charCodeAt(0));
export const HASH_AT = 8;
export const HASH_BYTES = 32;
export const HEAD_AT: number = HASH_AT + HASH_BYTES;
const HEAD_NUMBERS = 16;
export const HEAD_BYTES: number = HEAD_AT + 4 * HEAD_NUMBERS;

export const RANGES_PER_BLOCK = 64;
/** Commonest lengths that have a code of half a byte. */
export const LENGTHS = 15;
/** So far back a range's place may be that of an earlier one; one back never is. */
export const BACK_MAX = 16;
/** In place of an exponent: the end follows as an address. */
export const LITERAL_END = 255;
/** Greater mantissas do not fit what adds them up. */
export const MANTISSA_MAX: number = 2 ** 31 - 1;

/** The bytes that every table begins with. */
export const GEO_TABLE_MAGIC: readonly number[] = [...MAGIC, GEO_TABLE_VERSION];

/** One family's ranges. `words` of 32 bits an address has: 1 or 4, the highest first. */
export interface RangeSection {
  readonly words: 1 | 4;
  /** `words` for each block. */
  readonly starts: Uint32Array;
  /** For each block and for the end. */
  readonly offsets: Uint32Array;
  /** Each length as mantissa and exponent. */
  readonly lengths: Uint32Array;
  readonly codes: Uint8Array;
  readonly rangeCount: number;
}

export interface GeoTableParts {
  readonly coordinateBytes: 4 | 8;
  /** By place; that at 0 means nothing. */
  readonly latitudes: Float32Array | Float64Array;
  readonly longitudes: Float32Array | Float64Array;
  readonly regions: Uint16Array;
  /** 4 letters each: country and continent. */
  readonly regionNames: Uint8Array;
  readonly aliasBits: Uint32Array;
  /** Undefined: the database knows nothing of that family. */
  readonly ipv4: RangeSection | undefined;
  readonly ipv6: RangeSection | undefined;
}

type Section = Float32Array | Float64Array | Uint16Array | Uint32Array | Uint8Array;

/** How large the parts are as a table, in bytes. */
export function encodedBytes(parts: GeoTableParts): number {
  return (
    HEAD_BYTES + sectionsOf(parts).reduce((sum, { byteLength }) => sum + padded(byteLength), 0)
  );
}

/** Writes all but the hash into `bytes`, which are `encodedBytes` long. */
export function encodeParts(parts: GeoTableParts, bytes: Uint8Array): void {
  bytes.set(GEO_TABLE_MAGIC);
  const head = new Uint32Array(HEAD_NUMBERS);
  head.set([
    parts.coordinateBytes,
    parts.regions.length,
    parts.regionNames.length / 4,
    parts.aliasBits.length,
    ...[parts.ipv4, parts.ipv6].flatMap((ranges) => [
      ranges?.rangeCount ?? 0,
      ranges?.codes.length ?? 0,
    ]),
  ]);
  bytes.set(bytesOf(head), HEAD_AT);
  let at = HEAD_BYTES;
  for (const section of sectionsOf(parts)) {
    bytes.set(bytesOf(section), at);
    at += padded(section.byteLength);
  }
}

/** Views of a table, nothing is copied. Undefined: it is none, or it is cut off. */
export function decodeParts(bytes: Uint8Array): GeoTableParts | undefined {
  if (bytes.length < HEAD_BYTES || bytes.byteOffset % 8 !== 0) return undefined;
  if (GEO_TABLE_MAGIC.some((byte, index) => bytes[index] !== byte)) return undefined;
  const head = new Uint32Array(bytes.buffer, bytes.byteOffset + HEAD_AT, HEAD_NUMBERS);
  const [coordinateBytes, places = 0, names = 0, aliases = 0, ranges4 = 0, codes4 = 0] = head;
  const [ranges6 = 0, codes6 = 0] = head.subarray(6);
  if (coordinateBytes !== 4 && coordinateBytes !== 8) return undefined;
  let at = bytes.byteOffset + HEAD_BYTES;
  const next = <T extends Section>(make: SectionType<T>, length: number): T => {
    const section = new make(bytes.buffer, at, length);
    at += padded(section.byteLength);
    return section;
  };
  const family = (words: 1 | 4, rangeCount: number, codes: number): RangeSection | undefined => {
    if (rangeCount === 0) return undefined;
    const blocks = Math.ceil(rangeCount / RANGES_PER_BLOCK);
    return {
      ...{ words, rangeCount, starts: next(Uint32Array, blocks * words) },
      offsets: next(Uint32Array, blocks + 1),
      lengths: next(Uint32Array, 2 * LENGTHS),
      codes: next(Uint8Array, codes),
    };
  };
  const coordinates = coordinateBytes === 4 ? Float32Array : Float64Array;
  try {
    const parts: GeoTableParts = {
      coordinateBytes,
      latitudes: next<Float32Array | Float64Array>(coordinates, places),
      longitudes: next<Float32Array | Float64Array>(coordinates, places),
      regions: next(Uint16Array, places),
      regionNames: next(Uint8Array, 4 * names),
      aliasBits: next(Uint32Array, aliases),
      ipv4: family(1, ranges4, codes4),
      ipv6: family(4, ranges6, codes6),
    };
    return at === bytes.byteOffset + bytes.byteLength ? parts : undefined;
  } catch {
    // A section would reach beyond the end.
    return undefined;
  }
}

type SectionType<T> = new (buffer: ArrayBufferLike, offset: number, length: number) => T;

function sectionsOf(parts: GeoTableParts): readonly Section[] {
  const { latitudes, longitudes, regions, regionNames, aliasBits, ipv4, ipv6 } = parts;
  const families = [ipv4, ipv6].flatMap((each) =>
    each === undefined ? [] : [each.starts, each.offsets, each.lengths, each.codes],
  );
  return [latitudes, longitudes, regions, regionNames, aliasBits, ...families];
}

function bytesOf({ buffer, byteOffset, byteLength }: Section): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function padded(length: number): number {
  return Math.ceil(length / 8) * 8;
}
