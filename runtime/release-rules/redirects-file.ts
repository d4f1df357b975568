import { patternProblem, placeholders, targetProblem } from '../../api/path-pattern.ts';
import { linesOf, quoted, type RuleProblem } from './rule-problems.ts';

/** One line of `_redirects`. */
export interface FileRedirect {
  readonly line: number;
  /** A path or URL, as `compilePattern` reads it. */
  readonly from: string;
  /** The request's query has exactly these parameters; none: whichever it has. */
  readonly query: readonly QueryCondition[];
  /** As `compileTarget` reads it. */
  readonly to: string;
  readonly status: number;
  /** It counts where there is a file, too. */
  readonly force: boolean;
}

/** `value` is to be equal, or begins with `:` and names what is taken. */
export interface QueryCondition {
  readonly name: string;
  readonly value: string;
}

export interface ParsedRedirects {
  readonly rules: readonly FileRedirect[];
  readonly problems: readonly RuleProblem[];
}

/** As Cloudflare Pages has it: rules of one path each, and rules with `*` or `:name`. */
export const EXACT_REDIRECTS_MAX = 2000;
/** Each of them is looked at for a request that none fits. */
export const PATTERN_REDIRECTS_MAX = 500;
/** Of `_redirects`. */
export const REDIRECT_LINE_MAX = 2000;
const QUERY_CONDITIONS_MAX = 8;

/**
 * Reads `_redirects` as Netlify and Cloudflare Pages do: `from [name=value …] to [status[!]]`, one
 * a line, `#` begins a comment. Where they differ, docs/edge.md says which one is followed. Never
 * throws: lines that it cannot use are skipped and told of.
 */
export function parseRedirects(text: string): ParsedRedirects {
  const rules: FileRedirect[] = [];
  const problems: RuleProblem[] = [];
  const seen = new Map<string, FileRedirect>();
  const counts = { exact: 0, pattern: 0 };
  for (const [line, content] of linesOf(text)) {
    const parsed = parseLine(line, content);
    if (typeof parsed === 'string') {
      problems.push({ line, message: parsed });
      continue;
    }
    const key = JSON.stringify([parsed.from, parsed.query]);
    const earlier = seen.get(key);
    // One that gives way to files leaves them to one that does not.
    if (earlier !== undefined && (earlier.force || !parsed.force)) {
      const message = `is never reached, for line ${earlier.line} comes first; remove one of them`;
      problems.push({ line, message });
      continue;
    }
    const kind = isExact(parsed.from) ? 'exact' : 'pattern';
    const max = kind === 'exact' ? EXACT_REDIRECTS_MAX : PATTERN_REDIRECTS_MAX;
    if (counts[kind] >= max) {
      const which = kind === 'exact' ? '' : ' with "*" or ":name"';
      problems.push({
        line,
        message: `is beyond the ${max} rules${which} that are read; remove some`,
      });
      continue;
    }
    counts[kind] += 1;
    seen.set(key, parsed);
    rules.push(parsed);
  }
  return { rules, problems };
}

/** Without `*` and `:name`. */
export function isExact(from: string): boolean {
  return !from.includes('*') && placeholders(from).length === 0;
}

function parseLine(line: number, content: string): FileRedirect | string {
  if (content.length > REDIRECT_LINE_MAX)
    return `is longer than ${REDIRECT_LINE_MAX} characters; shorten it`;
  const tokens = withoutComment(content.split(/\s+/u));
  const [source = '', ...rest] = tokens;
  // Browsers keep it to themselves.
  const from = source.replace(/#.*$/su, '');
  const toIndex = rest.findIndex((token) => token.startsWith('/') || /^https?:/iu.test(token));
  const to = rest[toIndex];
  if (to === undefined)
    return `${quoted(from)} leads nowhere; write where to, e.g. "${quoted(from).slice(1, -1)} /new 301"`;
  const query = parseQuery(rest.slice(0, toIndex));
  if (typeof query === 'string') return query;
  const [statusText, ...conditions] = rest.slice(toIndex + 1);
  const first = conditions[0] ?? (statusText?.includes('=') === true ? statusText : undefined);
  if (first !== undefined)
    return `the condition ${quoted(first)} is not supported, and without it the rule would count for all; remove the line`;
  const fromWrong = fromProblem(from);
  if (fromWrong !== undefined) return `${quoted(from)} ${fromWrong}`;
  const toWrong = targetProblem(to);
  if (toWrong !== undefined) return `${quoted(to)} ${toWrong}`;
  const status = parseStatus(statusText);
  if (status === undefined)
    return `${quoted(statusText ?? '')} is no status of a rule; ${STATUS_MEND}`;
  if (isRewrite(status.code) && !to.startsWith('/'))
    return `${quoted(to)} is another site, which is not fetched from here; write a path, or a redirect such as 302`;
  const force = status.force || (isExact(from) && !isRewrite(status.code));
  return { line, from, query, to, status: status.code, force };
}

/** `/a /b#part` has a fragment, `/a /b # why` a comment. */
function withoutComment(tokens: readonly string[]): readonly string[] {
  const at = tokens.findIndex((token) => token.startsWith('#'));
  return at < 0 ? tokens : tokens.slice(0, at);
}

/** The other answers are redirects. */
export function isRewrite(status: number): boolean {
  return status === 200 || status === 404;
}

const STATUSES: ReadonlySet<number> = new Set([200, 301, 302, 303, 307, 308, 404]);
const STATUS_MEND = 'write 200, 301, 302, 303, 307, 308 or 404';
/** Cloudflare's, for Netlify's 301 is remembered by browsers for good. */
const STATUS_DEFAULT = 302;

function parseStatus(
  text: string | undefined,
): { readonly code: number; readonly force: boolean } | undefined {
  if (text === undefined) return { code: STATUS_DEFAULT, force: false };
  const match = /^(?<code>\d{3})(?<force>!?)$/u.exec(text)?.groups;
  const code = Number(match?.['code']);
  return STATUSES.has(code) ? { code, force: match?.['force'] === '!' } : undefined;
}

function fromProblem(from: string): string | undefined {
  const url = /^https?:\/\/(?<host>[^/]*)(?<path>.*)$/isu.exec(from)?.groups;
  if (url === undefined) return patternProblem(from);
  const { host = '', path = '' } = url;
  if (!/^[a-z0-9.-]+$/iu.test(host))
    return 'must name a host without port, e.g. https://example.com/old';
  return path === '' ? undefined : patternProblem(path);
}

function parseQuery(tokens: readonly string[]): readonly QueryCondition[] | string {
  if (tokens.length > QUERY_CONDITIONS_MAX)
    return `has more than ${QUERY_CONDITIONS_MAX} query parameters; remove some`;
  const query: QueryCondition[] = [];
  for (const token of tokens) {
    const match = /^(?<name>[^=]+)=(?<value>.+)$/u.exec(token)?.groups;
    const { name, value } = match ?? {};
    if (name === undefined || value === undefined)
      return `${quoted(token)} is neither a path nor a query parameter; write name=value, or a path that begins with "/"`;
    if (query.some((each) => each.name === name))
      return `has the query parameter ${quoted(name)} twice; remove one of them`;
    query.push({ name, value });
  }
  return query.toSorted((one, other) => (one.name < other.name ? -1 : 1));
}
