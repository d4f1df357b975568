/** For a URL that dom sends something to: https, or this very machine. */
export function targetUrlProblem(url: string): string | undefined {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || /[\s\u0000-\u001f\u007f]/.test(url))
    return 'must be a URL, e.g. https://hooks.example.com/b8s';
  if (parsed.username !== '' || parsed.password !== '')
    return 'names a user; put what is secret into a Secret';
  if (parsed.protocol === 'https:') return undefined;
  if (parsed.protocol === 'http:' && isThisMachine(parsed.hostname)) return undefined;
  return 'must be https: over http anybody on the way could read and change it';
}

/** By a name or address that means no other, whatever DNS says. */
export function isThisMachine(host: string): boolean {
  return /^(?:localhost|127(?:\.[0-9]+){3}|\[?::1\]?)$/.test(host);
}
