import { describe, expect, test } from 'vitest';
import { kindsNamed } from './fault-words.ts';
import { CALM, FAULT_KINDS, kindsOf, onlyFaults } from './faults.ts';

describe('words name kinds of faults', () => {
  test.each([
    { when: 'nothing is to happen', words: ['none'], kinds: [] },
    { when: 'there is no word', words: [], kinds: [] },
    { when: 'none comes with others', words: ['none', 'crash'], kinds: ['dom-crash', 'sub-crash'] },
    {
      when: 'a kind comes twice',
      words: ['skew', 'clock'],
      kinds: ['clock-jump', 'drift', 'skew'],
    },
    { when: 'processes stand still', words: ['pause'], kinds: ['dom-pause', 'sub-pause'] },
    { when: 'it is about the outside', words: ['ca', 'git'], kinds: ['ca', 'git'] },
  ])('$when', ({ words, kinds }) => {
    expect([...kindsNamed(words)].toSorted()).toEqual(kinds);
  });

  test('the groups together are all that befalls a cluster', () => {
    const kinds = [...kindsNamed(['crash', 'pause', 'clock', 'disk', 'net', 'store'])];
    expect(kinds.toSorted()).toEqual(Object.keys(FAULT_KINDS).toSorted());
  });

  test.each(['rain', 'constructor', ''])('what there is not is refused: %j', (word) => {
    const act = (): unknown => kindsNamed(['loss', word]);
    expect(act).toThrow(RangeError);
    expect(act).toThrow(
      /there is no fault .*; there are: none, crash, .*; blobs, ca, .*, watch-delay/,
    );
  });
});

describe('kinds that do anything', () => {
  const delayed = { ...CALM, watchHold: 0.1, watchHoldMsMax: 500 };

  test.each([
    { when: 'all is calm', faults: CALM, kinds: [] },
    {
      when: 'a watch would lag for long, and never does',
      faults: { ...delayed, watchHold: 0 },
      kinds: [],
    },
    { when: 'a watch lags', faults: delayed, kinds: ['watch-delay'] },
    { when: 'little may be under way', faults: { ...CALM, windowFrames: 1 }, kinds: ['stall'] },
  ])('$when', ({ faults, kinds }) => {
    expect(kindsOf(faults)).toEqual(kinds);
  });

  test('of what is taken away nothing is left, and of what is off nothing either', () => {
    const faults = { ...delayed, frameLoss: 0.02 };
    expect(onlyFaults(faults, new Set(['loss']))).toEqual({ ...CALM, frameLoss: 0.02 });
    const off = { ...delayed, watchHold: 0 };
    expect(onlyFaults(off, new Set(['watch-delay']))).toEqual(CALM);
  });
});
