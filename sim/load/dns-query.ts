import type { SeededRandom } from '../engine/random.ts';
import { readName, TYPE_OPT } from './dns-client.ts';

/** A question as a resolver may put it. */
export interface DnsQuery {
  readonly id: number;
  /** In any letter case. */
  readonly name: string;
  readonly type: number;
  /** How many bytes it takes over UDP (RFC 6891 §6.2.3); undefined: it does not know EDNS. */
  readonly sizeBytes?: number | undefined;
  /** For whom it asks (RFC 7871); it takes EDNS. */
  readonly subnet?: Subnet | undefined;
  /** It wants what proves the answer (DO, RFC 3225 §3); it takes EDNS. */
  readonly proof?: 'wanted' | undefined;
  /** Its own 8 bytes, and the 16 that a server gave it before, if one did; it takes EDNS. */
  readonly cookie?: Uint8Array | undefined;
}

export interface Subnet {
  /** Four bytes. */
  readonly address: string;
  readonly bits: number;
}

const CLASS_IN = 1;
const HEADER_BYTES = 12;
/** Of a question, besides the letters and dots of its name: two lengths, type and class. */
const QUESTION_BYTES = 6;
const DOT = 46;
const ASCII_MAX = 0x7f;
/** Of an OPT record without options. */
const OPT_BYTES = 11;
const OPTION_SUBNET = 8;
export const OPTION_COOKIE = 10;
const OPTION_HEADER_BYTES = 4;
/** The first bit of the second half of the OPT record's TTL. */
const DO_AT = 7;
const FAMILY_IPV4 = 1;
/** What is common, the edges of it, and what nobody should send. */
const SIZES_BYTES = ['no EDNS', 'no EDNS', 0, 511, 512, 700, 1232, 1232, 4096, 65_535] as const;

/** RFC 1035 §4.1. Throws for a name that is not ASCII. */
export function encodeQuery({ id, name, type, sizeBytes, ...edns }: DnsQuery): Uint8Array {
  const opt = sizeBytes === undefined ? undefined : encodeOpt(sizeBytes, edns);
  const questionEnd = HEADER_BYTES + name.length + QUESTION_BYTES;
  const query = Buffer.alloc(questionEnd + (opt?.length ?? 0));
  query.writeUInt16BE(id, 0);
  query.writeUInt16BE(1, 4);
  query.writeUInt16BE(opt === undefined ? 0 : 1, 10);
  writeName(query, name);
  query.writeUInt16BE(type, questionEnd - 4);
  query.writeUInt16BE(CLASS_IN, questionEnd - 2);
  if (opt !== undefined) query.set(opt, questionEnd);
  return query;
}

/** Each dot is where the length of the next label stands. */
function writeName(query: Buffer, name: string): void {
  let lengthAt = HEADER_BYTES;
  for (let index = 0; index <= name.length; index += 1) {
    const at = HEADER_BYTES + 1 + index;
    const code = index === name.length ? DOT : name.charCodeAt(index);
    if (code > ASCII_MAX) throw new RangeError(`a name is not ASCII: ${JSON.stringify(name)}`);
    query[at] = code;
    if (code !== DOT) continue;
    query[lengthAt] = at - lengthAt - 1;
    lengthAt = at;
  }
  query[lengthAt] = 0;
}

/** The same question by resolvers of all kinds. */
export function drawQuery(
  question: {
    readonly name: string;
    readonly type: number;
    readonly subnets: readonly Subnet[];
    /** What the client has, or makes up; left out: it does not know cookies. */
    readonly cookie?: Uint8Array | undefined;
  },
  random: SeededRandom,
): DnsQuery {
  const drawn = random.pick(SIZES_BYTES);
  const sizeBytes = drawn === 'no EDNS' ? undefined : drawn;
  const hasSubnet = sizeBytes !== undefined && question.subnets.length > 0 && random.chance(0.3);
  return {
    id: random.integer(0, 0xffff),
    // Some mix the case, to tell answers to their question from others.
    name: random.chance(0.3) ? mixedCase(question.name, random) : question.name,
    type: question.type,
    sizeBytes,
    subnet: hasSubnet ? random.pick(question.subnets) : undefined,
    proof: sizeBytes !== undefined && random.chance(0.3) ? 'wanted' : undefined,
    cookie: sizeBytes === undefined ? undefined : question.cookie,
  };
}

/** Undefined for whatever is not exactly as `encodeQuery` makes it. */
export function readQuery(query: Uint8Array): DnsQuery | undefined {
  const bytes = Buffer.from(query);
  try {
    const { name, end } = readName(bytes, HEADER_BYTES);
    const opt = bytes.subarray(end + 4);
    const read: DnsQuery = {
      ...{ id: bytes.readUInt16BE(0), name, type: bytes.readUInt16BE(end) },
      ...(opt.length === 0 ? NO_EDNS : readOpt(opt)),
    };
    return bytes.equals(encodeQuery(read)) ? read : undefined;
  } catch {
    return undefined;
  }
}

/** What no resolver of sound mind sends, or only to hurt. */
export function spoil(query: Uint8Array, random: SeededRandom): Uint8Array {
  const bytes = Buffer.from(query);
  switch (random.pick(['response', 'opcode', 'questions', 'cut', 'grown', 'flipped', 'noise'])) {
    case 'response':
      bytes[2] = (bytes[2] ?? 0) | 0x80;
      return bytes;
    case 'opcode':
      bytes[2] = random.integer(1, 15) << 3;
      return bytes;
    case 'questions':
      bytes.writeUInt16BE(random.pick([0, 2, 0xffff]), 4);
      return bytes;
    case 'cut':
      return bytes.subarray(0, random.integer(0, bytes.length - 1));
    case 'grown':
      return Buffer.concat([bytes, random.bytes(random.integer(1, 40))]);
    case 'flipped': {
      const at = random.integer(0, bytes.length - 1);
      bytes[at] = (bytes[at] ?? 0) ^ (1 << random.integer(0, 7));
      return bytes;
    }
    default:
      return random.bytes(random.integer(0, 60));
  }
}

type EdnsParts = Pick<DnsQuery, 'sizeBytes' | 'subnet' | 'proof' | 'cookie'>;

const NO_EDNS: EdnsParts = {
  ...{ sizeBytes: undefined, subnet: undefined, proof: undefined, cookie: undefined },
};

/** RFC 6891 §6.1.2, RFC 7871 §6, RFC 7873 §4. */
function encodeOpt(sizeBytes: number, { subnet, proof, cookie }: EdnsParts): Buffer {
  const options = Buffer.concat([
    ...(subnet === undefined ? [] : [encodeSubnet(subnet)]),
    ...(cookie === undefined ? [] : [encodeCookie(cookie)]),
  ]);
  const opt = Buffer.alloc(OPT_BYTES);
  opt.writeUInt16BE(TYPE_OPT, 1);
  opt.writeUInt16BE(sizeBytes, 3);
  opt[DO_AT] = proof === undefined ? 0 : 0x80;
  opt.writeUInt16BE(options.length, 9);
  return Buffer.concat([opt, options]);
}

function readOpt(opt: Buffer): EdnsParts {
  const options = new Map<number, Buffer>();
  for (let at = OPT_BYTES; at < opt.length; ) {
    const end = at + OPTION_HEADER_BYTES + opt.readUInt16BE(at + 2);
    options.set(opt.readUInt16BE(at), opt.subarray(at, end));
    at = end;
  }
  const [subnet, cookie] = [options.get(OPTION_SUBNET), options.get(OPTION_COOKIE)];
  return {
    sizeBytes: opt.readUInt16BE(3),
    subnet: subnet && readSubnet(subnet),
    proof: ((opt[DO_AT] ?? 0) & 0x80) === 0 ? undefined : 'wanted',
    cookie: cookie && Uint8Array.from(cookie.subarray(OPTION_HEADER_BYTES)),
  };
}

function encodeCookie(cookie: Uint8Array): Buffer {
  const header = Buffer.alloc(OPTION_HEADER_BYTES);
  header.writeUInt16BE(OPTION_COOKIE, 0);
  header.writeUInt16BE(cookie.length, 2);
  return Buffer.concat([header, cookie]);
}

/** Bits beyond the prefix are zero, whatever the address says. */
function encodeSubnet({ address, bits }: Subnet): Buffer {
  const bytes = address
    .split('.')
    .slice(0, Math.ceil(bits / 8))
    .map((byte, index) => Number(byte) & (0xff00 >> Math.min(8, bits - 8 * index)));
  const option = Buffer.alloc(8);
  option.writeUInt16BE(OPTION_SUBNET, 0);
  option.writeUInt16BE(4 + bytes.length, 2);
  option.writeUInt16BE(FAMILY_IPV4, 4);
  option[6] = bits;
  return Buffer.concat([option, Buffer.from(bytes)]);
}

function readSubnet(option: Buffer): Subnet {
  const bytes = Buffer.alloc(4);
  option.copy(bytes, 0, 8);
  return { address: [...bytes].join('.'), bits: option.readUInt8(6) };
}

function mixedCase(name: string, random: SeededRandom): string {
  const letters = [...name].map((each) => (random.chance(0.5) ? each.toUpperCase() : each));
  return letters.join('');
}
