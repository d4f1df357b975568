import type { Clock } from '../runtime/clock.ts';
import { describeError } from '../runtime/control/control-loop.ts';
import type { Log } from '../runtime/log.ts';
import type { Mirror } from '../runtime/store/mirror.ts';
import type { Revision, Store } from '../runtime/store/store.ts';
import type { Tokens } from './identity/tokens.ts';

/** How far back `get --at` can look, and watches can resume. */
export const REVISIONS_KEPT_MS = 24 * 3600 * 1000;
/** …but never more revisions than this, so that a busy store stays small. */
export const REVISIONS_KEPT_MAX = 200_000n;
const EVERY_MS = 10 * 60 * 1000;

export interface HousekeepingPorts {
  readonly store: Store;
  readonly mirror: Pick<Mirror, 'revision'>;
  readonly tokens: Pick<Tokens, 'sweep'>;
  /** Changes the secret of server cookies when its time is over. */
  readonly keepCookieSecrets: () => Promise<unknown>;
  readonly clock: Clock;
  readonly log: Log;
}

/** A revision that the store was seen at. */
export interface Mark {
  readonly atMs: number;
  readonly revision: Revision;
}

/**
 * From time to time, until the signal is aborted: forgets superseded revisions and expired tokens,
 * and changes what is not to be used for long.
 */
export async function runHousekeeping(
  ports: HousekeepingPorts,
  signal: AbortSignal,
): Promise<void> {
  const { store, mirror, tokens, keepCookieSecrets, clock, log } = ports;
  let marks: readonly Mark[] = [];
  while (!signal.aborted) {
    await clock.sleep(EVERY_MS, signal).catch(() => undefined);
    if (signal.aborted) return;
    marks = [...marks, { atMs: clock.monotonicMs(), revision: mirror.revision }];
    const revision = planCompaction(marks);
    try {
      if (revision > 0n) await store.compact(revision);
      marks = marks.filter((mark) => mark.revision > revision);
      await tokens.sweep();
      await keepCookieSecrets();
    } catch (error) {
      log.warn({ error: describeError(error) }, 'housekeeping failed; it is tried again later');
    }
  }
}

/** Up to which revision nothing superseded need be kept; 0n: keep all. `marks` are oldest first. */
export function planCompaction(marks: readonly Mark[]): Revision {
  const newest = marks.at(-1);
  if (newest === undefined) return 0n;
  const old =
    marks.findLast((mark) => newest.atMs - mark.atMs >= REVISIONS_KEPT_MS)?.revision ?? 0n;
  const crowded = newest.revision - REVISIONS_KEPT_MAX;
  return old > crowded ? old : crowded > 0n ? crowded : 0n;
}
