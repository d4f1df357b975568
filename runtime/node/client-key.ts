import { isIPv6 } from 'node:net';

/** One household has a whole IPv6 /64: single addresses in it count as one client. */
export function clientKey(address: string): string {
  if (!isIPv6(address)) return address;
  const [bare = ''] = address.split('%');
  const [head = '', tail] = bare.split('::');
  const first = head === '' ? [] : head.split(':');
  const last = tail === undefined || tail === '' ? [] : tail.split(':');
  // The two groups of a dotted ending never reach into the first four.
  const missing = tail === undefined ? 0 : Math.max(0, 8 - first.length - last.length);
  const groups = [...first, ...Array.from({ length: missing }, () => '0'), ...last];
  return groups.slice(0, 4).join(':');
}
