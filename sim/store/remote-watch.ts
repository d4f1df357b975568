import type { Revision, WatchEvent } from '../../runtime/store/store.ts';
import type { OpenWatch } from '../check/store-event.ts';
import type { StorePorts } from './remote-store.ts';

/** How long it takes to notice that a stream broke, and to open another one. */
const RESUME_MS_MAX = 2_000;

/**
 * A watch as an adapter of the store gives it to a process over a network: it lags, stands still
 * and then delivers all at once, and its streams break and are resumed after the last revision that
 * was delivered. It neither loses nor reorders anything, unless that has been compacted away.
 */
export async function* remoteWatch(
  ports: StorePorts,
  prefix: string,
  { afterRevision, signal }: { readonly afterRevision: Revision; readonly signal: AbortSignal },
): AsyncGenerator<WatchEvent, void, void> {
  const { store, process, random } = ports;
  const { weather } = store;
  const watch: OpenWatch = { process: process.name, prefix, afterRevision, signal };
  let position = afterRevision;
  store.tell({ kind: 'watching', watch });
  try {
    for (;;) {
      while (!weather.reaches(process.name) && !signal.aborted)
        await weather.wait(Infinity, signal);
      for await (const event of stream(ports, watch, position)) {
        if (process.alive) store.tell({ kind: 'delivered', watch, event });
        yield event;
        if (event.kind === 'expired') return;
        position = event.revision;
      }
      if (signal.aborted) return;
      await weather.wait(random.integer(0, RESUME_MS_MAX), signal);
      if (!signal.aborted) store.tell({ kind: 'resumed', watch });
    }
  } finally {
    store.tell({ kind: 'unwatched', watch });
  }
}

/** One stream: ends when the watch is not wanted any more, or when it breaks. */
async function* stream(
  ports: StorePorts,
  { prefix, signal }: OpenWatch,
  afterRevision: Revision,
): AsyncGenerator<WatchEvent, void, void> {
  const { store, process, random, faults } = ports;
  const { weather } = store;
  const over = new AbortController();
  const breaks = weather.breaks(process.name);
  /** Up to here all has arrived already, and waits for the process. */
  let arrived: Revision = 0n;
  const both = AbortSignal.any([signal, over.signal]);
  const forget = store.onBreak(() => over.abort());
  try {
    for await (const event of store.watch(prefix, { afterRevision, signal: both })) {
      const isHeld = await arrive(ports, event, { arrived, signal });
      if (isHeld) arrived = store.history.head;
      const isBroken =
        weather.breaks(process.name) !== breaks || random.chance(faults().watchBreak);
      // Lost on the way: the next stream brings it again.
      if (both.aborted || isBroken) return;
      yield event;
    }
  } finally {
    forget();
    over.abort();
  }
}

/** The way of one event; true: it stood still, and what came meanwhile comes with it. */
async function arrive(
  { store, process, scheduler, random, faults, watchLagMs = 0 }: StorePorts,
  event: WatchEvent,
  { arrived, signal }: { readonly arrived: Revision; readonly signal: AbortSignal },
): Promise<boolean> {
  const revision = event.kind === 'expired' ? event.compactRevision : event.revision;
  if (revision <= arrived) return false;
  const { watchHold, watchHoldMsMax, storeLatencyMsMax } = faults();
  await store.weather.pause(random.integer(0, storeLatencyMsMax), signal);
  await store.weather.pause(store.madeMs(revision) + watchLagMs - scheduler.nowMs, signal);
  if (!random.chance(watchHold)) return false;
  const heldMs = random.integer(0, watchHoldMsMax);
  store.note(`holds ${revision} back from ${process.name} for ${heldMs} ms`);
  const untilMs = scheduler.nowMs + heldMs;
  while (scheduler.nowMs < untilMs && faults().watchHold > 0 && !signal.aborted)
    await store.weather.wait(untilMs - scheduler.nowMs, signal);
  return true;
}
