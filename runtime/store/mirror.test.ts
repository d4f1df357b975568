import { afterEach, beforeEach, expect, test } from 'vitest';
import { silentLog } from '../log.ts';
import { type VirtualClock, virtualClock } from '../test-clock.ts';
import { recordKey } from './keys.ts';
import { memoryStore } from './memory-store.ts';
import { Mirror } from './mirror.ts';
import type { Store } from './store.ts';

const random = { next: () => 0.5, bytes: (length: number) => new Uint8Array(length) };

let clock: VirtualClock;
let store: Store;
let mirror: Mirror;
let stopping: AbortController;

beforeEach(() => {
  clock = virtualClock();
  store = memoryStore({ clock });
  mirror = new Mirror({ store, clock, random, log: silentLog });
  stopping = new AbortController();
});

afterEach(() => stopping.abort());

async function put(id: string, value: string): Promise<void> {
  const key = recordKey('host', id);
  await store.commit({ guards: [], writes: [{ kind: 'put', key, value }] });
  await clock.advance(10);
}

test('a listener that fails keeps no other from hearing', async () => {
  const heard: string[] = [];
  mirror.subscribe(() => {
    throw new Error('a bug');
  });
  mirror.subscribe((changes) => {
    for (const change of changes) if (change.kind === 'record') heard.push(change.id);
  });
  void mirror.run(stopping.signal);
  await clock.advance(10);
  await put('a', '{}');
  await put('b', '{}');
  expect(heard).toEqual(['a', 'b']);
});

test.each(['before the first list', 'later'])(
  'a value that is not JSON, %s, hides only itself',
  async (when) => {
    if (when === 'later') {
      void mirror.run(stopping.signal);
      await clock.advance(10);
    }
    await put('a', '{');
    await put('b', '{}');
    if (when !== 'later') void mirror.run(stopping.signal);
    await clock.advance(10_000);
    expect(mirror.records('host').map(([id]) => id)).toEqual(['b']);
  },
);

test('waiting for a revision ends with its signal', async () => {
  const over = new AbortController();
  const waiting = mirror.reached(5n, over.signal);
  over.abort(new Error('over'));
  await expect(waiting).rejects.toThrow('over');
});
