/** What an address is known by; the layout of GeoLite2 City, which all servers here read. */
export interface MmdbRecord {
  readonly continent: string;
  readonly country: string;
  readonly latitude: number;
  readonly longitude: number;
}

/** An IPv4 prefix of at most 32 bits; the first `bits` of `address` count. */
export interface MmdbPrefix {
  readonly address: number;
  readonly bits: number;
  readonly record: MmdbRecord;
}

type Tree = [TreeEntry, TreeEntry];
type TreeEntry = Tree | MmdbRecord | undefined;

const TYPE_STRING = 2;
const TYPE_DOUBLE = 3;
const TYPE_UINT16 = 5;
const TYPE_UINT32 = 6;
const TYPE_MAP = 7;
/** Types above 7 say so in a second byte, less 7. */
const TYPE_UINT64 = 9;
const TYPE_ARRAY = 11;
const SEPARATOR_BYTES = 16;
/** IPv4 lies in ::/96. */
const IPV4_DEPTH = 96;

/** A database in MaxMind DB format 2.0, records of 32 bits, an IPv6 tree. Prefixes do not overlap. */
export function writeMmdb(prefixes: readonly MmdbPrefix[]): Buffer {
  const root: Tree = [undefined, undefined];
  for (const prefix of prefixes) insert(root, prefix);
  const data: Buffer[] = [];
  const offsets = new Map<MmdbRecord, number>();
  let sizeBytes = 0;
  for (const { record } of prefixes) {
    if (offsets.has(record)) continue;
    const bytes = encodeRecord(record);
    offsets.set(record, sizeBytes);
    data.push(bytes);
    sizeBytes += bytes.length;
  }
  const nodes = numbered(root);
  const tree = Buffer.alloc(8 * nodes.size);
  for (const [node, number] of nodes) {
    for (const side of [0, 1] as const) {
      tree.writeUInt32BE(pointerOf(node[side], nodes, offsets), 8 * number + 4 * side);
    }
  }
  return Buffer.concat([tree, Buffer.alloc(SEPARATOR_BYTES), ...data, metadata(nodes.size)]);
}

function insert(root: Tree, { address, bits, record }: MmdbPrefix): void {
  let node = root;
  for (let depth = 0; depth < IPV4_DEPTH + bits - 1; depth += 1) {
    const side = sideAt(address, depth);
    const next = node[side];
    node = Array.isArray(next) ? next : [undefined, undefined];
    if (!Array.isArray(next)) replace(root, address, { depth, node });
  }
  node[sideAt(address, IPV4_DEPTH + bits - 1)] = record;
}

function replace(root: Tree, address: number, at: { depth: number; node: Tree }): void {
  let node = root;
  for (let depth = 0; depth < at.depth; depth += 1) {
    const next = node[sideAt(address, depth)];
    if (Array.isArray(next)) node = next;
  }
  node[sideAt(address, at.depth)] = at.node;
}

function sideAt(address: number, depth: number): 0 | 1 {
  return depth >= IPV4_DEPTH && ((address >>> (127 - depth)) & 1) === 1 ? 1 : 0;
}

function numbered(root: Tree): Map<Tree, number> {
  const nodes = new Map<Tree, number>([[root, 0]]);
  for (const node of nodes.keys()) {
    for (const next of node) if (Array.isArray(next)) nodes.set(next, nodes.size);
  }
  return nodes;
}

function pointerOf(
  entry: TreeEntry,
  nodes: ReadonlyMap<Tree, number>,
  offsets: ReadonlyMap<MmdbRecord, number>,
): number {
  if (entry === undefined) return nodes.size;
  if (Array.isArray(entry)) return nodes.get(entry) ?? 0;
  return nodes.size + SEPARATOR_BYTES + (offsets.get(entry) ?? 0);
}

function encodeRecord({ continent, country, latitude, longitude }: MmdbRecord): Buffer {
  return map({
    continent: map({ code: string(continent) }),
    country: map({ iso_code: string(country) }),
    location: map({ latitude: double(latitude), longitude: double(longitude) }),
  });
}

function metadata(nodeCount: number): Buffer {
  const number = (type: number, value: number): Buffer => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(value);
    return Buffer.concat([control(type, 4), bytes]);
  };
  const uint16 = (value: number): Buffer =>
    Buffer.concat([control(TYPE_UINT16, 2), Buffer.of(value >> 8, value)]);
  const fields = map({
    binary_format_major_version: uint16(2),
    binary_format_minor_version: uint16(0),
    build_epoch: number(TYPE_UINT64, 1_700_000_000),
    database_type: string('GeoLite2-City'),
    description: map({ en: string('made for a benchmark') }),
    ip_version: uint16(6),
    languages: Buffer.concat([control(TYPE_ARRAY, 1), string('en')]),
    node_count: number(TYPE_UINT32, nodeCount),
    record_size: uint16(32),
  });
  return Buffer.concat([Buffer.from('\xab\xcd\xefMaxMind.com', 'latin1'), fields]);
}

function map(fields: Readonly<Record<string, Buffer>>): Buffer {
  const entries = Object.entries(fields);
  const parts = entries.flatMap(([key, value]) => [string(key), value]);
  return Buffer.concat([control(TYPE_MAP, entries.length), ...parts]);
}

function string(text: string): Buffer {
  return Buffer.concat([control(TYPE_STRING, text.length), Buffer.from(text)]);
}

function double(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(value);
  return Buffer.concat([control(TYPE_DOUBLE, 8), bytes]);
}

/** `size` is below 29: nothing here is longer. */
function control(type: number, size: number): Buffer {
  return type > TYPE_MAP ? Buffer.of(size, type - TYPE_MAP) : Buffer.of((type << 5) | size);
}
