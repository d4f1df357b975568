import { setTimeout as sleep } from 'node:timers/promises';
import type { Etcd3, IEvent, IWatchResponse } from 'etcd3';
import type { HistoryStep } from '../../../runtime/log-watch.ts';
import { compareKeys } from '../../../runtime/store/key-order.ts';
import type { Change, Revision } from '../../../runtime/store/store.ts';
import type { KeyCodec } from './codec.ts';
import type { WatchPatience } from './watch-stream.ts';
import { watchStream } from './watch-stream.ts';

export interface FeedOptions {
  /** Opens a connection of the feed's own: a stalled one is thrown away whole. */
  readonly connect: () => Etcd3;
  readonly keys: KeyCodec;
  readonly patience: WatchPatience;
  /** Told why a stream broke, before the next one is opened. */
  readonly onBroken: (error: unknown) => void;
}

const RECONNECT_MS_MIN = 50;
const RECONNECT_MS_MAX = 2_000;

/**
 * All changes of the whole store after a revision, one step each, without gap or duplicate, over
 * however many connections that takes. Ends with `expired`, or by `signal`.
 *
 * It watches the whole store even when a caller wants a prefix, for only so is its position known:
 * before 3.4.25 and 3.5.8 etcd's answer to a progress request may overtake changes.
 */
export async function* feed(
  options: FeedOptions,
  { afterRevision, signal }: { readonly afterRevision: Revision; readonly signal: AbortSignal },
): AsyncGenerator<HistoryStep, void, void> {
  let position = afterRevision;
  let reconnectMs = RECONNECT_MS_MIN;
  while (!signal.aborted) {
    const client = options.connect();
    try {
      for await (const step of oneStream(client, { ...options, afterRevision: position, signal })) {
        reconnectMs = RECONNECT_MS_MIN;
        yield step;
        if (step.kind === 'expired') return;
        position = step.revision;
      }
    } catch (error) {
      options.onBroken(error);
    } finally {
      client.close();
    }
    // Only an abort ends the sleep early, and with it the loop.
    await sleep(reconnectMs, undefined, { signal }).catch(() => undefined);
    reconnectMs = Math.min(2 * reconnectMs, RECONNECT_MS_MAX);
  }
}

interface StreamOptions extends FeedOptions {
  readonly afterRevision: Revision;
  readonly signal: AbortSignal;
}

async function* oneStream(
  client: Etcd3,
  { keys, patience, afterRevision, signal }: StreamOptions,
): AsyncGenerator<HistoryStep, void, void> {
  // From `afterRevision` itself, whose changes are then skipped, rather than from the one after:
  // a watch from the compacted revision on would miss the deletes of that very revision, so it
  // must expire, and this is how to make etcd say so. Nothing happens at revision 1.
  const startRevision = afterRevision > 1n ? afterRevision : 1n;
  const range = keys.range('');
  let position = afterRevision;
  let gathered: IEvent[] = [];
  for await (const response of watchStream(client, { ...patience, range, startRevision, signal })) {
    if (response.canceled) {
      const compactRevision = BigInt(response.compact_revision);
      if (compactRevision === 0n) throw new Error(`etcd ended it: ${response.cancel_reason}`);
      return yield { kind: 'expired', compactRevision };
    }
    for (const event of response.events) {
      const revision = revisionOf(event);
      if (revision <= position) continue;
      // A revision may be spread over fragments: it is whole when the next one begins.
      if (gathered[0] !== undefined && revisionOf(gathered[0]) !== revision) {
        const step = stepOf(gathered, keys);
        position = step.revision;
        gathered = [];
        yield step;
      }
      gathered.push(event);
    }
    if (response.fragment) continue;
    if (gathered.length > 0) {
      const step = stepOf(gathered, keys);
      position = step.revision;
      gathered = [];
      yield step;
    } else if (isProgress(response) && BigInt(response.header.revision) > position) {
      position = BigInt(response.header.revision);
      yield { kind: 'changes', revision: position, changes: [] };
    }
  }
}

/** A report that etcd sends on its own, in order with the changes; see the caveat of `feed`. */
function isProgress({ created, watch_id, events }: IWatchResponse): boolean {
  return !created && watch_id !== PROGRESS_ANSWER_ID && events.length === 0;
}

/** The answer to a progress request belongs to no watch. */
const PROGRESS_ANSWER_ID = '-1';

function revisionOf(event: IEvent): Revision {
  return BigInt(event.kv.mod_revision);
}

/** `events` are all those of one revision, at least one. */
function stepOf(
  events: readonly IEvent[],
  keys: KeyCodec,
): Extract<HistoryStep, { kind: 'changes' }> {
  const changes = events.map((event): Change => {
    if (event.type === 'Put') return { kind: 'put', item: keys.item(event.kv) };
    return { kind: 'delete', key: keys.decode(event.kv.key), modRevision: revisionOf(event) };
  });
  const first = events[0];
  return {
    kind: 'changes',
    revision: first === undefined ? 0n : revisionOf(first),
    changes: changes.toSorted((left, right) => compareKeys(keyOf(left), keyOf(right))),
  };
}

function keyOf(change: Change): string {
  return change.kind === 'put' ? change.item.key : change.key;
}
