import { expect, test } from 'vitest';
import { silentLog } from '../../../runtime/log.ts';
import { recordKey } from '../../../runtime/store/keys.ts';
import { memoryStore } from '../../../runtime/store/memory-store.ts';
import { Mirror } from '../../../runtime/store/mirror.ts';
import type { Write } from '../../../runtime/store/store.ts';
import { virtualClock } from '../../../runtime/test-clock.ts';
import { seededRandom } from '../../engine/random.ts';
import { StoreHistory } from '../store-history.ts';
import { mirrorsCheck } from './mirrors.ts';

const ONE = write('one');
const TWO = write('two');

test.each<{ when: string; seen: readonly Write[]; true: readonly Write[]; found: RegExp[] }>([
  { when: 'all is as in the store', seen: [ONE, TWO], true: [ONE, TWO], found: [] },
  {
    when: 'a change was missed',
    seen: [ONE],
    true: [ONE, ONE],
    found: [/^INV-10: dom#1 shows .*one of 2, the store has 3$/],
  },
  {
    when: 'a key was missed',
    seen: [ONE],
    true: [ONE, TWO],
    found: [/^INV-10: .*two of undefined/],
  },
  {
    when: 'a deletion was missed',
    seen: [ONE],
    true: [ONE, { kind: 'delete', key: ONE.key }],
    found: [/^INV-11: .*one, which is gone$/],
  },
])('a mirror when $when', async ({ seen, true: happened, found }) => {
  const violations: string[] = [];
  const violated = (number: number, what: string): void =>
    void violations.push(`INV-${number}: ${what}`);
  const history = new StoreHistory();
  await commitAll(happened, history);
  const mirrors = async () => new Map([['dom#1', await mirrorOf(seen)]]);
  await mirrorsCheck({ violated, mirrors }, history).rested?.();
  expect(violations).toEqual(found.map((each) => expect.stringMatching(each)));
});

async function commitAll(writes: readonly Write[], history = new StoreHistory()) {
  const clock = virtualClock();
  const store = memoryStore({ clock, onRevision: (made) => history.add(made) });
  for (const each of writes) await store.commit({ guards: [], writes: [each] });
  return { clock, store };
}

async function mirrorOf(writes: readonly Write[]): Promise<Mirror> {
  const { clock, store } = await commitAll(writes);
  const mirror = new Mirror({ store, clock, random: seededRandom('mirror'), log: silentLog });
  void mirror.run(new AbortController().signal);
  await clock.advance(10);
  return mirror;
}

function write(id: string): Write {
  return { kind: 'put', key: recordKey('host', id), value: '{}' };
}
