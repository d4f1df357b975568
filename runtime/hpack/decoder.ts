import { HeaderField } from './field.ts';
import { decodeHuffman } from './huffman.ts';
import { STATIC_TABLE } from './static-table.ts';

export interface DecoderLimits {
  /** Of all fields of one block together, as `SETTINGS_MAX_HEADER_LIST_SIZE` counts. */
  readonly listBytesMax: number;
  /** Of one block. Left out: as many as have room. */
  readonly fieldsMax?: number;
}

export type DecodedBlock =
  | { readonly kind: 'fields'; readonly fields: readonly HeaderField[] }
  /** The fields are over the limit; the block was read all the same, the next one can be. */
  | { readonly kind: 'too large' }
  /** COMPRESSION_ERROR: nothing that comes after on this connection can be understood. */
  | { readonly kind: 'broken' };

/** What SETTINGS_HEADER_TABLE_SIZE is when nobody says (RFC 9113 §6.5.2). */
const TABLE_BYTES = 4096;

/**
 * Reads the header blocks of one connection, in order (RFC 7541). Never throws; what it keeps is
 * bounded by the dynamic table's 4,096 octets and by `listBytesMax`.
 */
export class HpackDecoder {
  readonly #limits: DecoderLimits;
  /** The newest last; what lies before `#oldest` was evicted. */
  #entries: HeaderField[] = [];
  #oldest = 0;
  #usedBytes = 0;
  #tableBytesMax = TABLE_BYTES;
  /** Where the next octet is read. */
  #at = 0;

  constructor(limits: DecoderLimits) {
    this.#limits = limits;
  }

  decode(block: Uint8Array): DecodedBlock {
    this.#at = 0;
    const fields: HeaderField[] = [];
    let leftBytes = this.#limits.listBytesMax;
    while (this.#at < block.length) {
      const first = block[this.#at] ?? 0;
      // A change of the table's size stands before all fields (RFC 7541 §4.2).
      if (first >> 5 === 1) {
        if (leftBytes !== this.#limits.listBytesMax || !this.#resize(block)) return BROKEN;
        continue;
      }
      const field = this.#field(block, first);
      if (field === undefined) return BROKEN;
      leftBytes -= field.sizeBytes;
      if (leftBytes >= 0) fields.push(field);
    }
    const { fieldsMax = Number.POSITIVE_INFINITY } = this.#limits;
    return leftBytes < 0 || fields.length > fieldsMax ? TOO_LARGE : { kind: 'fields', fields };
  }

  #field(block: Uint8Array, first: number): HeaderField | undefined {
    if (first >= 0x80) return this.#entry(this.#integer(block, 7));
    const isKept = first >= 0x40;
    const index = this.#integer(block, isKept ? 6 : 4);
    const name = index === 0 ? this.#string(block) : this.#entry(index)?.name;
    const value = name === undefined ? undefined : this.#string(block);
    if (name === undefined || value === undefined) return undefined;
    const field = new HeaderField(name, value);
    if (isKept) this.#keep(field);
    return field;
  }

  #entry(index: number): HeaderField | undefined {
    if (index < 1) return undefined;
    if (index <= STATIC_FIELDS.length) return STATIC_FIELDS[index - 1];
    const at = this.#entries.length - (index - STATIC_FIELDS.length);
    return at < this.#oldest ? undefined : this.#entries[at];
  }

  #keep(field: HeaderField): void {
    this.#evict(this.#tableBytesMax - field.sizeBytes);
    // A field larger than the table empties it, and is no error (RFC 7541 §4.4).
    if (field.sizeBytes > this.#tableBytesMax) return;
    this.#entries.push(field);
    this.#usedBytes += field.sizeBytes;
  }

  #evict(bytesMax: number): void {
    while (this.#usedBytes > bytesMax && this.#oldest < this.#entries.length) {
      this.#usedBytes -= this.#entries[this.#oldest]?.sizeBytes ?? 0;
      this.#oldest += 1;
    }
    if (this.#oldest < EVICTED_MAX) return;
    this.#entries = this.#entries.slice(this.#oldest);
    this.#oldest = 0;
  }

  #resize(block: Uint8Array): boolean {
    const bytes = this.#integer(block, 5);
    if (bytes < 0 || bytes > TABLE_BYTES) return false;
    this.#tableBytesMax = bytes;
    this.#evict(bytes);
    return true;
  }

  /** RFC 7541 §5.1; -1: cut off, or larger than anything that means something here. */
  #integer(block: Uint8Array, prefixBits: number): number {
    const mask = (1 << prefixBits) - 1;
    let value = (block[this.#at] ?? 0) & mask;
    this.#at += 1;
    if (value < mask) return value;
    for (let shift = 0; shift <= SHIFT_MAX; shift += 7) {
      if (this.#at >= block.length) return -1;
      const octet = block[this.#at] ?? 0;
      this.#at += 1;
      value += (octet & 0x7f) << shift;
      if (octet < 0x80) return value;
    }
    return -1;
  }

  #string(block: Uint8Array): string | undefined {
    if (this.#at >= block.length) return undefined;
    const isHuffman = (block[this.#at] ?? 0) >= 0x80;
    const lengthBytes = this.#integer(block, 7);
    const start = this.#at;
    const end = start + lengthBytes;
    if (lengthBytes < 0 || end > block.length) return undefined;
    this.#at = end;
    if (isHuffman) return decodeHuffman(block, start, end);
    return Buffer.from(block.buffer, block.byteOffset + start, lengthBytes).toString('latin1');
  }
}

const BROKEN: DecodedBlock = { kind: 'broken' };
const TOO_LARGE: DecodedBlock = { kind: 'too large' };
/** Up to 2^21 and what the prefix holds: more than any block is long. */
const SHIFT_MAX = 14;
/** Entries that were evicted and are still there. */
const EVICTED_MAX = 128;

const STATIC_FIELDS: readonly HeaderField[] = STATIC_TABLE.map(
  ([name, value]) => new HeaderField(name, value),
);
