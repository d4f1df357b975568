import type { Run } from './run.ts';

/** Whether a line, by its number, is wanted. */
export type Filter = (number: number) => boolean;

/**
 * Words that must all be there; `-word`: must not; `/…/`: as a regular expression; `host:a,b` and
 * `kind:x,y` narrow to those. All in any case.
 */
export function parseFilter(text: string, run: Run): Filter {
  const filters = text
    .trim()
    .split(/\s+/)
    .filter((word) => word !== '')
    .map((word) => parseWord(word, run));
  return (number) => filters.every((filter) => filter(number));
}

function parseWord(word: string, run: Run): Filter {
  if (word.length > 1 && word.startsWith('-')) {
    const filter = parseWord(word.slice(1), run);
    return (number) => !filter(number);
  }
  const [, name, list = ''] = /^(host|kind):(.*)$/.exec(word) ?? [];
  const names = list.split(',').filter((each) => each !== '');
  if (name === 'host')
    return (number) => names.some((each) => run.lines[number]?.host.startsWith(each) === true);
  if (name === 'kind')
    return (number) => names.some((each) => run.lines[number]?.kind.startsWith(each) === true);
  const pattern = parsePattern(word);
  if (pattern !== undefined) return (number) => pattern.test(textOf(run, number));
  const lower = word.toLowerCase();
  return (number) => textOf(run, number).includes(lower);
}

function parsePattern(word: string): RegExp | undefined {
  const [, source] = /^\/(.+)\/$/.exec(word) ?? [];
  if (source === undefined) return undefined;
  try {
    return new RegExp(source, 'i');
  } catch {
    // Half typed.
    return undefined;
  }
}

/** Lower case; made when it is first looked for. */
function textOf(run: Run, number: number): string {
  const { texts, lines } = run;
  const line = lines[number];
  texts[number] ??= [line?.host, line?.kind, run.words[number], JSON.stringify(line?.fields ?? '')]
    .join(' ')
    .toLowerCase();
  return texts[number];
}
