import type { LineKind, TraceLine } from '../engine/trace.ts';
import { type Item, type Selection, select } from './select.ts';
import { alignClock, markOf, wordsOfAll } from './words.ts';

export interface TextOptions extends Selection {
  /** Longer lines are cut, with an ellipsis. Left out: never. */
  readonly columnsMax?: number | undefined;
  /** `ansi`: for a terminal. Left out: `none`. */
  readonly color?: 'none' | 'ansi' | undefined;
}

/** So many lines before a violation are marked: look there first. */
const MARKED_LINES = 12;
const HOST_WIDTH_MIN = 6;

/**
 * What happened, one line each: time (virtual seconds, with the tick of the hybrid logical clock),
 * host, sign of the kind, words. Noise is folded into lines that count it. Ends with a newline.
 */
export function renderText(lines: readonly TraceLine[], options: TextOptions = {}): string {
  const items = select(lines, options);
  const shown = items.flatMap((item) => (item.kind === 'line' ? (lines[item.number] ?? []) : []));
  const clockWidth = Math.max(0, ...shown.map((line) => alignClock(line).length));
  const hostWidth = Math.max(HOST_WIDTH_MIN, ...shown.map(({ host }) => host.length));
  const words = wordsOfAll(lines);
  const marked = markedOf(items, lines);
  const rows = items.map((item) => {
    if (item.kind === 'fold')
      return paint(options, 'fold', cut(foldWords(item, clockWidth), options.columnsMax));
    const line = lines[item.number];
    if (line === undefined) return '';
    const gutter = line.kind === 'violation' ? '█' : marked.has(item.number) ? '▌' : ' ';
    const head = `${gutter}${alignClock(line).padEnd(clockWidth)} ${line.host.padEnd(hostWidth)}`;
    const row = cut(`${head} ${markOf(line)} ${words[item.number]}`, options.columnsMax);
    return paint(options, line, row, head.length);
  });
  return rows.map((row) => `${row}\n`).join('');
}

function foldWords({ counts }: Extract<Item, { kind: 'fold' }>, clockWidth: number): string {
  const words = [...counts].map(([noise, count]) =>
    count === 1
      ? `1 ${noise.replace(/(heartbeat|report|answer|line)s/, '$1')}`
      : `${count} ${noise}`,
  );
  return `${' '.repeat(clockWidth + 2)}… ${words.join(', ')}`;
}

/** The last lines that are shown before the violation. */
function markedOf(items: readonly Item[], lines: readonly TraceLine[]): ReadonlySet<number> {
  const numbers = items.flatMap((item) => (item.kind === 'line' ? item.number : []));
  const at = numbers.findIndex((number) => lines[number]?.kind === 'violation');
  return new Set(at < 0 ? [] : numbers.slice(Math.max(0, at - MARKED_LINES), at));
}

function cut(row: string, columnsMax = Infinity): string {
  const oneLine = row.replaceAll('\n', ' ⏎ ').trimEnd();
  return oneLine.length > columnsMax ? `${oneLine.slice(0, columnsMax - 1)}…` : oneLine;
}

/** Select graphic rendition parameters (ECMA-48 §8.3.117). */
const COLORS: Readonly<Record<LineKind, string>> = {
  ...{ starts: '32', wakes: '32', crashes: '1;31', pauses: '33', fault: '33' },
  ...{ sends: '36', receives: '36', commits: '35', applies: '1;34', watches: '2;35', serves: '34' },
  ...{ decides: '', user: '1', world: '1', violation: '1;41;97' },
};
const DIM = '2';

function paint(
  { color = 'none' }: TextOptions,
  what: TraceLine | 'fold',
  row: string,
  headLength = 0,
): string {
  if (color === 'none') return row;
  if (what === 'fold') return sgr(DIM, row);
  const { kind, level } = what;
  if (kind === 'violation') return sgr(COLORS.violation, row);
  const body = level === 'error' ? '1;31' : level === 'warn' ? '33' : COLORS[kind];
  return `${sgr(DIM, row.slice(0, headLength))}${sgr(body, row.slice(headLength))}`;
}

function sgr(parameters: string, text: string): string {
  return parameters === '' ? text : `\u001b[${parameters}m${text}\u001b[0m`;
}
