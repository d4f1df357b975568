import { seededRandom } from '../../support/seeded.ts';
import type { Datagram } from './exchange.ts';
import { DO, HEADER_BYTES, optBytes, questionBytes, RD, unescaped } from './query.ts';
import { TYPES, typeNumber, typeText } from './wire.ts';
import type { TestZone } from './zones.ts';

export interface Query extends Datagram {
  /** What the generator meant by it, for people and for the table of differences. */
  readonly what: string;
  readonly name: string;
  readonly type: number;
  readonly klass: number;
  readonly opcode: number;
  /** `well-formed`: any server reads it; the others are named for what was done to them. */
  readonly form: 'well-formed' | 'counts' | 'cut' | 'flipped' | 'trailing' | 'response' | 'noise';
  /** What it says to take over UDP; undefined: no EDNS. */
  readonly udpSizeBytes: number | undefined;
}

type Draw = ReturnType<typeof draws>;

function draws(seed: number) {
  const random = seededRandom(seed);
  const below = (limit: number): number => Math.floor(random() * limit);
  const pick = <Item>(items: readonly Item[]): Item => {
    const item = items[below(items.length)];
    if (item === undefined) throw new RangeError('nothing to pick from');
    return item;
  };
  return { below, pick, oneIn: (count: number): boolean => below(count) === 0 };
}

interface Asked {
  readonly name: string;
  readonly type: number;
}

/**
 * The same queries for the same seed and zones: each rrset once, and then whatever a server must
 * tell apart, in proportions that let everything meet everything.
 */
export function generateQueries(
  zones: readonly TestZone[],
  { seed, count }: { readonly seed: number; readonly count: number },
): readonly Query[] {
  const draw = draws(seed);
  const rrsets = zones.flatMap(({ rows }) =>
    rows.map(
      ([owner, , type]): Asked => ({
        name: unescaped(owner).replace(/\.$/, ''),
        type: typeNumber(type),
      }),
    ),
  );
  return Array.from({ length: count }, (_, index) => {
    const rrset = rrsets[index];
    return rrset === undefined ? drawQuery(draw, rrsets) : plainQuery(rrset);
  });
}

function plainQuery({ name, type }: Asked): Query {
  const bytes = questionBytes(name, type, { edns: optBytes() });
  const what = `${name} ${typeText(type)}, EDNS 1232, udp`;
  const plain = { klass: 1, opcode: 0, form: 'well-formed', udpSizeBytes: 1232 } as const;
  return { what, name, type, ...plain, transport: 'udp', bytes };
}

const COMMON_TYPES = ['A', 'AAAA', 'NS', 'CNAME', 'SOA', 'MX', 'TXT', 'SRV', 'CAA', 'DS', 'ANY'];
const ALL_TYPES = [...Object.values(TYPES), 0, 3, 4, 128, 1234, 65_280, 65_535];
/** Names that none of the zones has. */
/** What only few names have. */
const FOREIGN = [
  '',
  'test',
  'com',
  'elsewhere.test',
  'www.elsewhere.test',
  'ain.test',
  'tmain.test',
];
const CLASSES = [0, 2, 3, 4, 254, 255, 4711];
const UDP_SIZES = [0, 100, 511, 512, 513, 700, 1220, 1232, 1233, 1400, 4096, 65_535];

function drawQuery(draw: Draw, rrsets: readonly Asked[]): Query {
  const { name: plain, type } = draw.oneIn(4) ? draw.pick(rrsets) : drawAsked(draw, rrsets);
  const name = mixCase(draw, plain);
  const klass = draw.oneIn(30) ? draw.pick(CLASSES) : 1;
  const opcode = draw.oneIn(40) ? draw.below(16) : 0;
  const transport = draw.oneIn(7) ? 'tcp' : 'udp';
  const opt = draw.oneIn(2) ? drawOpt(draw) : undefined;
  const flags = (opcode << 11) | (draw.oneIn(2) ? RD : 0) | drawOddBits(draw);
  const whole = questionBytes(name, type, { flags, klass, edns: opt?.bytes });
  const { form, bytes } = draw.oneIn(12) ? malform(draw, whole) : WELL_FORMED(whole);
  const what = [
    `${name || '.'} ${typeText(type)}`,
    ...(klass === 1 ? [] : [`class ${klass}`]),
    ...(opcode === 0 ? [] : [`opcode ${opcode}`]),
    ...(opt === undefined ? [] : [opt.what]),
    ...(form === 'well-formed' ? [] : [form]),
    transport,
  ].join(', ');
  const udpSizeBytes = opt?.udpSizeBytes;
  return { what, name, type, klass, opcode, form, udpSizeBytes, transport, bytes };
}

const WELL_FORMED = (bytes: Buffer) => ({ form: 'well-formed', bytes }) as const;

function drawAsked(draw: Draw, rrsets: readonly Asked[]): Asked {
  const type = draw.oneIn(4) ? draw.pick(ALL_TYPES) : typeNumber(draw.pick(COMMON_TYPES));
  return { name: drawName(draw, draw.pick(rrsets).name), type };
}

/** Names that exist, that nearly exist, above and below them, and others'. */
function drawName(draw: Draw, owner: string): string {
  const parent = owner.split('.').slice(1).join('.');
  const random = `x${draw.below(1_000)}`;
  // What would be longer than a name may be cannot be asked for.
  const fits = (name: string): string => (name.length + 2 > 255 ? owner : name);
  switch (draw.below(16)) {
    case 0:
      return fits(`${random}.${owner}`);
    case 1:
      return fits(`${random}.y.${owner}`);
    case 2:
    case 3:
      return fits(`${random}.${parent}`);
    case 4:
      return fits(`*.${parent}`);
    case 5:
      return fits(`*.${owner}`);
    case 6:
      return fits(`*.${random}.${parent}`);
    case 7:
      return parent;
    case 8:
      return draw.pick(FOREIGN);
    case 9:
      return fits(`${oddLabel(draw)}.${draw.pick([owner, parent])}`);
    case 10:
      return fits(`r${draw.below(6)}.r${draw.below(6)}.r${draw.below(6)}.tree.main.test`);
    default:
      return owner;
  }
}

/** Any byte may be in a label (RFC 2181 §11). */
function oddLabel(draw: Draw): string {
  const length = draw.pick([1, 2, 5, 63]);
  const codes = Array.from({ length }, () => draw.below(256)).map((code) =>
    code === 46 ? 45 : code,
  );
  return String.fromCharCode(...codes);
}

function mixCase(draw: Draw, name: string): string {
  if (!draw.oneIn(3)) return name;
  return [...name]
    .map((char) => (/[a-z]/.test(char) && draw.oneIn(2) ? char.toUpperCase() : char))
    .join('');
}

/** AA, TC, RA, Z, AD, CD: in a query they mean little or nothing. */
function drawOddBits(draw: Draw): number {
  return draw.oneIn(10) ? draw.pick([0x0400, 0x0200, 0x0080, 0x0040, 0x0020, 0x0010, 0x0030]) : 0;
}

function drawOpt(draw: Draw): { bytes: Buffer; what: string; udpSizeBytes: number } {
  const udpSizeBytes = draw.pick(UDP_SIZES);
  const version = draw.oneIn(25) ? draw.pick([1, 2, 255]) : 0;
  const flags = (draw.oneIn(3) ? DO : 0) | (draw.oneIn(20) ? 0x4001 : 0);
  const options = draw.oneIn(5) ? [drawOption(draw)] : [];
  const what = [
    `EDNS ${udpSizeBytes}`,
    ...(version === 0 ? [] : [`version ${version}`]),
    ...((flags & DO) === 0 ? [] : ['DO']),
    ...options.map(({ code }) => `option ${code}`),
  ].join(' ');
  return { bytes: optBytes({ udpSizeBytes, version, flags, options }), what, udpSizeBytes };
}

/** An unknown one, NSID (RFC 5001), a cookie, a client subnet, padding, and what a signer knows. */
function drawOption(draw: Draw): { code: number; data: Buffer } {
  return draw.pick([
    { code: 65_001, data: Buffer.from('an option for experiments') },
    { code: 3, data: Buffer.alloc(0) },
    { code: 10, data: Buffer.from('0123456789abcdef', 'hex') },
    { code: 8, data: Buffer.from('0001180001020300'.slice(0, 14), 'hex') },
    { code: 12, data: Buffer.alloc(3) },
    { code: 5, data: Buffer.of(8, 13) },
  ]);
}

function malform(draw: Draw, whole: Buffer): Pick<Query, 'form' | 'bytes'> {
  const bytes = Buffer.from(whole);
  switch (draw.below(7)) {
    case 0:
      bytes.writeUInt16BE(draw.pick([0, 2, 3, 65_535]), draw.pick([4, 4, 6, 8, 10]));
      return { form: 'counts', bytes };
    case 1:
      return { form: 'cut', bytes: bytes.subarray(0, draw.below(bytes.length)) };
    case 2:
    case 3: {
      const at = HEADER_BYTES + draw.below(bytes.length - HEADER_BYTES);
      bytes[at] = (bytes[at] ?? 0) ^ (1 << draw.below(8));
      return { form: 'flipped', bytes };
    }
    case 4:
      return { form: 'trailing', bytes: Buffer.concat([bytes, Buffer.alloc(1 + draw.below(20))]) };
    case 5:
      bytes[2] = (bytes[2] ?? 0) | 0x80;
      return { form: 'response', bytes };
    default: {
      const noise = Buffer.from(Array.from({ length: draw.below(80) }, () => draw.below(256)));
      // QR would make silence of nearly all.
      if (noise.length > 2) noise[2] = (noise[2] ?? 0) & 0x07;
      return { form: 'noise', bytes: noise };
    }
  }
}
