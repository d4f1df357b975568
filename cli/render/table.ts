import { NONE } from '../../api/column.ts';
import { printable } from '../../runtime/printable.ts';
import type { Terminal } from '../../runtime/terminal.ts';

/** Between columns, as in kubectl. */
const GAP = '   ';

/** Narrower than this no column is made. */
const FITTED_MIN = 8;

/** A last column that goes on below is as wide as this, while others can be cut instead. */
const WRAPPED_MIN = 32;

/** So that each object can be named as it stands there. */
const WHOLE: ReadonlySet<string> = new Set([
  ...['NAME', 'NAMESPACE', 'REVISION', 'ID', 'NODE', 'SITE', 'NAMESERVER', 'CURRENT'],
]);

/** After names, what is left out last where the terminal is too narrow for all columns. */
const NEEDED: ReadonlySet<string> = new Set([
  ...['READY', 'STATUS', 'STATE', 'LAST-ERROR', 'MESSAGE', 'CHANGE', 'USER', 'COMMAND'],
]);

export interface TableOptions {
  readonly header?: readonly string[];
  /** `hidden`: `header` says what the columns are, and is not printed. */
  readonly headerLine?: 'hidden';
  /** At least this wide: to go on with a table that was printed before. */
  readonly widths?: readonly number[];
  /** As wide as the terminal; left out: as wide as it gets. */
  readonly columns?: number;
  /** What becomes of a last column that does not fit: it goes on below, or is cut as others are. */
  readonly last?: 'wrap' | 'cut';
}

/** As wide as the terminal, where a person reads it there; scripts get all of every cell. */
export function fitOf({
  outIsTerminal,
  columns,
}: Pick<Terminal, 'outIsTerminal' | 'columns'>): Pick<TableOptions, 'columns'> {
  return outIsTerminal ? { columns } : {};
}

/**
 * Aligned columns, each line ended: the header first, unless there is none. Cells are made safe
 * for a terminal; the last column is not padded. Where the terminal is too narrow, the widest
 * columns are cut with `…`, names never; where that is not enough, columns are left out.
 */
export function renderTable(
  rows: readonly (readonly string[])[],
  options: TableOptions = {},
): string {
  const { columns = Number.POSITIVE_INFINITY, last = 'cut', header = [] } = options;
  const shown = options.header === undefined || options.headerLine === 'hidden' ? [] : [header];
  const whole = [...shown, ...rows].map((row) => row.map(printable));
  const allWidths = columnWidths(whole, options.widths);
  const kept = keptColumns(rows, { header, columns, natural: allWidths });
  const safe = whole.map((row) => pick(row, kept));
  const natural = pick(allWidths, kept);
  const widths = fittedWidths(natural, { header: pick(header, kept), columns, last });
  return safe
    .flatMap((row) => (last === 'wrap' ? wrapped(row, widths) : [row]))
    .map(
      (row) =>
        `${row
          .map((cell, column) => pad(cut(cell, widths[column]), widths[column]))
          .join(GAP)
          .trimEnd()}\n`,
    )
    .join('');
}

/**
 * Which columns a table has where not even the narrowest ones fit beside each other: those that say
 * nothing go first, from the right, then others. The first column and names stay.
 */
export function keptColumns(
  rows: readonly (readonly string[])[],
  {
    header,
    columns,
    natural,
  }: {
    readonly header: readonly string[];
    readonly columns: number;
    readonly natural: readonly number[];
  },
): readonly number[] {
  const least = natural.map((width, column) => {
    const name = header[column] ?? '';
    return WHOLE.has(name) ? width : Math.min(width, Math.max(FITTED_MIN, name.length));
  });
  const isEmpty = (column: number): boolean =>
    rows.every((row) => row[column] === NONE || row[column] === '');
  const rank = (column: number): number =>
    isEmpty(column) ? 0 : NEEDED.has(header[column] ?? '') ? 2 : 1;
  const goes = natural
    .map((_, column) => column)
    .filter((column) => column > 0 && !WHOLE.has(header[column] ?? ''))
    .toSorted((a, b) => rank(a) - rank(b) || b - a);
  let kept = natural.map((_, column) => column);
  const needs = (): number =>
    kept.reduce((sum, column) => sum + (least[column] ?? 0), GAP.length * (kept.length - 1));
  for (const column of goes) {
    const isLastWord = header[column] === 'READY';
    if (needs() <= columns || isLastWord) break;
    kept = kept.filter((each) => each !== column);
  }
  return kept;
}

function pick<Item>(items: readonly Item[], kept: readonly number[]): readonly Item[] {
  return kept.flatMap((column) => items[column] ?? []);
}

/** The widest cell of each column, in characters. */
export function columnWidths(
  rows: readonly (readonly string[])[],
  atLeast: readonly number[] = [],
): readonly number[] {
  const widths = [...atLeast];
  for (const row of rows) {
    for (const [column, cell] of row.entries()) {
      widths[column] = Math.max(widths[column] ?? 0, [...cell].length);
    }
  }
  return widths;
}

/** The same widths, the widest made narrower until all fit, or as narrow as they may be. */
function fittedWidths(
  natural: readonly number[],
  { header, columns, last }: Required<Pick<TableOptions, 'header' | 'columns' | 'last'>>,
): readonly number[] {
  const first =
    last === 'cut' ? natural : shrunk(natural, { header, columns, lastMin: WRAPPED_MIN });
  return shrunk(first, { header, columns, lastMin: FITTED_MIN });
}

function shrunk(
  natural: readonly number[],
  {
    header,
    columns,
    lastMin,
  }: { readonly header: readonly string[]; readonly columns: number; readonly lastMin: number },
): readonly number[] {
  const widths = [...natural];
  const floor = (column: number): number => {
    const name = header[column] ?? '';
    const least = column === natural.length - 1 ? lastMin : FITTED_MIN;
    return WHOLE.has(name) ? (natural[column] ?? 0) : Math.max(least, name.length);
  };
  let excess =
    widths.reduce((sum, width) => sum + width, 0) + GAP.length * (widths.length - 1) - columns;
  while (excess > 0) {
    const shrinkable = widths
      .map((width, column) => ({ width, column }))
      .filter(({ width, column }) => width > floor(column))
      .toSorted((a, b) => b.width - a.width);
    const [widest, second] = shrinkable;
    if (widest === undefined) break;
    const target = Math.max(floor(widest.column), second?.width ?? 0);
    const step = Math.max(1, Math.min(excess, widest.width - target));
    widths[widest.column] = widest.width - step;
    excess -= step;
  }
  return widths;
}

function cut(cell: string, width = 0): string {
  const letters = [...cell];
  return letters.length <= width
    ? cell
    : `${letters
        .slice(0, width - 1)
        .join('')
        .trimEnd()}…`;
}

function pad(cell: string, width = 0): string {
  return cell + ' '.repeat(Math.max(0, width - [...cell].length));
}

/** The lines of a row whose last cell is parted at words. */
function wrapped(
  row: readonly string[],
  widths: readonly number[],
): readonly (readonly string[])[] {
  const width = widths[row.length - 1] ?? 0;
  if ([...(row.at(-1) ?? '')].length <= width) return [row];
  const lines: string[] = [];
  for (const word of (row.at(-1) ?? '').split(' ').flatMap((each) => pieces(each, width))) {
    const line = lines.at(-1);
    if (line !== undefined && line.length + 1 + word.length <= width)
      lines.push(`${lines.pop()} ${word}`);
    else lines.push(word);
  }
  return lines.map((line, index) =>
    row.map((cell, column) => (column === row.length - 1 ? line : index === 0 ? cell : '')),
  );
}

/** Words that are longer than a line: nothing of an address or a name may be lost. */
function pieces(word: string, width: number): readonly string[] {
  const letters = [...word];
  if (letters.length <= width || width === 0) return [word];
  return Array.from({ length: Math.ceil(letters.length / width) }, (_, index) =>
    letters.slice(index * width, (index + 1) * width).join(''),
  );
}
