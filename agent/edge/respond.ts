import { digestHex } from '../../runtime/digest.ts';
import type { HttpHeaders, HttpRequest } from '../../runtime/http.ts';
import { HEALTH_PATH } from '../../runtime/probe.ts';
import { findFile } from './find-file.ts';
import type { EdgeRelease } from './release.ts';
import { fileResponse, notFound } from './represent.ts';
import { encodePath, normalizeHost, parseTarget, type RequestTarget } from './request-target.ts';
import {
  bare,
  type EdgeBody,
  type EdgeResponse,
  page,
  redirect,
  text,
  textual,
} from './response.ts';
import { planRedirect, withHeaderRules } from './rules.ts';
import type { CompiledSite, EdgeTable } from './site-table.ts';

export const CHALLENGE_PREFIX = '/.well-known/acme-challenge/';
/** How soon a client may ask again for a site whose first release is still on its way. */
export const RETRY_AFTER_S = 5;

const METHODS = 'GET, HEAD, OPTIONS';

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
  return { status: response.status, headers, body, counter: response.counter };
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
    const setUp = 'This site is being set up. Try again soon.';
    return { ...page(503, 'Service Unavailable', setUp, retry), counter: site.counter };
  }
  const response = planRedirect(target, site) ?? answerFile(request, target, site, site.release);
  const named: HttpHeaders = [
    ...response.headers,
    ['b8s-release', digestHex(site.release.digest).slice(0, 12)],
  ];
  return {
    ...response,
    headers: withHeaderRules(named, { ...target, status: response.status, site }),
    counter: site.counter,
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
      return fileResponse(request, found.file, site.fileOptions);
    case 'folder':
      return redirect(308, `${encodePath(target.path)}/${target.query}`);
    case 'none':
      return notFound(request, site.notFoundPage, site.fileOptions);
  }
}
