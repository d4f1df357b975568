import type { LineKind } from '../../engine/trace.ts';

export interface Dot {
  readonly x: number;
  readonly y: number;
  /** In pixels. */
  readonly radius: number;
  readonly color: string;
  readonly background: string;
}

/** Draws the sign of a kind: what happens to processes has shapes that catch the eye. */
export function drawDot(context: CanvasRenderingContext2D, kind: LineKind, dot: Dot): void {
  const { color, background, radius } = dot;
  context.fillStyle = color;
  context.strokeStyle = color;
  context.lineWidth = Math.max(1, radius / 3);
  if (radius < 2.5) return fillCircle(context, dot);
  switch (kind) {
    case 'crashes':
      return drawCross(context, dot);
    case 'starts':
    case 'wakes':
      return fillPolygon(context, dot, [
        [0, -1.2],
        [1.1, 0.9],
        [-1.1, 0.9],
      ]);
    case 'pauses':
      fillPolygon(context, dot, [
        [-0.9, -1],
        [-0.3, -1],
        [-0.3, 1],
        [-0.9, 1],
      ]);
      return fillPolygon(context, dot, [
        [0.3, -1],
        [0.9, -1],
        [0.9, 1],
        [0.3, 1],
      ]);
    case 'commits':
    case 'applies':
      return fillPolygon(context, dot, [
        [-0.9, -0.9],
        [0.9, -0.9],
        [0.9, 0.9],
        [-0.9, 0.9],
      ]);
    case 'fault':
      return fillPolygon(context, dot, [
        [0, -1.3],
        [1.1, 0],
        [0, 1.3],
        [-1.1, 0],
      ]);
    case 'violation':
      fillCircle(context, { ...dot, radius: radius * 1.5 });
      return drawCross(context, { ...dot, radius: radius * 0.8, color: background });
    case 'watches':
    case 'receives':
      fillCircle(context, { ...dot, color: background });
      context.stroke();
      return;
    case 'serves':
      return fillCircle(context, { ...dot, radius: radius * 0.65 });
    case 'sends':
    case 'decides':
    case 'user':
    case 'world':
      return fillCircle(context, dot);
  }
}

function fillCircle(context: CanvasRenderingContext2D, { x, y, radius, color }: Dot): void {
  context.beginPath();
  context.arc(x, y, Math.max(0.8, radius * 0.9), 0, 2 * Math.PI);
  context.fillStyle = color;
  context.fill();
}

function drawCross(context: CanvasRenderingContext2D, { x, y, radius, color }: Dot): void {
  context.strokeStyle = color;
  context.lineWidth = Math.max(1.5, radius / 2);
  context.beginPath();
  context.moveTo(x - radius, y - radius);
  context.lineTo(x + radius, y + radius);
  context.moveTo(x + radius, y - radius);
  context.lineTo(x - radius, y + radius);
  context.stroke();
}

/** Corners in radii from the middle. */
function fillPolygon(
  context: CanvasRenderingContext2D,
  { x, y, radius }: Dot,
  corners: readonly (readonly [number, number])[],
): void {
  context.beginPath();
  for (const [right, down] of corners) context.lineTo(x + right * radius, y + down * radius);
  context.fill();
}
