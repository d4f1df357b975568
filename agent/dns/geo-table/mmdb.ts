/**
 * The file format of MaxMind's databases (MaxMind DB File Format Specification 2.0): a binary tree
 * of addresses, whose leaves point at records in a data section.
 */
export interface Mmdb {
  /** 4 or 6: how many bits an address has, 32 or 128. */
  readonly ipVersion: 4 | 6;
  /** Values below it are nodes; it itself is "nothing known"; above it lie pointers to records. */
  readonly nodeCount: number;
  /** Where a node's left (0) or right (1) branch leads. `node` is below `nodeCount`. */
  branch(node: number, bit: 0 | 1): number;
  /** What a pointer from the tree points at. Throws when that is damaged. */
  record(pointer: number): unknown;
}

/** Of zeros, between the tree and the data. */
const SEPARATOR_BYTES = 16;
const METADATA_MARKER = Buffer.from('\xab\xcd\xefMaxMind.com', 'latin1');
/** "The maximum allowable size for the metadata section, including the marker, is 128KiB." */
const METADATA_BYTES_MAX = 128 * 1024;

/** Reads where the sections lie; nothing is copied. Throws when the bytes are no such database. */
export function openMmdb(bytes: Uint8Array): Mmdb {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const from = Math.max(0, file.length - METADATA_BYTES_MAX);
  const marker = file.subarray(from).lastIndexOf(METADATA_MARKER);
  if (marker < 0) throw new Error('it has no MaxMind metadata');
  const metadata = new Decoder(file, from + marker + METADATA_MARKER.length).value(0);
  const nodeCount = numberOf(metadata, 'node_count');
  const recordBits = numberOf(metadata, 'record_size');
  const ipVersion = numberOf(metadata, 'ip_version');
  const major = numberOf(metadata, 'binary_format_major_version');
  if (major !== 2) throw new Error(`it is of format ${major}, and only 2 is known`);
  if (ipVersion !== 4 && ipVersion !== 6) throw new Error(`it is for IP version ${ipVersion}`);
  if (recordBits !== 24 && recordBits !== 28 && recordBits !== 32)
    throw new Error(`its tree has records of ${recordBits} bits`);
  const treeBytes = (nodeCount * recordBits) / 4;
  if (nodeCount < 1 || treeBytes + SEPARATOR_BYTES > from + marker)
    throw new Error('its tree is cut off');
  const decoder = new Decoder(file, treeBytes + SEPARATOR_BYTES);
  return {
    ipVersion,
    nodeCount,
    branch: branchReader(file, recordBits),
    record: (pointer) => decoder.value(pointer - nodeCount - SEPARATOR_BYTES),
  };
}

function branchReader(file: Buffer, recordBits: 24 | 28 | 32): Mmdb['branch'] {
  const at = (offset: number): number => file[offset] ?? 0;
  const three = (offset: number): number =>
    (at(offset) << 16) | (at(offset + 1) << 8) | at(offset + 2);
  switch (recordBits) {
    case 24:
      return (node, bit) => three(node * 6 + bit * 3);
    case 28:
      // The middle byte has the highest four bits of both.
      return (node, bit) => {
        const start = node * 7;
        return bit === 0
          ? ((at(start + 3) >> 4) << 24) | three(start)
          : ((at(start + 3) & 15) << 24) | three(start + 4);
      };
    case 32:
      return (node, bit) => at(node * 8 + bit * 4) * 2 ** 24 + three(node * 8 + bit * 4 + 1);
  }
}

function numberOf(metadata: unknown, name: string): number {
  const value: unknown =
    typeof metadata === 'object' && metadata !== null
      ? (metadata as Readonly<Record<string, unknown>>)[name]
      : undefined;
  if (typeof value !== 'number') throw new Error(`its metadata has no ${name}`);
  return value;
}

const TYPE = {
  ...{ pointer: 1, text: 2, double: 3, bytes: 4, uint16: 5, uint32: 6, map: 7, int32: 8 },
  ...{ uint64: 9, uint128: 10, array: 11, boolean: 14, float: 15 },
} as const;
/** Records are a few levels deep; a damaged one might turn in a circle. */
const DEPTH_MAX = 32;
/** Of one record, counted with those within: a damaged one might say that it has millions. */
const VALUES_MAX = 10_000;

/** Reads values of a section that begins at `base`. Throws a `RangeError` where one is damaged. */
class Decoder {
  readonly #file: Buffer;
  readonly #base: number;
  #at = 0;
  #valuesLeft = 0;

  constructor(file: Buffer, base: number) {
    this.#file = file;
    this.#base = base;
  }

  value(offset: number): unknown {
    this.#at = this.#base + offset;
    this.#valuesLeft = VALUES_MAX;
    return this.#next(0);
  }

  #next(depth: number): unknown {
    this.#valuesLeft -= 1;
    if (depth > DEPTH_MAX || this.#valuesLeft < 0) throw new RangeError('a record has no end');
    const control = this.#number(1);
    const type = control >> 5 === 0 ? this.#number(1) + 7 : control >> 5;
    if (type === TYPE.pointer) return this.#pointed(control, depth);
    const size = this.#size(control & 31);
    switch (type) {
      case TYPE.map:
        return this.#map(size, depth);
      case TYPE.array:
        return Array.from({ length: Math.min(size, VALUES_MAX) }, () => this.#next(depth + 1));
      case TYPE.text:
        return this.#text(size);
      case TYPE.double:
        return this.#file.readDoubleBE(this.#skip(8));
      case TYPE.float:
        return this.#file.readFloatBE(this.#skip(4));
      case TYPE.int32:
        return this.#number(size) | 0;
      case TYPE.boolean:
        return size !== 0;
      case TYPE.uint16:
      case TYPE.uint32:
        return this.#number(size);
      case TYPE.bytes:
      case TYPE.uint64:
      case TYPE.uint128:
        return void this.#skip(size);
      default:
        throw new RangeError(`a record has a value of type ${type}`);
    }
  }

  #text(size: number): string {
    const at = this.#skip(size);
    return this.#file.toString('utf8', at, at + size);
  }

  #map(size: number, depth: number): Readonly<Record<string, unknown>> {
    const map: Record<string, unknown> = Object.create(null);
    for (let entry = 0; entry < size; entry += 1) {
      const key = this.#next(depth + 1);
      map[String(key)] = this.#next(depth + 1);
    }
    return map;
  }

  #pointed(control: number, depth: number): unknown {
    const length = (control >> 3) & 3;
    const high = control & 7;
    const offset =
      length === 3
        ? this.#number(4)
        : high * 2 ** (8 * (length + 1)) + this.#number(length + 1) + (POINTER_BASE[length] ?? 0);
    const behind = this.#at;
    this.#at = this.#base + offset;
    const value = this.#next(depth + 1);
    this.#at = behind;
    return value;
  }

  #size(small: number): number {
    if (small < 29) return small;
    const length = small - 28;
    return this.#number(length) + (SIZE_BASE[length] ?? 0);
  }

  /** Big-endian, without a sign, of 0 to 4 bytes. */
  #number(length: number): number {
    if (length > 4) throw new RangeError('a record has a number that is too long');
    const at = this.#skip(length);
    let value = 0;
    for (let index = 0; index < length; index += 1)
      value = value * 256 + (this.#file[at + index] ?? 0);
    return value;
  }

  /** Where the bytes lie that are passed over. */
  #skip(length: number): number {
    const at = this.#at;
    this.#at = at + length;
    if (!(at >= 0 && this.#at <= this.#file.length)) throw new RangeError('a record is cut off');
    return at;
  }
}

const POINTER_BASE = [0, 2048, 526_336];
const SIZE_BASE = [0, 29, 285, 65_821];
