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

/** The text with control characters spelled out: what others wrote must not move our cursor. */
export function printable(text: string): string {
  return text.replaceAll(
    /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g,
    (character) => {
      const code = character.codePointAt(0) ?? 0;
      return SHORT_ESCAPES[character] ?? `\\u${code.toString(16).padStart(4, '0')}`;
    },
  );
}

const SHORT_ESCAPES: Readonly<Record<string, string>> = { '\n': '\\n', '\t': '\\t', '\r': '\\r' };

function pad(cell: string, width = 0): string {
  return cell + ' '.repeat(Math.max(0, width - [...cell].length));
}
