import { expect, test } from 'vitest';
import type { Resource } from '../../api/object.ts';
import {
  type Declaration,
  declarationFrom,
  declarationOf,
  leavesOf,
} from '../../runtime/fields.ts';
import { type Merged, mergeApplied } from './merge.ts';
import { mergeUpdated } from './update.ts';

/*
 * What holds of server-side apply whatever people apply. Each seed draws its own declarations from
 * a small vocabulary, so that managers meet often.
 */

const SEEDS = 500;
const T = '2026-01-01T00:00:00Z';

/** mulberry32: small, and the same everywhere. */
function random(seed: number): (bound: number) => number {
  let state = seed + 0x9e3779b9;
  return (bound) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % bound;
  };
}

const POINTERS = [
  '/spec/a',
  '/spec/b/c',
  '/spec/b/d',
  '/spec/e/f/g',
  '/spec/e/h',
  '/metadata/labels/x',
  '/metadata/annotations/y',
];
const VALUES = ['1', '2', '3'];
const LISTS = [['1'], ['1', '2']];

function draw(next: (bound: number) => number, pointers = POINTERS): Declaration {
  const leaves = new Map<string, unknown>();
  for (const pointer of pointers) {
    if (next(2) === 0) continue;
    const isList = pointer.startsWith('/spec') && next(3) === 0;
    leaves.set(pointer, isList ? LISTS[next(2)] : VALUES[next(3)]);
  }
  return declarationFrom(leaves);
}

function apply(live: Resource | undefined, manager: string, applied: Declaration): Merged {
  const base = live === undefined ? {} : { live };
  const outcome = mergeApplied({ ...base, applied, manager, force: true, time: T });
  if (outcome.kind === 'clash') throw new Error('forced, and yet a clash');
  return outcome;
}

function stored({ spec, labels, annotations, managedFields }: Omit<Merged, 'kind'>): Resource {
  const set = { uid: 'u', resourceVersion: '1', generation: 1, creationTimestamp: '' };
  return {
    apiVersion: 'b8s.dev/v1',
    kind: 'Site',
    metadata: { name: 'n', ...set, labels, annotations, managedFields },
    spec,
  };
}

/** A world in which a few managers have applied and updated before. */
function history(next: (bound: number) => number): Resource {
  let live = stored(apply(undefined, 'first', draw(next)));
  for (let step = next(5); step > 0; step--) {
    const manager = ['first', 'second', 'third'][next(3)]!;
    live =
      next(4) === 0
        ? stored(mergeUpdated({ live, updated: draw(next), manager, time: T }))
        : stored(apply(live, manager, draw(next)));
  }
  return live;
}

test('what is applied is there, and applying it again changes nothing', () => {
  forEachSeed(({ mine, once, seed }) => {
    const leaves = leavesOf(declarationOf(once));
    for (const [pointer, value] of leavesOf(mine)) {
      expect(leaves.get(pointer), seed).toEqual(value);
    }
    const again = apply(once, 'me', mine);
    expect(again.changed, seed).toBe(false);
    expect(stored(again), seed).toEqual(once);
  });
});

test('to apply and then to apply nothing leaves nothing of it behind', () => {
  forEachSeed(({ mine, once, seed }) => {
    const none = apply(once, 'me', { spec: {}, labels: {}, annotations: {} });
    const left = none.managedFields.filter((entry) => entry.operation === 'apply');
    expect(
      left.map((entry) => entry.manager),
      seed,
    ).not.toContain('me');
    const leaves = leavesOf(none);
    const kept = none.managedFields.flatMap((entry) => entry.fields);
    for (const pointer of leavesOf(mine).keys()) {
      expect(leaves.has(pointer), seed).toBe(kept.includes(pointer));
    }
  });
});

test('every owned field is there, sorted, once in its entry', () => {
  forEachSeed(({ once, seed }) => {
    const pointers = [...leavesOf(declarationOf(once)).keys()];
    for (const { fields } of once.metadata.managedFields ?? []) {
      expect(fields, seed).toEqual([...new Set(fields)].toSorted());
      expect(pointers, seed).toEqual(expect.arrayContaining([...fields]));
    }
  });
});

test('without force, an apply either merges to the same or names a clash', () => {
  forEachSeed(({ live, mine, once, seed }) => {
    const outcome = mergeApplied({ live, applied: mine, manager: 'me', force: false, time: T });
    if (outcome.kind === 'merged') expect(outcome.spec, seed).toEqual(once.spec);
    else expect(outcome.clashes.length, seed).toBeGreaterThan(0);
  });
});

test('managers of separate fields can apply in any order', () => {
  forEachSeed(({ next, seed }) => {
    const [one, other] = [draw(next, POINTERS.slice(0, 3)), draw(next, POINTERS.slice(3))];
    const oneFirst = apply(stored(apply(undefined, 'a', one)), 'b', other);
    const otherFirst = apply(stored(apply(undefined, 'b', other)), 'a', one);
    expect(stored(oneFirst), seed).toEqual(stored(otherFirst));
  });
});

test('taken apart and put together it is the same', () => {
  forEachSeed(({ mine, seed }) => {
    expect(declarationFrom(leavesOf(mine)), seed).toEqual(mine);
  });
});

interface World {
  /** For the message of a failure. */
  readonly seed: string;
  readonly next: (bound: number) => number;
  readonly live: Resource;
  readonly mine: Declaration;
  /** `live` after `me` has applied `mine`. */
  readonly once: Resource;
}

function forEachSeed(check: (world: World) => void): void {
  for (let seed = 0; seed < SEEDS; seed++) {
    const next = random(seed);
    const live = history(next);
    const mine = draw(next);
    check({ seed: `seed ${seed}`, next, live, mine, once: stored(apply(live, 'me', mine)) });
  }
}
