/** A database for tests, in MaxMind DB format, written by hand: no code is shared with the reader. */

export interface Network {
  /** Its bits as text: "1100". */
  readonly bits: string;
  /** Index of the record; undefined: nothing is known. */
  readonly record: number | undefined;
}

/** Whatever is within another network is laid over it. `recordBits` of the tree: 24, 28 or 32. */
export function madeDatabase(given: {
  readonly ipVersion: 4 | 6;
  readonly recordBits: 24 | 28 | 32;
  readonly networks: readonly Network[];
  readonly records: readonly object[];
  /** Branches that lead where another one does: [path, path of the node it leads to]. */
  readonly aliases?: readonly (readonly [string, string])[];
}): Buffer {
  const { ipVersion, recordBits, networks, records, aliases = [] } = given;
  const root: Branches = [undefined, undefined];
  for (const { bits, record } of networks.toSorted((a, b) => a.bits.length - b.bits.length))
    place(root, bits, record);
  for (const [path, target] of aliases) place(root, path, nodeAt(root, target));
  const nodes = numbered(root);
  const count = nodes.size;
  const offsets: number[] = [];
  let data = Buffer.alloc(0);
  for (const record of records) {
    offsets.push(data.length);
    data = Buffer.concat([data, encoded(record)]);
  }
  const valueOf = (target: Target): number => {
    if (target === undefined) return count;
    return typeof target === 'number'
      ? count + 16 + (offsets[target] ?? 0)
      : (nodes.get(target) ?? 0);
  };
  const tree = [...nodes.keys()].map((node) =>
    pair(recordBits, valueOf(node[0]), valueOf(node[1])),
  );
  const metadata = encoded({
    node_count: count,
    record_size: recordBits,
    ip_version: ipVersion,
    binary_format_major_version: 2,
    binary_format_minor_version: 0,
    build_epoch: 0,
    database_type: 'Test',
    languages: [],
    description: {},
  });
  const marker = Buffer.from('\xab\xcd\xefMaxMind.com', 'latin1');
  return Buffer.concat([...tree, Buffer.alloc(16), data, marker, metadata]);
}

type Target = Branches | number | undefined;
type Branches = [Target, Target];

function place(root: Branches, bits: string, target: Target): void {
  let node = root;
  for (const bit of bits.slice(0, -1)) {
    const at = bit === '1' ? 1 : 0;
    const next = node[at];
    if (Array.isArray(next)) node = next;
    else {
      const made: Branches = [next, next];
      node[at] = made;
      node = made;
    }
  }
  node[bits.endsWith('1') ? 1 : 0] = target;
}

function nodeAt(root: Branches, bits: string): Branches {
  let node = root;
  for (const bit of bits) {
    const next = node[bit === '1' ? 1 : 0];
    if (!Array.isArray(next)) throw new Error(`no node at ${bits}`);
    node = next;
  }
  return node;
}

function numbered(root: Branches): ReadonlyMap<Branches, number> {
  const nodes = new Map<Branches, number>([[root, 0]]);
  for (const node of nodes.keys()) {
    for (const target of node) {
      if (Array.isArray(target) && !nodes.has(target)) nodes.set(target, nodes.size);
    }
  }
  return nodes;
}

function pair(recordBits: 24 | 28 | 32, left: number, right: number): Buffer {
  const bytes = Buffer.alloc(recordBits / 4);
  if (recordBits === 28) {
    bytes.writeUIntBE(left % 2 ** 24, 0, 3);
    bytes[3] = (Math.floor(left / 2 ** 24) << 4) | Math.floor(right / 2 ** 24);
    bytes.writeUIntBE(right % 2 ** 24, 4, 3);
  } else {
    bytes.writeUIntBE(left, 0, recordBits / 8);
    bytes.writeUIntBE(right, recordBits / 8, recordBits / 8);
  }
  return bytes;
}

function encoded(value: unknown): Buffer {
  if (typeof value === 'string') {
    const text = Buffer.from(value);
    return Buffer.concat([Buffer.of(0x40 | text.length), text]);
  }
  if (Number.isInteger(value) && Number(value) >= 0 && !Object.is(value, -0)) {
    const bytes = Buffer.alloc(5);
    bytes[0] = 0xc4;
    bytes.writeUInt32BE(Number(value), 1);
    return bytes;
  }
  if (typeof value === 'number') {
    const bytes = Buffer.alloc(9);
    bytes[0] = 0x68;
    bytes.writeDoubleBE(value, 1);
    return bytes;
  }
  // An extended type: its number less 7 follows.
  if (Array.isArray(value)) return Buffer.of(value.length, 4);
  const entries = Object.entries(value as object);
  const parts = entries.flatMap(([key, each]) => [encoded(key), encoded(each)]);
  return Buffer.concat([Buffer.of(0xe0 | entries.length), ...parts]);
}
