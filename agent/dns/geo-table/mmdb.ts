import { MmdbValues } from './mmdb-values.ts';

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
  /** What a pointer from the tree points at, as far as it was asked for. Throws when it is damaged. */
  record(pointer: number): unknown;
}

/** Of zeros, between the tree and the data. */
const SEPARATOR_BYTES = 16;
const METADATA_MARKER = Buffer.from('\xab\xcd\xefMaxMind.com', 'latin1');
/** "The maximum allowable size for the metadata section, including the marker, is 128KiB." */
const METADATA_BYTES_MAX = 128 * 1024;

/**
 * Reads where the sections lie; nothing is copied. `fields`: the names of those that are read, in
 * records and in what lies within; left out: all. Throws when the bytes are no such database.
 */
export function openMmdb(bytes: Uint8Array, fields?: ReadonlySet<string>): Mmdb {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const from = Math.max(0, file.length - METADATA_BYTES_MAX);
  const marker = file.subarray(from).lastIndexOf(METADATA_MARKER);
  if (marker < 0) throw new Error('it has no MaxMind metadata');
  const metadata = new MmdbValues(file, { base: from + marker + METADATA_MARKER.length }).value(0);
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
  const decoder = new MmdbValues(file, { base: treeBytes + SEPARATOR_BYTES, fields });
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
