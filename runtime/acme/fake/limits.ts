import type { Clock } from '../../clock.ts';
import type { AcmeLimit } from '../limits.ts';

/** Buckets that fill again, by name: how Let's Encrypt counts. */
export interface Buckets {
  /** Takes one. The time until there is one again, when there is none now; nothing is taken then. */
  take(name: string, limit: AcmeLimit): number | undefined;
  /** The same, and takes nothing. */
  waitMs(name: string, limit: AcmeLimit): number | undefined;
  /** Full again. */
  refill(name: string): void;
}

export function createBuckets(clock: Clock): Buckets {
  /** When each will be full again. */
  const fullMs = new Map<string, number>();

  function waitMs(name: string, { capacity, refillMs }: AcmeLimit): number | undefined {
    const missingMs = Math.max(0, (fullMs.get(name) ?? 0) - clock.nowMs());
    const overMs = missingMs + refillMs - capacity * refillMs;
    return overMs > 0 ? overMs : undefined;
  }

  return {
    waitMs,
    refill: (name) => void fullMs.delete(name),
    take(name, limit) {
      const wait = waitMs(name, limit);
      if (wait !== undefined) return wait;
      const sinceMs = Math.max(clock.nowMs(), fullMs.get(name) ?? 0);
      fullMs.set(name, sinceMs + limit.refillMs);
      return undefined;
    },
  };
}
