import {
  type FileRedirect,
  isRewrite,
  type QueryCondition,
} from '../../../runtime/release-rules/redirects-file.ts';
import type { RequestTarget } from '../http/request-target.ts';
import type { EdgeRedirectRule } from '../snapshot.ts';
import { type Captures, compilePattern, matchPattern, type Pattern } from './path-pattern.ts';
import { compileTarget, type Target } from './redirect-target.ts';

/** Rules in their order, so that those of one path each cost one look-up however many there are. */
export interface RedirectTable {
  /** By path, or `//host/path`; the rules of each in their order. */
  readonly exact: ReadonlyMap<string, readonly Entry[]>;
  /** In their order. */
  readonly patterns: readonly Entry[];
  readonly isEmpty: boolean;
}

interface Entry {
  /** The smaller comes first. */
  readonly order: number;
  readonly rule: CompiledRedirect;
  /** Of one that is looked up by its path: what its pattern would take. */
  readonly captures: Captures;
}

export interface CompiledRedirect {
  readonly from: Pattern;
  readonly query: readonly QueryCondition[];
  readonly to: Target;
  /** 200 and 404: another file is the answer. */
  readonly status: number;
  /** It counts where there is a file, too. */
  readonly force: boolean;
}

/** A rule that fits a request, with what it took from it. */
export interface FittingRedirect {
  readonly rule: CompiledRedirect;
  readonly captures: Captures;
}

/** Those of the Site's spec come before those of its release. Pure; linear in rules. */
export function compileRedirects(
  spec: readonly EdgeRedirectRule[],
  file: readonly FileRedirect[],
): RedirectTable {
  const exact = new Map<string, Entry[]>();
  const patterns: Entry[] = [];
  const add = (key: string, entry: Entry) => {
    const entries = exact.get(key);
    if (entries === undefined) exact.set(key, [entry]);
    else entries.push(entry);
  };
  const rules = [...spec.map(ofSpec), ...file.map(ofFile)];
  for (const [order, rule] of rules.entries()) {
    const entry: Entry = { order, rule, captures: NOTHING };
    if (rule.from.kind === 'exact') add(rule.from.text, entry);
    else patterns.push(entry);
  }
  const own = new Set(exact.keys());
  for (const [index, rule] of rules.entries()) {
    const other = index < spec.length ? undefined : otherSlash(rule.from);
    if (other === undefined || own.has(other)) continue;
    const captures = rule.from.kind === 'exact' ? NOTHING : EMPTY_SPLAT;
    add(other, { order: index, rule, captures });
  }
  for (const entries of exact.values()) entries.sort((one, two) => one.order - two.order);
  return { exact, patterns, isEmpty: rules.length === 0 };
}

/** The rules that fit, in their order. */
export function* fittingRedirects(
  { exact, patterns }: RedirectTable,
  { host, path, query }: Pick<RequestTarget, 'path' | 'query'> & { readonly host: string },
): Generator<FittingRedirect> {
  const own = [...(exact.get(path) ?? []), ...(exact.get(`//${host}${path}`) ?? [])];
  const candidates = own.length === 0 ? patterns : [...own, ...patterns].toSorted(byOrder);
  let parameters: URLSearchParams | undefined;
  for (const { rule, captures } of candidates) {
    const isLookedUp = own.some((each) => each.rule === rule);
    const taken = isLookedUp ? captures : matchPattern(rule.from, { host, path });
    if (taken === undefined) continue;
    if (rule.query.length === 0) {
      yield { rule, captures: taken };
      continue;
    }
    parameters ??= new URLSearchParams(query);
    const ofQuery = matchQuery(rule.query, parameters);
    if (ofQuery !== undefined) yield { rule, captures: new Map([...taken, ...ofQuery]) };
  }
}

const NOTHING: Captures = new Map();
const EMPTY_SPLAT: Captures = new Map([['splat', '']]);

function byOrder(one: Entry, other: Entry): number {
  return one.order - other.order;
}

const STATUSES: ReadonlySet<number> = new Set([200, 301, 302, 303, 307, 308, 404]);

function ofSpec({ from, to, status, force }: EdgeRedirectRule): CompiledRedirect {
  const pattern = compilePattern(from);
  // In a spec the "*" of the source may be written so in the target, too.
  const target = from.includes('*') ? to.replace('*', ':splat') : to;
  const known = STATUSES.has(status) ? status : 308;
  return {
    from: pattern,
    query: [],
    to: compileTarget(target, pattern.names),
    status: known,
    force: force === true || !isRewrite(known),
  };
}

function ofFile({ from, query, to, status, force }: FileRedirect): CompiledRedirect {
  const pattern = compilePattern(from);
  const named = query.flatMap(({ value }) => (value.startsWith(':') ? [value.slice(1)] : []));
  const target = compileTarget(to, [...pattern.names, ...named]);
  // What the query said is in the path by now: it is not passed on as well.
  const own = query.length === 0 ? target : { ...target, hasQuery: true };
  return { from: pattern, query, to: own, status, force };
}

/** As Netlify has it: `/old` is `/old/`, too, and `/old/*` is `/old`. */
function otherSlash({ kind, text }: Pattern): string | undefined {
  if (kind === 'mixed' || /^(?:\/\/[^/]*)?\/$/u.test(text)) return undefined;
  if (kind === 'prefix') return text.endsWith('/') ? text.slice(0, -1) : undefined;
  return text.endsWith('/') ? text.slice(0, -1) : `${text}/`;
}

/** What the conditions take; undefined: the parameters are not these, or others besides. */
function matchQuery(
  conditions: readonly QueryCondition[],
  parameters: URLSearchParams,
): Captures | undefined {
  if (new Set(parameters.keys()).size !== conditions.length) return undefined;
  const captures = new Map<string, string>();
  for (const { name, value } of conditions) {
    const given = parameters.get(name);
    if (given === null) return undefined;
    if (!value.startsWith(':')) {
      if (given !== value) return undefined;
    } else if (given === '') return undefined;
    else captures.set(value.slice(1), given);
  }
  return captures;
}
