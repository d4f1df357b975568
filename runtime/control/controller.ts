import type { WorldChange } from '../store/world.ts';
import type { WriteOutcome } from '../store/writer.ts';
import type { BackoffLimits } from './backoff.ts';

/**
 * `settled`: nothing to do until something changes. `conflict`: the write lost to another one, and
 * is decided anew a little later.
 */
export type Outcome = 'settled' | 'conflict' | { readonly recheckInMs: number };

/** Retrying will not help; the message says what a person must do. */
export class TerminalError extends Error {
  override readonly name = 'TerminalError';
}

/**
 * Brings one thing to what is declared. It is given a name, never an event: whatever happened, and
 * however often, it reads all it needs, decides once and writes conditionally. So lost, repeated
 * and reordered events cannot matter.
 */
export interface Controller {
  /** One word: metrics, logs and events carry it. */
  readonly name: string;
  /** Reconciles at a time; left out: 4. More is for those that wait for others, not for the store. */
  readonly concurrency?: number;
  /** Which names a change concerns. Pure. */
  affected(change: WorldChange): readonly string[];
  /**
   * Hands over what has a name looked at that no change calls for, such as one that waits for room.
   * Returns what ends that. Left out: changes and rechecks are all.
   */
  calls?(look: (name: string) => void): () => void;
  /** Throws an operating failure to be retried with backoff, a TerminalError not to be. */
  reconcile(name: string, signal: AbortSignal): Promise<Outcome>;
}

/**
 * How long to wait after conflicts in a row. The change that the write lost to is mostly on its way
 * and calls for the name by itself; asking again at once would only burn the store while the mirror
 * lags, or while a dom that no longer leads has yet to learn so.
 */
export const CONFLICT_BACKOFF: BackoffLimits = { baseMs: 20, capMs: 1_000 };

/** What a reconcile returns after its write; `recheckInMs` Infinity: only a change calls for it. */
export function afterWrite({ outcome }: WriteOutcome, recheckInMs: number = Infinity): Outcome {
  if (outcome === 'conflict') return 'conflict';
  return recheckInMs === Infinity ? 'settled' : { recheckInMs };
}
