import { expect, test } from 'vitest';
import { API_VERSION, type Resource } from '../../api/object.ts';
import { silentLog } from '../log.ts';
import type { Random } from '../random.ts';
import { memoryStore } from '../store/memory-store.ts';
import { Mirror } from '../store/mirror.ts';
import { Writer } from '../store/writer.ts';
import { virtualClock } from '../test-clock.ts';
import {
  EVENT_SERIES_MS,
  EVENT_WRITE_INTERVAL_MS,
  EVENTS_PENDING_MAX,
  type EventNote,
  eventName,
  StoredEvents,
} from './events.ts';

const node: Resource = {
  apiVersion: API_VERSION,
  kind: 'Node',
  metadata: {
    name: 'london',
    uid: 'u1',
    resourceVersion: '1',
    generation: 1,
    creationTimestamp: '2026-01-01T00:00:00.000Z',
  },
  spec: {},
};

function note(reason = 'NodeSilent'): EventNote {
  const source = { component: 'node-controller' };
  return { regarding: node, type: 'Warning', reason, message: 'it is silent', source };
}

async function scene() {
  const clock = virtualClock();
  const store = memoryStore({ clock });
  let drawn = 0;
  const random: Random = {
    next: () => 0.5,
    bytes: (count) => new Uint8Array(count).fill((drawn += 1)),
  };
  const mirror = new Mirror({ store, clock, random, log: silentLog });
  const writer = new Writer({ store, clock, random, fence: () => [] });
  const events = new StoredEvents({ world: mirror, writer, clock, log: silentLog });
  const stop = new AbortController();
  const running = [mirror.run(stop.signal), events.run(stop.signal)];
  await clock.advance(0);
  const end = async (): Promise<void> => {
    stop.abort();
    await Promise.all(running);
  };
  const counts = () => mirror.list('Event').map(({ spec }) => `${spec.reason} ${spec.count}`);
  return { clock, store, events, counts, end };
}

test('a repeat is counted, and written at most once an interval', async () => {
  const { clock, store, events, counts, end } = await scene();
  events.record(note());
  await clock.advance(0);
  expect(counts()).toEqual(['NodeSilent 1']);
  const written = (await store.list('/b8s/')).revision;
  for (let times = 0; times < 5; times += 1) events.record(note());
  await clock.advance(EVENT_WRITE_INTERVAL_MS - 1);
  expect((await store.list('/b8s/')).revision).toBe(written);
  await clock.advance(1);
  expect(counts()).toEqual(['NodeSilent 6']);
  await end();
});

test('different reasons are different events, and an hour later it is a new one', async () => {
  const { clock, events, counts, end } = await scene();
  events.record(note());
  events.record(note('NodeConnected'));
  await clock.advance(EVENT_SERIES_MS);
  events.record(note());
  await clock.advance(0);
  expect(counts().toSorted()).toEqual(['NodeConnected 1', 'NodeSilent 1', 'NodeSilent 1']);
  await end();
});

test('what is over the bound is dropped, and nothing throws', async () => {
  const { clock, events, counts, end } = await scene();
  for (let index = 0; index <= EVENTS_PENDING_MAX; index += 1) events.record(note(`R${index}`));
  // A step of the clock lets only so many promises run.
  for (let step = 0; step < 20; step += 1) await clock.advance(0);
  expect(counts()).toHaveLength(EVENTS_PENDING_MAX);
  await end();
});

test('a failing store does not lose the count', async () => {
  const clock = virtualClock();
  const store = memoryStore({ clock });
  const random: Random = { next: () => 0.5, bytes: (count) => new Uint8Array(count) };
  const mirror = new Mirror({ store, clock, random, log: silentLog });
  let failures = 2;
  const flaky: typeof store = {
    ...store,
    commit: async (transaction) => {
      failures -= 1;
      if (failures >= 0) throw new Error('the store is away');
      return store.commit(transaction);
    },
  };
  const writer = new Writer({ store: flaky, clock, random, fence: () => [] });
  const events = new StoredEvents({ world: mirror, writer, clock, log: silentLog });
  const stop = new AbortController();
  const running = [mirror.run(stop.signal), events.run(stop.signal)];
  events.record(note());
  await clock.advance(3 * EVENT_WRITE_INTERVAL_MS);
  expect(mirror.list('Event').map(({ spec }) => spec.count)).toEqual([1]);
  stop.abort();
  await Promise.all(running);
});

test('eventName is a valid name however long the name of the object is', () => {
  const long = { ...node, metadata: { ...node.metadata, name: `${'a'.repeat(199)}.b` } };
  expect(eventName({ ...note(), regarding: long }, 0)).toMatch(/^a{199}\.[0-9a-f]{16}$/);
});
