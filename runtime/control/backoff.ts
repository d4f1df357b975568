import type { Random } from '../random.ts';

export interface BackoffLimits {
  readonly baseMs: number;
  readonly capMs: number;
}

/**
 * How long to wait after the nth failure in a row (1 is the first), in milliseconds: anywhere in the
 * later half of an exponentially growing window, so that many callers that failed together do not
 * return together.
 */
export function backoffMs(failures: number, limits: BackoffLimits, random: Random): number {
  const windowMs = Math.min(limits.capMs, limits.baseMs * 2 ** Math.min(failures - 1, 30));
  return Math.round(windowMs * (0.5 + random.next() / 2));
}
