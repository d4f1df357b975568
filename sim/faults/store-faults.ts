import type { SeededRandom } from '../engine/random.ts';
import { maybe } from './maybe.ts';

/** What befalls the store, or the way to it. Probabilities are per occasion; 0 is never. */
export interface StoreFaults {
  /** The answer to a commit is lost: it took effect, or not, or it does so later. */
  readonly commitUncertain: number;
  /** Another call fails, before or after it took effect. */
  readonly callLost: number;
  /** A lease's renewal fails, before or after it took effect, or arrives late. */
  readonly renewalLost: number;
  /** The longest way to the store, and back, in milliseconds. */
  readonly storeLatencyMsMax: number;
  /** A call takes seconds, one way. */
  readonly storeStall: number;
  /** A watch stands still from this event on, and then delivers all at once. */
  readonly watchHold: number;
  readonly watchHoldMsMax: number;
  /** A watch's stream breaks at this event, and is resumed inside the adapter. */
  readonly watchBreak: number;
  /** A list has fewer items than asked for, and says that there are more. */
  readonly shortPages: number;
  /** Times when the store forgets the past, up to now or nearly so; twice as many in a run. */
  readonly compactions: number;
  /** Times when the store has no leader, in a run. */
  readonly storeOutages: number;
  /** Times when one dom cannot reach the store and the others can, in a run. */
  readonly storeCutOffs: number;
  /** Times when somebody ends a lease before its time, by hand or by the store's clock, in a run. */
  readonly leasesEnded: number;
}

export const CALM_STORE: StoreFaults = {
  commitUncertain: 0,
  callLost: 0,
  renewalLost: 0,
  storeLatencyMsMax: 3,
  storeStall: 0,
  watchHold: 0,
  watchHoldMsMax: 0,
  watchBreak: 0,
  shortPages: 0,
  compactions: 0,
  storeOutages: 0,
  storeCutOffs: 0,
  leasesEnded: 0,
};

export const STORE_FAULT_KINDS = {
  commits: ['commitUncertain'],
  'store-calls': ['callLost'],
  leases: ['renewalLost', 'leasesEnded'],
  'slow-store': ['storeLatencyMsMax', 'storeStall'],
  'watch-delay': ['watchHold', 'watchHoldMsMax'],
  'watch-break': ['watchBreak'],
  compaction: ['compactions', 'shortPages'],
  'store-outage': ['storeOutages'],
  'store-partition': ['storeCutOffs'],
} as const satisfies Record<string, readonly (keyof StoreFaults)[]>;

export function drawStoreFaults(random: SeededRandom): StoreFaults {
  return {
    commitUncertain: maybe(random, 0.05),
    callLost: maybe(random, 0.03),
    renewalLost: maybe(random, 0.4),
    storeLatencyMsMax: random.pick([3, 3, 20, 200]),
    storeStall: maybe(random, 0.02),
    watchHold: maybe(random, 0.1),
    watchHoldMsMax: random.pick([500, 5_000, 20_000]),
    watchBreak: maybe(random, 0.1),
    shortPages: Math.min(1, maybe(random, 2)),
    compactions: Math.ceil(maybe(random, 25)),
    storeOutages: Math.ceil(maybe(random, 3)),
    storeCutOffs: Math.ceil(maybe(random, 3)),
    leasesEnded: Math.ceil(maybe(random, 4)),
  };
}
