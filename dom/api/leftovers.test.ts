import { expect, test } from 'vitest';
import { memoryStore } from '../../runtime/store/memory-store.ts';
import type { Store, Transaction } from '../../runtime/store/store.ts';
import { virtualClock } from '../../runtime/test-clock.ts';
import { domScene, siteNamed } from '../test-scene.ts';

const release = (digit: string, site: string) => ({
  apiVersion: 'b8s.dev/v1',
  kind: 'Release',
  metadata: { namespace: 'default', name: `sha256-${digit.repeat(64)}` },
  spec: { site, files: 1, sizeBytes: 1 },
});

test('what was pushed for a site, and not taken over yet, goes with it; all else stays', async () => {
  const clock = virtualClock();
  const plain = memoryStore({ clock });
  const scene = await domScene({ clock, store: plain, wrapStore: takingNothingOver });
  try {
    for (const each of [release('1', 'blog'), release('2', 'shop')]) await scene.apply(each);
    await scene.apply(siteNamed('shop'));
    await scene.apply(siteNamed('blog'));
    await scene.apply(release('3', 'blog'));
    expect(await digits(plain)).toEqual(['1', '2', '3']);
    await scene.remove('Site', 'blog');
    await scene.apply(release('4', 'blog'));
    await clock.advance(1_000);
    expect(await digits(plain)).toEqual(['2', '4']);
  } finally {
    scene.stop();
  }
});

/** A store by way of which a Site that lives on never gets a Release: dom is busy with others. */
function takingNothingOver(store: Store): Store {
  const takesOver = ({ writes }: Transaction): boolean =>
    writes.some((write) => write.kind === 'put' && /^\/b8s\/releases\/.*/.test(write.key)) &&
    writes.some((write) => write.kind === 'put' && write.value.includes('ownerReferences')) &&
    !writes.some(({ kind, key }) => kind === 'delete' && key.startsWith('/b8s/sites/'));
  return {
    get: (key) => store.get(key),
    list: (prefix, options) => store.list(prefix, options),
    commit: (transaction) =>
      takesOver(transaction) ? new Promise(() => undefined) : store.commit(transaction),
    watch: (prefix, options) => store.watch(prefix, options),
    grantLease: (ttlMs) => store.grantLease(ttlMs),
    renewLease: (lease) => store.renewLease(lease),
    revokeLease: (lease) => store.revokeLease(lease),
    compact: (revision) => store.compact(revision),
    close: () => store.close(),
  };
}

async function digits(store: Store): Promise<readonly string[]> {
  const { items } = await store.list('/b8s/releases/default/');
  return items.map(({ key }) => key.slice(-1));
}
