import { afterEach, beforeEach, expect, test } from 'vitest';
import type { StoreFixture } from './fixture.case.ts';
import { follow, linesOf, put, until, write } from './fixture.case.ts';
import type { WatchEvent } from './store.ts';

/** Watches: every change once, in order, from any revision that is still known (INV-10, INV-11). */
export function storeWatchCases(open: () => Promise<StoreFixture>): void {
  let fixture: StoreFixture;
  beforeEach(async () => {
    fixture = await open();
  });
  afterEach(async () => await fixture.dispose());

  test('one event a revision, its changes sorted by key', async () => {
    const start = await put(fixture, { '/before': '0' });
    const follower = follow(fixture, '/', start);
    const first = await put(fixture, { '/c': '1', '/a': '1', '/b': '1' });
    const second = await write(fixture, [
      { kind: 'put', key: '/c', value: '2' },
      { kind: 'delete', key: '/a' },
      { kind: 'delete', key: '/absent' },
    ]);
    await until(fixture, 'both come', () => follower.lines().length === 5);
    await follower.stop();
    expect(follower.events.filter(({ kind }) => kind === 'changes')).toMatchObject([
      { revision: first, changes: [{}, {}, {}] },
      { revision: second, changes: [{}, {}] },
    ]);
    expect(follower.lines()).toEqual([
      `${first} put /a=1`,
      `${first} put /b=1`,
      `${first} put /c=1`,
      `${second} delete /a`,
      `${second} put /c=2`,
    ]);
    const item = { key: '/c', value: '2', createRevision: first, modRevision: second };
    expect(
      follower.events.flatMap((event) => (event.kind === 'changes' ? event.changes : [])),
    ).toContainEqual({ kind: 'put', item });
  });

  test('history is replayed from any revision, then the present follows', async () => {
    const revisions = [];
    for (let index = 0; index < 10; index += 1) {
      revisions.push(await put(fixture, { '/a': String(index) }));
    }
    const followers = revisions.map((revision) => follow(fixture, '/a', revision));
    const last = await put(fixture, { '/a': 'last' });
    const line = `${last} put /a=last`;
    await until(fixture, 'all see the last', () =>
      followers.every((follower) => follower.lines().includes(line)),
    );
    for (const [index, follower] of followers.entries()) {
      const missed = revisions
        .slice(index + 1)
        .map((at, more) => `${at} put /a=${index + 1 + more}`);
      expect(follower.lines()).toEqual([...missed, line]);
      await follower.stop();
    }
  });

  test('a watch from 0n sees the whole life of a store', async () => {
    const first = await put(fixture, { '/a': '1' });
    const follower = follow(fixture, '/', 0n);
    await until(fixture, 'it sees', () => follower.lines().length === 1);
    await follower.stop();
    expect(follower.lines()).toEqual([`${first} put /a=1`]);
  });

  test('a watch sees its prefix and nothing else', async () => {
    const start = await put(fixture, { '/a': '0' });
    const follower = follow(fixture, '/a/', start);
    const revision = await put(fixture, { '/a': '1', '/a/b': '1', '/a0': '1', '/ab': '1' });
    await put(fixture, { '/a': '2', '/ab': '2' });
    const last = await put(fixture, { '/a/c': '1' });
    await until(fixture, 'the last comes', () => follower.lines().length === 2);
    await follower.stop();
    expect(follower.lines()).toEqual([`${revision} put /a/b=1`, `${last} put /a/c=1`]);
  });

  test('progress tells that nothing more is to come, however quiet the prefix', async () => {
    const start = await put(fixture, { '/quiet/a': '1' });
    const follower = follow(fixture, '/quiet/', start);
    const last = (): bigint => {
      const event = follower.events.at(-1);
      return event?.kind === 'progress' ? event.revision : 0n;
    };
    const first = await put(fixture, { '/loud': '1' });
    await until(fixture, 'progress', () => last() >= first);
    for (let index = 0; index < 20; index += 1) await put(fixture, { '/loud': String(index) });
    const second = await put(fixture, { '/loud': 'end' });
    await until(fixture, 'more progress', () => last() >= second);
    expect(last()).toBe(second);
    const third = await put(fixture, { '/quiet/a': '2' });
    await until(fixture, 'the change', () => follower.lines().length === 1);
    await follower.stop();
    expect(follower.lines()).toEqual([`${third} put /quiet/a=2`]);
    const revisions = follower.events.map((event) =>
      event.kind === 'expired' ? 0n : event.revision,
    );
    expect(revisions).toEqual(revisions.toSorted((a, b) => Number(a - b)));
  });

  test('a watch ends when it is aborted: before, during and between events', async () => {
    const start = await put(fixture, { '/a': '1' });
    const aborted = fixture.store().watch('/', { afterRevision: 0n, signal: AbortSignal.abort() });
    for await (const event of aborted) expect(event).toBe('nothing');
    const idle = follow(fixture, '/', start);
    await fixture.pass(50);
    await idle.stop();
    const abort = new AbortController();
    let seen = 0;
    const watch = fixture.store().watch('/', { afterRevision: start - 1n, signal: abort.signal });
    for await (const event of watch) {
      seen += event.kind === 'changes' ? 1 : 0;
      abort.abort();
    }
    expect(seen).toBe(1);
  });

  test('a consumer may simply leave', async () => {
    const start = await put(fixture, { '/a': '1' });
    const abort = new AbortController();
    const watch = fixture.store().watch('/', { afterRevision: start - 1n, signal: abort.signal });
    for await (const event of watch) if (event.kind === 'changes') break;
    await put(fixture, { '/a': '2' });
    abort.abort();
  });

  test('many watches see the same', async () => {
    const start = await put(fixture, { '/a': '0' });
    const followers = Array.from({ length: 50 }, (_, index) =>
      follow(fixture, index % 2 === 0 ? '/a' : '/b', start),
    );
    for (let index = 0; index < 30; index += 1) {
      await put(fixture, { '/a': String(index), '/b': String(index) });
    }
    await until(fixture, 'all see all', () =>
      followers.every((follower) => follower.lines().length === 30),
    );
    for (const [index, follower] of followers.entries()) {
      const name = index % 2 === 0 ? '/a' : '/b';
      const expected = Array.from(
        { length: 30 },
        (_, at) => `${start + BigInt(at) + 1n} put ${name}=${at}`,
      );
      expect(follower.lines()).toEqual(expected);
      await follower.stop();
    }
  });

  test('a watch that needs what was compacted away expires; one that does not goes on', async () => {
    const first = await put(fixture, { '/a': '1' });
    const second = await put(fixture, { '/a': '2' });
    const third = await put(fixture, { '/a': '3' });
    const live = follow(fixture, '/', third);
    await fixture.pass(50);
    await fixture.store().compact(second);
    for (const revision of [first - 1n, first]) {
      const late = follow(fixture, '/', revision);
      await late.ended;
      expect(late.events).toEqual([{ kind: 'expired', compactRevision: second }]);
    }
    const exact = follow(fixture, '/', second);
    const fourth = await put(fixture, { '/a': '4' });
    await until(fixture, 'both see', () => exact.lines().length === 2 && live.lines().length === 1);
    expect(exact.lines()).toEqual([`${third} put /a=3`, `${fourth} put /a=4`]);
    expect(live.lines()).toEqual([`${fourth} put /a=4`]);
    await Promise.all([exact.stop(), live.stop()]);
  });

  test('a delete at the compacted revision itself is never lost in silence', async () => {
    await put(fixture, { '/a': '1', '/b': '1' });
    const deleted = await write(fixture, [{ kind: 'delete', key: '/a' }]);
    await put(fixture, { '/b': '2' });
    await fixture.store().compact(deleted);
    const late = follow(fixture, '/', deleted - 1n);
    await late.ended;
    expect(late.events).toEqual([{ kind: 'expired', compactRevision: deleted }]);
  });

  test('a slow consumer loses nothing and sees the order', async () => {
    const start = await put(fixture, { '/a': 'start' });
    const abort = new AbortController();
    const watch = fixture.store().watch('/a', { afterRevision: start - 1n, signal: abort.signal });
    const events = watch[Symbol.asyncIterator]();
    const lines: string[] = [];
    const take = async (): Promise<void> => {
      const { value } = (await events.next()) as { value: WatchEvent };
      if (value.kind === 'changes') lines.push(...linesOf(value));
    };
    await take();
    const value = 'x'.repeat(1000);
    const count = 600;
    const rounds = Array.from({ length: count }, (_, index) => index);
    for (const index of rounds) {
      await put(fixture, { '/a': `${index}${value}`, '/other': '1' });
      // Now and then it takes one, so that it is slow rather than asleep.
      if (index % 100 === 0) await take();
    }
    while (lines.length < count + 1) await take();
    abort.abort();
    expect(lines).toEqual([
      `${start} put /a=start`,
      ...rounds.map((index) => `${start + BigInt(index) + 1n} put /a=${index}${value}`),
    ]);
  });
}
