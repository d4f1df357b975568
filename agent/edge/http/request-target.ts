/** What a request asks for, once it is known to be harmless. */
export interface RequestTarget {
  /** As sent: percent-encoded, printable ASCII. */
  readonly rawPath: string;
  /** Decoded once, NFC, starts with `/`, no `.` or `..` parts, no control characters. */
  readonly path: string;
  /** With its `?`; empty when there is none. */
  readonly query: string;
  /** From an absolute target (RFC 9112 §3.2.2), which then counts instead of `Host`. */
  readonly host: string | undefined;
}

/** Reads a request target; a string says, as a sentence, what is wrong with it. */
export function parseTarget(target: string): RequestTarget | string {
  const absolute = /^https?:\/\/(?<host>[^/?#]*)(?<rest>.*)$/iu.exec(target)?.groups;
  const relative = absolute?.['rest'] ?? target;
  const question = relative.indexOf('?');
  const rawPath = (question < 0 ? relative : relative.slice(0, question)) || '/';
  const query = question < 0 ? '' : relative.slice(question);
  if (!/^\/[!-~]*$/u.test(rawPath) || !/^[!-~]*$/u.test(query) || relative.includes('#')) {
    return 'The path has a character that must be percent-encoded.';
  }
  // An encoded slash would decode into a path that was never asked for; the others have no
  // business in a URL and are how file servers get fooled.
  if (/%2f|%5c|\\/iu.test(rawPath)) return 'The path has an encoded slash or a backslash.';
  const path = decodePath(rawPath);
  if (path === undefined) return 'The path is not valid percent-encoded UTF-8.';
  if (/[\u0000-\u001f\u007f]/u.test(path)) return 'The path has a control character.';
  if (/\/\.{1,2}(?:\/|$)/u.test(path)) return 'The path has a "." or ".." part.';
  return { rawPath, path, query, host: absolute?.['host'] };
}

/** Percent-encodes a decoded path for a `Location`. */
export function encodePath(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/');
}

/** Decodes once, to NFC; undefined: it is not valid percent-encoded UTF-8. */
export function decodePath(rawPath: string): string | undefined {
  if (!rawPath.includes('%')) return rawPath;
  try {
    return decodeURIComponent(rawPath).normalize('NFC');
  } catch {
    return undefined;
  }
}

/** A host as the table knows it: lower case, without port and final dot. */
export function normalizeHost(host: string): string {
  return host.toLowerCase().replace(/:\d*$/u, '').replace(/\.$/u, '');
}
