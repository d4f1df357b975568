import type { Clock } from '../runtime/clock.ts';

/**
 * The pieces of a stream, or an error once nothing has come for `ms`; what hangs then is left
 * behind. One timer for the whole stream: most are over long before it is due.
 */
export async function* watched(
  pieces: AsyncIterable<Uint8Array>,
  options: {
    readonly clock: Clock;
    readonly ms: number;
    readonly signal: AbortSignal;
    /** The message of the error, such as "fetch …: not a byte". */
    readonly late: string;
  },
): AsyncGenerator<Uint8Array> {
  const { clock, ms, signal, late } = options;
  const over = new AbortController();
  const state: Waiting = { sinceMs: clock.monotonicMs(), fail: () => undefined };
  const fail = (): void => state.fail(signal.reason);
  signal.addEventListener('abort', fail, { once: true });
  const error = (): Error => new Error(`${late} within ${ms} ms`);
  watch({ clock, ms, signal: over.signal }, state, error).catch(() => undefined);
  const iterator = pieces[Symbol.asyncIterator]();
  try {
    for (;;) {
      signal.throwIfAborted();
      state.sinceMs = clock.monotonicMs();
      const next = await new Promise<IteratorResult<Uint8Array>>((resolve, reject) => {
        state.fail = reject;
        iterator.next().then(resolve, reject);
      });
      // Whoever takes the piece may take its time.
      state.sinceMs = Number.POSITIVE_INFINITY;
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    over.abort(new Error('the stream is over'));
    signal.removeEventListener('abort', fail);
    void iterator.return?.().catch(() => undefined);
  }
}

interface Waiting {
  /** Since when the next piece is waited for; infinite: none is. */
  sinceMs: number;
  fail: (reason: unknown) => void;
}

async function watch(
  {
    clock,
    ms,
    signal,
  }: { readonly clock: Clock; readonly ms: number; readonly signal: AbortSignal },
  state: Waiting,
  error: () => Error,
): Promise<void> {
  for (;;) {
    const leftMs = state.sinceMs + ms - clock.monotonicMs();
    if (leftMs <= 0) return state.fail(error());
    await clock.sleep(Math.min(leftMs, ms), signal);
  }
}
