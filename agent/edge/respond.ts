import { suffixOfPreview } from '../../api/previews.ts';
import { digestHex } from '../../runtime/content/digest.ts';
import type { HttpHeaders, HttpRequest } from '../../runtime/http.ts';
import { ALLOWED_METHODS } from '../../runtime/http-methods.ts';
import { HEALTH_PATH } from '../../runtime/probe.ts';
import { findFile, findNotFoundPage, lookUp } from './find-file.ts';
import { fileResponse, notFound } from './http/represent.ts';
import {
  encodePath,
  normalizeHost,
  parseTarget,
  type RequestTarget,
} from './http/request-target.ts';
import {
  bare,
  type EdgeBody,
  type EdgeResponse,
  page,
  redirect,
  text,
  textual,
} from './http/response.ts';
import type { EdgeFile, EdgeRelease } from './release.ts';
import { Guard, withPrivateCaching } from './rules/access.ts';
import { type Asked, planRule, type Ruling, withHeaderRules } from './rules/rules.ts';
import type { CompiledSite, EdgeTable } from './site-table.ts';
import type { Counter } from './traffic.ts';

export const CHALLENGE_PREFIX = '/.well-known/acme-challenge/';
/** How soon a client may ask again for a site whose first release is still on its way. */
export const RETRY_AFTER_S = 5;

/**
 * What an edge answers: a pure function of the request and the table.
 *
 * A path is decoded once and then only looked up in tables, never joined into a path on disk.
 * Every body of a site comes whole from its one release in the table (INV-27). What a password
 * guards is refused, with what is to be looked at in `check`; once that was found right, `granted` is
 * the hash it was found right against.
 */
export function respond(request: HttpRequest, table: EdgeTable, granted?: string): EdgeResponse {
  const response = answer(request, table, granted);
  const headers: HttpHeaders = [...response.headers, ['b8s-node', table.nodeName]];
  const body: EdgeBody = request.method === 'HEAD' ? { kind: 'none' } : response.body;
  const { status, counter = ownCounter(request, table), check } = response;
  return { status, headers, body, counter, ...(check !== undefined && { check }) };
}

/** Of the site that was asked for, where nothing of it was needed to answer. */
export function ownCounter({ host }: HttpRequest, { siteByHost }: EdgeTable): Counter | undefined {
  return siteByHost.get(normalizeHost(host))?.ownCounter;
}

function answer(request: HttpRequest, table: EdgeTable, granted: string | undefined): EdgeResponse {
  if (request.method === 'OPTIONS') return bare(204, [['allow', ALLOWED_METHODS]]);
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return page(405, 'Method Not Allowed', `Only ${ALLOWED_METHODS}.`, [
      ['allow', ALLOWED_METHODS],
    ]);
  }
  const target = parseTarget(request.path);
  if (typeof target === 'string') return page(400, 'Bad Request', target);
  if (target.path === HEALTH_PATH) return text(200, 'ok');

  const host = normalizeHost(target.host ?? request.host);
  if (host === '') return page(400, 'Bad Request', 'The request names no host.');
  const proof = request.secure ? undefined : proofOf(host, target, table);
  if (proof !== undefined) return textual(200, 'application/octet-stream', proof);
  const site = table.siteByHost.get(host);
  if (site === undefined) return answerUnknown(host, table);
  if (!request.secure) return answerInsecure(host, target, table);
  const response = answerSite(request, { ...target, host }, { site, table, granted });
  return site.isPreview === true ? unlisted(response) : response;
}

/** A preview that there is no more is told from a host that was never ours. */
function answerUnknown(host: string, { previewSuffixes }: EdgeTable): EdgeResponse {
  if (previewSuffixes.has(suffixOfPreview(host) ?? ''))
    return unlisted(page(404, 'Not Found', 'This release is not kept, or not known.'));
  return page(421, 'Misdirected Request', 'This node has no such site.');
}

/** Whatever the rules of the site say of it. */
function unlisted(response: EdgeResponse): EdgeResponse {
  const others = response.headers.filter(([name]) => name !== 'x-robots-tag');
  return { ...response, headers: [...others, ['x-robots-tag', 'noindex']] };
}

/** A CA asks for it before there is a site of the host, too (RFC 8555 §8.3). */
function proofOf(host: string, { path }: RequestTarget, table: EdgeTable): string | undefined {
  if (table.proofs.size === 0 || !path.startsWith(CHALLENGE_PREFIX)) return undefined;
  return table.proofs.get(`${host}/${path.slice(CHALLENGE_PREFIX.length)}`);
}

/** Plain HTTP serves nothing but a way to HTTPS, and proofs that we hold the name. */
function answerInsecure(host: string, target: RequestTarget, table: EdgeTable): EdgeResponse {
  if (target.path.startsWith(CHALLENGE_PREFIX)) return text(404, 'no such challenge');
  return redirectToHost(host, target, table);
}

function redirectToHost(
  host: string,
  { rawPath, query }: RequestTarget,
  { httpsPort }: EdgeTable,
): EdgeResponse {
  const port = httpsPort === 443 ? '' : `:${httpsPort}`;
  return redirect(308, `https://${host}${port}${rawPath}${query}`);
}

interface Place {
  readonly site: CompiledSite;
  readonly table: EdgeTable;
  readonly granted: string | undefined;
}

function answerSite(request: HttpRequest, asked: Asked, place: Place): EdgeResponse {
  const { site, table, granted } = place;
  const { canonical, counter, release } = site;
  if (canonical?.aliases.has(asked.host) === true) {
    const response = redirectToHost(canonical.host, asked, table);
    return { ...response, headers: [...response.headers, ...site.presets], counter };
  }
  if (release === undefined) {
    const retry: HttpHeaders = [['retry-after', String(RETRY_AFTER_S)]];
    const setUp = 'This site is being set up. Try again soon.';
    return { ...page(503, 'Service Unavailable', setUp, retry), counter };
  }
  const { auth } = site;
  const guard = auth === undefined ? undefined : new Guard(auth, { request, asked, granted });
  const response = answerRelease(request, asked, { site, release, guard });
  const { status } = response;
  const named: HttpHeaders = [
    ...response.headers,
    ...site.presets,
    ['b8s-release', digestHex(release.digest).slice(0, 12)],
  ];
  const { host, path } = asked;
  const ruled = withHeaderRules(named, { host, path, status, site });
  const headers = guard?.isNeeded === true ? withPrivateCaching(ruled) : ruled;
  return { ...response, headers, counter };
}

interface Serving {
  readonly site: CompiledSite;
  readonly release: EdgeRelease;
  /** Undefined: nothing of the site is guarded. */
  readonly guard: Guard | undefined;
}

function answerRelease(request: HttpRequest, asked: Asked, serving: Serving): EdgeResponse {
  const refused = serving.guard?.refuses();
  if (refused !== undefined) return refused;
  const ruling = planRule(asked, serving.site, serving.release);
  if (ruling === undefined) return answerFile(request, asked, serving);
  if (ruling.kind === 'redirect') return redirect(ruling.status, ruling.location);
  return answerRewrite(request, ruling, serving);
}

/** No further rule counts for where it leads. */
function answerRewrite(
  request: HttpRequest,
  { path, status }: Extract<Ruling, { kind: 'rewrite' }>,
  serving: Serving,
): EdgeResponse {
  const file = lookUp(path, serving.release);
  if (file === undefined) return answerNotFound(request, path, serving);
  if (status === 200) return serve(request, file, serving);
  return serving.guard?.refuses(file) ?? notFound(request, file, serving.site.fileOptions);
}

function answerFile(request: HttpRequest, asked: Asked, serving: Serving): EdgeResponse {
  const { path, query } = asked;
  const { site, release } = serving;
  const found = findFile(path, site.addresses, release);
  switch (found.kind) {
    case 'file':
      return serve(request, found.file, serving);
    case 'elsewhere':
      return redirect(308, `${encodePath(found.path)}${query}`);
    case 'none': {
      const isPage = !path.slice(path.lastIndexOf('/')).includes('.');
      const app = site.singlePageApp && isPage ? release.files.get('index.html') : undefined;
      return app === undefined
        ? answerNotFound(request, path, serving)
        : serve(request, app, serving);
    }
  }
}

function answerNotFound(request: HttpRequest, path: string, serving: Serving): EdgeResponse {
  const { site, release, guard } = serving;
  const missing = findNotFoundPage(path, site.notFoundPage, release);
  const refused = missing === undefined ? undefined : guard?.refuses(missing);
  return refused ?? notFound(request, missing, site.fileOptions);
}

function serve(request: HttpRequest, file: EdgeFile, { site, guard }: Serving): EdgeResponse {
  return guard?.refuses(file) ?? fileResponse(request, file, site.fileOptions);
}
