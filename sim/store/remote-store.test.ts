import { expect, test } from 'vitest';
import { storeCases } from '../../runtime/store/store.case.ts';
import { UncertainError } from '../../runtime/store/store.ts';
import { historiesCheck } from '../check/store/histories.ts';
import { watchesCheck } from '../check/store/watches.ts';
import { StoreHistory } from '../check/store-history.ts';
import { CALM_STORE, type StoreFaults } from '../faults/store-faults.ts';
import { StoreScene } from './store.fixture.ts';

const PUT = { guards: [], writes: [{ kind: 'put', key: '/a', value: '1' }] } as const;
/** All that a process may notice only by the clock: the contract holds as ever. */
const STEADY_FAULTS: Partial<StoreFaults> = {
  storeLatencyMsMax: 20,
  storeStall: 0.01,
  watchHold: 0.2,
  watchHoldMsMax: 300,
  watchBreak: 0.2,
};

for (const [name, faults] of [
  ['remoteStore when all is well', {}],
  ['remoteStore that is slow, and whose watches lag and break', STEADY_FAULTS],
] as const)
  storeCases(name, async () => {
    const scene = new StoreScene(name);
    scene.faults = { ...CALM_STORE, ...faults };
    const driven = scene.driven(scene.process('dom#1').remote);
    return {
      store: () => driven,
      pass: (ms) => scene.pass(ms),
      leaseTtlMs: 15_000,
      dispose: () => scene.store.close(),
    };
  });

test('a commit whose answer is lost has happened, or happens later, or never', async () => {
  const fates = new Set<string>();
  for (let seed = 1; seed <= 20; seed += 1) {
    const scene = new StoreScene(`uncertain ${seed}`);
    scene.faults = { ...CALM_STORE, commitUncertain: 1 };
    const { remote } = scene.process('dom#1');
    await expect(scene.run(() => remote.commit(PUT))).rejects.toThrow(UncertainError);
    const soon = scene.commits.length;
    await scene.pass(10_000);
    fates.add(soon === 1 ? 'happened' : scene.commits.length === 1 ? 'happens later' : 'never');
    expect(scene.commits.length).toBeLessThan(2);
  }
  expect([...fates].toSorted()).toEqual(['happened', 'happens later', 'never']);
});

test('nobody reaches a store that is down; what was under way is lost, and leases live on', async () => {
  const scene = new StoreScene();
  const { remote } = scene.process('dom#1');
  const lease = await scene.run(() => remote.grantLease(5_000));
  const writes = [{ kind: 'put', key: '/leased', value: '1', lease }] as const;
  await scene.run(() => remote.commit({ guards: [], writes }));
  scene.store.goDown();
  await scene.pass(60_000);
  const calls: readonly (() => Promise<unknown>)[] = [
    () => remote.get('/leased'),
    () => remote.list('/'),
    () => remote.renewLease(lease),
    () => remote.commit(PUT),
  ];
  for (const call of calls) await expect(scene.run(call)).rejects.toThrow(/store/);
  scene.store.comeUp();
  await scene.pass(4_000);
  expect(await scene.run(() => remote.get('/leased'))).toBeDefined();
  await scene.pass(2_000);
  expect(await scene.run(() => remote.get('/leased'))).toBeUndefined();
});

test('who is cut off fails while the others go on, and loses its lease', async () => {
  const scene = new StoreScene();
  const [one, other] = [scene.process('dom-1#1').remote, scene.process('dom-2#1').remote];
  const lease = await scene.run(() => one.grantLease(5_000));
  scene.store.weather.cutOff('dom-1#1');
  await expect(scene.run(() => one.renewLease(lease))).rejects.toThrow(/cannot be reached/);
  expect(await scene.run(() => other.commit(PUT))).toMatchObject({ outcome: 'committed' });
  await scene.pass(5_000);
  scene.store.weather.join('dom-1#1');
  expect(await scene.run(() => one.renewLease(lease))).toBe('expired');
});

test('a lease is renewed late, or without an answer, or not at all', async () => {
  const fates = new Set<string>();
  for (let seed = 1; seed <= 30; seed += 1) {
    const scene = new StoreScene(`renewal ${seed}`);
    const { remote } = scene.process('dom#1');
    const lease = await scene.run(() => remote.grantLease(9_000));
    scene.faults = { ...CALM_STORE, renewalLost: 1 };
    fates.add(await scene.run(() => remote.renewLease(lease)).catch(() => 'failed'));
  }
  expect([...fates].toSorted()).toEqual(['expired', 'failed', 'renewed']);
});

test('a watch that lags shows each revision so long after it came about, all the same', async () => {
  const scene = new StoreScene();
  const { remote } = scene.process('dom#1', { watchLagMs: 5_000 });
  const seenMs: number[] = [];
  const { signal } = new AbortController();
  void (async () => {
    for await (const _ of remote.watch('/', { afterRevision: 1n, signal }))
      seenMs.push(scene.scheduler.nowMs);
  })();
  for (let count = 0; count < 2; count += 1) {
    await scene.store.commit(PUT);
    await scene.pass(1_000);
  }
  await scene.pass(2_900);
  expect(seenMs).toEqual([]);
  await scene.pass(3_000);
  expect(seenMs.map((ms) => Math.floor(ms / 1_000))).toEqual([5, 6]);
});

test('a process that is killed right after an effect never learns of it', async () => {
  const scene = new StoreScene();
  const effects: string[] = [];
  const { remote } = scene.process('dom#1', {
    onEffect: (process, what) => {
      effects.push(what);
      process.kill();
    },
  });
  let answer = 'none';
  remote.commit(PUT).then(
    ({ outcome }) => (answer = outcome),
    () => (answer = 'failed'),
  );
  await scene.pass(60_000);
  expect({ effects, answer }).toEqual({ effects: ['commit 2: /a'], answer: 'none' });
  expect(scene.commits).toMatchObject([{ revision: 2n, process: 'dom#1' }]);
});

test('in all weathers histories and watches stay what the contract says', async () => {
  for (let seed = 1; seed <= 20; seed += 1) {
    const history = new StoreHistory();
    const violations: string[] = [];
    const ports = {
      violated: (number: number, what: string) => void violations.push(`INV-${number}: ${what}`),
      reached: () => undefined,
    };
    const scene = new StoreScene(`all weathers ${seed}`, [
      { stored: (event) => history.learn(event) },
      watchesCheck(ports, history),
      historiesCheck(ports, history),
    ]);
    scene.faults = {
      ...{ ...CALM_STORE, ...STEADY_FAULTS, commitUncertain: 0.2, callLost: 0.2 },
      ...{ renewalLost: 0.5, shortPages: 0.5 },
    };
    await storm(scene, seed);
    expect(violations, `seed ${seed}`).toEqual([]);
  }
});

/** Three processes that write, read and watch, while the store is compacted and goes down. */
async function storm(scene: StoreScene, seed: number): Promise<void> {
  const { signal } = new AbortController();
  for (const name of ['dom-1#1', 'dom-2#1', 'dom-3#1']) {
    const { remote } = scene.process(name);
    const follow = async (): Promise<void> => {
      for (;;) {
        const { revision: afterRevision } = await remote.list('/').catch(() => ({ revision: 1n }));
        for await (const event of remote.watch('/', { afterRevision, signal }))
          if (event.kind === 'expired') break;
      }
    };
    const work = async (): Promise<void> => {
      for (let count = 0; count < 40; count += 1) {
        const key = `/${count % 3}`;
        const item = await remote.get(key).catch(() => undefined);
        const guards = [{ key, modRevision: item?.modRevision ?? 0n }];
        const writes = [{ kind: 'put', key, value: `${name} ${count}` }] as const;
        await remote.commit({ guards, writes }).catch(() => undefined);
      }
    };
    void follow();
    void work();
  }
  for (let round = 0; round < 10; round += 1) {
    await scene.pass(500 + 100 * (seed % 5));
    await scene.store.compact(scene.store.history.head);
    scene.store.breakStreams();
    if (round % 3 === 0) scene.store.goDown();
    await scene.pass(300);
    scene.store.comeUp();
  }
}
