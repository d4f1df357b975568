import { formatClientSubnet } from './client-subnet.ts';
import { type Edns, EdnsOption, formatOption } from './edns.ts';
import type { Reply } from './reply.ts';

/** What the options of a reply say beside what the reply itself does. */
export interface OptionFacts {
  /** The node that answers. */
  readonly nameserver: string;
  /** The server cookie to give or give back; undefined: none is given. */
  readonly serverCookie: Uint8Array | undefined;
  /** How long this connection may be idle; undefined: it is none. */
  readonly idleMs: number | undefined;
}

/** Longest name of a node that is told. */
const NSID_BYTES_MAX = 64;

/** The options that go with a reply: only those that the query asked for, and what went wrong. */
export function replyOptions(
  edns: Edns,
  reply: Reply,
  { nameserver, serverCookie, idleMs }: OptionFacts,
): readonly Buffer[] {
  const options: Buffer[] = [];
  const { clientSubnet, cookie, asksNsid, asksKeepalive } = edns;
  if (clientSubnet !== undefined) {
    const data = formatClientSubnet(clientSubnet, reply.scopeBits);
    options.push(formatOption(EdnsOption.CLIENT_SUBNET, data));
  }
  if (cookie !== undefined && serverCookie !== undefined) {
    const data = Buffer.concat([cookie.client, serverCookie]);
    options.push(formatOption(EdnsOption.COOKIE, data));
  }
  if (asksNsid) {
    const name = Buffer.from(nameserver).subarray(0, NSID_BYTES_MAX);
    options.push(formatOption(EdnsOption.NSID, name));
  }
  // RFC 7828 §3.3.2: in units of 100 ms, and never over UDP.
  if (asksKeepalive && idleMs !== undefined) {
    options.push(formatOption(EdnsOption.KEEPALIVE, word(Math.floor(idleMs / 100))));
  }
  // The code alone (RFC 8914 §2): text would make the answer to a forged query larger.
  for (const code of reply.extendedErrors) {
    options.push(formatOption(EdnsOption.EXTENDED_ERROR, word(code)));
  }
  return options;
}

function word(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(Math.min(value, 0xffff));
  return bytes;
}
