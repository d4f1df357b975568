import { seededRandom } from '../seeded.fixture.ts';
import type { Coverage } from './coverage.fixture.ts';
import { type Below, mutate } from './mutate.fixture.ts';

/** Something that eats untrusted bytes. */
export interface FuzzTarget {
  readonly name: string;
  /** Inputs to begin with. */
  readonly seeds: readonly Buffer[];
  readonly words: readonly Buffer[];
  readonly bytesMax: number;
  /** Throws for an input whose outcome is wrong: that is a find. */
  check(input: Buffer): void;
}

export interface Find {
  readonly target: string;
  readonly input: Buffer;
  readonly error: unknown;
}

export interface GuidedResult {
  readonly runs: number;
  /** Inputs that reached code which none before did, seeds left out. */
  readonly kept: readonly Buffer[];
  readonly finds: readonly Find[];
}

export interface GuidedOptions {
  readonly target: FuzzTarget;
  readonly coverage: Coverage;
  readonly seed: number;
  /** Asked between batches. */
  readonly goesOn: (runs: number) => boolean;
}

/** One look at the coverage costs as much as some hundred runs. */
const BATCH = 256;
const FINDS_MAX = 10;

/**
 * Fuzzes guided by coverage: what reaches new code is kept, and is what later inputs are made from.
 * A batch that reached new code is halved until the inputs are found that did. The same seed and
 * the same number of runs give the same inputs for as long as V8 reports the same coverage.
 */
export function fuzzGuided({ target, coverage, seed, goesOn }: GuidedOptions): GuidedResult {
  const random = seededRandom(seed);
  const below: Below = (limit) => Math.floor(random() * limit);
  const corpus = [...target.seeds];
  const finds: Find[] = [];
  let runs = 0;
  const run = (inputs: readonly Buffer[]): number => {
    for (const input of inputs) {
      runs += 1;
      try {
        target.check(input);
      } catch (error) {
        if (finds.length < FINDS_MAX) finds.push({ target: target.name, input, error });
      }
    }
    return coverage.look();
  };
  const keepDiscoverers = (inputs: readonly Buffer[]): void => {
    if (run(inputs) === 0) return;
    const [first] = inputs;
    if (inputs.length === 1 && first !== undefined) {
      corpus.push(first);
      return;
    }
    coverage.undo();
    const half = Math.ceil(inputs.length / 2);
    keepDiscoverers(inputs.slice(0, half));
    keepDiscoverers(inputs.slice(half));
  };
  run(corpus);
  while (goesOn(runs) && finds.length < FINDS_MAX) {
    const batch = Array.from({ length: BATCH }, () =>
      mutate({ corpus, words: target.words, bytesMax: target.bytesMax }, below),
    );
    keepDiscoverers(batch);
  }
  return { runs, kept: corpus.slice(target.seeds.length), finds };
}
