/** The prefix of the client that a resolver asks for (RFC 7871 §6). */
export interface ClientSubnet {
  /** 1: IPv4, 2: IPv6; 0 only with `sourceBits` 0, "tell nobody where I am". */
  readonly family: 0 | 1 | 2;
  readonly sourceBits: number;
  /** ceil(sourceBits / 8) bytes, no bit set after `sourceBits`. */
  readonly address: Uint8Array;
}

const ADDRESS_BITS = [0, 32, 128] as const;

/**
 * The option's data. Undefined: malformed, for too few or too many bytes, stray bits or a scope in
 * a query are errors (RFC 7871 §6, §7.1.2).
 */
export function parseClientSubnet(option: Buffer): ClientSubnet | undefined {
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

/** The option's data in an answer that holds for `scopeBits` of the address (RFC 7871 §7.2.1). */
export function formatClientSubnet(
  { family, sourceBits, address }: ClientSubnet,
  scopeBits: number,
): Buffer {
  const option = Buffer.alloc(4 + address.length);
  option.writeUInt16BE(family, 0);
  option[2] = sourceBits;
  // Never more than was asked for: the bits beyond are unknown to us.
  option[3] = Math.min(scopeBits, sourceBits);
  option.set(address, 4);
  return option;
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
