import { expect, test } from 'vitest';
import type { StoreFixture } from './fixture.case.ts';
import { follow, head, until } from './fixture.case.ts';
import { compareKeys } from './key-order.ts';
import type { KeyValue, Revision, Transaction, Write } from './store.ts';
import { CompactedError } from './store.ts';

const SEEDS = [1, 2, 3];
const STEPS = 300;

/** INV-12: the same seeded trace against every store, each answer compared with a tiny model's. */
export function storeTraceCases(open: () => Promise<StoreFixture>): void {
  test.each(SEEDS)('seed %i: every answer is the model’s', async (seed) => {
    const fixture = await open();
    try {
      await trace(fixture, seed);
    } finally {
      await fixture.dispose();
    }
  });
}

async function trace(fixture: StoreFixture, seed: number): Promise<void> {
  const store = fixture.store();
  const random = mulberry32(seed);
  const model = new Model(await head(fixture));
  const start = model.head;
  const all = follow(fixture, '/t/', start);
  for (let step = 0; step < STEPS; step += 1) {
    const roll = random();
    if (roll < 0.7) {
      const transaction = randomTransaction(random, model);
      expect(await store.commit(transaction), `step ${step}`).toEqual(model.commit(transaction));
    } else if (roll < 0.8) {
      const key = randomKey(random);
      expect(await store.get(key), `step ${step}`).toEqual(model.at(model.head).get(key));
    } else if (roll < 0.99) {
      await compareList(fixture, model, random);
    } else if (all.lines().length === model.lines.length) {
      // Only when the watch is up to date, for it would rightly expire otherwise.
      model.compacted = between(random, model.compacted, model.head);
      await store.compact(model.compacted);
    }
  }
  await until(fixture, 'the watch catches up', () => all.lines().length >= model.lines.length);
  await all.stop();
  expect(all.lines()).toEqual(model.lines);
  const resumeAt = between(random, model.compacted, model.head);
  const resumed = follow(fixture, '/t/', resumeAt);
  const expected = model.lines.filter((line) => BigInt(line.split(' ')[0] ?? '') > resumeAt);
  await until(fixture, 'history', () => resumed.lines().length >= expected.length);
  await resumed.stop();
  expect(resumed.lines()).toEqual(expected);
}

async function compareList(fixture: StoreFixture, model: Model, random: () => number) {
  const prefix = pick(random, ['/t/', '/t/a', '/t/b/', '/t/none']);
  const limit = 1 + Math.floor(random() * 6);
  const revision = between(random, model.start, model.head);
  const afterKey = random() < 0.5 ? '' : randomKey(random);
  const page = fixture.store().list(prefix, { limit, revision, afterKey });
  if (revision < model.compacted) {
    await expect(page).rejects.toThrow(CompactedError);
    return;
  }
  const matching = [...model.at(revision).values()]
    .filter(({ key }) => key.startsWith(prefix) && compareKeys(key, afterKey) > 0)
    .toSorted((left, right) => compareKeys(left.key, right.key));
  const items = matching.slice(0, limit);
  expect(await page).toEqual({ items, revision, more: matching.length > limit });
}

/** A store as a list of worlds, one a revision: too slow for anything but being right. */
class Model {
  readonly start: Revision;
  readonly lines: string[] = [];
  readonly #worlds = new Map<Revision, ReadonlyMap<string, KeyValue>>();
  head: Revision;
  compacted: Revision;

  constructor(start: Revision) {
    this.start = start;
    this.head = start;
    this.compacted = start;
    this.#worlds.set(start, new Map());
  }

  at(revision: Revision): ReadonlyMap<string, KeyValue> {
    return this.#worlds.get(revision) ?? new Map();
  }

  commit({ guards, writes }: Transaction): unknown {
    const world = this.at(this.head);
    const holds = guards.every(
      ({ key, modRevision }) => (world.get(key)?.modRevision ?? 0n) === modRevision,
    );
    if (!holds) return { outcome: 'conflict', revision: this.head };
    const next = new Map(world);
    const revision = this.head + 1n;
    const lines: string[] = [];
    for (const write of writes.toSorted((left, right) => compareKeys(left.key, right.key))) {
      if (write.kind === 'put') {
        const { key, value } = write;
        const createRevision = world.get(key)?.createRevision ?? revision;
        next.set(key, { key, value, createRevision, modRevision: revision });
        lines.push(`${revision} put ${key}=${value}`);
      } else if (next.delete(write.key)) {
        lines.push(`${revision} delete ${write.key}`);
      }
    }
    if (lines.length > 0) {
      this.lines.push(...lines);
      this.head = revision;
      this.#worlds.set(revision, next);
    }
    return { outcome: 'committed', revision: this.head };
  }
}

function randomTransaction(random: () => number, model: Model): Transaction {
  const world = model.at(model.head);
  const guards = Array.from({ length: Math.floor(random() * 3) }, () => {
    const key = randomKey(random);
    const actual = world.get(key)?.modRevision ?? 0n;
    return { key, modRevision: random() < 0.8 ? actual : pick(random, [0n, actual + 1n]) };
  });
  const keys = new Set(Array.from({ length: Math.floor(random() * 5) }, () => randomKey(random)));
  const writes = [...keys].map(
    (key): Write =>
      random() < 0.6
        ? { kind: 'put', key, value: String(Math.floor(random() * 1000)) }
        : { kind: 'delete', key },
  );
  return { guards, writes };
}

const KEYS = ['a', 'a/1', 'a0', 'ab', 'b', 'b/', 'b/x', 'b/\u{e000}', 'b/\u{1f600}', 'c', 'é'];

function randomKey(random: () => number): string {
  return `/t/${pick(random, KEYS)}`;
}

function pick<T>(random: () => number, from: readonly T[]): T {
  return from[Math.floor(random() * from.length)] as T;
}

function between(random: () => number, low: Revision, high: Revision): Revision {
  return low + BigInt(Math.floor(random() * (Number(high - low) + 1)));
}

/** A small seeded generator (mulberry32): the same seed gives the same trace everywhere. */
function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
