import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { StoreFixture } from './fixture.case.ts';
import { follow, put, until, write } from './fixture.case.ts';

/** A store that keeps its data: it can be stopped the hard way and started on the same data. */
export interface DurableStoreFixture extends StoreFixture {
  readonly restart: () => Promise<void>;
}

/** What a store that keeps its data owes beyond `storeCases`. */
export function storeRestartCases(name: string, open: () => Promise<DurableStoreFixture>): void {
  describe(`${name} keeps its data`, () => {
    let fixture: DurableStoreFixture;
    beforeEach(async () => {
      fixture = await open();
    });
    afterEach(async () => await fixture.dispose());

    const present = async (key: string) => (await fixture.store().get(key)) !== undefined;

    test('what was acknowledged is there after a restart, and revisions grow on', async () => {
      const created = await put(fixture, { '/a': '1', '/b': '1' });
      const last = await write(fixture, [
        { kind: 'put', key: '/a', value: '2' },
        { kind: 'delete', key: '/b' },
      ]);
      await fixture.restart();
      expect(await fixture.store().list('/')).toMatchObject({
        items: [{ key: '/a', value: '2', createRevision: created, modRevision: last }],
        revision: last,
      });
      const old = await fixture.store().list('/', { revision: created });
      expect(old.items.map(({ key }) => key)).toEqual(['/a', '/b']);
      expect(await put(fixture, { '/a': '3' })).toBe(last + 1n);
    });

    test('after a restart a lease has its whole time again, and then ends', async () => {
      const kept = await fixture.store().grantLease(60_000);
      const ending = await fixture.store().grantLease(fixture.leaseTtlMs);
      await write(fixture, [
        { kind: 'put', key: '/kept', value: '1', lease: kept },
        { kind: 'put', key: '/ending', value: '1', lease: ending },
      ]);
      await fixture.restart();
      expect(await fixture.store().renewLease(kept)).toBe('renewed');
      expect(await fixture.store().renewLease(ending)).toBe('renewed');
      await until(fixture, 'the lease ends', async () => !(await present('/ending')));
      expect(await present('/kept')).toBe(true);
      await fixture.store().revokeLease(kept);
      expect(await present('/kept')).toBe(false);
      expect(await fixture.store().grantLease(60_000)).not.toBe(kept);
    });

    test('a watch resumes after a restart where it stopped', async () => {
      const first = await put(fixture, { '/a': '1' });
      const second = await put(fixture, { '/a': '2' });
      await fixture.restart();
      const follower = follow(fixture, '/', first);
      const third = await put(fixture, { '/a': '3' });
      await until(fixture, 'it resumes', () => follower.lines().length === 2);
      await follower.stop();
      expect(follower.lines()).toEqual([`${second} put /a=2`, `${third} put /a=3`]);
    });
  });
}
