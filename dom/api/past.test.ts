import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Resource } from '../../api/object.ts';
import { ADMIN, type DomScene, domScene, VIEWER } from '../test-scene.ts';

let scene: DomScene;
beforeEach(async () => {
  scene = await domScene();
});
afterEach(() => scene.stop());

function site(name: string, ttl: number, labels?: Record<string, string>): object {
  const metadata = { name, ...(labels !== undefined && { labels }) };
  const spec = { hosts: [`${name}.example.com`], ttl };
  return { apiVersion: 'b8s.dev/v1', kind: 'Site', metadata, spec };
}

const BLOG = { kind: 'Site', namespace: 'default', name: 'blog' };

async function get(moment: { readonly revision?: bigint; readonly timeMs?: bigint }) {
  const request = { reference: BLOG, revision: 0n, ...moment };
  return JSON.parse((await scene.term.api.get(request, VIEWER)).objectJson) as Resource;
}

async function list(moment: { revision?: bigint; timeMs?: bigint }, more: object = {}) {
  const request = { kind: 'Site', namespace: '', labelSelector: '', revision: 0n, limit: 0 };
  return await scene.term.api.list({ ...request, continue: '', ...moment, ...more }, VIEWER);
}

async function names(...asked: Parameters<typeof list>): Promise<readonly string[]> {
  const { objectsJson } = await list(...asked);
  return objectsJson.map((text) => (JSON.parse(text) as Resource).metadata.name);
}

const nowMs = () => BigInt(scene.clock.nowMs());

async function deleteBlog(): Promise<void> {
  const request = { reference: BLOG, uid: '', command: '', dryRun: false };
  await scene.term.api.delete(request, ADMIN);
  await scene.clock.advance(1000);
}

/** Blog with 30 s, then 60 s, then gone, then another one with 90 s; each a second apart. */
async function pastOfBlog() {
  const [early] = [nowMs()];
  await scene.clock.advance(1000);
  const first = await scene.apply(site('blog', 30, { tier: 'front' }));
  const created = nowMs();
  await scene.clock.advance(1000);
  await scene.apply(site('blog', 60));
  const changed = nowMs();
  await scene.clock.advance(1000);
  await deleteBlog();
  const gone = nowMs();
  await scene.clock.advance(1000);
  await scene.apply(site('blog', 90));
  return { early, first, created, changed, gone };
}

test('what was declared at a time, also of what is gone since', async () => {
  const { early, first, created, changed, gone } = await pastOfBlog();
  await expect(get({ timeMs: early })).rejects.toThrow(/sites "blog" not found/);
  const then = await get({ timeMs: created });
  expect(then).toMatchObject({ spec: { ttl: 30 }, metadata: { labels: { tier: 'front' } } });
  expect(then.metadata.uid).toBe(first.metadata.uid);
  expect(then).not.toHaveProperty('status');
  const later = await get({ timeMs: changed });
  expect(later.spec).toMatchObject({ ttl: 60 });
  expect(later.metadata.creationTimestamp).toBe(then.metadata.creationTimestamp);
  await expect(get({ timeMs: gone })).rejects.toThrow(/not found/);
  expect((await get({ timeMs: nowMs() })).spec).toMatchObject({ ttl: 90 });
});

test('history outlives the compaction of the store', async () => {
  const { first } = await pastOfBlog();
  const revision = BigInt(first.metadata.resourceVersion);
  expect((await get({ revision })).spec).toMatchObject({ ttl: 30 });
  await scene.store.compact((await scene.store.list('/b8s/')).revision);
  const then = await get({ revision });
  expect(then.spec).toMatchObject({ ttl: 30 });
  expect(then.metadata.resourceVersion).toBe(first.metadata.resourceVersion);
  expect(await names({ revision })).toEqual(['blog']);
});

test('lists of the past come in pages, by label and namespace', async () => {
  for (const name of ['a', 'a-b', 'a0', 'b']) await scene.apply(site(name, 30, { of: name }));
  const timeMs = nowMs();
  await scene.clock.advance(1000);
  for (const name of ['a', 'c']) await scene.apply(site(name, 60));
  expect(await names({ timeMs })).toEqual(['a', 'a-b', 'a0', 'b']);
  expect(await names({ timeMs }, { labelSelector: 'of=a0' })).toEqual(['a0']);
  expect(await names({ timeMs }, { namespace: 'other' })).toEqual([]);
  const found: string[] = [];
  let next = '';
  do {
    const page = await list({ timeMs }, { limit: 1, continue: next });
    found.push(...page.objectsJson.map((text) => (JSON.parse(text) as Resource).metadata.name));
    next = page.continue;
  } while (next !== '');
  expect(found).toEqual(['a', 'a-b', 'a0', 'b']);
});

test('a revision and a time at once are refused, and a node may not look back either', async () => {
  await expect(get({ revision: 3n, timeMs: 5n })).rejects.toThrow(/not for both/);
  const node = { identity: { kind: 'node', name: 'london', uid: 'x' } } as const;
  const request = { reference: BLOG, revision: 0n, timeMs: 5n };
  await expect(scene.term.api.get(request, node)).rejects.toThrow(/may not use this API/);
});

test('the past of a Secret shows no more than its presence', async () => {
  const spec = { data: { password: 'open sesame' } };
  const apiVersion = 'b8s.dev/v1';
  await scene.apply({ apiVersion, kind: 'Secret', metadata: { name: 'token' }, spec });
  const timeMs = nowMs();
  const reference = { kind: 'Secret', namespace: 'default', name: 'token' };
  const one = await scene.term.api.get({ reference, revision: 0n, timeMs }, VIEWER);
  const all = await list({ timeMs }, { kind: 'Secret' });
  for (const text of [one.objectJson, ...all.objectsJson]) {
    expect(text).toContain('(sealed)');
    expect(text).not.toMatch(/sesame|v1\./);
  }
});
