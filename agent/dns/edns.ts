import type { Rcode } from './codes.ts';

/** The prefix of the client that a resolver asks for (RFC 7871 §6). */
export interface ClientSubnet {
  /** 1: IPv4, 2: IPv6; 0 only with `sourceBits` 0, "tell nobody where I am". */
  readonly family: 0 | 1 | 2;
  readonly sourceBits: number;
  /** ceil(sourceBits / 8) bytes, no bit set after `sourceBits`. */
  readonly address: Uint8Array;
}

/** What the OPT pseudo-record of a query says (RFC 6891 §6.1). */
export interface Edns {
  readonly version: number;
  readonly udpSizeBytes: number;
  readonly dnssecOk: boolean;
  readonly clientSubnet: ClientSubnet | undefined;
}

/** What we tell others we take over UDP, and the most we send: no fragments on common paths. */
export const UDP_SIZE_BYTES = 1232;
/** A client that says less still takes this much (RFC 6891 §6.2.3). */
export const UDP_SIZE_BYTES_MIN = 512;

const EDNS_VERSION = 0;
const OPTION_CLIENT_SUBNET = 8;
const ADDRESS_BITS = [0, 32, 128] as const;

/** `body` is the record from its CLASS field on. Undefined: malformed. */
export function parseEdns(body: Buffer): Edns | undefined {
  const version = body.readUInt8(3);
  const fixed = {
    version,
    udpSizeBytes: body.readUInt16BE(0),
    dnssecOk: (body.readUInt8(4) & 0x80) !== 0,
    clientSubnet: undefined,
  };
  // Options of a version that we do not speak may look like anything.
  if (version > EDNS_VERSION) return fixed;
  const options = body.subarray(8);
  let clientSubnet: ClientSubnet | undefined;
  for (let offset = 0; offset < options.length; ) {
    if (offset + 4 > options.length) return undefined;
    const code = options.readUInt16BE(offset);
    const end = offset + 4 + options.readUInt16BE(offset + 2);
    if (end > options.length) return undefined;
    if (code === OPTION_CLIENT_SUBNET) {
      clientSubnet = parseClientSubnet(options.subarray(offset + 4, end));
      if (clientSubnet === undefined) return undefined;
    }
    offset = end;
  }
  return { ...fixed, clientSubnet };
}

/** The whole OPT record of an answer. `scopeBits` says how far the answer holds (RFC 7871 §7.2.1). */
export function formatEdns(
  edns: Edns,
  { rcode, scopeBits }: { readonly rcode: Rcode; readonly scopeBits: number },
): Buffer {
  const option = formatClientSubnet(edns.clientSubnet, scopeBits);
  const opt = Buffer.alloc(11 + option.length);
  opt[2] = 41;
  opt.writeUInt16BE(UDP_SIZE_BYTES, 3);
  opt[5] = rcode >> 4;
  opt[6] = EDNS_VERSION;
  // RFC 3225 §3: the DO bit is copied.
  opt[7] = edns.dnssecOk ? 0x80 : 0;
  opt.writeUInt16BE(option.length, 9);
  opt.set(option, 11);
  return opt;
}

/** The address as the subnet's family has it, zeros after the prefix; undefined: it tells none. */
export function subnetAddress({
  family,
  sourceBits,
  address,
}: ClientSubnet): Uint8Array | undefined {
  if (sourceBits === 0) return undefined;
  const whole = new Uint8Array(ADDRESS_BITS[family] / 8);
  whole.set(address);
  return whole;
}

/** RFC 7871 §6 and §7.2: too few or too many bytes, stray bits or a scope in a query are errors. */
function parseClientSubnet(option: Buffer): ClientSubnet | undefined {
  if (option.length < 4) return undefined;
  const family = option.readUInt16BE(0);
  const sourceBits = option.readUInt8(2);
  const address = option.subarray(4);
  if (family !== 0 && family !== 1 && family !== 2) return undefined;
  if (option[3] !== 0 || sourceBits > ADDRESS_BITS[family]) return undefined;
  if (address.length !== Math.ceil(sourceBits / 8)) return undefined;
  const strayBits = (address.at(-1) ?? 0) & (0xff >> (sourceBits % 8 || 8));
  return strayBits === 0 ? { family, sourceBits, address } : undefined;
}

function formatClientSubnet(subnet: ClientSubnet | undefined, scopeBits: number): Buffer {
  if (subnet === undefined) return Buffer.alloc(0);
  const option = Buffer.alloc(8 + subnet.address.length);
  option.writeUInt16BE(OPTION_CLIENT_SUBNET, 0);
  option.writeUInt16BE(option.length - 4, 2);
  option.writeUInt16BE(subnet.family, 4);
  option[6] = subnet.sourceBits;
  // Never more than was asked for: the bits beyond are unknown to us.
  option[7] = Math.min(scopeBits, subnet.sourceBits);
  option.set(subnet.address, 8);
  return option;
}
