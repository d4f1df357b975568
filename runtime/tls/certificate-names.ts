/**
 * Whether a certificate's name covers a host, or a wildcard of its own kind; `*` stands for one
 * label (RFC 9525 §6.3).
 */
export function coversHost(name: string, host: string): boolean {
  if (!name.startsWith('*.')) return name === host;
  const dot = host.indexOf('.');
  return dot > 0 && host.slice(dot) === name.slice(1);
}
