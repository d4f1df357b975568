import { afterEach, beforeEach, expect, test } from 'vitest';
import type { StoreFixture } from './fixture.case.ts';
import { follow, head, put, until, write } from './fixture.case.ts';

/** Leases: keys that go away by themselves. */
export function storeLeaseCases(open: () => Promise<StoreFixture>): void {
  let fixture: StoreFixture;
  beforeEach(async () => {
    fixture = await open();
  });
  afterEach(async () => await fixture.dispose());

  const present = async (key: string) => (await fixture.store().get(key)) !== undefined;

  test('a lease that ends deletes its keys, visibly, at one revision', async () => {
    const lease = await fixture.store().grantLease(fixture.leaseTtlMs);
    const revision = await write(fixture, [
      { kind: 'put', key: '/b', value: '1', lease },
      { kind: 'put', key: '/a', value: '1', lease },
      { kind: 'put', key: '/stays', value: '1' },
    ]);
    const follower = follow(fixture, '/', revision);
    await until(fixture, 'the lease ends', async () => !(await present('/a')));
    await until(fixture, 'the watch says so', () => follower.lines().length === 2);
    await follower.stop();
    expect(follower.lines()).toEqual([`${revision + 1n} delete /a`, `${revision + 1n} delete /b`]);
    expect(await present('/stays')).toBe(true);
    expect(await head(fixture)).toBe(revision + 1n);
    expect(await fixture.store().renewLease(lease)).toBe('expired');
  });

  test('a lease lives as long as it is renewed, beyond its first time', async () => {
    const lease = await fixture.store().grantLease(fixture.leaseTtlMs);
    await write(fixture, [{ kind: 'put', key: '/a', value: '1', lease }]);
    for (let passedMs = 0; passedMs < 2 * fixture.leaseTtlMs; passedMs += fixture.leaseTtlMs / 4) {
      expect(await fixture.store().renewLease(lease)).toBe('renewed');
      await fixture.pass(fixture.leaseTtlMs / 4);
    }
    expect(await present('/a')).toBe(true);
    await until(fixture, 'the lease ends', async () => !(await present('/a')));
  });

  test('a revoked lease ends at once, for good, and may be revoked again', async () => {
    const lease = await fixture.store().grantLease(60_000);
    const revision = await write(fixture, [{ kind: 'put', key: '/a', value: '1', lease }]);
    await fixture.store().revokeLease(lease);
    expect(await present('/a')).toBe(false);
    expect(await head(fixture)).toBe(revision + 1n);
    expect(await fixture.store().renewLease(lease)).toBe('expired');
    await fixture.store().revokeLease(lease);
    const late = fixture
      .store()
      .commit({ guards: [], writes: [{ kind: 'put', key: '/a', value: '2', lease }] });
    await expect(late).rejects.toThrow(/lease/);
    expect(await head(fixture)).toBe(revision + 1n);
  });

  test('a lease without keys ends without a revision', async () => {
    const before = await put(fixture, { '/a': '1' });
    const lease = await fixture.store().grantLease(60_000);
    await fixture.store().revokeLease(lease);
    expect(await head(fixture)).toBe(before);
  });

  test('a key written anew without the lease, or with another, outlives it', async () => {
    const lease = await fixture.store().grantLease(60_000);
    const other = await fixture.store().grantLease(60_000);
    expect(other).not.toBe(lease);
    const writes = ['/a', '/b', '/c'].map((key) => ({ kind: 'put' as const, key, value: '1' }));
    await write(
      fixture,
      writes.map((each) => ({ ...each, lease })),
    );
    await write(fixture, [
      { kind: 'put', key: '/a', value: '2' },
      { kind: 'put', key: '/b', value: '2', lease: other },
    ]);
    await fixture.store().revokeLease(lease);
    expect([await present('/a'), await present('/b'), await present('/c')]).toEqual([
      true,
      true,
      false,
    ]);
    await fixture.store().revokeLease(other);
    expect([await present('/a'), await present('/b')]).toEqual([true, false]);
  });

  test('an unknown lease is refused', async () => {
    expect(await fixture.store().renewLease('123456')).toBe('expired');
    expect(await fixture.store().renewLease('nonsense')).toBe('expired');
    await fixture.store().revokeLease('nonsense');
    const commit = fixture.store().commit({
      guards: [],
      writes: [
        { kind: 'put', key: '/a', value: '1' },
        { kind: 'put', key: '/b', value: '1', lease: '123456' },
      ],
    });
    await expect(commit).rejects.toThrow(/lease/);
    expect(await present('/a')).toBe(false);
  });
}
