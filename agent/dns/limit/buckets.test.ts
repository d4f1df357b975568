import { describe, expect, test } from 'vitest';
import { BURST_MS, Buckets } from './buckets.ts';

/** Ten a second. */
const CHARGE_MS = 100;
const bucket = (high: number, nowMs: number) => ({ low: 0, high, chargeMs: CHARGE_MS, nowMs });

function admitted(buckets: Buckets, timesMs: readonly number[], high = 1): number {
  return timesMs.filter((nowMs) => buckets.take(bucket(high, nowMs)) === 'room').length;
}

const each = (everyMs: number, forMs: number, fromMs = 1e12): readonly number[] =>
  Array.from({ length: forMs / everyMs }, (_, index) => fromMs + index * everyMs);

describe('a bucket of ten a second', () => {
  test.each([
    { when: 'below the rate', timesMs: each(110, 11_000), passes: 100 },
    { when: 'at the rate', timesMs: each(100, 10_000), passes: 100 },
    { when: 'ten times above: one burst, then the rate', timesMs: each(10, 10_000), passes: 109 },
    { when: 'eleven at once', timesMs: Array<number>(11).fill(1e12), passes: 10 },
  ])('$when', ({ timesMs, passes }) => {
    expect(admitted(new Buckets(64), timesMs)).toBe(passes);
  });

  test('counts what it refuses', () => {
    const buckets = new Buckets(64);
    admitted(buckets, Array<number>(12).fill(0));
    expect(buckets.take(bucket(1, 0))).toEqual({ refused: 2 });
  });

  test('is full again a second after a flood, for what is refused costs nothing', () => {
    const buckets = new Buckets(64);
    admitted(buckets, each(1, 5000));
    expect(admitted(buckets, Array<number>(20).fill(1e12 + 5000 + BURST_MS))).toBe(10);
  });

  test('goes on when the clock is set back by years', () => {
    const buckets = new Buckets(64);
    admitted(buckets, each(1, 5000));
    expect(admitted(buckets, Array<number>(20).fill(1e11))).toBe(10);
  });
});

test('a flood is one for as long as it lasts, and a little longer', () => {
  const buckets = new Buckets(64);
  const isFlood = (nowMs: number): boolean => buckets.flood(bucket(1, nowMs));
  const verdicts = each(10, 10_000).map(isFlood);
  expect(verdicts.indexOf(true)).toBe(11);
  expect(verdicts.slice(11)).not.toContain(false);
  expect(isFlood(1e12 + 10_000 + 850)).toBe(true);
  expect(isFlood(1e12 + 10_000 + 2100)).toBe(false);
});

test('the one that is hit hardest is not forgotten among a million others', () => {
  const buckets = new Buckets(64);
  let passed = 0;
  for (let count = 0; count < 1_000_000; count += 1) {
    const nowMs = count / 1000;
    buckets.take({ low: count, high: 1000 + count, chargeMs: CHARGE_MS, nowMs });
    if (count % 10 === 0 && buckets.take(bucket(1, nowMs)) === 'room') passed += 1;
  }
  // A second of a hundred thousand: its burst and its rate.
  expect(passed).toBe(19);
});
