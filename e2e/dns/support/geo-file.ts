import { writeFileSync } from 'node:fs';

export interface GeoRow {
  /** An IPv4 prefix: `1.144.0.0/16`. */
  readonly prefix: string;
  readonly latitude: number;
  readonly longitude: number;
}

/** Bytes between the tree and the data (MaxMind DB specification 2.0). */
const GAP_BYTES = 16;
const MARKER = Buffer.from('\xab\xcd\xefMaxMind.com', 'latin1');

/** A node of the tree: where 0 and 1 lead; a number is the index of a row. */
type Branch = [TreeNode | number | undefined, TreeNode | number | undefined];
interface TreeNode {
  readonly branch: Branch;
}

/** Writes a small geography database, in which test addresses, too, have a place. */
export function writeGeoFile(path: string, rows: readonly GeoRow[]): void {
  const nodes = treeOf(rows);
  const records = rows.map(({ latitude, longitude }) =>
    map({ latitude: double(latitude), longitude: double(longitude) }),
  );
  const offsets = records.map((_, index) => Buffer.concat(records.slice(0, index)).length);
  const value = (leaf: Branch[number]): number => {
    if (leaf === undefined) return nodes.length;
    if (typeof leaf !== 'number') return nodes.indexOf(leaf);
    return nodes.length + GAP_BYTES + (offsets[leaf] ?? 0);
  };
  const tree = Buffer.alloc(6 * nodes.length);
  for (const [index, { branch }] of nodes.entries()) {
    tree.writeUIntBE(value(branch[0]), 6 * index, 3);
    tree.writeUIntBE(value(branch[1]), 6 * index + 3, 3);
  }
  const metadata = map({
    node_count: unsigned(6, nodes.length),
    record_size: unsigned(5, 24),
    ip_version: unsigned(5, 4),
    database_type: text('b8s-test-City'),
    binary_format_major_version: unsigned(5, 2),
    binary_format_minor_version: unsigned(5, 0),
    build_epoch: Buffer.of(0x01, 0x02, 1),
    languages: Buffer.of(0x00, 0x04),
    description: Buffer.of(0xe0),
  });
  const parts = [tree, Buffer.alloc(GAP_BYTES), ...records, MARKER, metadata];
  writeFileSync(path, Buffer.concat(parts));
}

/** In the order of their numbers, the root first. */
function treeOf(rows: readonly GeoRow[]): readonly TreeNode[] {
  const root: TreeNode = { branch: [undefined, undefined] };
  const nodes = [root];
  for (const [index, { prefix }] of rows.entries()) {
    const [address = '', length = ''] = prefix.split('/');
    const bits = address.split('.').map((byte) => Number(byte).toString(2).padStart(8, '0'));
    const path = [...bits.join('').slice(0, Number(length))].map((bit) => (bit === '0' ? 0 : 1));
    let node = root;
    for (const side of path.slice(0, -1)) {
      const next = node.branch[side];
      if (typeof next === 'number') throw new RangeError(`${prefix} lies in another prefix`);
      const child: TreeNode = next ?? { branch: [undefined, undefined] };
      if (next === undefined) nodes.push(child);
      node.branch[side] = child;
      node = child;
    }
    node.branch[path.at(-1) ?? 0] = index;
  }
  return nodes;
}

function map(entries: Readonly<Record<string, Buffer>>): Buffer {
  const all = Object.entries(entries);
  return Buffer.concat([
    Buffer.of(0xe0 | all.length),
    ...all.flatMap(([key, data]) => [text(key), data]),
  ]);
}

/** Shorter than 29 bytes. */
function text(value: string): Buffer {
  return Buffer.concat([Buffer.of(0x40 | value.length), Buffer.from(value)]);
}

function double(value: number): Buffer {
  const bytes = Buffer.alloc(9);
  bytes[0] = 0x68;
  bytes.writeDoubleBE(value, 1);
  return bytes;
}

/** Type 5 has 16 bits, type 6 has 32. */
function unsigned(type: 5 | 6, value: number): Buffer {
  const length = type === 5 ? 2 : 4;
  const bytes = Buffer.alloc(1 + length);
  bytes[0] = (type << 5) | length;
  bytes.writeUIntBE(value, 1, length);
  return bytes;
}
