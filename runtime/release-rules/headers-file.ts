import { patternProblem } from '../../api/path-pattern.ts';
import { HEADER_NAME, HEADER_VALUE, isReserved } from './header-names.ts';
import { linesOf, quoted, type RuleProblem } from './rule-problems.ts';

/** One block of `_headers`: a path, and what answers for it carry. */
export interface FileHeaders {
  /** A path or URL, as `compilePattern` reads it. */
  readonly path: string;
  /** Names, in lower case, whose values of before are taken away. */
  readonly detach: readonly string[];
  /** Names in lower case; one that comes twice has both values. */
  readonly set: readonly (readonly [name: string, value: string])[];
}

export interface ParsedHeaders {
  readonly blocks: readonly FileHeaders[];
  readonly problems: readonly RuleProblem[];
}

/** Paths in one file; each of them is looked at for each request. */
export const HEADER_BLOCKS_MAX = 200;
/** Lines below one path. */
export const HEADERS_PER_BLOCK_MAX = 100;
/** As Cloudflare Pages has it. */
export const HEADER_LINE_MAX = 2000;

/**
 * Reads `_headers` as Netlify and Cloudflare Pages do: a path, below it lines of `Name: value`, or
 * `! Name` that takes away what was set before; `#` begins a comment. Never throws: lines that it
 * cannot use are skipped and told of.
 */
export function parseHeaders(text: string): ParsedHeaders {
  const blocks: { path: string; line: number; detach: string[]; set: [string, string][] }[] = [];
  const problems: RuleProblem[] = [];
  let current: (typeof blocks)[number] | undefined;
  for (const [line, content] of linesOf(text)) {
    const skip = (message: string) => problems.push({ line, message });
    if (content.length > HEADER_LINE_MAX) {
      skip(`is longer than ${HEADER_LINE_MAX} characters; shorten it`);
    } else if (content.startsWith('/') || /^https?:\/\//iu.test(content)) {
      // What follows a path that is skipped is skipped with it.
      current = { path: content, line, detach: [], set: [] };
      const wrong = pathProblem(content);
      if (wrong !== undefined) skip(`${quoted(content)} ${wrong}; its headers are skipped`);
      else if (blocks.length < HEADER_BLOCKS_MAX) blocks.push(current);
      else skip(`is beyond the ${HEADER_BLOCKS_MAX} paths that are read; remove some`);
    } else if (current === undefined) {
      skip('is below no path; write one above it, e.g. /*');
    } else if (current.detach.length + current.set.length >= HEADERS_PER_BLOCK_MAX) {
      skip(`is beyond the ${HEADERS_PER_BLOCK_MAX} headers of one path; remove some`);
    } else {
      const parsed = parseHeader(content);
      if (typeof parsed === 'string') skip(parsed);
      else if (parsed.kind === 'detach') current.detach.push(parsed.name);
      else current.set.push([parsed.name, parsed.value]);
    }
  }
  const isEmpty = ({ detach, set }: FileHeaders) => detach.length + set.length === 0;
  return {
    blocks: blocks.filter((block) => !isEmpty(block)).map(({ line: _, ...block }) => block),
    problems,
  };
}

type ParsedHeader =
  | { readonly kind: 'detach'; readonly name: string }
  | { readonly kind: 'set'; readonly name: string; readonly value: string };

/** A message never shows a value: it may be a secret. */
function parseHeader(content: string): ParsedHeader | string {
  if (content.startsWith('!')) {
    const name = content.slice(1).trim().toLowerCase();
    return nameProblem(name) ?? { kind: 'detach', name };
  }
  const colon = content.indexOf(':');
  if (colon < 0) return `is neither a path nor a header; write "Name: value"`;
  const name = content.slice(0, colon).trim().toLowerCase();
  const value = content.slice(colon + 1).trim();
  const wrong = nameProblem(name);
  if (wrong !== undefined) return wrong;
  if (value === '')
    return `${quoted(name)} has no value; write one, or "! ${quoted(name).slice(1, -1)}"`;
  if (!HEADER_VALUE.test(value))
    return `the value of ${quoted(name)} has a character that is not plain ASCII; percent-encode it`;
  return { kind: 'set', name, value };
}

function nameProblem(name: string): string | undefined {
  if (!HEADER_NAME.test(name)) return `${quoted(name)} is no name of a header; write "Name: value"`;
  if (isReserved(name)) return `${quoted(name)} is set by the edge alone; remove the line`;
  // Netlify reads passwords here. Sent as a header, they would be everybody's.
  if (name === 'basic-auth')
    return 'passwords are not read from here; remove the line, and name a Secret at spec.auth of the Site';
  return undefined;
}

function pathProblem(path: string): string | undefined {
  const url = /^(?<scheme>https?):\/\/(?<host>[^/]*)(?<path>.*)$/isu.exec(path)?.groups;
  if (url === undefined) return patternProblem(path);
  const { scheme = '', host = '', path: rest = '' } = url;
  if (scheme.toLowerCase() !== 'https') return 'must begin with https://';
  if (host.replace(/^:[A-Za-z]\w*/u, '').includes(':')) return 'must name no port';
  if (!/^(?::[A-Za-z]\w*)?[a-z0-9.*-]*$/iu.test(host) || host === '')
    return 'must name a host, e.g. https://example.com/*';
  // Host and path are matched as one: there is one "*" in both, and one of each name.
  return patternProblem(`/${host}${rest === '' ? '/' : rest}`);
}
