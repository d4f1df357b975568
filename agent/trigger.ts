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
