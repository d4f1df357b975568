import type { HttpHeaders } from '../../runtime/http.ts';
import { matchPattern } from './path-pattern.ts';
import { encodePath, type RequestTarget } from './request-target.ts';
import { type EdgeResponse, redirect } from './response.ts';
import type { CompiledSite } from './site-table.ts';

/** The first redirect rule that fits; undefined: none does. */
export function planRedirect(target: RequestTarget, site: CompiledSite): EdgeResponse | undefined {
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

export interface RuleContext {
  readonly path: string;
  readonly status: number;
  readonly site: CompiledSite;
}

/** The last rule of a name wins, over the edge's own header too; an empty value removes it. */
export function withHeaderRules(
  headers: HttpHeaders,
  { path, status, site }: RuleContext,
): HttpHeaders {
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
