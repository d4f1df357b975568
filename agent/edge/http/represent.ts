import { isCompressible } from '../../../runtime/content/content-coding.ts';
import type { Digest } from '../../../runtime/content/digest.ts';
import type { HttpHeaders, HttpRequest } from '../../../runtime/http.ts';
import type { EdgeFile } from '../release.ts';
import { chooseCoding } from './accept-encoding.ts';
import { evaluateConditions, rangeIsCurrent } from './conditional.ts';
import { planParts } from './multipart.ts';
import { type ByteRange, parseRanges } from './range.ts';
import { bare, type EdgeResponse, IMMUTABLE, NO_STORE, page, REVALIDATE } from './response.ts';

/** What a site says of how its files are sent. */
export interface FileOptions {
  /** When its release was switched to, in whole seconds since 1970; undefined: not known. */
  readonly modifiedS: number | undefined;
  /** The same as an HTTP date. */
  readonly lastModified: string | undefined;
  /** Whether files named by their hash may be kept for a year. */
  readonly immutableAssets: boolean;
  /** Content types by file extension, in lower case; fit for a header. */
  readonly mimeTypes: ReadonlyMap<string, string>;
}

/**
 * A file as an answer to this request (RFC 9110): in the coding that the client likes best, whole or
 * in parts, or that the client has it already.
 */
export function fileResponse(
  { method, headers }: HttpRequest,
  file: EdgeFile,
  options: FileOptions,
): EdgeResponse {
  const chosen = represent(field(headers['accept-encoding']), file, options);
  if (chosen === undefined) return notAcceptable();
  const { modifiedS } = options;
  const validators = { etag: chosen.etag, modifiedS };
  const conditions = {
    ifMatch: field(headers['if-match']),
    ifNoneMatch: field(headers['if-none-match']),
    ifModifiedSince: field(headers['if-modified-since']),
    ifUnmodifiedSince: field(headers['if-unmodified-since']),
  };
  const outcome = evaluateConditions(conditions, validators);
  if (outcome === 'not modified') return bare(304, kept(chosen, file, options));
  if (outcome === 'precondition failed') {
    return page(412, 'Precondition Failed', 'The file is another one by now.');
  }
  // Range counts for GET only (§14.2).
  const range = method === 'GET' ? field(headers['range']) : undefined;
  if (range === undefined) return whole(chosen, file, options);
  // All codings of a file share one date: it does not vouch for the bytes of one of them.
  const strong = chosen.varies ? { ...validators, modifiedS: undefined } : validators;
  if (!rangeIsCurrent(field(headers['if-range']), strong)) return whole(chosen, file, options);
  const ranges = parseRanges(range, chosen.sizeBytes);
  if (ranges === undefined) return whole(chosen, file, options);
  if (ranges === 'unsatisfiable') return beyond(chosen);
  return part(ranges, { chosen, file, options });
}

/**
 * The page for paths that there are not. Without validators and ranges: conditions are about the
 * page asked for, not about this one.
 */
export function notFound(
  { headers }: Pick<HttpRequest, 'headers'>,
  file: EdgeFile | undefined,
  options: FileOptions,
): EdgeResponse {
  if (file === undefined) return page(404, 'Not Found', 'There is no such page.');
  // Who would take nothing that there is gets the page all the same: it has no other form.
  const accepted = represent(field(headers['accept-encoding']), file, options);
  const { digest, sizeBytes, head } = accepted ?? asItIs(file, options);
  return {
    status: 404,
    headers: [...head, ['content-length', String(sizeBytes)], ['cache-control', NO_STORE]],
    body: { kind: 'blob', digest, sizeBytes, start: 0, end: sizeBytes },
  };
}

/** One representation of a file (RFC 9110 §3.2). */
interface Representation {
  readonly digest: Digest;
  readonly sizeBytes: number;
  readonly etag: string;
  /** `content-type`, and what its coding and the choice of it make necessary. */
  readonly head: HttpHeaders;
  readonly coding: string;
  /** Other requests may be answered with another one. */
  readonly varies: boolean;
}

/** Undefined: the client would not take any that there is. */
function represent(
  accepted: string | undefined,
  file: EdgeFile,
  options: FileOptions,
): Representation | undefined {
  const coding = chooseCoding(accepted, file.codings);
  if (coding === 'identity') return asItIs(file, options);
  const form = file.forms.find((each) => each.coding === coding);
  if (form === undefined) return undefined;
  const { digest, sizeBytes, etag } = form;
  const head: HttpHeaders = [
    ['content-type', contentTypeOf(file, options)],
    ['content-encoding', coding],
    VARY,
  ];
  return { digest, sizeBytes, etag, head, coding, varies: true };
}

function asItIs(file: EdgeFile, options: FileOptions): Representation {
  const { digest, sizeBytes, etag } = file;
  const contentType = contentTypeOf(file, options);
  const varies =
    file.mayBeCompressed ||
    (contentType !== file.contentType && isCompressible(contentType, sizeBytes));
  const head: HttpHeaders = varies
    ? [['content-type', contentType], VARY]
    : [['content-type', contentType]];
  return { digest, sizeBytes, etag, head, coding: 'identity', varies };
}

/** §12.5.5: also where there is one form only, for another may come. */
const VARY = ['vary', 'accept-encoding'] as const;

function contentTypeOf({ path, contentType }: EdgeFile, { mimeTypes }: FileOptions): string {
  if (mimeTypes.size === 0) return contentType;
  const dot = path.lastIndexOf('.');
  if (dot <= path.lastIndexOf('/')) return contentType;
  return mimeTypes.get(path.slice(dot + 1).toLowerCase()) ?? contentType;
}

/** What a 304 carries of a 200's fields (§15.4.5). */
function kept({ etag, varies }: Representation, file: EdgeFile, options: FileOptions): HttpHeaders {
  const fields: HttpHeaders = [
    ['etag', etag],
    ['cache-control', cacheControl(file, options)],
  ];
  return varies ? [...fields, VARY] : fields;
}

/** What a 200 and a 206 have in common. */
function described(
  { etag, head }: Representation,
  file: EdgeFile,
  options: FileOptions,
): (readonly [string, string])[] {
  const { lastModified } = options;
  const fields = [...head];
  fields.push(['etag', etag], ['cache-control', cacheControl(file, options)]);
  if (lastModified !== undefined) fields.push(['last-modified', lastModified]);
  fields.push(ACCEPT_RANGES);
  return fields;
}

const ACCEPT_RANGES = ['accept-ranges', 'bytes'] as const;

function cacheControl(file: EdgeFile, { immutableAssets }: FileOptions): string {
  return immutableAssets && file.isFingerprinted ? IMMUTABLE : REVALIDATE;
}

function whole(chosen: Representation, file: EdgeFile, options: FileOptions): EdgeResponse {
  const { digest, sizeBytes } = chosen;
  const headers = described(chosen, file, options);
  headers.push(['content-length', String(sizeBytes)]);
  return {
    status: 200,
    headers,
    body: { kind: 'blob', digest, sizeBytes, start: 0, end: sizeBytes },
  };
}

function part(
  ranges: readonly ByteRange[],
  answer: {
    readonly chosen: Representation;
    readonly file: EdgeFile;
    readonly options: FileOptions;
  },
): EdgeResponse {
  const { chosen, file, options } = answer;
  const { digest, sizeBytes } = chosen;
  const [range] = ranges;
  const fields = described(chosen, file, options);
  if (range === undefined || ranges.length > 1) {
    // Whether a coding is that of the parts or of all is read in two ways: neither is sent.
    if (chosen.coding !== 'identity') return whole(chosen, file, options);
    const parts = planParts(ranges, { ...chosen, contentType: contentTypeOf(file, options) });
    return {
      status: 206,
      headers: [
        ...fields.filter(([name]) => name !== 'content-type'),
        ['content-type', parts.contentType],
        ['content-length', String(parts.lengthBytes)],
      ],
      body: { kind: 'parts', digest, sizeBytes, parts: parts.parts, tail: parts.tail },
    };
  }
  const { start, end } = range;
  fields.push(
    ['content-length', String(end - start)],
    ['content-range', `bytes ${start}-${end - 1}/${sizeBytes}`],
  );
  return { status: 206, headers: fields, body: { kind: 'blob', digest, sizeBytes, start, end } };
}

function beyond({ sizeBytes }: Representation): EdgeResponse {
  const total: HttpHeaders = [['content-range', `bytes */${sizeBytes}`]];
  return page(416, 'Range Not Satisfiable', 'The file is shorter than that.', total);
}

/** §15.5.7. Only who refuses the file as it is can get here. */
function notAcceptable(): EdgeResponse {
  const sentence = 'The file is not there in any coding that Accept-Encoding allows.';
  return page(406, 'Not Acceptable', sentence, [VARY]);
}

function field(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === 'object' ? value.join(', ') : value;
}
