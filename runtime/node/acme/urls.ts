import type { UrlProblem } from './read-json.ts';

/**
 * Which URLs a CA may send us to: https, or http as long as its directory is on loopback too, for
 * tests. No user and password in them.
 */
export function urlProblemFor(directory: string): UrlProblem {
  const origin = URL.canParse(directory) ? new URL(directory).origin : undefined;
  return (text) => {
    if (!URL.canParse(text)) return 'is no URL';
    const url = new URL(text);
    if (url.username !== '' || url.password !== '') return 'is a URL with a password';
    if (url.protocol === 'https:') return undefined;
    if (url.protocol === 'http:' && isLoopback(url.hostname) && url.origin === origin)
      return undefined;
    return 'is no https URL';
  };
}

/** For errors. */
export function withoutPassword(text: string): string {
  if (!URL.canParse(text)) return 'what is no URL';
  const url = new URL(text);
  url.username = '';
  url.password = '';
  return url.href;
}

function isLoopback(hostname: string): boolean {
  return hostname === '[::1]' || hostname === 'localhost' || /^127(\.\d+){3}$/.test(hostname);
}
