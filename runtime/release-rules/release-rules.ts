import { type FileHeaders, parseHeaders } from './headers-file.ts';
import { type FileRedirect, parseRedirects } from './redirects-file.ts';
import { describeProblems } from './rule-problems.ts';

/** Files at the root of a release that are read by the edge, and never served. */
export const REDIRECTS_FILE = '_redirects';
export const HEADERS_FILE = '_headers';

/** Of one such file; what is larger is not read at all. */
export const RULES_FILE_BYTES_MAX = 256 * 1024;

/** What a release itself says of how it is to be served. */
export interface ReleaseRules {
  readonly redirects: readonly FileRedirect[];
  readonly headers: readonly FileHeaders[];
  /** Lines that were skipped, for a person; undefined: none. */
  readonly warning: string | undefined;
}

export const NO_RULES: ReleaseRules = { redirects: [], headers: [], warning: undefined };

/** The text of a file, or only its size where it is too large; undefined: there is none. */
export type RulesText = string | { readonly sizeBytes: number } | undefined;

export function isRulesFile(path: string): boolean {
  return path === REDIRECTS_FILE || path === HEADERS_FILE;
}

/** Never throws, whatever the texts are. Takes time and memory in the order of their length. */
export function parseRules(texts: {
  readonly redirects: RulesText;
  readonly headers: RulesText;
}): ReleaseRules {
  const redirects = parseRedirects(readable(texts.redirects));
  const headers = parseHeaders(readable(texts.headers));
  const warnings = [
    tooLarge(REDIRECTS_FILE, texts.redirects),
    describeProblems(REDIRECTS_FILE, redirects.problems),
    tooLarge(HEADERS_FILE, texts.headers),
    describeProblems(HEADERS_FILE, headers.problems),
  ].filter((warning) => warning !== undefined);
  return {
    redirects: redirects.rules,
    headers: headers.blocks,
    warning: warnings.length === 0 ? undefined : warnings.join('; '),
  };
}

function readable(text: RulesText): string {
  return typeof text === 'string' ? text : '';
}

function tooLarge(file: string, text: RulesText): string | undefined {
  if (typeof text !== 'object') return undefined;
  return `${file} has ${text.sizeBytes} bytes, more than ${RULES_FILE_BYTES_MAX / 1024} KiB, and is not read; shorten it`;
}
