import { createHash, createHmac } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { RECONCILE_REQUESTED, type Repository } from '../../api/repository.ts';
import { silentLog } from '../../runtime/log.ts';
import { objectKey } from '../../runtime/store/keys.ts';
import { memoryStore } from '../../runtime/store/memory-store.ts';
import type { Store } from '../../runtime/store/store.ts';
import { type VirtualClock, virtualClock } from '../../runtime/test-clock.ts';
import { createSealer } from '../identity/sealer.ts';
import { type DomScene, domScene } from '../test-scene.ts';
import { HOOK_BURST, HOOK_DELIVERIES_MAX, HOOK_EVERY_MS, HookDesk } from './desk.ts';

const INFRA = { namespace: 'default', name: 'infra' };
const random = { next: () => 0.5, bytes: (length: number) => new Uint8Array(length) };

let clock: VirtualClock;
let store: Store;
let at: DomScene;
let away: boolean;
let stopping: AbortController;

beforeEach(async () => {
  clock = virtualClock();
  store = memoryStore({ clock });
  away = false;
  stopping = new AbortController();
  at = await domScene({ clock, store });
  await at.apply({ ...object('Secret', 'hook'), spec: { data: { secret: 'key' } } });
  await declare({});
});
afterEach(() => {
  stopping.abort();
  at.stop();
});

function object(kind: string, name: string): object {
  return { apiVersion: 'b8s.dev/v1', kind, metadata: { name } };
}

async function declare(spec: object): Promise<void> {
  await at.apply({
    ...object('Repository', 'infra'),
    spec: {
      ...{ url: 'https://git.example.com/infra.git', ref: { branch: 'main' } },
      ...{ webhook: { secretRef: 'hook' }, ...spec },
    },
  });
}

/** As of a dom that does not lead: it has the store, and the key of secrets. */
function desk(): HookDesk {
  const weather: Store = new Proxy(store, {
    get(target, key) {
      if (away && key === 'commit') return () => Promise.reject(new Error('away'));
      const member: unknown = Reflect.get(target, key);
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
  const sealer = createSealer({ key: new Uint8Array(32), random });
  return new HookDesk({ store: weather, sealer, clock, random, log: silentLog }, stopping.signal);
}

function call(after: string, { key = 'key', event = 'push', ref = 'refs/heads/main' } = {}) {
  const body = Buffer.from(JSON.stringify({ ref, after }));
  const headers: Record<string, string> = {
    'x-github-event': event,
    'x-hub-signature-256': `sha256=${createHmac('sha256', key).update(body).digest('hex')}`,
  };
  return { header: (name: string) => headers[name], body };
}

async function asked(): Promise<string | undefined> {
  return (await stored()).metadata.annotations?.[RECONCILE_REQUESTED];
}

test('a push asks as b8sctl reconcile does', async () => {
  expect(await desk().take(INFRA, call('a'))).toEqual({ kind: 'asked', inMs: 0 });
  expect(await asked()).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z webhook=body:/);
});

test.each([
  { when: 'another key', name: INFRA, how: { key: 'guess' } },
  { when: 'the key that stands for none', name: INFRA, how: { key: 'none' } },
  { when: 'no such Repository', name: { ...INFRA, name: 'no' }, how: {} },
  { when: 'no such Repository, and its key', name: { ...INFRA, name: 'no' }, how: { key: 'none' } },
  { when: 'no such namespace', name: { ...INFRA, namespace: 'no' }, how: {} },
  { when: 'a Secret in place of a Repository', name: { ...INFRA, name: 'hook' }, how: {} },
])('refused, and nothing asked: $when', async ({ name, how }) => {
  expect(await desk().take(name, call('a', how))).toEqual({ kind: 'refused' });
  expect(await asked()).toBeUndefined();
});

test('a Repository without webhook takes no call, also not by the key of nobody', async () => {
  await declare({ webhook: undefined });
  expect(await desk().take(INFRA, call('a', { key: 'none' }))).toEqual({ kind: 'refused' });
});

test.each([
  { when: 'a ping', how: { event: 'ping' }, why: 'pong' },
  { when: 'an issue', how: { event: 'issues' }, why: 'nothing follows from "issues"' },
  {
    when: 'another branch',
    how: { ref: 'refs/heads/topic' },
    why: 'this is not the branch or tag that is followed',
  },
])('nothing is done for $when', async ({ how, why }) => {
  expect(await desk().take(INFRA, call('a', how))).toEqual({ kind: 'idle', why });
  expect(await asked()).toBeUndefined();
});

test('a suspended Repository is left alone', async () => {
  await declare({ suspend: true });
  expect(await desk().take(INFRA, call('a'))).toMatchObject({ kind: 'idle' });
  expect(await asked()).toBeUndefined();
});

test('a call that comes again does nothing, also at another dom, also after many others', async () => {
  await desk().take(INFRA, call('a'));
  for (let n = 1; n < HOOK_DELIVERIES_MAX; n += 1) await desk().take(INFRA, call(`other ${n}`));
  const before = await asked();
  const again = { kind: 'idle', why: 'this call was taken before' };
  expect(await desk().take(INFRA, call('a'))).toEqual(again);
  expect(await asked()).toBe(before);
});

test('a call that could not be written may come again', async () => {
  const one = desk();
  away = true;
  await expect(one.take(INFRA, call('a'))).rejects.toThrow('away');
  away = false;
  expect(await one.take(INFRA, call('a'))).toMatchObject({ kind: 'asked' });
  expect(await asked()).toBeDefined();
});

test('calls that come while one is written are written, too', async () => {
  const one = desk();
  const calls = ['a', 'b', 'c'].map((each) => one.take(INFRA, call(each)));
  expect(await Promise.all(calls)).toMatchObject([{ inMs: 0 }, { inMs: 0 }, { inMs: 0 }]);
  const again = ['a', 'b', 'c'].map((each) => desk().take(INFRA, call(each)));
  expect((await Promise.all(again)).map(({ kind }) => kind)).toEqual(['idle', 'idle', 'idle']);
});

test('a call while the store is away, in a flood, is written when it is back', async () => {
  const one = desk();
  for (let n = 0; n < HOOK_BURST; n += 1) await one.take(INFRA, call(`${n}`));
  expect(await one.take(INFRA, call('last'))).toMatchObject({ kind: 'asked' });
  away = true;
  await clock.advance(HOOK_EVERY_MS + 5_000);
  away = false;
  await clock.advance(2_000);
  expect(await asked()).toContain(shortHash(call('last').body));
});

test('a request of a person that nobody has answered yet is not written over', async () => {
  const person = '2026-11-22T03:04:05.000Z confirm-prune';
  await annotate(person);
  const one = desk();
  expect(await one.take(INFRA, call('a'))).toEqual({ kind: 'asked', inMs: 1_000 });
  await clock.advance(5_000);
  expect(await asked()).toBe(person);
  await answer(person);
  await clock.advance(1_000);
  expect(await asked()).toMatch(/ webhook=body:/);
});

test('but not for ever', async () => {
  await annotate('2026-11-22T03:04:05.000Z');
  await desk().take(INFRA, call('a'));
  for (let n = 0; n < 62; n += 1) await clock.advance(1_000);
  expect(await asked()).toMatch(/ webhook=body:/);
});

test('a flood makes few looks, the last of them after all of it', async () => {
  const one = desk();
  const seen = new Set<string | undefined>();
  const calls = 100;
  for (let n = 0; n < calls; n += 1) {
    await one.take(INFRA, call(`${n}`));
    seen.add(await asked());
    await clock.advance(100);
    seen.add(await asked());
  }
  await clock.advance(HOOK_EVERY_MS);
  seen.add(await asked());
  expect(seen.size).toBeLessThanOrEqual(HOOK_BURST + (calls * 100) / HOOK_EVERY_MS + 1);
  const last = shortHash(call(`${calls - 1}`).body);
  expect(await asked()).toContain(last);
  expect(await one.take(INFRA, call(`${calls - 1}`))).toMatchObject({ kind: 'idle' });
});

async function stored(): Promise<Repository> {
  const item = await store.get(objectKey({ kind: 'Repository', ...INFRA }));
  return JSON.parse(item?.value ?? '{}') as Repository;
}

async function put(repository: Repository): Promise<void> {
  const key = objectKey({ kind: 'Repository', ...INFRA });
  await store.commit({
    guards: [],
    writes: [{ kind: 'put', key, value: JSON.stringify(repository) }],
  });
}

/** As `b8sctl reconcile` does. */
async function annotate(request: string): Promise<void> {
  const base = await stored();
  const annotations = { [RECONCILE_REQUESTED]: request };
  await put({ ...base, metadata: { ...base.metadata, annotations } });
}

/** As the controller does. */
async function answer(handledRequest: string): Promise<void> {
  await put({ ...(await stored()), status: { handledRequest } });
}

function shortHash(body: Buffer): string {
  return createHash('sha256').update(body).digest('base64url').slice(0, 22);
}
