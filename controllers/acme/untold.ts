import type { Clock } from '../../runtime/clock.ts';
import type { Outcome } from '../../runtime/control/controller.ts';
import { RETRY_AFTER_MS_MAX } from './scene.ts';

export interface UntoldWaits {
  /** Does the work on a name, unless the CA is to be left alone for now. */
  kept(name: string, work: (told: (waitMs: number) => void) => Promise<Outcome>): Promise<Outcome>;
}

/**
 * When a CA said to come back, where that could not be stored: another dom leads by now, and this
 * one does not know it yet, or the store cannot be reached. It holds here all the same (INV-30), also
 * once this dom leads again.
 */
export function untoldWaits(clock: Pick<Clock, 'monotonicMs'>): UntoldWaits {
  const untilMs = new Map<string, number>();
  return {
    async kept(name, work) {
      const leftMs = (untilMs.get(name) ?? 0) - clock.monotonicMs();
      if (leftMs > 0) return { recheckInMs: leftMs };
      let toldMs = 0;
      const told = (waitMs: number): void => {
        const within = Math.min(waitMs, RETRY_AFTER_MS_MAX);
        toldMs = Math.max(toldMs, clock.monotonicMs() + within);
      };
      let outcome: Outcome = 'conflict';
      try {
        outcome = await work(told);
      } finally {
        if (outcome === 'conflict' && toldMs > 0) untilMs.set(name, toldMs);
        else untilMs.delete(name);
      }
      const waitMs = (untilMs.get(name) ?? 0) - clock.monotonicMs();
      return waitMs > 0 ? { recheckInMs: waitMs } : outcome;
    },
  };
}
