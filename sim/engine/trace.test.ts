import { describe, expect, test } from 'vitest';
import { type LineDetails, Trace } from './trace.ts';

test('the hash is the same whether lines are kept or not', () => {
  const [lines, hash] = (['lines', 'hash'] as const).map((keep) => {
    const { trace } = make(keep);
    const sent = trace.frame('dom', '→ london', Uint8Array.of(1), told('plan (1, 2)'));
    trace.learns('london', trace.known('dom'));
    trace.add('london', '← dom', { kind: 'receives', causes: [sent] });
    trace.log('london', { a: 1n }).info({ b: undefined }, 'held');
    return trace;
  });
  expect(lines?.digest()).toBe(hash?.digest());
  expect(lines?.lineCount).toBe(hash?.lineCount);
  expect(hash?.lines()).toEqual([]);
});

test('each fact is in the hash, with its time, host, kind, level and fields', () => {
  const digests = [
    (trace: Trace) => trace.add('london', 'x'),
    (trace: Trace) => trace.add('london', 'y'),
    (trace: Trace) => trace.add('sydney', 'x'),
    (trace: Trace) => trace.add('london', 'x', { kind: 'fault' }),
    (trace: Trace) => trace.add('london', 'x', { fields: { a: 1 } }),
    (trace: Trace) => trace.log('london').info({}, 'x'),
    (trace: Trace) => trace.log('london').warn({}, 'x'),
    (trace: Trace) => trace.frame('london', 'x', Uint8Array.of(1)),
    (trace: Trace) => trace.frame('london', 'x', Uint8Array.of(2)),
  ].map((tell) => {
    const { trace } = make('hash');
    tell(trace);
    return trace.digest();
  });
  expect(new Set(digests).size).toBe(digests.length);
});

test('a person is told what follows from the fact; nobody is asked where nothing is kept', () => {
  const { trace } = make('lines');
  trace.frame('dom', '→ london', Uint8Array.of(1), told('plan (1, 2)'));
  expect(trace.lines()[0]).toMatchObject({ what: 'plan (1, 2)', fields: { objects: '3' } });
  make('hash').trace.add('dom', 'x', {
    told: () => {
      throw new Error('asked');
    },
  });
});

test('lines keep a copy of fields', () => {
  const { trace } = make('lines');
  const fields = { revision: 7n, keys: ['a'] };
  trace.log('dom').info(fields, 'x');
  fields.keys.push('b');
  expect(trace.lines()[0]?.fields).toEqual({ revision: '7', keys: ['a'] });
});

describe('causes and clocks', () => {
  test('a line follows the last of its host, and what the host has learned since', () => {
    const { trace } = make('lines');
    const one = trace.add('dom', 'one');
    const two = trace.add('dom', 'two');
    trace.learns('london', [one]);
    trace.learns('london', [two]);
    trace.learns('london', [one]);
    trace.add('london', 'three');
    trace.add('london', 'four');
    expect(trace.lines().map(({ causes }) => causes)).toEqual([[], [], [two], []]);
  });

  test('a cause that is named comes first, also where later ones are known', () => {
    const { trace } = make('lines');
    const sent = trace.add('dom', 'sends');
    trace.add('dom', 'later');
    trace.learns('london', trace.known('dom'));
    trace.add('london', 'receives', { causes: [sent] });
    expect(trace.lines()[2]?.causes).toEqual([sent, sent + 1]);
  });

  test('what a host has learned and not told of yet goes with its messages', () => {
    const { trace } = make('lines');
    const user = trace.add('user', 'asks');
    const dom = trace.add('dom', 'starts');
    trace.learns('dom', [user]);
    expect(trace.known('dom')).toEqual([dom, user]);
  });

  test('nothing follows from an answer on its own host', () => {
    const { trace } = make('lines');
    const sent = trace.add('dom', 'sends');
    const held = trace.add('london', 'held');
    const answer = trace.add('london', 'answers', { kind: 'serves', causes: [sent] });
    expect(trace.known('london')).toEqual([held]);
    trace.add('sydney', 'is asked', { causes: [answer] });
    trace.add('london', 'later');
    const clocks = trace.lines().map(({ tick, causes }) => [tick, ...causes]);
    expect(clocks).toEqual([[0], [0], [1, sent], [2, answer], [2]]);
  });

  test('what a host does follows from the faults that name it, each by itself', () => {
    const { trace } = make('lines');
    trace.add('london', 'starts');
    const faults = ['london is cut off', 'sydney is cut off', 'london is back'].map((what) =>
      trace.add('network', what, { kind: 'fault' }),
    );
    trace.add('london', 'has no session');
    expect(trace.lines().at(-1)?.causes).toEqual([faults[0], faults[2]]);
  });

  test('a violation follows from what happened just now, and on the hosts that it names', () => {
    const { trace } = make('lines');
    const london = trace.add('london', 'serves');
    trace.add('sydney', 'serves');
    const just = trace.add('newyork', 'serves');
    trace.violated('INV-9: london#2 is wrong');
    expect(trace.lines()[3]).toMatchObject({ kind: 'violation', causes: [just, london] });
  });

  test('the clock is greater than that of everything before', () => {
    const { trace, at } = make('lines');
    const one = trace.add('dom', 'one');
    const two = trace.add('dom', 'two', { causes: [one] });
    trace.add('london', 'elsewhere');
    const three = trace.add('london', 'three', { causes: [two] });
    at(5);
    trace.add('london', 'later', { causes: [three] });
    const clocks = trace.lines().map(({ atMs, tick }) => [atMs, tick]);
    expect(clocks).toEqual([
      [0, 0],
      [0, 1],
      [0, 0],
      [0, 2],
      [5, 0],
    ]);
  });
});

function make(keep: 'lines' | 'hash'): { trace: Trace; at: (ms: number) => void } {
  let nowMs = 0;
  const trace = new Trace(() => nowMs, { keep });
  return {
    trace,
    at: (ms) => {
      nowMs = ms;
    },
  };
}

function told(what: string): LineDetails {
  return { kind: 'sends', told: () => ({ what, fields: { objects: 3n } }) };
}
