import { beforeEach, describe, expect, test } from 'vitest';
import { Errands } from './errands.ts';

const LIMITS = { max: 8, ofPlaceMax: 4 };

let errands: Errands<string>;
let looked: string[];
let begun: string[];
let ends: Map<string, { readonly well: (result: string) => void; readonly badly: () => void }>;
let hangUp: () => void;

beforeEach(() => {
  errands = new Errands(LIMITS);
  [looked, begun, ends] = [[], [], new Map()];
  hangUp = errands.listen((name) => looked.push(name));
});

function send(name: string, place: string, how: 'doubtful' | 'sure' = 'sure'): void {
  errands.send(name, {
    place,
    isDoubtful: how === 'doubtful',
    work: (signal) => {
      begun.push(name);
      return new Promise((well, reject) => {
        const badly = (): void => reject(new Error(`${name} failed`));
        ends.set(name, { well, badly });
        signal.addEventListener('abort', badly);
      });
    },
  });
}

async function end(name: string, result = 'taken'): Promise<void> {
  ends.get(name)?.well(result);
  await settle();
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
}

const many = (count: number, from = 0): readonly string[] =>
  Array.from({ length: count }, (_, index) => `n${from + index}`);

test('its name is called for when there is a result, which stays until it is forgotten', async () => {
  send('a', 'x');
  expect([errands.isOut('a'), errands.result('a'), looked]).toEqual([true, undefined, []]);
  await end('a', 'taken');
  expect([errands.isOut('a'), errands.result('a'), looked]).toEqual([false, 'taken', ['a']]);
  expect(errands.result('a')).toBe('taken');
  errands.forget('a');
  expect(errands.result('a')).toBeUndefined();
});

test('of one name one is out at a time', async () => {
  send('a', 'x');
  send('a', 'y');
  expect(begun).toEqual(['a']);
  await end('a');
  send('a', 'y');
  expect(begun).toEqual(['a', 'a']);
});

test('work that throws makes the next look fail, once', async () => {
  send('a', 'x');
  ends.get('a')?.badly();
  await settle();
  expect(looked).toEqual(['a']);
  expect(() => errands.result('a')).toThrow('a failed');
  expect(errands.result('a')).toBeUndefined();
});

describe('room', () => {
  test('a place that never answers takes its own room, and no more', () => {
    for (const name of many(100)) send(name, 'dead');
    send('other', 'alive');
    expect(begun).toEqual([...many(4), 'other']);
  });

  test('as many as are possible at once, and the others in the order in which they were sent', async () => {
    for (const name of many(20)) send(name, name);
    expect(begun).toEqual(many(8));
    await end('n3');
    await end('n0');
    expect(begun.slice(8)).toEqual(['n8', 'n9']);
  });

  test('whoever failed before leaves a quarter of the room to the others', () => {
    for (const name of many(20)) send(name, name, 'doubtful');
    expect(begun).toEqual(many(6));
    for (const name of many(3, 20)) send(name, name);
    expect(begun.slice(6)).toEqual(['n20', 'n21']);
  });

  test('and a quarter of a place to the others that go there', () => {
    for (const name of many(20)) send(name, 'x', 'doubtful');
    send('good', 'x');
    expect(begun).toEqual([...many(3), 'good']);
  });

  test('who waits behind a full place is passed by those that have room', async () => {
    for (const name of many(5)) send(name, 'x');
    send('other', 'y');
    expect(begun).toEqual([...many(4), 'other']);
    await end('other');
    expect(begun).toHaveLength(5);
    await end('n1');
    expect(begun.at(-1)).toBe('n4');
  });
});

test('once nobody listens, what is under way is ended and nothing is begun', async () => {
  for (const name of many(20)) send(name, name);
  hangUp();
  await settle();
  send('late', 'x');
  expect(begun).toEqual(many(8));
  expect(looked).toEqual([]);
  errands.listen((name) => looked.push(name));
  send('again', 'x');
  await end('again');
  expect(looked).toEqual(['again']);
});
