import { parseAddress } from '../../../api/rdata/address.ts';

export { formatAddress, parseAddress } from '../../../api/rdata/address.ts';

/**
 * The address of a peer as a socket names it: without a zone (`%eth0`), and an IPv4-mapped one
 * (`::ffff:192.0.2.1`) as the IPv4 address that it is.
 */
export function parsePeerAddress(text: string): Uint8Array | undefined {
  const zone = text.indexOf('%');
  const bytes = parseAddress(zone < 0 ? text : text.slice(0, zone));
  return bytes !== undefined && isIpv4Mapped(bytes) ? bytes.subarray(12) : bytes;
}

/** The bytes of a client's address: those at hand, or else what its text says. */
export function clientBytes({
  address,
  bytes,
}: {
  readonly address: string;
  readonly bytes?: Uint8Array | undefined;
}): Uint8Array {
  return bytes ?? parsePeerAddress(address) ?? new Uint8Array(4);
}

/** A copy with every bit after the first `bits` cleared. */
export function maskAddress(bytes: Uint8Array, bits: number): Uint8Array {
  return bytes.map((byte, index) => {
    const kept = Math.min(8, Math.max(0, bits - 8 * index));
    return byte & (0xff << (8 - kept));
  });
}

function isIpv4Mapped(bytes: Uint8Array): boolean {
  const zeros = bytes.length === 16 && bytes.subarray(0, 10).every((byte) => byte === 0);
  return zeros && bytes[10] === 0xff && bytes[11] === 0xff;
}
