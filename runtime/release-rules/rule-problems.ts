/** A line that was skipped, and what to do about it. */
export interface RuleProblem {
  /** From 1. */
  readonly line: number;
  /** For a person; shows no value of a header. */
  readonly message: string;
}

/** Lines that are told of, of one file. */
const SHOWN_MAX = 2;
const SHOWN_LENGTH_MAX = 60;

/** `_redirects:3: …; _redirects:7: … and 2 more lines`; undefined: nothing was skipped. */
export function describeProblems(
  file: string,
  problems: readonly RuleProblem[],
): string | undefined {
  if (problems.length === 0) return undefined;
  const shown = problems
    .slice(0, SHOWN_MAX)
    .map(({ line, message }) => `${file}:${line}: ${message}`);
  const more = problems.length - shown.length;
  return shown.join('; ') + (more > 0 ? `; and ${more} more in ${file}` : '');
}

/** Text of a file as a message may show it: short and of one line. */
export function quoted(text: string): string {
  // Neither what moves a terminal's cursor nor what turns text around.
  const printable = text.toWellFormed().replace(/[^ \p{L}\p{M}\p{N}\p{P}\p{S}]/gu, '?');
  const cut =
    printable.length > SHOWN_LENGTH_MAX ? `${printable.slice(0, SHOWN_LENGTH_MAX)}…` : printable;
  return `"${cut.toWellFormed()}"`;
}

/** The lines of a text file that say something, trimmed, with their numbers from 1. */
export function* linesOf(text: string): Generator<readonly [line: number, text: string]> {
  let line = 0;
  for (const raw of text.replace(/^\ufeff/u, '').split('\n')) {
    line += 1;
    const trimmed = raw.trim();
    if (trimmed !== '' && !trimmed.startsWith('#')) yield [line, trimmed];
  }
}
