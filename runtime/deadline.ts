import type { Clock } from './clock.ts';
import { scopeOf } from './scope.ts';

/**
 * What `work` gives, or an error once `ms` are over. The signal that `work` gets is aborted at the
 * deadline, when `signal` is, and when the work is done; work that ignores it is left behind.
 */
export async function withDeadline<T>(
  work: (signal: AbortSignal) => Promise<T>,
  options: {
    readonly clock: Clock;
    readonly ms: number;
    readonly signal: AbortSignal;
    /** The message of the error, such as "dial dom: no answer". */
    readonly late: string;
  },
): Promise<T> {
  const { clock, ms, signal, late } = options;
  const scope = scopeOf(signal);
  const timer = clock.sleep(ms, scope.signal).then(() => {
    throw new Error(`${late} within ${ms} ms`);
  });
  timer.catch(() => undefined);
  try {
    return await Promise.race([work(scope.signal), timer]);
  } finally {
    scope.abort(new Error(late));
  }
}
