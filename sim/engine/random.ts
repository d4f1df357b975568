import type { Random } from '../../runtime/random.ts';

/** Randomness that a seed decides. */
export interface SeededRandom extends Random {
  /** A stream of its own: what is drawn from one changes nothing in another. */
  fork(name: string): SeededRandom;
  /** Whole, from `min` to `max`, both inclusive. */
  integer(min: number, max: number): number;
  /** True with that probability. */
  chance(probability: number): boolean;
  /** One of them. Throws for an empty list. */
  pick<T>(items: readonly T[]): T;
}

/** The same seed, and the same names of forks, give the same numbers on every machine. */
export function seededRandom(seed: string): SeededRandom {
  const next32 = sfc32(seed);
  const next = (): number => next32() / 2 ** 32;
  const integer = (min: number, max: number): number => min + Math.floor(next() * (max - min + 1));
  return {
    next,
    bytes: (count) => Uint8Array.from({ length: count }, () => next32() & 0xff),
    fork: (name) => seededRandom(`${seed}/${name}`),
    integer,
    chance: (probability) => next() < probability,
    pick: (items) => {
      const item = items[integer(0, items.length - 1)];
      if (item === undefined) throw new Error('pick: there is nothing to pick from');
      return item;
    },
  };
}

/** Numbers thrown away at the start, until the seed's bits have spread. */
const WARM_UP = 12;

/** Chris Doty-Humphrey's "small fast counter", of PractRand: 128 bits of state, 32 a step. */
function sfc32(seed: string): () => number {
  let [a, b, c] = [hash(seed, 0x9e3779b9), hash(seed, 0x243f6a88), hash(seed, 0xb7e15162)];
  let counter = 1;
  function step(): number {
    const sum = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }
  for (let index = 0; index < WARM_UP; index += 1) step();
  return step;
}

/** FNV-1a over the text's UTF-16 units, from another offset for each part of the state. */
function hash(text: string, offset: number): number {
  let value = offset;
  for (let index = 0; index < text.length; index += 1)
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  return value | 0;
}
