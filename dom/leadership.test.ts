import { describe, expect, test } from 'vitest';
import { silentLog } from '../runtime/log.ts';
import { EPOCH_KEY, recordKey } from '../runtime/store/keys.ts';
import { memoryStore } from '../runtime/store/memory-store.ts';
import { type Store, UncertainError } from '../runtime/store/store.ts';
import { type Operation, Writer } from '../runtime/store/writer.ts';
import { virtualClock } from '../runtime/test-clock.ts';
import { campaign, type Leadership } from './leadership.ts';

const clock = virtualClock();
const random = { next: () => 0.5, bytes: (length: number) => new Uint8Array(length) };

async function lead(store: Store, mode: 'sole' | 'shared' = 'sole'): Promise<Leadership> {
  const ports = { store, clock, random, log: silentLog };
  return campaign(ports, { holder: 'dom', mode }, new AbortController().signal);
}

/** A store that commits and loses the answer, once it is told to. */
function forgetful(): { readonly store: Store; forget(): void; remember(): void } {
  const store = memoryStore({ clock });
  const commit = store.commit.bind(store);
  let answers: 'kept' | 'lost' = 'kept';
  store.commit = async (transaction) => {
    const outcome = await commit(transaction);
    if (answers === 'lost') throw new UncertainError('the answer was lost');
    return outcome;
  };
  return { store, forget: () => (answers = 'lost'), remember: () => (answers = 'kept') };
}

test('a leader that cannot tell whether its epoch was written gives up the lead', async () => {
  const { store, forget } = forgetful();
  const leadership = await lead(store);
  forget();
  await leadership.raiseAbove(7n).catch(() => undefined);
  // Its fence is of a revision that may be gone: no write of its would ever be taken again.
  expect(leadership.lost.aborted).toBe(true);
});

test('nodes that bring the same epoch at once make it rise once', async () => {
  const store = memoryStore({ clock });
  const leadership = await lead(store);
  await Promise.all([leadership.raiseAbove(7n), leadership.raiseAbove(7n)]);
  expect(leadership.epoch).toBe(8n);
  expect(leadership.lost.aborted).toBe(false);
  expect(await store.get(EPOCH_KEY)).toMatchObject({ value: '{"epoch":"8"}' });
  const writes = [{ kind: 'put', key: '/b8s/x', value: '1' }] as const;
  expect((await store.commit({ guards: leadership.fence(), writes })).outcome).toBe('committed');
});

test('answers that overtake one another do not cost the lead', async () => {
  const store = memoryStore({ clock });
  const leadership = await lead(store);
  const commit = store.commit.bind(store);
  let calls = 0;
  store.commit = async (transaction) => {
    calls += 1;
    const slow = calls === 1;
    const outcome = await commit(transaction);
    if (slow) for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
    return outcome;
  };
  await Promise.all([leadership.raiseAbove(7n), leadership.raiseAbove(7n)]);
  expect(leadership.lost.aborted).toBe(false);
});

test('a campaign whose answer was lost stands in nobody’s way', async () => {
  const { store, forget, remember } = forgetful();
  forget();
  await expect(lead(store, 'shared')).rejects.toThrow(UncertainError);
  remember();
  const leadership = await lead(store, 'shared');
  expect(leadership.epoch).toBe(2n);
  await leadership.resign();
});

/** A store of which commits can be sent that take effect when `arrive` is called, or never. */
function slow(): { readonly store: Store; fate: 'late' | 'on time'; arrive(): Promise<void> } {
  const store = memoryStore({ clock });
  const commit = store.commit.bind(store);
  const late: Parameters<Store['commit']>[0][] = [];
  const world = {
    store,
    fate: 'on time' as 'late' | 'on time',
    async arrive() {
      for (const transaction of late.splice(0)) await commit(transaction);
    },
  };
  store.commit = async (transaction) => {
    if (world.fate === 'on time') return commit(transaction);
    late.push(transaction);
    throw new UncertainError('the answer was lost');
  };
  return world;
}

describe('a write in doubt', () => {
  const record = (modRevision: bigint, value: object | undefined): Operation => ({
    ...({ kind: 'record', record: 'token', id: 'a', modRevision } as const),
    value: value as never,
  });
  const create = record(0n, {});
  const author = { manager: 'test', user: 'test' };
  const KEY = recordKey('token', 'a');

  async function writing(world: ReturnType<typeof slow>) {
    const leadership = await lead(world.store);
    const ports = { store: world.store, clock, random, doubts: leadership };
    return { leadership, writer: new Writer({ ...ports, fence: () => leadership.fence() }) };
  }

  test('takes no effect after the next one: what was made again and deleted stays away', async () => {
    const world = slow();
    const { leadership, writer } = await writing(world);
    world.fate = 'late';
    await expect(writer.commit([create], author)).rejects.toThrow(UncertainError);
    world.fate = 'on time';
    expect((await writer.commit([create], author)).outcome).toBe('written');
    const modRevision = (await world.store.get(KEY))?.modRevision ?? 0n;
    await writer.commit([record(modRevision, undefined)], author);
    await world.arrive();
    expect(await world.store.get(KEY)).toBeUndefined();
    expect(leadership.lost.aborted).toBe(false);
  });

  test('holds up the next ones while it cannot be settled, which may take effect late itself', async () => {
    const world = slow();
    const { leadership, writer } = await writing(world);
    world.fate = 'late';
    await expect(writer.commit([create], author)).rejects.toThrow(UncertainError);
    await expect(writer.commit([create], author)).rejects.toThrow(/before this one is in doubt/u);
    await world.arrive();
    world.fate = 'on time';
    // The first one was late, but not too late.
    expect((await writer.commit([create], author)).outcome).toBe('conflict');
    expect(leadership.lost.aborted).toBe(false);
    const modRevision = (await world.store.get(KEY))?.modRevision ?? 0n;
    expect((await writer.commit([record(modRevision, { b: 1 })], author)).outcome).toBe('written');
  });

  test('of a leader that another one has followed costs it the lead', async () => {
    const world = slow();
    const { leadership, writer } = await writing(world);
    leadership.doubt();
    await lead(world.store);
    await expect(writer.commit([create], author)).rejects.toThrow('no longer leading');
    expect(leadership.lost.aborted).toBe(true);
  });
});
