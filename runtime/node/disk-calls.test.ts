import { expect, test } from 'vitest';
import { DiskPace } from './disk-calls.ts';

/** A disk of which each call takes so long. */
function paced() {
  let nowMs = 1000;
  const pace = new DiskPace(() => nowMs);
  const call = (tookMs: number): void => pace.timed(() => void (nowMs += tookMs));
  return { pace, call, wait: (ms: number) => void (nowMs += ms) };
}

test('a fast disk is asked in this thread, for ever', () => {
  const { pace, call } = paced();
  for (let count = 0; count < 10_000; count += 1) {
    expect(pace.isFast()).toBe(true);
    call(count % 20 === 0 ? 50 : 0.1);
  }
});

test('a slow one is left to other threads for 5 s, and then asked once more', () => {
  const { pace, call, wait } = paced();
  let calls = 0;
  for (; pace.isFast(); calls += 1) call(10);
  expect(calls).toBeLessThan(10);
  wait(4999);
  expect(pace.isFast()).toBe(false);
  wait(1);
  expect(pace.isFast()).toBe(true);
  call(10);
  expect(pace.isFast()).toBe(true);
});

test('a call that fails slowly counts as well', () => {
  const { pace, call } = paced();
  const failing = (): void => {
    call(10);
    throw new Error('EIO');
  };
  for (let count = 0; count < 10; count += 1) {
    expect(() => pace.timed(failing)).toThrow('EIO');
  }
  expect(pace.isFast()).toBe(false);
});
