import { X509Certificate } from 'node:crypto';
import { beforeEach, expect, test } from 'vitest';
import { connectionOf, parseConfig } from '../../runtime/client-config.ts';
import { memoryDisk } from '../../runtime/disk/memory-disk.ts';
import { systemRandom } from '../../runtime/node/random.ts';
import { createAuthority, generateCa } from '../../runtime/node/tls/authority.ts';
import { recordKey } from '../../runtime/store/keys.ts';
import { memoryStore } from '../../runtime/store/memory-store.ts';
import type { Store } from '../../runtime/store/store.ts';
import { virtualClock } from '../../runtime/test-clock.ts';
import { readUser } from '../identity/user-record.ts';
import { CONFIG_PATH, writeAdminConfig } from './admin-config.ts';

const random = systemRandom();
const clock = virtualClock(Date.parse('2027-01-15T12:00:00Z'));
const authority = await createAuthority({
  ...(await generateCa({ clock, random, name: 'b8s' })),
  ...{ clock, random },
});
const server = '127.0.0.1:7443';

let store: Store;
let disk: ReturnType<typeof memoryDisk>;
beforeEach(() => {
  store = memoryStore({ clock });
  disk = memoryDisk();
});

test('the config of the first administrator is listed, and stays while it is good', async () => {
  const first = await written();
  expect((await readUser(store, 'admin'))?.certificates).toMatchObject([
    { serial: serialOf(first), role: 'admin', createdBy: 'dom' },
  ]);
  expect(await written()).toBe(first);
});

test('one that was revoked is made anew, and that one is good', async () => {
  const first = await written();
  await revokeAll();
  const second = await written();
  expect(serialOf(second)).not.toBe(serialOf(first));
  const { certificates = [] } = (await readUser(store, 'admin')) ?? {};
  expect(certificates.map(({ serial }) => serial)).toEqual([serialOf(second)]);
  expect(await written()).toBe(second);
});

test('two doms each leave one, and both are good', async () => {
  await revokeAll();
  const first = await written();
  disk = memoryDisk();
  const second = await written();
  const { certificates = [] } = (await readUser(store, 'admin')) ?? {};
  expect(certificates.map(({ serial }) => serial)).toEqual([serialOf(first), serialOf(second)]);
});

async function written(): Promise<string> {
  await writeAdminConfig({ store, disk, authority, clock, server });
  return Buffer.from((await disk.read(CONFIG_PATH)) ?? []).toString();
}

function serialOf(text: string): string {
  const config = parseConfig(text);
  const { certificatePem } = connectionOf(config, config.currentContext);
  return new X509Certificate(certificatePem).serialNumber.toLowerCase();
}

async function revokeAll(): Promise<void> {
  const value = JSON.stringify({ certificates: [], revoked: { atMs: clock.nowMs(), by: 'ada' } });
  await store.commit({
    guards: [],
    writes: [{ kind: 'put', key: recordKey('user', 'admin'), value }],
  });
}
