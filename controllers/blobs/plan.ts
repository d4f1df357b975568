import type { Digest } from '../../runtime/content/digest.ts';

/**
 * How long a blob stays that nothing names: a push may bring its files for hours before it declares
 * its Release, and may have been told of others that they are here.
 */
export const BLOB_GRACE_MS: number = 24 * 3600 * 1000;
/** All blobs are looked through so often, or four times within a shorter grace. */
const LOOK_EVERY_MS = 3600 * 1000;

export interface PartFacts {
  /** The blobs of this part. */
  readonly found: readonly Digest[];
  readonly isUsed: (digest: Digest) => boolean;
  /** Since when nothing was seen to name a blob, by `Clock.monotonicMs`; of earlier looks. */
  readonly unusedSinceMs: ReadonlyMap<Digest, number>;
  readonly nowMs: number;
  readonly graceMs: number;
}

export interface PartPlan {
  readonly discard: readonly Digest[];
  /** What nothing names, and is to be looked at again. */
  readonly unusedSinceMs: ReadonlyMap<Digest, number>;
}

/**
 * Decides which blobs go: what was seen without a name before, by this very process, and has had none
 * for the whole of its grace by a clock that nobody sets.
 */
export function planPart(facts: PartFacts): PartPlan {
  const { found, isUsed, nowMs, graceMs } = facts;
  const discard: Digest[] = [];
  const unusedSinceMs = new Map<Digest, number>();
  for (const digest of found) {
    if (isUsed(digest)) continue;
    const sinceMs = facts.unusedSinceMs.get(digest);
    if (sinceMs !== undefined && nowMs - sinceMs >= graceMs) discard.push(digest);
    else unusedSinceMs.set(digest, sinceMs ?? nowMs);
  }
  return { discard, unusedSinceMs };
}

export function lookEveryMs(graceMs: number): number {
  return Math.min(LOOK_EVERY_MS, graceMs / 4);
}
