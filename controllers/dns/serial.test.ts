import { expect, test } from 'vitest';
import { isSerialGreater, nextSerial } from './serial.ts';

const NOW_S = 1_800_000_000;
const TOP = 2 ** 32 - 1;

test.each([
  { when: 'there was none: the time', previous: undefined, next: NOW_S },
  { when: 'the last one is old: the time', previous: NOW_S - 100, next: NOW_S },
  { when: 'the last one is one second old', previous: NOW_S - 1, next: NOW_S },
  { when: 'the last one is of this second: one more', previous: NOW_S, next: NOW_S + 1 },
  { when: 'the clock went back: one more', previous: NOW_S + 5000, next: NOW_S + 5001 },
  { when: 'the last one is at the top, which lies before the time', previous: TOP, next: NOW_S },
  // Half the circle ahead of the time there is no order: go on from the last one.
  {
    when: 'the last one is half the circle away',
    previous: NOW_S + 2 ** 31,
    next: NOW_S + 2 ** 31 + 1,
  },
])('nextSerial when $when', ({ previous, next }) => {
  expect(nextSerial(previous, NOW_S * 1000 + 999)).toBe(next);
});

test('nextSerial goes around to zero when the clock is there as well', () => {
  expect(nextSerial(TOP, TOP * 1000)).toBe(0);
});

test.each([
  [1, 0, true],
  [0, 0, false],
  [0, TOP, true],
  [TOP, 0, false],
  [2 ** 31 - 1, 0, true],
  [2 ** 31, 0, false],
  [0, 2 ** 31, false],
])('isSerialGreater(%i, %i) is %s', (one, other, greater) => {
  expect(isSerialGreater(one, other)).toBe(greater);
});

test('whatever the clock does, each serial is greater than the one before', () => {
  // A fixed linear congruential generator (Numerical Recipes): jumps of up to half a century.
  let state = 42;
  const draw = (): number => (state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32) / 2 ** 32;
  for (const start of [undefined, 0, NOW_S, TOP - 3, 2 ** 31]) {
    let serial = nextSerial(start, NOW_S * 1000);
    for (let version = 0; version < 2000; version += 1) {
      const jumpMs = draw() < 0.5 ? 0 : (draw() - 0.5) * 1.5e12;
      const next = nextSerial(serial, Math.max(0, NOW_S * 1000 + jumpMs));
      expect(isSerialGreater(next, serial)).toBe(true);
      expect(next).toBeLessThan(2 ** 32);
      serial = next;
    }
  }
});
