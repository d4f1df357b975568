import type { SeededRandom } from '../engine/random.ts';

/** One seed in two has it at all, and then as strong as drawn, up to `most`. */
export function maybe(random: SeededRandom, most: number): number {
  return random.chance(0.5) ? random.next() * most : 0;
}

/** The same for what is one of many of its kind: one seed in three. */
export function seldom(random: SeededRandom, most: number): number {
  return random.chance(1 / 3) ? random.next() * most : 0;
}
