/** One household has a whole IPv6 /64: single addresses in it count as one client. */
export function clientKey(address: string): string {
  // As sockets have it: there is no need to look at all of it, for each connection.
  if (!address.includes(':')) return address;
  const [bare = ''] = address.split('%');
  const [head = '', tail] = bare.split('::');
  const first = head === '' ? [] : head.split(':');
  const last = tail === undefined || tail === '' ? [] : tail.split(':');
  // The two groups of a dotted ending never reach into the first four.
  const missing = tail === undefined ? 0 : Math.max(0, 8 - first.length - last.length);
  const groups = [...first, ...Array.from({ length: missing }, () => '0'), ...last];
  return groups.slice(0, 4).join(':');
}
