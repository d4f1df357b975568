import { expect, test } from 'vitest';
import type { Clock } from '../clock.ts';
import { ClockLeaps, LEAP_LOOK_MS } from '../clock-leaps.ts';
import { silentLog } from '../log.ts';
import { noMetrics } from '../metrics.ts';
import type { Mirror } from '../store/mirror.ts';
import type { WorldChange } from '../store/world.ts';
import { virtualClock } from '../test-clock.ts';
import { RECHECK_MS_MAX, runController } from './control-loop.ts';
import type { Controller } from './controller.ts';

const DAY_MS = 24 * 3600 * 1000;
const random = { next: () => 0.5, bytes: (length: number) => new Uint8Array(length) };

test.each([
  { watched: 'watched', inMs: LEAP_LOOK_MS },
  { watched: 'not watched', inMs: RECHECK_MS_MAX },
])('what is due when the wall clock leaps is looked at soon, $watched', async (given) => {
  const virtual = virtualClock();
  let leapMs = 0;
  // As on a machine that was suspended: its timers stood still.
  const clock: Clock = { ...virtual, nowMs: () => virtual.nowMs() + leapMs };
  const dueMs = clock.nowMs() + 30 * DAY_MS;
  let done = 0;
  const controller: Controller = {
    name: 'certificates',
    affected: () => ['one'],
    reconcile: async () => {
      if (clock.nowMs() < dueMs) return { recheckInMs: dueMs - clock.nowMs() };
      done += 1;
      return 'settled';
    },
  };
  const mirror = {
    subscribe: () => () => undefined,
    everything: () => [{} as WorldChange],
  } as unknown as Mirror;
  const stopping = new AbortController();
  const leaps = new ClockLeaps(clock);
  const ports = { mirror, clock, random, log: silentLog, metrics: noMetrics };
  const isWatched = given.watched === 'watched';
  void runController(controller, { ...ports, ...(isWatched && { leaps }) }, stopping.signal);
  void leaps.run(stopping.signal);
  await virtual.advance(1_000);
  leapMs = 30 * DAY_MS;
  await virtual.advance(given.inMs);
  expect(done).toBe(1);
  stopping.abort();
});

test('a write that keeps losing is tried less and less often', async () => {
  const clock = virtualClock();
  let tries = 0;
  const controller: Controller = {
    name: 'content',
    affected: () => ['one'],
    reconcile: async () => {
      tries += 1;
      return 'conflict';
    },
  };
  const mirror = {
    subscribe: () => () => undefined,
    everything: () => [{} as WorldChange],
  } as unknown as Mirror;
  const stopping = new AbortController();
  const ports = { mirror, clock, random, log: silentLog, metrics: noMetrics };
  void runController(controller, ports, stopping.signal);
  await clock.advance(200);
  expect(tries).toBeGreaterThan(2);
  tries = 0;
  await clock.advance(10_000);
  expect(tries).toBeLessThan(20);
  stopping.abort();
});
