import type { LineKind } from '../../engine/trace.ts';
import { colorOf, type Palette } from './palette.ts';
import type { Run } from './run.ts';
import type { View } from './view.ts';

/** Drawn over the others, and never missed. */
const LOUD: readonly LineKind[] = ['fault', 'crashes', 'pauses', 'violation'];
/** So many lines at one place fill the whole width. */
const FULL_LINES = 12;

/** The whole run at a glance: how much happens where, what is loud, and what is on the screen. */
export function paintMinimap(
  context: CanvasRenderingContext2D,
  {
    run,
    view,
    palette,
    widthPx,
    heightPx,
    topPx,
    seenPx,
  }: {
    readonly run: Run;
    readonly view: View;
    readonly palette: Palette;
    readonly widthPx: number;
    readonly heightPx: number;
    readonly topPx: number;
    readonly seenPx: number;
  },
): void {
  const { layout } = view;
  const scale = heightPx / Math.max(1, layout.heightPx);
  context.fillStyle = palette.stripe;
  context.fillRect(0, 0, widthPx, heightPx);
  const counts = new Uint16Array(Math.ceil(heightPx) + 1);
  for (const y of layout.y)
    counts[Math.floor(y * scale)] = (counts[Math.floor(y * scale)] ?? 0) + 1;
  context.fillStyle = palette.line;
  for (const [at, count] of counts.entries())
    context.fillRect(0, at, widthPx * Math.min(1, count / FULL_LINES), 1);
  for (const [row, number] of layout.numbers.entries()) {
    const line = run.lines[number];
    if (line === undefined || !LOUD.includes(line.kind)) continue;
    context.fillStyle = colorOf(palette, line);
    const y = Math.floor((layout.y[row] ?? 0) * scale);
    const isViolation = line.kind === 'violation';
    context.fillRect(
      0,
      y - (isViolation ? 1 : 0),
      widthPx * (isViolation ? 1 : 0.6),
      isViolation ? 4 : 1,
    );
  }
  context.strokeStyle = palette.text;
  context.lineWidth = 1;
  context.strokeRect(0.5, topPx * scale + 0.5, widthPx - 1, Math.max(6, seenPx * scale));
}
