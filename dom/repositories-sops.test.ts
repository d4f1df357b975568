import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { condition, type Resource } from '../api/object.ts';
import type { Repository } from '../api/repository.ts';
import type { Secret } from '../api/secret.ts';
import { fakeGit } from '../runtime/git/fake/fake-git.ts';
import { FakeRemote } from '../runtime/git/fake/remote.ts';
import type { Log } from '../runtime/log.ts';
import { secretContext } from '../runtime/secret/secrets.ts';
import { type AgePair, agePair, sopsEncrypt } from '../runtime/sops/sops.fixture.ts';
import { memoryStore } from '../runtime/store/memory-store.ts';
import type { Store } from '../runtime/store/store.ts';
import { type VirtualClock, virtualClock } from '../runtime/test-clock.ts';
import { createSealer } from './identity/sealer.ts';
import { ADMIN, type DomScene, domScene, VIEWER } from './test-scene.ts';

const URL = 'https://git.example.com/infra.git';
const PLAIN = 'hunter2';

let clock: VirtualClock;
let store: Store;
let remote: FakeRemote;
let at: DomScene;
let logged: string;
let ada: AgePair;
let eve: AgePair;

beforeEach(async () => {
  clock = virtualClock();
  store = memoryStore({ clock });
  remote = new FakeRemote();
  logged = '';
  const note = (...parts: readonly unknown[]): void => void (logged += JSON.stringify(parts));
  const log: Log = { debug: note, info: note, warn: note, error: note, child: () => log };
  at = await domScene({ clock, store, log, git: fakeGit({ remotes: new Map([[URL, remote]]) }) });
  [ada, eve] = [await agePair(), await agePair()];
});
afterEach(() => at.stop());

const manifest = (kind: string, name: string, spec: object): Record<string, unknown> => {
  return { apiVersion: 'b8s.dev/v1', kind, metadata: { name }, spec };
};
const encrypt = (object: object, to = ada): Promise<string> =>
  sopsEncrypt(JSON.stringify(object), { groups: [[to]] });

async function settle(seconds: number): Promise<void> {
  for (let step = 0; step < seconds * 10; step += 1) {
    await clock.advance(100);
    // Keys of age are opened beside the clock, by threads that may be busy.
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

async function follow(spec: object = { decryption: { secretRef: 'sops' } }): Promise<void> {
  const common = { url: URL, interval: '1m', timeout: '30s', allowMassDeletion: true };
  await at.apply(manifest('Repository', 'infra', { ...common, ...spec }));
  await settle(3);
}

async function push(file: string): Promise<void> {
  const other = JSON.stringify(manifest('Issuer', 'a', { ca: { lifetime: '30d' } }));
  remote.commit({ 'secret.yaml': file, 'a.json': other });
  await settle(70);
}

async function find<Found extends Resource>(
  kind: string,
  name: string,
): Promise<Found | undefined> {
  const reference = { kind, namespace: 'default', name };
  return await at.term.api.get({ reference, revision: 0n }, ADMIN).then(
    ({ objectJson }) => JSON.parse(objectJson) as Found,
    () => undefined,
  );
}

async function ready(): Promise<string> {
  const found = await find<Repository>('Repository', 'infra');
  const ready_ = found && condition(found, 'Ready');
  return `${ready_?.reason}: ${ready_?.message}`;
}

/** The value that dom holds, as those read it who need it. */
async function opened(name: string, key: string): Promise<string> {
  const { items } = await store.list(`/b8s/secrets/default/${name}`);
  const { spec } = JSON.parse(items[0]?.value ?? '{}') as Secret;
  const sealer = createSealer({
    key: new Uint8Array(32),
    random: { next: () => 0, bytes: (n) => new Uint8Array(n) },
  });
  return sealer.open(spec.data[key] ?? '', secretContext({ namespace: 'default', name, key }));
}

/** All that dom holds and has said. */
async function everything(): Promise<string> {
  const { items } = await store.list('/');
  return [...items.map(({ value }) => value), logged].join('\n');
}

const secret = manifest('Secret', 'db', { data: { password: PLAIN } });

test('an encrypted Secret is applied, and its value is nowhere in the clear', async () => {
  await at.apply(
    manifest('Secret', 'sops', { data: { 'age.agekey': `# key\n${ada.identity}\n` } }),
  );
  await follow();
  await push(await encrypt(secret));
  expect(await ready()).toMatch(/^Applied: /);
  expect(await opened('db', 'password')).toBe(PLAIN);
  expect((await find<Secret>('Secret', 'db'))?.spec.data).toEqual({ password: '(sealed)' });
  await push(await encrypt(manifest('Secret', 'db', { data: { password: `${PLAIN}-new` } })));
  expect(await opened('db', 'password')).toBe(`${PLAIN}-new`);
  expect(await everything()).not.toContain(PLAIN);
  expect(await everything()).not.toContain('AGE-SECRET-KEY');
  expect(await everything()).toContain('commit ');
});

test('a forecast of an encrypted commit has no value in it', async () => {
  await at.apply(manifest('Secret', 'sops', { data: { key: ada.identity } }));
  await follow();
  await push(await encrypt(secret));
  remote.commit(
    {
      'secret.yaml': await encrypt(manifest('Secret', 'db', { data: { password: `${PLAIN}-2` } })),
    },
    { branch: 'change' },
  );
  const request = {
    ...{ repository: { kind: 'Repository', namespace: '', name: 'infra' }, ref: 'change' },
    ...{ force: false, confirmPrune: false },
  };
  const told: unknown[] = [];
  const { signal } = new AbortController();
  const parts = at.term.api.forecastRepository(request, VIEWER, signal);
  let phase = 'asking';
  const all = (async () => {
    for await (const part of parts) told.push(part);
  })().finally(() => (phase = 'over'));
  while (phase === 'asking') await settle(1);
  await all;
  const text = JSON.stringify(told, (_, value: unknown) =>
    typeof value === 'bigint' ? String(value) : value,
  );
  expect(text).toContain('db');
  expect(text).not.toContain(PLAIN);
});

describe('refused whole, with file, line and mend, and nothing changes', () => {
  const cases: readonly {
    readonly when: string;
    readonly file: () => Promise<string>;
    readonly says: RegExp;
    readonly spec?: object;
  }[] = [
    {
      when: 'the key is of somebody else',
      file: () => encrypt(secret, eve),
      says: /^Invalid: .*secret\.yaml:\d+ cannot be decrypted: it is encrypted for age1.*Secret default\/sops has none/s,
    },
    {
      when: 'a value was changed',
      file: async () =>
        (await encrypt(secret)).replace(
          /data:(...)/,
          (_, part: string) => `data:${part === 'AAA' ? 'BBB' : 'AAA'}`,
        ),
      says: /^Invalid: .*secret\.yaml:\d+ spec\.data\.password (cannot be decrypted|is not encrypted)/s,
    },
    {
      when: 'the name was changed',
      file: async () =>
        (await encrypt(secret)).replace('"db"', '"da"').replace('name: db', 'name: da'),
      says: /^Invalid: .*secret\.yaml:\d+ sops\.mac is not what was encrypted/s,
    },
    {
      when: 'no key is named',
      file: () => encrypt(secret),
      says: /^Invalid: .*secret\.yaml:\d+ is encrypted with SOPS: name a Secret .* in spec\.decryption/s,
      spec: {},
    },
    {
      when: 'the sops block is cut off',
      file: async () =>
        (await encrypt(secret)).replace(/,? *"?sops"?:[^]*/, '}').replace(/\n}$/, '\n'),
      says: /^Invalid: .*(what SOPS made of a value|is not YAML)/s,
    },
    {
      when: 'the Secret is not there',
      file: () => encrypt(secret),
      says: /^SecretMissing: Secret default\/gone is not there/,
      spec: { decryption: { secretRef: 'gone' } },
    },
    {
      when: 'it holds no key',
      file: () => encrypt(secret),
      says: /^Invalid: .*Secret default\/other: what is written in place of key 1/s,
      spec: { decryption: { secretRef: 'other' } },
    },
    {
      when: 'a value is longer than a Secret may have',
      file: () => encrypt(manifest('Secret', 'db', { data: { password: PLAIN.repeat(20_000) } })),
      says: /^Invalid: .*spec\.data\.password/s,
    },
  ];
  test.each(cases)('when $when', async ({ file, says, spec }) => {
    await at.apply(manifest('Secret', 'sops', { data: { key: ada.identity } }));
    await at.apply(manifest('Secret', 'other', { data: { key: 'hunter2-is-no-key' } }));
    await follow(spec);
    await push(await file());
    expect(await ready()).toMatch(says);
    expect(await find('Issuer', 'a')).toBeUndefined();
    expect(await find('Secret', 'db')).toBeUndefined();
    expect(await everything()).not.toContain(PLAIN);
  });
});
