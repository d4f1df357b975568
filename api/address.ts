/** Four decimals of 0 to 255 without leading zeros, as RFC 6943 §3.1.1 calls strict. */
export function isIpv4(text: string): boolean {
  const parts = text.split('.');
  return parts.length === 4 && parts.every((part) => DECIMAL_BYTE.test(part));
}

const DECIMAL_BYTE = /^(?:0|[1-9]\d?|1\d\d|2[0-4]\d|25[0-5])$/;

/** An IPv6 address as RFC 4291 §2.2 writes it, without a zone (`%eth0`) or prefix length. */
export function isIpv6(text: string): boolean {
  const halves = text.split('::');
  if (halves.length > 2) return false;
  const groups = halves.flatMap((half) => (half === '' ? [] : half.split(':')));
  const tail = groups.at(-1) ?? '';
  const endsInIpv4 = tail.includes('.');
  if (endsInIpv4 && (!isIpv4(tail) || text.endsWith('::'))) return false;
  const hexGroups = endsInIpv4 ? groups.slice(0, -1) : groups;
  if (!hexGroups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return false;
  const length = hexGroups.length + (endsInIpv4 ? 2 : 0);
  // "::" stands for at least one group of zeros.
  return halves.length === 2 ? length <= 7 : length === 8;
}

/** What is wrong with an IPv4 address, as the end of a sentence that begins with it. */
export function ipv4Problem(text: string): string | undefined {
  if (text === '0.0.0.0') return 'is no address that clients can reach';
  if (isIpv4(text)) return undefined;
  if (isIpv6(text)) return 'is an IPv6 address, and an IPv4 one is needed, e.g. 192.0.2.10';
  if (text.includes('/')) return 'must be one address, without a prefix length';
  return 'is not an IPv4 address: it needs four numbers from 0 to 255, e.g. 192.0.2.10';
}

/** What is wrong with an IPv6 address, as the end of a sentence that begins with it. */
export function ipv6Problem(text: string): string | undefined {
  if (text === '::') return 'is no address that clients can reach';
  if (isIpv6(text)) return undefined;
  if (isIpv4(text)) return 'is an IPv4 address, and an IPv6 one is needed, e.g. 2001:db8::10';
  if (text.includes('/')) return 'must be one address, without a prefix length';
  if (text.includes('%')) return 'must be a public address, without an interface (%)';
  return 'is not an IPv6 address, e.g. 2001:db8::10';
}
