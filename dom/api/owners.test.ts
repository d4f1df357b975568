import { expect, test } from 'vitest';
import { HISTORY_PREFIX } from '../../runtime/store/keys.ts';
import { memoryStore } from '../../runtime/store/memory-store.ts';
import type { Store } from '../../runtime/store/store.ts';
import { virtualClock } from '../../runtime/test-clock.ts';
import { domScene } from '../test-scene.ts';

const DIGEST = `sha256-${'a'.repeat(64)}`;
const release = {
  apiVersion: 'b8s.dev/v1',
  kind: 'Release',
  metadata: { namespace: 'default', name: DIGEST },
  spec: { site: 'blog', files: 1, sizeBytes: 1 },
};
const site = {
  apiVersion: 'b8s.dev/v1',
  kind: 'Site',
  metadata: { namespace: 'default', name: 'blog' },
  spec: { hosts: ['blog.example.com'], content: { release: DIGEST } },
};

const shop = {
  ...site,
  metadata: { namespace: 'default', name: 'shop' },
  spec: { hosts: ['shop.example.com'], content: { release: DIGEST } },
};

test.each([
  { which: 'a site that is deleted and declared again at once', next: site, declared: [release] },
  { which: 'a site of another name that takes up what goes', next: shop, declared: [] },
])('$which keeps the release that it names', async ({ next, declared }) => {
  const clock = virtualClock();
  const plain = memoryStore({ clock });
  let deletions: 'go through' | 'wait' = 'go through';
  const waiting: (() => void)[] = [];
  // What dom's controllers want to delete, or to take over, comes late, as if dom were busy.
  const wrapStore = (store: Store): Store => ({
    ...bound(store),
    commit: async (transaction) => {
      const writes = transaction.writes.filter(({ key }) => key.startsWith('/b8s/releases/'));
      const isDeclared = transaction.writes.some(({ key }) => key.startsWith(HISTORY_PREFIX));
      const isGarbage = writes.some(({ kind }) => kind === 'delete');
      if (
        deletions === 'wait' &&
        writes.length > 0 &&
        (isGarbage || (next === shop && !isDeclared))
      )
        await new Promise<void>((resolve) =>
          isGarbage ? waiting.unshift(resolve) : waiting.push(resolve),
        );
      return store.commit(transaction);
    },
  });
  const scene = await domScene({ clock, store: plain, wrapStore });
  try {
    await scene.apply(release);
    await scene.apply(site);
    await clock.advance(1_000);
    deletions = 'wait';
    await scene.remove('Site', 'blog');
    await clock.advance(1_000);
    expect(waiting.length).toBeGreaterThan(0);
    // As `b8sctl apply` does it: first what the site is to show, then the site.
    for (const each of declared) await scene.apply(each);
    if (next === shop) await scene.apply(shop);
    deletions = 'go through';
    for (const each of waiting) each();
    await clock.advance(1_000);
    if (next === site) await scene.apply(site);
    await clock.advance(1_000);
    const kept = await plain.get(`/b8s/releases/default/${DIGEST}`);
    expect(kept).toBeDefined();
  } finally {
    scene.stop();
  }
});

test('what is pushed while a site waits for its finalizers is for the next one of its name', async () => {
  const store = memoryStore({ clock: virtualClock() });
  const scene = await domScene({ store });
  const key = '/b8s/sites/default/blog';
  try {
    await scene.apply(release);
    await scene.apply(site);
    await scene.clock.advance(1_000);
    const { value = '' } = (await store.get(key)) ?? {};
    const cared = value.replace('"metadata":{', '"metadata":{"finalizers":["example.com/dns"],');
    await store.commit({ guards: [], writes: [{ kind: 'put', key, value: cared }] });
    await scene.remove('Site', 'blog');
    await scene.apply(release);
    await scene.clock.advance(1_000);
    await store.commit({ guards: [], writes: [{ kind: 'delete', key }] });
    await scene.clock.advance(1_000);
    expect(await store.get(`/b8s/releases/default/${DIGEST}`)).toBeDefined();
  } finally {
    scene.stop();
  }
});

test('an object keeps the owners that are there, also when it is applied again', async () => {
  const scene = await domScene();
  try {
    await scene.apply(release);
    await scene.apply(site);
    await scene.clock.advance(1_000);
    const again = await scene.apply(release);
    expect(again.metadata.ownerReferences).toHaveLength(1);
  } finally {
    scene.stop();
  }
});

function bound(store: Store): Store {
  return {
    get: (key) => store.get(key),
    list: (prefix, options) => store.list(prefix, options),
    commit: (transaction) => store.commit(transaction),
    watch: (prefix, options) => store.watch(prefix, options),
    grantLease: (ttlMs) => store.grantLease(ttlMs),
    renewLease: (lease) => store.renewLease(lease),
    revokeLease: (lease) => store.revokeLease(lease),
    compact: (revision) => store.compact(revision),
    close: () => store.close(),
  };
}
