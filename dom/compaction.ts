import type { Clock } from '../runtime/clock.ts';
import { describeError } from '../runtime/control-loop.ts';
import type { Log } from '../runtime/log.ts';
import type { Mirror } from '../runtime/mirror.ts';
import type { Revision, Store } from '../runtime/store.ts';

/** How far back `get --at` can look, and watches can resume. */
export const REVISIONS_KEPT_MS = 24 * 3600 * 1000;
/** …but never more revisions than this, so that a busy store stays small. */
export const REVISIONS_KEPT_MAX = 200_000n;
const COMPACT_EVERY_MS = 10 * 60 * 1000;

/** Forgets superseded revisions from time to time, until the signal is aborted. */
export async function runCompaction(
  ports: {
    readonly store: Store;
    readonly mirror: Mirror;
    readonly clock: Clock;
    readonly log: Log;
  },
  signal: AbortSignal,
): Promise<void> {
  const { store, mirror, clock, log } = ports;
  let marks: { readonly atMs: number; readonly revision: Revision }[] = [];
  while (!signal.aborted) {
    await clock.sleep(COMPACT_EVERY_MS, signal).catch(() => undefined);
    if (signal.aborted) return;
    const nowMs = clock.monotonicMs();
    marks.push({ atMs: nowMs, revision: mirror.revision });
    const old =
      marks.filter((mark) => nowMs - mark.atMs >= REVISIONS_KEPT_MS).at(-1)?.revision ?? 0n;
    const crowded = mirror.revision - REVISIONS_KEPT_MAX;
    const revision = old > crowded ? old : crowded;
    if (revision <= 0n) continue;
    marks = marks.filter((mark) => mark.revision > revision);
    await store.compact(revision).catch((error: unknown) => {
      log.warn({ error: describeError(error) }, 'compaction failed; it is tried again later');
    });
  }
}
