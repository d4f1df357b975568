import type { Cookie } from '../cookie/cookies.ts';
import { type ClientSubnet, parseClientSubnet } from './client-subnet.ts';
import { type Rcode, RecordType } from './codes.ts';

/** What the OPT pseudo-record of a query says (RFC 6891 §6.1). */
export interface Edns {
  readonly version: number;
  readonly udpSizeBytes: number;
  readonly dnssecOk: boolean;
  /** It takes a proof of "no such type" for one of "no such name" (RFC 9824 §5.1). */
  readonly compactOk: boolean;
  readonly clientSubnet: ClientSubnet | undefined;
  readonly cookie: Cookie | undefined;
  /** It wants to know who answers (RFC 5001). */
  readonly asksNsid: boolean;
  /** It wants to know how long the connection may be idle (RFC 7828). */
  readonly asksKeepalive: boolean;
}

/** What we tell others we take over UDP, and the most we send: no fragments on common paths. */
export const UDP_SIZE_BYTES = 1232;
/** A client that says less still takes this much (RFC 6891 §6.2.3). */
export const UDP_SIZE_BYTES_MIN = 512;
/** OPT without options: root, type, class, TTL, length. */
export const OPT_BYTES = 11;

/** Options that are understood here (IANA "DNS EDNS0 Option Codes"); others are ignored. */
export const EdnsOption = {
  NSID: 3,
  CLIENT_SUBNET: 8,
  COOKIE: 10,
  KEEPALIVE: 11,
  PADDING: 12,
  EXTENDED_ERROR: 15,
} as const;

const EDNS_VERSION = 0;

/** `malformed`: the query deserves FORMERR, with an OPT in it all the same (RFC 6891 §7). */
export interface ParsedEdns {
  readonly kind: 'sound' | 'malformed';
  readonly edns: Edns;
}

type Options = Pick<Edns, 'clientSubnet' | 'cookie' | 'asksNsid' | 'asksKeepalive'>;

const NO_OPTIONS: Options = {
  clientSubnet: undefined,
  cookie: undefined,
  asksNsid: false,
  asksKeepalive: false,
};

/** `body` is the record from its CLASS field on, 8 bytes or more. */
export function parseEdns(body: Buffer): ParsedEdns {
  const version = body.readUInt8(3);
  const fixed = {
    version,
    udpSizeBytes: body.readUInt16BE(0),
    dnssecOk: (body.readUInt8(4) & 0x80) !== 0,
    compactOk: (body.readUInt8(4) & 0x40) !== 0,
  };
  // Options of a version that we do not speak may look like anything.
  const options = version > EDNS_VERSION ? NO_OPTIONS : parseOptions(body.subarray(8));
  const kind = options === undefined ? 'malformed' : 'sound';
  return { kind, edns: { ...fixed, ...(options ?? NO_OPTIONS) } };
}

/** Of several options of one kind the first counts (RFC 7873 §5.2). */
function parseOptions(bytes: Buffer): Options | undefined {
  const options: { -readonly [Name in keyof Options]: Options[Name] } = { ...NO_OPTIONS };
  for (let offset = 0; offset < bytes.length; ) {
    if (offset + 4 > bytes.length) return undefined;
    const code = bytes.readUInt16BE(offset);
    const end = offset + 4 + bytes.readUInt16BE(offset + 2);
    if (end > bytes.length) return undefined;
    const data = bytes.subarray(offset + 4, end);
    if (code === EdnsOption.CLIENT_SUBNET) {
      const subnet = parseClientSubnet(data);
      if (subnet === undefined) return undefined;
      options.clientSubnet ??= subnet;
    } else if (code === EdnsOption.COOKIE) {
      const cookie = parseCookie(data);
      if (cookie === undefined) return undefined;
      options.cookie ??= cookie;
    }
    options.asksNsid ||= code === EdnsOption.NSID;
    options.asksKeepalive ||= code === EdnsOption.KEEPALIVE;
    offset = end;
  }
  return options;
}

/** RFC 7873 §5.2.2: 8 bytes of the client's, then none or 8 to 32 of a server's. */
function parseCookie(data: Buffer): Cookie | undefined {
  const serverBytes = data.length - 8;
  const isWhole = serverBytes === 0 || (serverBytes >= 8 && serverBytes <= 32);
  return isWhole ? { client: data.subarray(0, 8), server: data.subarray(8) } : undefined;
}

/** One option: code, length, data. */
export function formatOption(code: number, data: Uint8Array): Buffer {
  const option = Buffer.alloc(4 + data.length);
  option.writeUInt16BE(code, 0);
  option.writeUInt16BE(data.length, 2);
  option.set(data, 4);
  return option;
}

/** The whole OPT record of an answer (RFC 6891 §6.1.2). `options`: each as `formatOption` makes it. */
export function formatEdns(
  { dnssecOk, compactOk }: Edns,
  { rcode, options }: { readonly rcode: Rcode; readonly options: readonly Uint8Array[] },
): Buffer {
  const optionsBytes = options.reduce((sum, { length }) => sum + length, 0);
  const opt = Buffer.alloc(OPT_BYTES + optionsBytes);
  opt[2] = RecordType.OPT;
  opt.writeUInt16BE(UDP_SIZE_BYTES, 3);
  opt[5] = rcode >> 4;
  opt[6] = EDNS_VERSION;
  // RFC 3225 §3: the DO bit is copied, and so is CO (RFC 9824 §5.1).
  opt[7] = (dnssecOk ? 0x80 : 0) | (compactOk ? 0x40 : 0);
  opt.writeUInt16BE(optionsBytes, 9);
  let end = OPT_BYTES;
  for (const option of options) {
    opt.set(option, end);
    end += option.length;
  }
  return opt;
}
