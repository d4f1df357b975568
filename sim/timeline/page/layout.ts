import type { TraceLine } from '../../engine/trace.ts';

/** Where each shown line is: rows are numbered from the top. */
export interface Layout {
  /** By row: the number of its line; ascending. */
  readonly numbers: readonly number[];
  /** By row: its middle, in pixels from the top. */
  readonly y: Float64Array;
  readonly heightPx: number;
  /** By row: virtual milliseconds since the one before; only where they make a gap. */
  readonly gaps: ReadonlyMap<number, number>;
}

/** Longer pauses make a gap… */
const GAP_MS = 250;
/** …that grows with their logarithm. */
const GAP_PX = 9;
/** Browsers draw nothing beyond some height. */
const HEIGHT_PX_MAX = 12_000_000;
const MARGIN_PX = 14;

/** Each line in a row of its own. */
export function evenLayout(
  lines: readonly TraceLine[],
  numbers: readonly number[],
  rowPx: number,
): Layout {
  const gaps = new Map<number, number>();
  const y = new Float64Array(numbers.length);
  let at = MARGIN_PX;
  for (let row = 0; row < numbers.length; row += 1) {
    const pauseMs = row === 0 ? 0 : timeOf(lines, numbers, row) - timeOf(lines, numbers, row - 1);
    if (pauseMs >= GAP_MS) {
      gaps.set(row, pauseMs);
      at += Math.min(1, rowPx / 16) * GAP_PX * (1 + Math.log2(pauseMs / GAP_MS));
    }
    y[row] = at + rowPx / 2;
    at += rowPx;
  }
  return { numbers, y, gaps, heightPx: at + MARGIN_PX };
}

/** As far apart as they are in time. */
export function timeLayout(
  lines: readonly TraceLine[],
  numbers: readonly number[],
  pxPerMs: number,
): Layout {
  const endMs = lines.at(-1)?.atMs ?? 0;
  const scale = Math.min(pxPerMs, HEIGHT_PX_MAX / Math.max(1, endMs));
  const y = Float64Array.from(
    numbers,
    (_, row) => 2 * MARGIN_PX + timeOf(lines, numbers, row) * scale,
  );
  return { numbers, y, gaps: new Map(), heightPx: endMs * scale + 4 * MARGIN_PX };
}

function timeOf(lines: readonly TraceLine[], numbers: readonly number[], row: number): number {
  return lines[numbers[row] ?? 0]?.atMs ?? 0;
}

/** The first row at or after a line. One after the last: none. */
export function rowAtLine({ numbers }: Layout, number: number): number {
  return lowerBound(numbers.length, (row) => (numbers[row] ?? 0) >= number);
}

/** The first row whose middle is at or below `px`. One after the last: none. */
export function rowAtPx({ y }: Layout, px: number): number {
  return lowerBound(y.length, (row) => (y[row] ?? 0) >= px);
}

/** Where a line is, or would be, were it shown. */
export function pxOfLine(layout: Layout, number: number): number {
  const row = rowAtLine(layout, number);
  return layout.y[row] ?? layout.heightPx;
}

function lowerBound(length: number, isReached: (index: number) => boolean): number {
  let [low, high] = [0, length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isReached(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
