import type { SeededRandom } from '../engine/random.ts';
import { maybe } from './maybe.ts';

/** What befalls the store, or the way to it. Probabilities are per occasion; 0 is never. */
export interface StoreFaults {
  /** The answer to a commit is lost: it took effect, or not. */
  readonly commitUncertain: number;
}

export const CALM_STORE: StoreFaults = { commitUncertain: 0 };

export const STORE_FAULT_KINDS = {
  commits: ['commitUncertain'],
} as const satisfies Record<string, readonly (keyof StoreFaults)[]>;

export function drawStoreFaults(random: SeededRandom): StoreFaults {
  return { commitUncertain: maybe(random, 0.05) };
}
