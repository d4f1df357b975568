/** Where things are across the page, in pixels. */
export interface Geometry {
  readonly widthPx: number;
  /** Of a character of the words: their font is monospaced. */
  readonly characterPx: number;
  /** Right of the times. */
  readonly lanesPx: number;
  readonly lanePx: number;
  /** Where words begin; undefined: rows are too low for words. */
  readonly wordsPx: number | undefined;
  /** Names of lanes stand upright where lanes are narrow. */
  readonly names: 'across' | 'upright';
}

export const TIME_PX = 92;
const LANE_PX = { min: 11, max: 84 };
const LANES_SHARE_MAX = 0.42;
const WORDS_GAP_PX = 10;
/** Lower rows hold no words. */
export const WORDS_ROW_PX_MIN = 11;
const NAME_ACROSS_PX_MIN = 58;

export function geometryOf({
  widthPx,
  characterPx,
  lanes,
  rowPx,
}: {
  readonly widthPx: number;
  readonly characterPx: number;
  readonly lanes: number;
  readonly rowPx: number;
}): Geometry {
  const hasWords = rowPx >= WORDS_ROW_PX_MIN;
  const room = hasWords ? widthPx * LANES_SHARE_MAX - TIME_PX : widthPx - TIME_PX - WORDS_GAP_PX;
  const fitting = room / Math.max(1, lanes);
  const lanePx = Math.max(LANE_PX.min, hasWords ? Math.min(LANE_PX.max, fitting) : fitting);
  return {
    ...{ widthPx, characterPx, lanesPx: TIME_PX, lanePx },
    wordsPx: hasWords ? TIME_PX + lanes * lanePx + WORDS_GAP_PX : undefined,
    names: lanePx >= NAME_ACROSS_PX_MIN ? 'across' : 'upright',
  };
}

/** The middle of a lane. */
export function laneX({ lanesPx, lanePx }: Geometry, lane: number): number {
  return lanesPx + (lane + 0.5) * lanePx;
}
