import { digestHex } from '../../runtime/digest.ts';
import type { HttpHeaders, HttpRequest } from '../../runtime/http.ts';
import type { ReleaseFile } from '../../runtime/manifest.ts';
import { evaluateConditions, rangeIsCurrent } from './conditional.ts';
import { parseRange } from './range.ts';
import { bare, type EdgeResponse, page, REVALIDATE } from './response.ts';

/** A file as an answer to this request: whole, a part of it, or that the client has it already. */
export function fileResponse({ method, headers }: HttpRequest, file: ReleaseFile): EdgeResponse {
  const etag = `"${digestHex(file.digest).slice(0, 32)}"`;
  const validators: HttpHeaders = [
    ['etag', etag],
    ['cache-control', REVALIDATE],
    ['accept-ranges', 'bytes'],
  ];
  const ifMatch = field(headers['if-match']);
  const ifNoneMatch = field(headers['if-none-match']);
  const outcome = evaluateConditions({ ifMatch, ifNoneMatch }, etag);
  if (outcome === 'not modified') return bare(304, validators);
  if (outcome === 'precondition failed') {
    return page(412, 'Precondition Failed', 'The file is another one by now.');
  }
  // Range counts for GET only (RFC 9110 §14.2).
  const wanted = method === 'GET' ? field(headers['range']) : undefined;
  const ranged = rangeIsCurrent(field(headers['if-range']), etag);
  const range = ranged ? parseRange(wanted, file.sizeBytes) : undefined;
  if (range === 'unsatisfiable') {
    const whole: HttpHeaders = [['content-range', `bytes */${file.sizeBytes}`]];
    return page(416, 'Range Not Satisfiable', 'The file is shorter than that.', whole);
  }
  const { start, end } = range ?? { start: 0, end: file.sizeBytes };
  const head: [string, string][] = [
    ['content-type', file.contentType],
    ['content-length', String(end - start)],
  ];
  if (range !== undefined)
    head.push(['content-range', `bytes ${start}-${end - 1}/${file.sizeBytes}`]);
  return {
    status: range === undefined ? 200 : 206,
    headers: [...head, ...validators],
    body: { kind: 'blob', digest: file.digest, sizeBytes: file.sizeBytes, start, end },
  };
}

/** Without validators and ranges: conditions are about the page asked for, not about this one. */
export function notFound(file: ReleaseFile | undefined): EdgeResponse {
  if (file === undefined) return page(404, 'Not Found', 'There is no such page.');
  const { digest, sizeBytes, contentType } = file;
  return {
    status: 404,
    headers: [
      ['content-type', contentType],
      ['content-length', String(sizeBytes)],
      ['cache-control', REVALIDATE],
    ],
    body: { kind: 'blob', digest, sizeBytes, start: 0, end: sizeBytes },
  };
}

function field(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === 'object' ? value.join(', ') : value;
}
