/**
 * Which paths a rule is for: a path, in which `:name` stands for one part and one `*` for anything.
 * The same in a Site's spec and in the files `_redirects` and `_headers` of a release.
 */

/** Characters of a pattern or a target. */
export const PATTERN_LENGTH_MAX = 1000;
/** In one pattern. */
const PLACEHOLDERS_MAX = 16;

/** `:name`, right behind a slash: `/wiki/Talk:Home` has none. */
export const PLACEHOLDER: RegExp = /(?<=\/):([A-Za-z]\w{0,31})/g;

const CONTROL = /[\u0000-\u001f\u007f]/;

/** What is wrong with a pattern, as a message; undefined: nothing. */
export function patternProblem(pattern: string): string | undefined {
  if (CONTROL.test(pattern) || pattern.includes(' '))
    return 'has a space or control character; write %20';
  if (!pattern.startsWith('/')) {
    return `must begin with "/", e.g. /${pattern.slice(0, 60).replace(/^\.?\/*/, '')}`;
  }
  if (pattern.length > PATTERN_LENGTH_MAX) return `is longer than ${PATTERN_LENGTH_MAX} characters`;
  if (/[?#]/.test(pattern)) return 'must be a path alone, without "?" or "#"';
  if (pattern.split('*').length > 2)
    return 'has more than one "*"; write ":name" for what is one part';
  const names = placeholders(pattern);
  if (names.length > PLACEHOLDERS_MAX) return `has more than ${PLACEHOLDERS_MAX} placeholders`;
  if (new Set(names).size < names.length) return 'has two placeholders of one name';
  return names.includes('splat') ? '":splat" is what "*" matched; choose another name' : undefined;
}

/** The names of what a pattern takes from a path, but for its `*`. */
export function placeholders(pattern: string): readonly string[] {
  return [...pattern.matchAll(PLACEHOLDER)].map(([, name = '']) => name);
}

/** What is wrong with where a rule leads to, as a message; undefined: nothing. */
export function targetProblem(target: string): string | undefined {
  if (target.length > PATTERN_LENGTH_MAX) return `is longer than ${PATTERN_LENGTH_MAX} characters`;
  if (CONTROL.test(target) || target.includes(' '))
    return 'has a space or control character; write %20';
  // Browsers take it for a slash, and "//evil.example" for another host.
  if (target.includes('\\')) return 'has a backslash; write "/"';
  if (!/^(?:\/(?!\/)|https?:\/\/[^/?#])/i.test(target)) {
    return 'must be a path or an http(s) URL, e.g. /new or https://example.com/';
  }
  const host = /^https?:\/\/(?<host>[^/?#]*)/i.exec(target)?.groups?.['host'] ?? '';
  // Who asks would choose where to be sent: an open redirect.
  if (/\*|:[A-Za-z]/.test(host)) return 'must name its host whole, without "*" or ":name"';
  if (host !== '' && !URL.canParse(`https://${host}/`))
    return 'names no host, e.g. https://example.com/';
  return undefined;
}
