import type { Digest } from '../../../runtime/content/digest.ts';
import type { HttpHeaders } from '../../../runtime/http.ts';
import type { AccessCheck } from '../rules/access.ts';
import type { Counter } from '../traffic.ts';
import type { Part } from './multipart.ts';

export type EdgeBody =
  | { readonly kind: 'none' }
  | { readonly kind: 'text'; readonly text: string }
  /** Bytes `start` (inclusive) to `end` (exclusive) of a blob of `sizeBytes`. */
  | {
      readonly kind: 'blob';
      readonly digest: Digest;
      readonly sizeBytes: number;
      readonly start: number;
      readonly end: number;
    }
  /** Several pieces of such a blob, each behind its head; the tail comes last. */
  | {
      readonly kind: 'parts';
      readonly digest: Digest;
      readonly sizeBytes: number;
      readonly parts: readonly Part[];
      readonly tail: string;
    };

export interface EdgeResponse {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: HttpHeaders;
  readonly body: EdgeBody;
  /** Of the site and release that it is of; absent: of none. */
  readonly counter?: Counter | undefined;
  /** Of one that is refused: a password that may turn out right. */
  readonly check?: AccessCheck | undefined;
}

/** A browser may keep everything, but asks each time: a release is seen at once. */
export const REVALIDATE = 'public, max-age=0, must-revalidate';
/** Not asked for again in a year, not even on reload (RFC 8246). */
export const IMMUTABLE = 'public, max-age=31536000, immutable';
/** What is wrong now may be right in a moment. */
export const NO_STORE = 'no-store';

export function redirect(status: number, location: string): EdgeResponse {
  return bare(status, [
    ['location', location],
    ['content-length', '0'],
    ['cache-control', REVALIDATE],
  ]);
}

export function bare(status: number, headers: HttpHeaders): EdgeResponse {
  return { status, headers, body: { kind: 'none' } };
}

export function text(status: number, body: string): EdgeResponse {
  return textual(status, 'text/plain;charset=utf-8', body);
}

export function page(
  status: number,
  title: string,
  sentence: string,
  headers: HttpHeaders = [],
): EdgeResponse {
  const html =
    `<!doctype html><html lang="en"><meta charset="utf-8"><title>${title}</title>` +
    `<h1>${status} ${title}</h1><p>${sentence}</p></html>\n`;
  const response = textual(status, 'text/html;charset=utf-8', html);
  return { ...response, headers: [...response.headers, ...headers] };
}

export function textual(status: number, contentType: string, body: string): EdgeResponse {
  return {
    status,
    headers: [
      ['content-type', contentType],
      ['content-length', String(Buffer.byteLength(body))],
      ['cache-control', NO_STORE],
    ],
    body: { kind: 'text', text: body },
  };
}
