import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type EtcdStoreOptions, etcdStore } from '../dom/store/etcd/etcd-store.ts';
import { silentLog } from '../runtime/log.ts';
import { type DurableStoreFixture, storeRestartCases } from '../runtime/store/restart.case.ts';
import { storeCases } from '../runtime/store/store.case.ts';
import type { Revision, Store, WatchEvent } from '../runtime/store/store.ts';
import { UncertainError } from '../runtime/store/store.ts';
import type { EtcdServer } from './support/etcd.ts';
import { enableAuthentication, etcdMissing, startEtcd } from './support/etcd.ts';
import { startTcpProxy } from './support/tcp-proxy.ts';

const missing = await etcdMissing();
const PATIENCE = { askAfterMs: 300, giveUpAfterMs: 1_200 };

describe.skipIf(missing !== undefined)(`etcd${missing === undefined ? '' : `: ${missing}`}`, () => {
  // Few recent changes are kept, so that the cases reach the reading of history too.
  const openFixture = async (): Promise<DurableStoreFixture> => {
    const etcd = await startEtcd();
    const hosts = [etcd.endpoint];
    const store = etcdStore({ hosts, prefix: 'é', patience: PATIENCE, recentChangesMax: 64 });
    return {
      store: () => store,
      pass: (ms) => sleep(ms),
      leaseTtlMs: 3_000,
      restart: () => etcd.restart(),
      dispose: async () => {
        await store.close();
        await etcd.stop();
      },
    };
  };
  storeCases('etcdStore', openFixture);
  storeRestartCases('etcdStore', openFixture);

  describe('faults', faultCases);
});

function faultCases(): void {
  let etcd: EtcdServer;
  let store: Store;
  const cleanups: (() => Promise<void>)[] = [];
  beforeEach(async () => {
    etcd = await startEtcd();
    cleanups.push(() => etcd.stop());
    store = open(etcd.endpoint);
  });
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
  });

  function open(endpoint: string, options: Partial<EtcdStoreOptions> = {}): Store {
    const opened = etcdStore({ hosts: [endpoint], patience: PATIENCE, ...options });
    cleanups.push(() => opened.close());
    return opened;
  }

  test('a watch lives through kill -9 of etcd without gap or duplicate', async () => {
    const start = await put(store, '/a', 'start');
    const follower = follow(store, '/', start);
    const expected: Revision[] = [];
    for (let round = 0; round < 3; round += 1) {
      for (let index = 0; index < 20; index += 1) {
        expected.push(await put(store, '/a', `${round} ${index}`));
      }
      // Not waited for: the kill comes when some of these have been seen and some have not.
      await etcd.kill9();
      await etcd.restart();
      expected.push(await put(store, '/b', `after ${round}`));
    }
    await waitFor('all revisions', () => follower.revisions().length >= expected.length);
    await follower.stop();
    expect(follower.revisions()).toEqual(expected);
  });

  test('a commit while etcd is away is uncertain, and reads wait until it is back', async () => {
    const revision = await put(store, '/a', '1');
    await etcd.kill9();
    const commit = store.commit({ guards: [], writes: [] });
    await expect(commit).rejects.toThrow(UncertainError);
    const reading = store.get('/a');
    await etcd.restart();
    expect(await reading).toMatchObject({ value: '1', modRevision: revision });
  });

  test('a commit whose answer is lost is uncertain, and is not repeated inside', async () => {
    const proxy = await startTcpProxy(etcd.endpoint);
    cleanups.push(() => proxy.stop());
    const proxied = open(proxy.endpoint);
    const before = await put(proxied, '/a', '1');
    for (const connection of proxy.connections()) connection.stallAnswers();
    const commit = proxied.commit({
      guards: [{ key: '/a', modRevision: before }],
      writes: [{ kind: 'put', key: '/a', value: '2' }],
    });
    await expect(commit).rejects.toThrow(UncertainError);
    // A repetition would have been told that its guard fails: a conflict with itself.
    expect(await proxied.get('/a')).toMatchObject({ value: '2', modRevision: before + 1n });
    expect((await store.list('/')).revision).toBe(before + 1n);
  });

  test('a watch lives through a pause of etcd', async () => {
    const start = await put(store, '/a', 'start');
    const follower = follow(store, '/', start);
    const expected = [await put(store, '/a', 'before')];
    etcd.pause();
    await sleep(2 * PATIENCE.giveUpAfterMs);
    etcd.resume();
    expected.push(await put(store, '/a', 'after'));
    await waitFor('both', () => follower.revisions().length >= 2);
    await follower.stop();
    expect(follower.revisions()).toEqual(expected);
  });

  test('a watch whose connection forwards nothing, yet stays open, is opened anew', async () => {
    const proxy = await startTcpProxy(etcd.endpoint);
    cleanups.push(() => proxy.stop());
    const broken: unknown[] = [];
    const log = { ...silentLog, warn: (fields: unknown) => void broken.push(fields) };
    const proxied = open(proxy.endpoint, { log });
    const start = await put(store, '/a', 'start');
    const follower = follow(proxied, '/', start);
    const expected = [await put(store, '/a', 'before')];
    await waitFor('the first', () => follower.revisions().length === 1);
    // Nothing but the watch was asked of this store yet.
    expect(proxy.connections()).toHaveLength(1);
    proxy.connections()[0]?.stall();
    // Calls have a connection of their own.
    expect(await proxied.get('/a')).toMatchObject({ value: 'before' });
    expected.push(await put(store, '/a', 'during'));
    await waitFor('the second', () => follower.revisions().length === 2);
    expect(String(JSON.stringify(broken))).toMatch(/silent/);
    await follower.stop();
    expect(follower.revisions()).toEqual(expected);
  });

  test('calls go on after their connection stalled', async () => {
    const proxy = await startTcpProxy(etcd.endpoint);
    cleanups.push(() => proxy.stop());
    const proxied = open(proxy.endpoint);
    await put(proxied, '/a', '1');
    for (const connection of proxy.connections()) connection.stall();
    expect(await proxied.get('/a')).toMatchObject({ value: '1' });
  });

  test('an idle watch is not taken for a stalled one', async () => {
    const broken: unknown[] = [];
    const log = { ...silentLog, warn: (fields: unknown) => void broken.push(fields) };
    // So long that a busy machine, too, has its sign of life by then.
    const patience = { askAfterMs: 300, giveUpAfterMs: 5_000 };
    const watching = open(etcd.endpoint, { log, patience });
    const follower = follow(watching, '/', await put(store, '/a', '1'));
    await sleep(2 * patience.giveUpAfterMs);
    await follower.stop();
    expect(broken).toEqual([]);
  });

  test('a watch whose past was compacted while it was cut off expires', async () => {
    const proxy = await startTcpProxy(etcd.endpoint);
    const proxied = open(proxy.endpoint);
    const start = await put(store, '/a', 'start');
    const follower = follow(proxied, '/', start);
    await put(store, '/a', 'seen');
    await waitFor('the first', () => follower.revisions().length === 1);
    for (const connection of proxy.connections()) connection.stall();
    await put(store, '/a', 'missed');
    const compacted = await put(store, '/a', 'missed too');
    await store.compact(compacted);
    await follower.ended;
    expect(follower.events.at(-1)).toEqual({ kind: 'expired', compactRevision: compacted });
    // What a caller does then.
    const { revision } = await proxied.list('/');
    const again = follow(proxied, '/', revision);
    const next = await put(store, '/a', 'next');
    await waitFor('the next', () => again.revisions().length === 1);
    await again.stop();
    expect(again.revisions()).toEqual([next]);
    await proxied.close();
    await proxy.stop();
  });

  test('pages of large values come whole, with fewer keys', async () => {
    const value = 'x'.repeat(1_000_000);
    for (let index = 0; index < 80; index += 1) await put(store, `/k/${10 + index}`, value);
    const keys: string[] = [];
    for (let afterKey = ''; ; ) {
      const page = await store.list('/k/', { afterKey });
      keys.push(...page.items.map(({ key }) => key));
      afterKey = keys.at(-1) ?? '';
      if (!page.more) break;
    }
    expect(keys).toEqual(Array.from({ length: 80 }, (_, index) => `/k/${10 + index}`));
    // The watch gets them in fragments, each revision whole.
    const follower = follow(store, '/k/', 1n);
    await waitFor('all', () => follower.revisions().length === 80);
    await follower.stop();
  });

  test('with authentication: a login that ended is renewed, a wrong one is refused', async () => {
    const credentials = { username: 'root', password: 'secret' };
    await store.get('/a');
    await enableAuthentication(etcd, credentials);
    const hosts = [etcd.endpoint];
    const granted = etcdStore({ hosts, credentials, patience: PATIENCE });
    cleanups.push(() => granted.close());
    const start = await put(granted, '/a', '1');
    const lease = await granted.grantLease(60_000);
    const follower = follow(granted, '/', start);
    // etcd keeps logins in memory only.
    await etcd.restart();
    expect(await granted.renewLease(lease)).toBe('renewed');
    const next = await put(granted, '/a', '2');
    await waitFor('the change', () => follower.revisions().length === 1);
    await follower.stop();
    expect(follower.revisions()).toEqual([next]);
    const wrong = etcdStore({ hosts, credentials: { username: 'root', password: 'wrong' } });
    cleanups.push(() => wrong.close());
    await expect(wrong.get('/a')).rejects.toThrow(/authentication failed/);
    const writes = [{ kind: 'delete', key: '/a' }] as const;
    await expect(wrong.commit({ guards: [], writes })).rejects.toThrow(/authentication failed/);
    await expect(wrong.commit({ guards: [], writes })).rejects.not.toThrow(UncertainError);
  });
}

async function put(store: Store, key: string, value: string): Promise<Revision> {
  for (;;) {
    try {
      const writes = [{ kind: 'put', key, value }] as const;
      return (await store.commit({ guards: [], writes })).revision;
    } catch (error) {
      if (!(error instanceof UncertainError)) throw error;
      // Read before retrying, as the contract says.
      const found = await store.get(key);
      if (found?.value === value) return found.modRevision;
    }
  }
}

function follow(store: Store, prefix: string, afterRevision: Revision) {
  const abort = new AbortController();
  const events: WatchEvent[] = [];
  const ended = (async () => {
    for await (const event of store.watch(prefix, { afterRevision, signal: abort.signal })) {
      events.push(event);
    }
  })();
  ended.catch(() => undefined);
  return {
    events,
    ended,
    revisions: () => events.flatMap((event) => (event.kind === 'changes' ? [event.revision] : [])),
    stop: async () => {
      abort.abort();
      await ended;
    },
  };
}

async function waitFor(what: string, condition: () => boolean): Promise<void> {
  for (let waitedMs = 0; waitedMs < 20_000; waitedMs += 20) {
    if (condition()) return;
    await sleep(20);
  }
  throw new Error(`not within 20 s: ${what}`);
}
