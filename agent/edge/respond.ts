import { type Digest, digestHex } from '../../runtime/digest.ts';
import type { HttpHeaders, HttpRequest } from '../../runtime/http.ts';
import type { ReleaseFile } from '../../runtime/manifest.ts';
import { HEALTH_PATH } from '../../runtime/probe.ts';
import { evaluateConditions, rangeIsCurrent } from './conditional.ts';
import { matchPattern } from './path-pattern.ts';
import { parseRange } from './range.ts';
import { encodePath, normalizeHost, parseTarget, type RequestTarget } from './request-target.ts';
import type { CompiledSite, EdgeRelease, EdgeTable } from './site-table.ts';

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
    };

export interface EdgeResponse {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: HttpHeaders;
  readonly body: EdgeBody;
}

export const CHALLENGE_PREFIX = '/.well-known/acme-challenge/';
/** How soon a client may ask again for a site whose first release is still on its way. */
export const RETRY_AFTER_S = 5;

const METHODS = 'GET, HEAD, OPTIONS';
/** A browser may keep everything, but asks each time: a release is seen at once. */
const REVALIDATE = 'public, max-age=0, must-revalidate';

/**
 * What an edge answers: a pure function of the request and the table.
 *
 * A path is decoded once and then only looked up in tables, never joined into a path on disk.
 * Every body of a site comes whole from its one release in the table (INV-27).
 */
export function respond(request: HttpRequest, table: EdgeTable): EdgeResponse {
  const response = answer(request, table);
  const headers: HttpHeaders = [...response.headers, ['b8s-node', table.nodeName]];
  const body: EdgeBody = request.method === 'HEAD' ? { kind: 'none' } : response.body;
  return { status: response.status, headers, body };
}

function answer(request: HttpRequest, table: EdgeTable): EdgeResponse {
  if (request.method === 'OPTIONS') return bare(204, [['allow', METHODS]]);
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return page(405, 'Method Not Allowed', `Only ${METHODS}.`, [['allow', METHODS]]);
  }
  const target = parseTarget(request.path);
  if (typeof target === 'string') return page(400, 'Bad Request', target);
  if (target.path === HEALTH_PATH) return text(200, 'ok');

  const host = normalizeHost(target.host ?? request.host);
  if (host === '') return page(400, 'Bad Request', 'The request names no host.');
  const proof = request.secure ? undefined : proofOf(host, target, table);
  if (proof !== undefined) return textual(200, 'application/octet-stream', proof);
  const site = table.siteByHost.get(host);
  if (site === undefined) return page(421, 'Misdirected Request', 'This node has no such site.');
  if (!request.secure) return answerInsecure(host, target, table);
  return answerSite(request, target, site);
}

/** A CA asks for it before there is a site of the host, too (RFC 8555 §8.3). */
function proofOf(host: string, { path }: RequestTarget, table: EdgeTable): string | undefined {
  if (table.proofs.size === 0 || !path.startsWith(CHALLENGE_PREFIX)) return undefined;
  return table.proofs.get(`${host}/${path.slice(CHALLENGE_PREFIX.length)}`);
}

/** Plain HTTP serves nothing but a way to HTTPS, and proofs that we hold the name. */
function answerInsecure(host: string, target: RequestTarget, table: EdgeTable): EdgeResponse {
  if (target.path.startsWith(CHALLENGE_PREFIX)) return text(404, 'no such challenge');
  const port = table.httpsPort === 443 ? '' : `:${table.httpsPort}`;
  return redirect(308, `https://${host}${port}${target.rawPath}${target.query}`);
}

function answerSite(request: HttpRequest, target: RequestTarget, site: CompiledSite): EdgeResponse {
  if (site.release === undefined) {
    const retry: HttpHeaders = [['retry-after', String(RETRY_AFTER_S)]];
    return page(503, 'Service Unavailable', 'This site is being set up. Try again soon.', retry);
  }
  const response = planRedirect(target, site) ?? answerFile(request, target, site, site.release);
  const named: HttpHeaders = [
    ...response.headers,
    ['b8s-release', digestHex(site.release.digest).slice(0, 12)],
  ];
  return {
    ...response,
    headers: withHeaderRules(named, { ...target, status: response.status, site }),
  };
}

function answerFile(
  request: HttpRequest,
  target: RequestTarget,
  site: CompiledSite,
  release: EdgeRelease,
): EdgeResponse {
  const found = findFile(target.path, site, release);
  switch (found.kind) {
    case 'file':
      return fileResponse(request, found.file);
    case 'folder':
      return redirect(308, `${encodePath(target.path)}/${target.query}`);
    case 'none':
      return notFound(site.notFoundPage);
  }
}

type Found =
  | { readonly kind: 'file'; readonly file: ReleaseFile }
  /** A folder that was asked for without its final slash: relative links would miss. */
  | { readonly kind: 'folder' }
  | { readonly kind: 'none' };

function findFile(path: string, site: CompiledSite, release: EdgeRelease): Found {
  const key = path.slice(1);
  const isFolder = path.endsWith('/');
  const file = isFolder
    ? release.files.get(`${key}index.html`)
    : (release.files.get(key) ?? release.files.get(`${key}.html`));
  if (file !== undefined) return { kind: 'file', file };
  if (!isFolder && release.files.has(`${key}/index.html`)) return { kind: 'folder' };
  if (site.singlePageApp && !path.slice(path.lastIndexOf('/')).includes('.')) {
    const app = release.files.get('index.html');
    if (app !== undefined) return { kind: 'file', file: app };
  }
  return { kind: 'none' };
}

function fileResponse({ method, headers }: HttpRequest, file: ReleaseFile): EdgeResponse {
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
function notFound(file: ReleaseFile | undefined): EdgeResponse {
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

function planRedirect(target: RequestTarget, site: CompiledSite): EdgeResponse | undefined {
  for (const { from, to, status } of site.redirects) {
    const rest = matchPattern(from, target.path);
    if (rest === undefined) continue;
    const location = fillIn(to, rest);
    // A rule that leads to where the client already is (`/*` to `/index.html`) would never end.
    if (location === target.rawPath) continue;
    return redirect(status, location.includes('?') ? location : location + target.query);
  }
  return undefined;
}

/** What a client sent must not turn a path of ours into another host's URL: `//evil.example`. */
function fillIn(to: string, rest: string): string {
  const location = to.replace('*', () => encodePath(rest));
  return to.startsWith('/') && !to.startsWith('//') ? location.replace(/^\/+/u, '/') : location;
}

interface RuleContext {
  readonly path: string;
  readonly status: number;
  readonly site: CompiledSite;
}

/** The last rule of a name wins, over the edge's own header too; an empty value removes it. */
function withHeaderRules(headers: HttpHeaders, { path, status, site }: RuleContext): HttpHeaders {
  const rules = site.headers.filter((rule) => matchPattern(rule.path, path) !== undefined);
  if (rules.length === 0) return headers;
  const valueByName = new Map(headers);
  for (const { name, value } of rules) {
    // "Keep for a year" is meant for the files: a page missing for a moment must not stay missing.
    if (status >= 400 && name === 'cache-control') continue;
    valueByName.set(name, value);
  }
  return [...valueByName].filter(([, value]) => value !== '');
}

function redirect(status: number, location: string): EdgeResponse {
  return bare(status, [
    ['location', location],
    ['content-length', '0'],
    ['cache-control', REVALIDATE],
  ]);
}

function bare(status: number, headers: HttpHeaders): EdgeResponse {
  return { status, headers, body: { kind: 'none' } };
}

function text(status: number, body: string): EdgeResponse {
  return textual(status, 'text/plain;charset=utf-8', body);
}

function page(
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

function textual(status: number, contentType: string, body: string): EdgeResponse {
  return {
    status,
    headers: [
      ['content-type', contentType],
      ['content-length', String(Buffer.byteLength(body))],
      ['cache-control', 'no-store'],
    ],
    body: { kind: 'text', text: body },
  };
}

function field(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === 'object' ? value.join(', ') : value;
}
