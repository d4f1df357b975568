import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { StoreFixture } from './fixture.case.ts';
import { head, put, write } from './fixture.case.ts';
import { storeLeaseCases } from './lease.case.ts';
import type { Transaction, Write } from './store.ts';
import {
  CompactedError,
  LIST_LIMIT_MAX,
  TRANSACTION_BYTES_MAX,
  TRANSACTION_GUARDS_MAX,
  TRANSACTION_WRITES_MAX,
  VALUE_BYTES_MAX,
} from './store.ts';
import { storeTraceCases } from './trace.case.ts';
import { storeWatchCases } from './watch.case.ts';

export type { StoreFixture } from './fixture.case.ts';

/** The contract of `Store`; every implementation passes it. `open` starts with no key under `/`. */
export function storeCases(name: string, open: () => Promise<StoreFixture>): void {
  describe(`${name} keeps the store's contract`, () => {
    describe('reads and writes', () => keyValueCases(open));
    describe('lists', () => listCases(open));
    describe('limits', () => limitCases(open));
    describe('watches', () => storeWatchCases(open));
    describe('leases', () => storeLeaseCases(open));
    describe('random traces', () => storeTraceCases(open));
  });
}

function keyValueCases(open: () => Promise<StoreFixture>): void {
  let fixture: StoreFixture;
  beforeEach(async () => {
    fixture = await open();
  });
  afterEach(async () => await fixture.dispose());

  test('a key is put, changed and deleted; its revisions say when', async () => {
    expect(await fixture.store().get('/a')).toBeUndefined();
    const first = await put(fixture, { '/a': '1' });
    const second = await put(fixture, { '/a': '"zwei ✓"' });
    expect(await fixture.store().get('/a')).toEqual({
      key: '/a',
      value: '"zwei ✓"',
      createRevision: first,
      modRevision: second,
    });
    await write(fixture, [{ kind: 'delete', key: '/a' }]);
    expect(await fixture.store().get('/a')).toBeUndefined();
    const again = await put(fixture, { '/a': '3' });
    expect(await fixture.store().get('/a')).toMatchObject({ createRevision: again });
  });

  test('each transaction has one revision, the next one', async () => {
    const first = await put(fixture, { '/a': '1', '/b': '2', '/c': '3' });
    expect(await put(fixture, { '/d': '4' })).toBe(first + 1n);
    expect(await fixture.store().get('/a')).toMatchObject({ modRevision: first });
    expect(await fixture.store().get('/c')).toMatchObject({ modRevision: first });
  });

  test('what changes nothing creates no revision', async () => {
    const before = await put(fixture, { '/a': '1' });
    const nothing: readonly Transaction[] = [
      { guards: [], writes: [] },
      { guards: [{ key: '/a', modRevision: before }], writes: [] },
      { guards: [], writes: [{ kind: 'delete', key: '/absent' }] },
    ];
    for (const transaction of nothing) {
      const outcome = await fixture.store().commit(transaction);
      expect(outcome).toEqual({ outcome: 'committed', revision: before });
    }
    const conflict = await fixture.store().commit({
      guards: [{ key: '/a', modRevision: 0n }],
      writes: [],
    });
    expect(conflict).toEqual({ outcome: 'conflict', revision: before });
    expect(await put(fixture, { '/b': '2' })).toBe(before + 1n);
  });

  test('the value that is there already, put again, is a change', async () => {
    const before = await put(fixture, { '/a': '1' });
    expect(await put(fixture, { '/a': '1' })).toBe(before + 1n);
  });

  test('one guard that fails stops every write', async () => {
    const a = await put(fixture, { '/a': '1' });
    const writes: readonly Write[] = [
      { kind: 'put', key: '/b', value: '2' },
      { kind: 'delete', key: '/a' },
    ];
    for (const modRevision of [0n, a - 1n, a + 1n]) {
      const guards = [
        { key: '/absent', modRevision: 0n },
        { key: '/a', modRevision },
      ];
      const outcome = await fixture.store().commit({ guards, writes });
      expect(outcome).toEqual({ outcome: 'conflict', revision: a });
    }
    expect(await fixture.store().get('/a')).toMatchObject({ value: '1' });
    expect(await fixture.store().get('/b')).toBeUndefined();
    const guards = [
      { key: '/absent', modRevision: 0n },
      { key: '/a', modRevision: a },
    ];
    const outcome = await fixture.store().commit({ guards, writes });
    expect(outcome).toEqual({ outcome: 'committed', revision: a + 1n });
    expect(await fixture.store().get('/a')).toBeUndefined();
  });

  test('INV-13: of many commits on one revision exactly one succeeds', async () => {
    let revision = await put(fixture, { '/counter': '0' });
    for (let round = 1; round <= 5; round += 1) {
      const outcomes = await Promise.all(
        Array.from({ length: 40 }, (_, writer) =>
          fixture.store().commit({
            guards: [{ key: '/counter', modRevision: revision }],
            writes: [{ kind: 'put', key: '/counter', value: String(writer) }],
          }),
        ),
      );
      const winners = outcomes.filter(({ outcome }) => outcome === 'committed');
      expect(winners).toEqual([{ outcome: 'committed', revision: revision + 1n }]);
      revision += 1n;
    }
  });

  test('concurrent commits without guards all succeed, at revisions of their own', async () => {
    const before = await head(fixture);
    const revisions = await Promise.all(
      Array.from({ length: 50 }, (_, index) => put(fixture, { [`/k${index}`]: '1' })),
    );
    const expected = Array.from({ length: 50 }, (_, index) => before + BigInt(index) + 1n);
    expect(revisions.toSorted((a, b) => Number(a - b))).toEqual(expected);
  });
}

function listCases(open: () => Promise<StoreFixture>): void {
  let fixture: StoreFixture;
  beforeEach(async () => {
    fixture = await open();
  });
  afterEach(async () => await fixture.dispose());

  test('a prefix is bytes, not a folder, and does not reach its neighbours', async () => {
    await put(fixture, { '/a': '1', '/a/': '2', '/a/b': '3', '/a0': '4', '/ab': '5', '/b': '6' });
    const keys = async (prefix: string) =>
      (await fixture.store().list(prefix)).items.map(({ key }) => key);
    expect(await keys('/a/')).toEqual(['/a/', '/a/b']);
    expect(await keys('/a')).toEqual(['/a', '/a/', '/a/b', '/a0', '/ab']);
    expect(await keys('/none/')).toEqual([]);
    expect(await keys('')).toEqual(['/a', '/a/', '/a/b', '/a0', '/ab', '/b']);
  });

  test('keys are sorted by their bytes, not by UTF-16 units', async () => {
    const keys = ['/A', '/a', '/a\u007f', '/é', '/中', '/\u{e000}', '/\u{ffff}', '/\u{1f600}'];
    for (const key of keys.toReversed()) await put(fixture, { [key]: '1' });
    const { items } = await fixture.store().list('/');
    expect(items.map(({ key }) => key)).toEqual(keys);
    expect((await fixture.store().list('/\u{ffff}')).items).toHaveLength(1);
    expect((await fixture.store().list('/\u{d7ff}')).items).toHaveLength(0);
  });

  test('pages at one revision show no later write', async () => {
    const keys = Array.from({ length: 25 }, (_, index) => `/p/${String(index).padStart(2, '0')}`);
    for (const key of keys) await put(fixture, { [key]: 'old' });
    const first = await fixture.store().list('/p/', { limit: 10 });
    expect(first).toMatchObject({ more: true, revision: await head(fixture) });
    await write(fixture, [
      { kind: 'put', key: '/p/15', value: 'new' },
      { kind: 'delete', key: '/p/16' },
      { kind: 'put', key: '/p/165', value: 'new' },
    ]);
    const { revision } = first;
    const second = await fixture.store().list('/p/', { revision, limit: 10, afterKey: '/p/09' });
    const third = await fixture.store().list('/p/', { revision, limit: 10, afterKey: '/p/19' });
    const items = [...first.items, ...second.items, ...third.items];
    expect(items.map(({ key }) => key)).toEqual(keys);
    expect(new Set(items.map(({ value }) => value))).toEqual(new Set(['old']));
    expect([second.more, third.more]).toEqual([true, false]);
    expect([second.revision, third.revision]).toEqual([revision, revision]);
  });

  test('a page that ends exactly with the last key has no more', async () => {
    await put(fixture, { '/a': '1', '/b': '2' });
    expect(await fixture.store().list('/', { limit: 2 })).toMatchObject({ more: false });
    expect(await fixture.store().list('/', { limit: 1 })).toMatchObject({ more: true });
  });

  test('afterKey may lie before, between and behind the keys', async () => {
    await put(fixture, { '/m/a': '1', '/m/c': '2' });
    const keys = async (afterKey: string) =>
      (await fixture.store().list('/m/', { afterKey })).items.map(({ key }) => key);
    expect(await keys('/a')).toEqual(['/m/a', '/m/c']);
    expect(await keys('/m/a')).toEqual(['/m/c']);
    expect(await keys('/m/b')).toEqual(['/m/c']);
    expect(await keys('/m/c')).toEqual([]);
    expect(await keys('/z')).toEqual([]);
  });

  test('a list at an old revision shows the world as it was', async () => {
    const first = await put(fixture, { '/a': '1', '/b': '1' });
    const second = await write(fixture, [{ kind: 'delete', key: '/a' }]);
    const third = await put(fixture, { '/a': '3', '/b': '3' });
    const at = async (revision: bigint) =>
      (await fixture.store().list('/', { revision })).items.map((item) => [
        item.value,
        item.createRevision,
        item.modRevision,
      ]);
    expect(await at(first)).toEqual([
      ['1', first, first],
      ['1', first, first],
    ]);
    expect(await at(second)).toEqual([['1', first, first]]);
    expect(await at(third)).toEqual([
      ['3', third, third],
      ['3', first, third],
    ]);
  });

  test('compaction forgets the past and keeps the present', async () => {
    const first = await put(fixture, { '/a': '1', '/b': '1', '/gone': '1' });
    const second = await put(fixture, { '/a': '2' });
    const third = await write(fixture, [{ kind: 'delete', key: '/gone' }]);
    const fourth = await put(fixture, { '/a': '4' });
    await fixture.store().compact(third);
    await fixture.store().compact(second);
    for (const revision of [first, second]) {
      await expect(fixture.store().list('/', { revision })).rejects.toThrow(CompactedError);
    }
    const at = async (revision: bigint) =>
      (await fixture.store().list('/', { revision })).items.map((item) => item.value);
    expect(await at(third)).toEqual(['2', '1']);
    expect(await at(fourth)).toEqual(['4', '1']);
    expect(await fixture.store().get('/b')).toMatchObject({ createRevision: first });
    await fixture.store().compact(fourth);
    expect(await at(fourth)).toEqual(['4', '1']);
    expect(await put(fixture, { '/gone': '5' })).toBe(fourth + 1n);
  });
}

function limitCases(open: () => Promise<StoreFixture>): void {
  let fixture: StoreFixture;
  beforeEach(async () => {
    fixture = await open();
  });
  afterEach(async () => await fixture.dispose());

  const puts = (count: number): readonly Write[] =>
    Array.from({ length: count }, (_, index) => ({ kind: 'put', key: `/k${index}`, value: '1' }));
  const big = (bytes: number): Write => ({
    kind: 'put',
    key: '/big',
    value: 'é'.repeat(bytes / 2),
  });
  const guards = (count: number) =>
    Array.from({ length: count }, (_, index) => ({ key: `/g${index}`, modRevision: 0n }));

  test.each([
    { what: 'writes', transaction: { guards: [], writes: puts(TRANSACTION_WRITES_MAX) } },
    { what: 'guards', transaction: { guards: guards(TRANSACTION_GUARDS_MAX), writes: puts(1) } },
    { what: 'value', transaction: { guards: [], writes: [big(VALUE_BYTES_MAX)] } },
  ])('the largest $what allowed is accepted', async ({ transaction }) => {
    expect(await fixture.store().commit(transaction)).toMatchObject({ outcome: 'committed' });
  });

  test.each<{ what: string; transaction: Transaction }>([
    {
      what: 'too many writes',
      transaction: { guards: [], writes: puts(TRANSACTION_WRITES_MAX + 1) },
    },
    {
      what: 'too many guards',
      transaction: { guards: guards(TRANSACTION_GUARDS_MAX + 1), writes: [] },
    },
    { what: 'a large value', transaction: { guards: [], writes: [big(VALUE_BYTES_MAX + 2)] } },
    {
      what: 'large values together',
      transaction: {
        guards: [],
        writes: puts(TRANSACTION_BYTES_MAX / VALUE_BYTES_MAX + 1).map((each) => ({
          ...big(VALUE_BYTES_MAX),
          key: each.key,
        })),
      },
    },
    { what: 'a key twice', transaction: { guards: [], writes: [...puts(1), ...puts(1)] } },
    { what: 'an empty key', transaction: { guards: [], writes: [{ kind: 'delete', key: '' }] } },
    {
      what: 'half a character',
      transaction: { guards: [], writes: [{ kind: 'put', key: '/a', value: '\ud800' }] },
    },
  ])('$what is a RangeError and writes nothing', async ({ transaction }) => {
    const before = await head(fixture);
    await expect(fixture.store().commit(transaction)).rejects.toThrow(RangeError);
    expect(await head(fixture)).toBe(before);
  });

  test('a list, a lease and a compaction out of range are RangeErrors', async () => {
    const store = fixture.store();
    const future = (await put(fixture, { '/a': '1' })) + 1n;
    for (const limit of [0, -1, 1.5, LIST_LIMIT_MAX + 1]) {
      await expect(store.list('/', { limit })).rejects.toThrow(RangeError);
    }
    await expect(store.list('/', { revision: 0n })).rejects.toThrow(RangeError);
    await expect(store.list('/', { revision: future })).rejects.toThrow(RangeError);
    await expect(store.compact(future)).rejects.toThrow(RangeError);
    await expect(store.grantLease(0)).rejects.toThrow(RangeError);
    await expect(store.get('')).rejects.toThrow(RangeError);
  });

  test('a page holds at most LIST_LIMIT_MAX keys unless told otherwise', async () => {
    for (let batch = 0; batch <= LIST_LIMIT_MAX / 100; batch += 1) {
      const writes = Array.from({ length: 100 }, (_, index) => ({
        kind: 'put' as const,
        key: `/k/${batch * 100 + index}`,
        value: '1',
      }));
      await write(fixture, writes);
    }
    const page = await fixture.store().list('/k/');
    expect(page.items).toHaveLength(LIST_LIMIT_MAX);
    expect(page.more).toBe(true);
  });
}
