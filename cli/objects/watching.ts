import type { Resource } from '../../api/object.ts';
import { type Api, ApiError, type ObjectReference } from '../../runtime/api-client.ts';
import type { Clock } from '../../runtime/clock.ts';
import { findObject } from './objects.ts';

/** How long to wait before a watch that broke is begun again. */
const REWATCH_MS = 1000;

/** As kubectl: a week. Timers cannot count much further than three of them. */
const LONGEST_MS = 7 * 24 * 3600 * 1000;

/** What became of one wait. */
export type Waited =
  | { readonly kind: 'done'; readonly object: Resource | undefined }
  | { readonly kind: 'timeout' };

export interface WaitOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** 0 or less: only look once. Infinity: for ever. */
  readonly timeoutMs: number;
}

/**
 * Watches one object until `isDone` says so of what it is; undefined: there is none. The first
 * look comes at once. A watch that breaks is begun again until the time is over. What `isDone`
 * throws ends the wait.
 */
export async function waitFor(
  api: Api,
  reference: ObjectReference,
  isDone: (object: Resource | undefined) => boolean,
  { clock, signal, timeoutMs }: WaitOptions,
): Promise<Waited> {
  if (timeoutMs <= 0) {
    const object = await findObject(api, reference);
    return isDone(object) ? { kind: 'done', object } : { kind: 'timeout' };
  }
  const over = new AbortController();
  const watching = AbortSignal.any([signal, over.signal]);
  const sleeping = clock.sleep(Math.min(timeoutMs, LONGEST_MS), watching).then(
    () => over.abort(new Error('timeout')),
    () => undefined,
  );
  try {
    return await watchUntil(api, reference, isDone, { clock, signal: watching });
  } catch (error) {
    signal.throwIfAborted();
    if (over.signal.aborted) return { kind: 'timeout' };
    throw error;
  } finally {
    over.abort(new Error('finished'));
    await sleeping;
  }
}

async function watchUntil(
  api: Api,
  { kind, namespace, name }: ObjectReference,
  isDone: (object: Resource | undefined) => boolean,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<Waited> {
  for (;;) {
    try {
      let known = false;
      for await (const event of api.watch({ kind, namespace, name }, signal)) {
        // "synced" tells that there is none, unless it was told before what there is.
        if (event.type === 'synced' && known) continue;
        known = true;
        const isGone = event.type === 'synced' || event.type === 'deleted';
        const object = isGone ? undefined : event.object;
        if (isDone(object)) return { kind: 'done', object };
      }
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof ApiError) || error.reason !== 'Unavailable') throw error;
    }
    await clock.sleep(REWATCH_MS, signal);
  }
}
