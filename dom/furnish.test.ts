import { expect, test } from 'vitest';
import { silentLog } from '../runtime/log.ts';
import { memoryStore } from '../runtime/store/memory-store.ts';
import { Mirror } from '../runtime/store/mirror.ts';
import { type Store, UncertainError } from '../runtime/store/store.ts';
import { Writer } from '../runtime/store/writer.ts';
import { virtualClock } from '../runtime/test-clock.ts';
import { furnish } from './furnish.ts';

const random = { next: () => 0.5, bytes: (count: number) => new Uint8Array(count) };
const sealer = { seal: (secret: string) => `sealed ${secret}`, open: (sealed: string) => sealed };
const geo = { databases: [{ digest: `sha256-${'1'.repeat(64)}`, sizeBytes: 7 }] };

test.each([
  { when: 'all goes well', failures: 0, takesEffect: false },
  { when: 'the first commits fail', failures: 3, takesEffect: false },
  { when: 'the answers to the first commits are lost', failures: 3, takesEffect: true },
])(
  'a cluster has its Issuer, its cookie secrets and its geography when $when',
  async ({ failures, takesEffect }) => {
    const clock = virtualClock();
    const store = failing(memoryStore({ clock }), { failures, takesEffect });
    const stop = new AbortController();
    const world = new Mirror({ store, clock, random, log: silentLog });
    const mirroring = world.run(stop.signal);
    const writer = new Writer({ store, clock, random, fence: () => [] });
    const ports = {
      world,
      writer,
      clock,
      random,
      log: silentLog,
      sealer,
      importGeo: async () => geo,
    };
    const furnishing = furnish(ports, stop.signal);
    await clock.advance(60_000);
    await furnishing;
    expect(world.list('Issuer').map(({ metadata }) => metadata.name)).toEqual(['internal']);
    expect(world.record('geo', 'current')?.value).toEqual(geo);
    expect(world.record('dnsCookie', 'current')?.value.active.sealedKey).toMatch(/^sealed /);
    stop.abort();
    await mirroring;
  },
);

test('furnishing ends with its signal', async () => {
  const clock = virtualClock();
  const store = failing(memoryStore({ clock }), { failures: Infinity, takesEffect: false });
  const world = new Mirror({ store, clock, random, log: silentLog });
  const writer = new Writer({ store, clock, random, fence: () => [] });
  const stop = new AbortController();
  const ports = {
    world,
    writer,
    clock,
    random,
    log: silentLog,
    sealer,
    importGeo: async () => undefined,
  };
  const furnishing = furnish(ports, stop.signal);
  await clock.advance(10_000);
  stop.abort();
  await furnishing;
});

/** A store whose first commits seem to fail. */
function failing(store: Store, plan: { failures: number; takesEffect: boolean }): Store {
  let left = plan.failures;
  const commit: Store['commit'] = async (transaction) => {
    if (left === 0) return store.commit(transaction);
    left -= 1;
    if (plan.takesEffect) await store.commit(transaction);
    throw new UncertainError('the answer was lost');
  };
  return new Proxy(store, {
    get: (target, key) => {
      if (key === 'commit') return commit;
      const member: unknown = Reflect.get(target, key);
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
}
