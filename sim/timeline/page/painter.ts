import type { TraceLine } from '../../engine/trace.ts';
import { clockOf, markOf } from '../words.ts';
import { drawDot } from './dots.ts';
import { type Geometry, laneX, TIME_PX } from './geometry.ts';
import { pxOfLine, rowAtPx } from './layout.ts';
import { colorOf, type Palette } from './palette.ts';
import type { Run } from './run.ts';
import { type Choice, RELATION, type View } from './view.ts';

/** All that a picture is made of. */
export interface Picture {
  readonly run: Run;
  readonly view: View;
  readonly choice: Choice;
  readonly geometry: Geometry;
  readonly palette: Palette;
  /** By line; see `RELATION`. */
  readonly relations: Uint8Array;
  readonly hovered: number | undefined;
  /** What of the whole is to be seen. */
  readonly topPx: number;
  readonly heightPx: number;
}

type Context = CanvasRenderingContext2D;

export const FONT = '12px ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace';
const DIM_ALPHA = 0.5;
const EDGE_ALPHA = 0.45;
/** Words that would stand closer are left out. */
const WORDS_PX_MIN = 13;
/** Where there are no words, times stand so far apart. */
const TIMES_PX = 34;

/** Draws what can be seen: so many lines as fit, however many there are. */
export function paint(context: Context, picture: Picture): void {
  const { view, topPx, heightPx, geometry, palette } = picture;
  context.fillStyle = palette.background;
  context.fillRect(0, 0, geometry.widthPx, heightPx);
  const first = Math.max(0, rowAtPx(view.layout, topPx) - 1);
  const last = Math.min(view.layout.numbers.length - 1, rowAtPx(view.layout, topPx + heightPx));
  context.save();
  context.translate(0, -topPx);
  paintBackgrounds(context, picture, { first, last });
  paintLanes(context, picture);
  paintGaps(context, picture, { first, last });
  paintEdges(context, picture, { first, last });
  paintCauses(context, picture);
  paintRows(context, picture, { first, last });
  context.restore();
}

interface Rows {
  readonly first: number;
  readonly last: number;
}

function paintBackgrounds(context: Context, picture: Picture, { first, last }: Rows): void {
  const { view, geometry, palette, relations, hovered, choice } = picture;
  const heightPx = choice.spacing === 'even' ? choice.rowPx : WORDS_PX_MIN;
  const band = (y: number, color: string): void => {
    context.fillStyle = color;
    context.fillRect(0, y - heightPx / 2, geometry.widthPx, heightPx);
  };
  for (let row = first; row <= last; row += 1) {
    const number = view.layout.numbers[row] ?? 0;
    const y = view.layout.y[row] ?? 0;
    if (relations[number] === RELATION.past) band(y, palette.past);
    if (relations[number] === RELATION.future) band(y, palette.future);
    if (number === hovered) band(y, palette.hover);
  }
  // Over what stands at the same moment.
  if (choice.selected !== undefined) band(pxOfLine(view.layout, choice.selected), palette.selected);
}

/** A thread for each host; what is wrong with it lies behind it. */
function paintLanes(context: Context, picture: Picture): void {
  const { run, view, geometry, palette, topPx, heightPx } = picture;
  const bottomPx = topPx + heightPx;
  context.lineWidth = 1;
  context.strokeStyle = palette.line;
  context.beginPath();
  for (const lane of run.hosts.keys()) {
    const x = Math.round(laneX(geometry, lane)) + 0.5;
    context.moveTo(x, topPx);
    context.lineTo(x, bottomPx);
  }
  context.stroke();
  const widthPx = Math.min(12, geometry.lanePx * 0.55);
  const colors = { down: palette.down, paused: palette.paused, 'cut off': palette.cutOff };
  for (const { lane, state, from, to } of run.states) {
    const fromPx = Math.max(topPx, pxOfLine(view.layout, from));
    const toPx = Math.min(bottomPx, pxOfLine(view.layout, to));
    if (toPx <= fromPx) continue;
    context.fillStyle = colors[state];
    context.fillRect(laneX(geometry, lane) - widthPx / 2, fromPx, widthPx, toPx - fromPx);
  }
}

function paintGaps(context: Context, picture: Picture, { first, last }: Rows): void {
  const { view, palette, geometry, choice } = picture;
  context.font = FONT;
  context.textBaseline = 'middle';
  context.textAlign = 'right';
  context.setLineDash([2, 4]);
  context.strokeStyle = palette.line;
  context.fillStyle = palette.faint;
  for (let row = first; row <= last + 1; row += 1) {
    const pauseMs = view.layout.gaps.get(row);
    if (pauseMs === undefined) continue;
    const [above, below] = [view.layout.y[row - 1] ?? 0, view.layout.y[row] ?? 0];
    const y = Math.round((above + below) / 2) + 0.5;
    if (below - above < choice.rowPx + 12) continue;
    context.beginPath();
    context.moveTo(TIME_PX, y);
    context.lineTo(geometry.wordsPx ?? geometry.widthPx, y);
    context.stroke();
    context.fillText(`+${(pauseMs / 1000).toFixed(pauseMs < 10_000 ? 1 : 0)} s`, TIME_PX - 12, y);
  }
  context.setLineDash([]);
}

function paintEdges(context: Context, picture: Picture, { first, last }: Rows): void {
  const { run, view, palette, relations, choice } = picture;
  for (const { fromRow, toRow } of view.edges.between(first, last)) {
    const [from, to] = [view.layout.numbers[fromRow] ?? 0, view.layout.numbers[toRow] ?? 0];
    const line = run.lines[to];
    if (line === undefined) continue;
    const isRelated = relations[from] !== RELATION.none && relations[to] === relations[from];
    const isDim = choice.selected !== undefined && !isRelated;
    context.globalAlpha = isDim ? EDGE_ALPHA * DIM_ALPHA : EDGE_ALPHA;
    context.strokeStyle = colorOf(palette, line);
    context.lineWidth = 1.2;
    paintArrow(context, picture, { from, to });
  }
  context.globalAlpha = 1;
}

/** The selected line's own causes and effects, whether they are messages or not. */
function paintCauses(context: Context, picture: Picture): void {
  const { run, palette, choice } = picture;
  const { selected } = choice;
  if (selected === undefined) return;
  context.lineWidth = 2;
  context.strokeStyle = palette.kinds.sends;
  for (const from of run.graph.before[selected] ?? [])
    if (run.lanes[from] !== run.lanes[selected])
      paintArrow(context, picture, { from, to: selected });
  context.strokeStyle = palette.kinds.fault;
  for (const to of run.graph.after[selected] ?? [])
    if (run.lanes[to] !== run.lanes[selected]) paintArrow(context, picture, { from: selected, to });
}

function paintArrow(
  context: Context,
  { run, view, geometry, topPx, heightPx }: Picture,
  { from, to }: { readonly from: number; readonly to: number },
): void {
  const [fromY, toY] = [pxOfLine(view.layout, from), pxOfLine(view.layout, to)];
  if (toY < topPx || fromY > topPx + heightPx) return;
  const fromX = laneX(geometry, run.lanes[from] ?? 0);
  const toX = laneX(geometry, run.lanes[to] ?? 0);
  context.beginPath();
  context.moveTo(fromX, fromY);
  context.lineTo(toX, toY);
  const angle = Math.atan2(toY - fromY, toX - fromX);
  const [tipX, tipY] = [toX - 5 * Math.cos(angle), toY - 5 * Math.sin(angle)];
  for (const turn of [-0.4, 0.4]) {
    context.moveTo(tipX, tipY);
    context.lineTo(tipX - 6 * Math.cos(angle + turn), tipY - 6 * Math.sin(angle + turn));
  }
  context.stroke();
}

function paintRows(context: Context, picture: Picture, { first, last }: Rows): void {
  const { run, view, palette, relations, choice, geometry } = picture;
  const radius = Math.max(1.7, Math.min(4.5, choice.spacing === 'even' ? choice.rowPx / 4 : 4));
  const selectedPx =
    choice.selected === undefined ? -Infinity : pxOfLine(view.layout, choice.selected);
  let wordsPx = -Infinity;
  for (let row = first; row <= last; row += 1) {
    const number = view.layout.numbers[row] ?? 0;
    const line = run.lines[number];
    if (line === undefined) continue;
    const y = view.layout.y[row] ?? 0;
    const isHeldBack =
      choice.spacing === 'time' &&
      number !== choice.selected &&
      Math.abs(y - selectedPx) < WORDS_PX_MIN;
    const isDim = choice.selected !== undefined && relations[number] === RELATION.none;
    context.globalAlpha = isDim ? DIM_ALPHA : 1;
    const [x, color] = [laneX(geometry, run.lanes[number] ?? 0), colorOf(palette, line)];
    drawDot(context, line.kind, { x, y, radius, color, background: palette.background });
    if (isHeldBack || y - wordsPx < (geometry.wordsPx === undefined ? TIMES_PX : WORDS_PX_MIN))
      continue;
    wordsPx = y;
    context.globalAlpha = isDim ? DIM_ALPHA : 1;
    if (geometry.wordsPx === undefined) paintTime(context, picture, { line, y });
    else paintWords(context, picture, { number, y });
  }
  context.globalAlpha = 1;
}

function paintTime(
  context: Context,
  { palette, geometry: { characterPx } }: Picture,
  { line, y }: { readonly line: TraceLine; readonly y: number },
): void {
  context.font = FONT;
  context.textBaseline = 'middle';
  context.textAlign = 'left';
  const [seconds = '', tick] = clockOf(line).split('·');
  context.fillStyle = palette.dim;
  context.fillText(seconds.padStart(8), 8, y);
  context.fillStyle = palette.faint;
  if (tick !== undefined) context.fillText(`·${tick}`, 8 + 8 * characterPx, y);
}

function paintWords(
  context: Context,
  picture: Picture,
  { number, y }: { readonly number: number; readonly y: number },
): void {
  const { run, palette, geometry } = picture;
  const line = run.lines[number];
  if (line === undefined || geometry.wordsPx === undefined) return;
  const { characterPx } = geometry;
  paintTime(context, picture, { line, y });
  const host = `${line.host.padEnd(run.hostLength)} `;
  context.fillText(host, geometry.wordsPx, y);
  const markPx = geometry.wordsPx + host.length * characterPx;
  context.fillStyle = colorOf(palette, line);
  context.fillText(markOf(line), markPx, y);
  const isStrong = line.kind !== 'decides' || line.level !== 'info';
  context.fillStyle = isStrong && line.kind !== 'serves' ? palette.text : palette.dim;
  if (line.kind === 'violation' || line.level === 'error') context.fillStyle = palette.error;
  const fitting = Math.ceil((geometry.widthPx - markPx) / characterPx);
  const words = run.words[number] ?? '';
  context.fillText(words.slice(0, Math.max(0, fitting)), markPx + 2 * characterPx, y);
}
