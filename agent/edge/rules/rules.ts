import type { HttpHeaders } from '../../../runtime/http.ts';
import { isRewrite } from '../../../runtime/release-rules/redirects-file.ts';
import { type AddressRules, findFile, lookUp } from '../find-file.ts';
import { decodePath, type RequestTarget } from '../http/request-target.ts';
import type { EdgeRelease } from '../release.ts';
import type { CompiledSite } from '../site-table.ts';
import { applyHeaderRules, type HeaderLines } from './header-table.ts';
import type { Address } from './path-pattern.ts';
import { type CompiledRedirect, type FittingRedirect, fittingRedirects } from './redirect-table.ts';
import { locationOf, pathOf } from './redirect-target.ts';

/** What a rule makes of a request. */
export type Ruling =
  | { readonly kind: 'redirect'; readonly status: number; readonly location: string }
  /** The file at another path is the answer, with this status. */
  | { readonly kind: 'rewrite'; readonly path: string; readonly status: 200 | 404 };

/** Whom and what a request asks for; `host` in lower case, without port. */
export interface Asked extends RequestTarget, Address {
  readonly host: string;
}

/** What the first rule that fits says; undefined: none does. */
export function planRule(
  asked: Asked,
  site: Pick<CompiledSite, 'redirects' | 'addresses'>,
  release: EdgeRelease,
): Ruling | undefined {
  if (site.redirects.isEmpty) return undefined;
  for (const fitting of fittingRedirects(site.redirects, asked)) {
    if (!fitting.rule.force && lookUp(asked.path, release) !== undefined) continue;
    const ruling = follow(fitting, asked);
    if (ruling.kind === 'rewrite') return ruling;
    const { location } = ruling;
    if (!isEndless({ location, rule: fitting.rule }, asked, { site, release })) return ruling;
  }
  return undefined;
}

function follow({ rule, captures }: FittingRedirect, { query }: Asked): Ruling {
  const { to, status } = rule;
  if (!isRewrite(status))
    return { kind: 'redirect', status, location: locationOf(to, captures, query) };
  return { kind: 'rewrite', path: pathOf(to, captures), status: status === 404 ? 404 : 200 };
}

interface Serving {
  readonly site: { readonly addresses: AddressRules };
  readonly release: EdgeRelease;
}

/**
 * Whether a rule leads to where the client already is (`/*` to `/index.html`), perhaps by way of
 * what that page's address is sent to: it would never end.
 */
function isEndless(
  { location, rule }: { readonly location: string; readonly rule: CompiledRedirect },
  asked: Asked,
  { site, release }: Serving,
): boolean {
  const end = location.search(/[?#]/u);
  const base = end < 0 ? location : location.slice(0, end);
  const own = `https://${asked.host}`;
  const isOwn = base.slice(0, own.length + 1).toLowerCase() === `${own}/`;
  const path = decodePath(isOwn ? base.slice(own.length) : base);
  if (path === undefined || !path.startsWith('/')) return false;
  // A rule for some queries does not fit another one.
  if (path === asked.path)
    return rule.query.length === 0 || end < 0 || location.slice(end) === asked.query;
  const found = findFile(path, site.addresses, release);
  return found.kind === 'elsewhere' && found.path === asked.path;
}

export interface RuleContext extends Address {
  readonly status: number;
  readonly site: Pick<CompiledSite, 'headers'>;
}

/** The headers as the rules of the site change them. */
export function withHeaderRules(headers: HttpHeaders, context: RuleContext): HttpHeaders {
  const { site, status } = context;
  if (site.headers.isEmpty) return headers;
  const lines: HeaderLines = new Map();
  for (const [name, value] of headers) lines.set(name, [...(lines.get(name) ?? []), value]);
  // "Keep for a year" is meant for the files: a page missing for a moment must not stay missing,
  // nor one that was moved for a moment.
  const isFile = status === 200 || status === 206 || status === 304;
  const skips = (name: string) => name === 'cache-control' && !isFile;
  applyHeaderRules(lines, site.headers, { address: context, skips });
  return [...lines].flatMap(([name, values]) =>
    name === 'set-cookie'
      ? values.map((value): [string, string] => [name, value])
      : [[name, values.join(', ')] as const],
  );
}
