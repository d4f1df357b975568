import { describe, expect, test } from 'vitest';
import { transferKeyContext } from '../../runtime/dns/transfer-key.ts';
import { systemRandom } from '../../runtime/node/random.ts';
import { recordKey } from '../../runtime/store/keys.ts';
import { memoryStore } from '../../runtime/store/memory-store.ts';
import type { World } from '../../runtime/store/world.ts';
import { Writer } from '../../runtime/store/writer.ts';
import { virtualClock } from '../../runtime/test-clock.ts';
import { createSealer } from './sealer.ts';
import { createTransferKeys } from './transfer-keys.ts';

const NONE = new Uint8Array();

function setUp(zones: readonly object[] = []) {
  const clock = virtualClock();
  const random = systemRandom();
  const store = memoryStore({ clock });
  const writer = new Writer({ store, clock, random, fence: () => [] });
  const sealer = createSealer({ key: new Uint8Array(32), random });
  const world = { list: () => zones } as unknown as World;
  const keys = createTransferKeys({ store, writer, clock, random, sealer, world });
  return { clock, store, sealer, keys };
}

function request(given: Partial<Parameters<ReturnType<typeof setUp>['keys']['create']>[0]> = {}) {
  return { name: 'xfr', algorithm: '', secret: NONE, createdBy: 'ada', ...given };
}

describe('create', () => {
  test('makes a secret, shows it once, and keeps it sealed (INV-33)', async () => {
    const { keys, store, sealer, clock } = setUp();
    const secret = Buffer.from(await keys.create(request()));
    expect(secret.length).toBe(32);
    const value = (await store.get(recordKey('transferKey', 'xfr')))?.value ?? '';
    for (const form of ['base64', 'hex', 'latin1', 'base64url'] as const) {
      expect(value).not.toContain(secret.toString(form));
    }
    const { sealedKey } = JSON.parse(value) as { sealedKey: string };
    expect(sealer.open(sealedKey, transferKeyContext('xfr'))).toBe(secret.toString('base64'));
    expect(() => sealer.open(sealedKey, transferKeyContext('other'))).toThrow('sealed for');
    const listed = { name: 'xfr', algorithm: 'hmac-sha256', createdBy: 'ada' };
    expect(await keys.list()).toEqual([{ ...listed, createdMs: clock.nowMs() }]);
  });

  test('takes a secret that is given, and returns nothing', async () => {
    const { keys, store, sealer } = setUp();
    const secret = Buffer.from('a secret of twenty-two');
    const algorithm = 'hmac-sha512';
    expect(await keys.create(request({ secret, algorithm }))).toEqual(NONE);
    const value = (await store.get(recordKey('transferKey', 'xfr')))?.value ?? '';
    const { sealedKey } = JSON.parse(value) as { sealedKey: string };
    expect(sealer.open(sealedKey, transferKeyContext('xfr'))).toBe(secret.toString('base64'));
  });

  test.each([
    { given: { name: 'Not_a name' }, code: 'INVALID_ARGUMENT' },
    { given: { algorithm: 'hmac-md5' }, code: 'INVALID_ARGUMENT' },
    { given: { secret: Buffer.alloc(15) }, code: 'INVALID_ARGUMENT' },
    { given: { secret: Buffer.alloc(513) }, code: 'INVALID_ARGUMENT' },
    { given: { name: 'there' }, code: 'ALREADY_EXISTS' },
  ])('refuses $given with $code', async ({ given, code }) => {
    const { keys } = setUp();
    await keys.create(request({ name: 'there' }));
    await expect(keys.create(request(given))).rejects.toMatchObject({ code });
  });
});

describe('delete', () => {
  test('takes a key away that no Zone names', async () => {
    const { keys } = setUp();
    await keys.create(request());
    await keys.delete('xfr', 'ada');
    expect(await keys.list()).toEqual([]);
    await expect(keys.delete('xfr', 'ada')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('is refused while a Zone names it, and says which', async () => {
    const secondaries = [{ address: '192.0.2.53', port: 53, key: 'xfr' }];
    const metadata = { namespace: 'default', name: 'example' };
    const { keys } = setUp([{ metadata, spec: { secondaries } }]);
    await keys.create(request());
    await expect(keys.delete('xfr', 'ada')).rejects.toThrow('used by default/example');
    expect((await keys.list()).length).toBe(1);
  });
});
