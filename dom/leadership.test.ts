import { expect, test } from 'vitest';
import { silentLog } from '../runtime/log.ts';
import { EPOCH_KEY } from '../runtime/store/keys.ts';
import { memoryStore } from '../runtime/store/memory-store.ts';
import { type Store, UncertainError } from '../runtime/store/store.ts';
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
