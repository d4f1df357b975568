import { expect, test } from 'vitest';
import { seededRandom } from '../../engine/random.ts';
import {
  checkLinearizable,
  type Operation,
  type RegisterAction,
  register,
} from './linearizable.ts';

type Action = RegisterAction<number>;

const NEVER = Infinity;

const write = (value: number, calledAt: number, returnedAt: number): Operation<Action> => ({
  action: { kind: 'write', value },
  calledAt,
  returnedAt,
});
const read = (value: number, calledAt: number, returnedAt: number): Operation<Action> => ({
  action: { kind: 'read', value },
  calledAt,
  returnedAt,
});

test.each<{ when: string; history: readonly Operation<Action>[] }>([
  { when: 'nothing happens', history: [] },
  { when: 'one thing follows another', history: [write(1, 0, 1), read(1, 2, 3), read(1, 4, 5)] },
  {
    when: 'two writes overlap and both are seen, in one order',
    history: [write(1, 0, 10), write(2, 0, 10), read(2, 11, 12), read(2, 13, 14)],
  },
  {
    when: 'a read that overlaps a write sees the old or the new value',
    history: [write(1, 0, 10), read(0, 1, 9), read(1, 2, 9)],
  },
  {
    when: 'a write that was never answered is never seen',
    history: [write(1, 0, NEVER), read(0, 10, 11), write(2, 12, 13), read(2, 14, 15)],
  },
  {
    when: 'a write that was never answered happens much later',
    history: [write(1, 0, NEVER), read(0, 10, 11), write(2, 12, 13), read(1, 14, 15)],
  },
  {
    when: 'what happens at the same instant overlaps',
    history: [write(1, 0, 5), read(0, 5, 6), read(1, 6, 7)],
  },
  {
    when: 'the order of effects is not that of the calls',
    history: [write(1, 0, 10), write(2, 1, 3), read(2, 4, 5), read(1, 6, 12)],
  },
])('explained: $when', ({ history }) => {
  const verdict = checkLinearizable(register(0), history);
  expect(verdict.kind).toBe('linearizable');
  if (verdict.kind === 'linearizable') expectLegal(verdict.order);
});

test.each<{ when: string; history: readonly Operation<Action>[]; stuck: readonly Action[] }>([
  {
    when: 'an acknowledged write is lost',
    history: [write(1, 0, 1), read(0, 2, 3)],
    stuck: [{ kind: 'read', value: 0 }],
  },
  {
    when: 'a value is read that nobody wrote',
    history: [write(1, 0, 1), read(2, 2, 3)],
    stuck: [{ kind: 'read', value: 2 }],
  },
  {
    when: 'the old value is seen after the new one',
    history: [write(1, 0, 10), read(1, 1, 2), read(0, 3, 4)],
    stuck: [{ kind: 'read', value: 0 }],
  },
  {
    when: 'two readers see two writes in two orders',
    history: [write(1, 0, 20), write(2, 0, 20), read(1, 1, 2), read(2, 3, 4), read(1, 5, 6)],
    stuck: [{ kind: 'read', value: 1 }],
  },
  {
    when: 'a write happens twice, though it was never answered',
    history: [
      ...[write(1, 0, NEVER), read(1, 1, 2), write(2, 3, 4), read(2, 5, 6)],
      ...[read(1, 7, 8), read(1, 9, 10)],
    ],
    stuck: [{ kind: 'read', value: 1 }],
  },
  {
    when: 'a read sees a write that had not begun',
    history: [read(1, 0, 1), write(1, 2, 3)],
    stuck: [{ kind: 'read', value: 1 }],
  },
])('impossible: $when', ({ history, stuck }) => {
  const verdict = checkLinearizable(register(0), history);
  expect(verdict.kind).toBe('impossible');
  if (verdict.kind !== 'impossible') return;
  expectLegal(verdict.order);
  expect(verdict.stuck.map(({ action }) => action)).toEqual(stuck);
});

test('random histories: what was drawn from one order is explained, with a lie in it is not', () => {
  for (let seed = 1; seed <= 200; seed += 1) {
    const { history, last } = drawHistory(seed);
    expect(checkLinearizable(register(0), history).kind, `seed ${seed}`).toBe('linearizable');
    const lie = read(last + 1_000, 1e9, 1e9 + 1);
    expect(checkLinearizable(register(0), [...history, lie]).kind, `seed ${seed}`).toBe(
      'impossible',
    );
  }
});

test('a thousand operations of four processes are explained at once', () => {
  const { history } = drawHistory(1, { count: 1_000 });
  expect(checkLinearizable(register(0), history).kind).toBe('linearizable');
});

test('sixty tries without an answer are no more to think of than two', () => {
  const tries = Array.from({ length: 60 }, (_, index) => write(1 + (index % 2), index, NEVER));
  const told = [read(0, 70, 71), read(2, 72, 73), read(1, 74, 75), read(2, 76, 77)];
  const verdict = checkLinearizable(register(0), [...tries, ...told], { stepsMax: 1_000 });
  expect(verdict.kind).toBe('linearizable');
  const wrong = checkLinearizable(register(0), [...tries, ...told, read(3, 78, 79)], {
    stepsMax: 10_000,
  });
  expect(wrong.kind).toBe('impossible');
});

test('a write is tried again, and happens twice', () => {
  const history = [
    ...[write(1, 0, NEVER), write(1, 1, NEVER), read(1, 2, 3), write(2, 4, 5), read(2, 6, 7)],
    ...[read(1, 8, 9), write(2, 10, 11)],
  ];
  expect(checkLinearizable(register(0), history).kind).toBe('linearizable');
  const thrice = [...history, read(2, 12, 13), read(1, 14, 15)];
  expect(checkLinearizable(register(0), thrice).kind).toBe('impossible');
});

test('what cannot be told is not told', () => {
  // Any subset of these may have happened, in any order, and no order explains the read.
  const open = Array.from({ length: 40 }, (_, index) => write(index + 1, 0, NEVER));
  const sum = {
    initial: 0,
    apply: (state: number, { kind, value }: Action) =>
      kind === 'write' ? state + 1.5 ** value : state === value ? state : undefined,
    keyOf: String,
  };
  const verdict = checkLinearizable(sum, [...open, read(-1, 1, 2)], { stepsMax: 1_000 });
  expect(verdict).toEqual({ kind: 'unknown' });
});

/** Four processes; each operation takes effect at a drawn moment between its call and its answer. */
function drawHistory(
  seed: number,
  { count = 30 }: { readonly count?: number } = {},
): { readonly history: readonly Operation<Action>[]; readonly last: number } {
  const random = seededRandom(`history ${seed}`);
  const freeAt = [0, 0, 0, 0];
  const drawn = Array.from({ length: count }, (_, index) => {
    const process = index % freeAt.length;
    const calledAt = (freeAt[process] ?? 0) + random.integer(1, 10);
    const effectAt = calledAt + 1 + random.next() * 10;
    const returnedAt = effectAt + 1 + random.next() * 10;
    freeAt[process] = returnedAt;
    return { calledAt, effectAt, returnedAt, isWrite: random.chance(0.5), value: index + 1 };
  });
  let state = 0;
  const history = drawn
    .toSorted((a, b) => a.effectAt - b.effectAt)
    .map(({ calledAt, returnedAt, isWrite, value }): Operation<Action> => {
      if (isWrite) state = value;
      const isAnswered = !isWrite || random.chance(0.9);
      const action: Action = { kind: isWrite ? 'write' : 'read', value: state };
      return { action, calledAt, returnedAt: isAnswered ? returnedAt : NEVER };
    });
  return { history, last: state };
}

/** Each read shows what was written last. */
function expectLegal(order: readonly Operation<Action>[]): void {
  let state = 0;
  for (const { action } of order) {
    if (action.kind === 'write') state = action.value;
    expect(action.value).toBe(state);
  }
}
