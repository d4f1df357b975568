import { formatAddress, maskAddress, parsePeerAddress } from '../../dns/geo/address.ts';
import type { EdgeAccessLog } from '../snapshot.ts';

/** Of IPv4; it stands for up to 256 machines. */
const NETWORK_BITS = 24;
/** Of IPv6: what a provider gives to one customer at most (RFC 6177 §2). */
const NETWORK_BITS_IPV6 = 48;

/** What is noted of a client's address; undefined: nothing. */
export function notedAddress(
  address: string | undefined,
  howMuch: EdgeAccessLog['clientAddress'],
): string | undefined {
  if (address === undefined || howMuch === 'none') return undefined;
  const bytes = parsePeerAddress(address);
  if (bytes === undefined) return undefined;
  if (howMuch === 'full') return formatAddress(bytes);
  const bits = bytes.length === 4 ? NETWORK_BITS : NETWORK_BITS_IPV6;
  return formatAddress(maskAddress(bytes, bits));
}
