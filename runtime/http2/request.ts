import type { HeaderField } from '../hpack/field.ts';
import type { HttpRequest } from '../http.ts';

/**
 * The request that a header block is (RFC 9113 §8.3.1); undefined: it is malformed. Pure.
 * `endStream`: whether the block was all there is, or a body follows; `address`: of the client.
 */
export function requestOf(
  fields: readonly HeaderField[],
  { endStream, address }: { readonly endStream: boolean; readonly address?: string | undefined },
): HttpRequest | undefined {
  const pseudo: Pseudo = {};
  const headers = Object.create(null) as Record<string, string>;
  let pseudoFields: 'may come' | 'are over' = 'may come';
  for (const { name, value, isValid } of fields) {
    if (!isValid) return undefined;
    if (name.charCodeAt(0) === COLON) {
      if (pseudoFields === 'are over' || !takePseudo(pseudo, name, value)) return undefined;
      continue;
    }
    pseudoFields = 'are over';
    if (CONNECTION_FIELDS.has(name) || (name === 'te' && value !== 'trailers')) return undefined;
    const before = headers[name];
    if (before === undefined) headers[name] = value;
    else if (SINGLE_FIELDS.has(name)) return undefined;
    else headers[name] = `${before}${name === 'cookie' ? '; ' : ', '}${value}`;
  }
  const { method, path, authority, scheme } = pseudo;
  if (method === undefined || path === undefined || scheme === undefined) return undefined;
  if (!isPath(path, method)) return undefined;
  const named = headers['host'];
  if (named !== undefined && authority !== undefined && named !== authority) return undefined;
  if (!isLengthRight(headers['content-length'], { endStream })) return undefined;
  const host = authority ?? named ?? '';
  return { method, path, host, headers, secure: true, protocol: 'HTTP/2.0', address };
}

/** RFC 9113 §8.3.1: a whole URL, which would name another host, is no path here. */
function isPath(path: string, method: string): boolean {
  if (path === '*') return method === 'OPTIONS';
  return /^\/[!-~\u0080-\u00ff]*$/u.test(path);
}

interface Pseudo {
  method?: string;
  path?: string;
  authority?: string;
  scheme?: string;
}

const COLON = 58;
/** RFC 9113 §8.2.2. */
const CONNECTION_FIELDS: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
]);
const SINGLE_FIELDS: ReadonlySet<string> = new Set(['host', 'content-length']);

/** Each once, and none that RFC 9113 §8.3.1 does not know; CONNECT has no use here. */
function takePseudo(pseudo: Pseudo, name: string, value: string): boolean {
  switch (name) {
    case ':method':
      if (pseudo.method !== undefined) return false;
      pseudo.method = value;
      return value.length > 0 && value.length <= 32;
    case ':path':
      if (pseudo.path !== undefined) return false;
      pseudo.path = value;
      return true;
    case ':authority':
      if (pseudo.authority !== undefined) return false;
      pseudo.authority = value;
      return true;
    case ':scheme':
      if (pseudo.scheme !== undefined) return false;
      pseudo.scheme = value;
      return true;
    default:
      return false;
  }
}

/** RFC 9113 §8.1.1: a length that differs from the body is malformed. */
function isLengthRight(
  length: string | undefined,
  { endStream }: { readonly endStream: boolean },
): boolean {
  if (length === undefined) return true;
  return /^[0-9]{1,15}$/u.test(length) && (!endStream || /^0+$/u.test(length));
}
