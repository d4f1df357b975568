/** What a resolver reads out of a reply. */
export interface DnsReply {
  readonly rcode: number;
  /** IPv4 addresses of the A records, sorted. */
  readonly addresses: readonly string[];
}

export const TYPE_A = 1;
const CLASS_IN = 1;
const HEADER_BYTES = 12;

/** A query for the records of a name (RFC 1035 §4.1). */
export function encodeQuery({
  name,
  type,
  id,
}: {
  readonly name: string;
  readonly type: number;
  readonly id: number;
}): Uint8Array {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt16BE(id, 0);
  header.writeUInt16BE(1, 4);
  const labels = name.split('.').flatMap((label) => [label.length, ...Buffer.from(label)]);
  return Buffer.concat([header, Buffer.from([...labels, 0, type >> 8, type & 0xff, 0, CLASS_IN])]);
}

/** Reads a reply on its own, so that a fault of the server's codec cannot hide itself. */
export function decodeReply(bytes: Uint8Array): DnsReply {
  const message = Buffer.from(bytes);
  const addresses: string[] = [];
  let at = HEADER_BYTES;
  for (let count = message.readUInt16BE(4); count > 0; count -= 1) at = afterName(message, at) + 4;
  for (let count = message.readUInt16BE(6); count > 0; count -= 1) {
    const fields = afterName(message, at);
    const data = fields + 10;
    at = data + message.readUInt16BE(fields + 8);
    if (message.readUInt16BE(fields) === TYPE_A)
      addresses.push([...message.subarray(data, at)].join('.'));
  }
  return { rcode: message.readUInt16BE(2) & 0xf, addresses: addresses.toSorted() };
}

/** The offset after a name, which may end in a pointer (RFC 1035 §4.1.4). */
function afterName(message: Buffer, start: number): number {
  for (let at = start; ; ) {
    const length = message.readUInt8(at);
    if (length === 0) return at + 1;
    if (length >= 0xc0) return at + 2;
    at += 1 + length;
  }
}
