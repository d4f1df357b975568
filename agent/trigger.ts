import type { Clock } from '../runtime/clock.ts';
import { scopeOf } from '../runtime/scope.ts';

/**
 * Wakes one loop when something changed; what changed, the loop reads for itself.
 *
 * Guarantees: a `raise` before or during the loop's work is never lost; many count as one.
 */
export interface Trigger {
  raise(): void;
  /** Resolves once raised since the last time it resolved; rejects with the signal's reason. */
  wait(signal: AbortSignal): Promise<void>;
}

export function createTrigger(): Trigger {
  let raised = false;
  let wake = (): void => undefined;
  return {
    raise: () => {
      raised = true;
      wake();
    },
    wait: async (signal) => {
      if (!raised)
        await raisedOrAborted(signal, (resolve) => {
          wake = resolve;
        });
      signal.throwIfAborted();
      raised = false;
    },
  };
}

function raisedOrAborted(
  signal: AbortSignal,
  onWake: (resolve: () => void) => void,
): Promise<void> {
  return new Promise((resolve) => {
    const finish = (): void => {
      signal.removeEventListener('abort', finish);
      resolve();
    };
    onWake(finish);
    if (signal.aborted) finish();
    else signal.addEventListener('abort', finish, { once: true });
  });
}

/** Resolves once the trigger is raised or `ms` are over; rejects with the signal's reason. */
export async function raisedWithin(
  trigger: Trigger,
  options: { readonly clock: Clock; readonly ms: number; readonly signal: AbortSignal },
): Promise<void> {
  const { clock, ms, signal } = options;
  const scope = scopeOf(signal);
  const waits = [trigger.wait(scope.signal)];
  if (ms !== Number.POSITIVE_INFINITY) waits.push(clock.sleep(ms, scope.signal));
  try {
    await Promise.race(waits);
  } finally {
    scope.end();
    await Promise.allSettled(waits);
  }
}
