import { type Geometry, laneX } from './geometry.ts';
import { FONT } from './painter.ts';
import type { Palette } from './palette.ts';
import type { Run } from './run.ts';

export const NAMES_PX = { across: 26, upright: 84 } as const;

/** The hosts' names above their lanes; those that are hidden are struck out. */
export function paintNames(
  context: CanvasRenderingContext2D,
  {
    run,
    geometry,
    palette,
    hidden,
    selectedLane,
  }: {
    readonly run: Run;
    readonly geometry: Geometry;
    readonly palette: Palette;
    readonly hidden: ReadonlySet<string>;
    readonly selectedLane: number | undefined;
  },
): void {
  const heightPx = NAMES_PX[geometry.names];
  context.clearRect(0, 0, geometry.widthPx, heightPx);
  context.font = FONT;
  context.textBaseline = 'middle';
  for (const [lane, host] of run.hosts.entries()) {
    const isHidden = hidden.has(host);
    context.fillStyle = isHidden
      ? palette.faint
      : lane === selectedLane
        ? palette.kinds.sends
        : palette.text;
    context.save();
    context.translate(
      laneX(geometry, lane),
      geometry.names === 'across' ? heightPx / 2 : heightPx - 6,
    );
    if (geometry.names === 'upright') context.rotate(-Math.PI / 3);
    context.textAlign = geometry.names === 'across' ? 'center' : 'left';
    const text = clip(context, host, geometry.names === 'across' ? geometry.lanePx - 6 : heightPx);
    context.fillText(text, 0, 0);
    if (isHidden) {
      const { width } = context.measureText(text);
      context.fillRect(geometry.names === 'across' ? -width / 2 : 0, 0, width, 1);
    }
    context.restore();
  }
}

function clip(context: CanvasRenderingContext2D, text: string, widthPx: number): string {
  if (context.measureText(text).width <= widthPx) return text;
  let end = text.length;
  while (end > 1 && context.measureText(`${text.slice(0, end)}…`).width > widthPx) end -= 1;
  return `${text.slice(0, end)}…`;
}
