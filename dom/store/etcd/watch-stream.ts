import { setTimeout as sleep } from 'node:timers/promises';
import type { Etcd3, IWatchRequest, IWatchResponse } from 'etcd3';
import type { KeyRange } from './codec.ts';

export interface WatchStreamOptions extends WatchPatience {
  readonly range: KeyRange;
  readonly startRevision: bigint;
  readonly signal: AbortSignal;
}

export interface WatchPatience {
  /** A stream that is silent for this long is asked for a sign of life… */
  readonly askAfterMs: number;
  /** …and given up after this long. */
  readonly giveUpAfterMs: number;
}

/**
 * One watch RPC: creates one watch and yields every response to it.
 *
 * Reads no faster than its consumer, so that a slow one makes etcd wait rather than memory grow.
 * Errors: throws when the stream breaks or is silent for too long; ends only by `signal`.
 */
export async function* watchStream(
  client: Etcd3,
  options: WatchStreamOptions,
): AsyncGenerator<IWatchResponse, void, void> {
  const { range, startRevision, signal } = options;
  const stream: WatchDuplex = await within(client.watchClient.watch(), options);
  const abort = (): void => stream.cancel();
  signal.addEventListener('abort', abort);
  try {
    stream.write({
      create_request: {
        ...range,
        start_revision: String(startRevision),
        progress_notify: true,
        fragment: true,
      },
    });
    // etcd3's types do not say that the stream is one of Node's, which can be read with care.
    const responses = (stream as unknown as AsyncIterable<IWatchResponse>)[Symbol.asyncIterator]();
    while (!signal.aborted) {
      const { done, value } = await patiently(responses.next(), stream, options);
      if (done === true) throw new Error('etcd ended the watch stream');
      yield value;
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    signal.removeEventListener('abort', abort);
    stream.cancel();
  }
}

type WatchDuplex = Awaited<ReturnType<Etcd3['watchClient']['watch']>>;

/** Waits for the next response; asks for a progress report when there is none. */
async function patiently<T>(
  next: Promise<T>,
  stream: { readonly write: (request: IWatchRequest) => void },
  { askAfterMs, giveUpAfterMs }: WatchPatience,
): Promise<T> {
  // It fails later when the stream is given up here.
  next.catch(() => undefined);
  for (let silentMs = 0; silentMs < giveUpAfterMs; silentMs += askAfterMs) {
    const timer = new AbortController();
    const silence = sleep(askAfterMs, SILENT, { signal: timer.signal });
    silence.catch(() => undefined);
    const first = await Promise.race([next, silence]).finally(() => timer.abort());
    if (first !== SILENT) return first as T;
    stream.write({ progress_request: {} });
  }
  throw new Error(`etcd’s watch stream was silent for ${giveUpAfterMs} ms`);
}

const SILENT = Symbol('silent');

async function within<T>(promise: Promise<T>, { giveUpAfterMs }: WatchPatience): Promise<T> {
  return await patiently(
    promise,
    { write: () => undefined },
    {
      askAfterMs: giveUpAfterMs,
      giveUpAfterMs,
    },
  );
}
