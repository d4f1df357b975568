import { printable } from '../../runtime/printable.ts';

/** Between columns, as in kubectl. */
const GAP = '   ';

/**
 * Aligned columns, each line ended: the header first, unless there is none. Cells are made safe
 * for a terminal; the last column is not padded.
 */
export function renderTable(
  rows: readonly (readonly string[])[],
  options: {
    readonly header?: readonly string[];
    /** At least this wide: to go on with a table that was printed before. */
    readonly widths?: readonly number[];
  } = {},
): string {
  const header = options.header === undefined ? [] : [options.header];
  const lines = [...header, ...rows].map((row) => row.map(printable));
  const widths = columnWidths(lines, options.widths);
  return lines
    .map(
      (row) =>
        `${row
          .map((cell, column) => pad(cell, widths[column]))
          .join(GAP)
          .trimEnd()}\n`,
    )
    .join('');
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

function pad(cell: string, width = 0): string {
  return cell + ' '.repeat(Math.max(0, width - [...cell].length));
}
