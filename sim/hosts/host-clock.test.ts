import { expect, test } from 'vitest';
import { turns } from '../../runtime/node/settle.ts';
import { seededRandom } from '../engine/random.ts';
import { EPOCH_MS, Scheduler } from '../engine/scheduler.ts';
import { HostClock } from './host-clock.ts';

function scene() {
  const scheduler = new Scheduler({ random: seededRandom('clock'), turns });
  return { scheduler, clock: new HostClock(scheduler) };
}

test('the wall clock jumps, the monotonic one does not', async () => {
  const { scheduler, clock } = scene();
  await scheduler.run(1_000);
  clock.jump(-3_600_000);
  expect([clock.nowMs(), clock.monotonicMs()]).toEqual([EPOCH_MS + 1_000 - 3_600_000, 1_000]);
  expect(clock.offMs).toBe(-3_600_000);
  await scheduler.run(2_000);
  clock.jump(3_700_000);
  expect([clock.nowMs(), clock.monotonicMs()]).toEqual([EPOCH_MS + 2_000 + 100_000, 2_000]);
});

test('what was said before a leap may be what counts', async () => {
  const { scheduler, clock } = scene();
  await scheduler.run(10_000);
  clock.jump(600_000);
  await scheduler.run(13_000);
  clock.jump(-50_000);
  expect(clock.earliestMs(5_000)).toBe(clock.nowMs() - 600_000 - 5_000);
  expect(clock.earliestMs(2_000)).toBe(clock.nowMs() - 2_000);
});

test('a change of its pace moves nothing at once', async () => {
  const { scheduler, clock } = scene();
  await scheduler.run(1_000);
  clock.setRate(0.5);
  expect(clock.monotonicMs()).toBe(1_000);
  await scheduler.run(3_000);
  expect([clock.monotonicMs(), clock.nowMs()]).toEqual([2_000, EPOCH_MS + 2_000]);
});

test.each([0.99, 0.9998, 1, 1.0002, 1.01])(
  'at the pace %d a timer ends no earlier than its own clock says, and less than 3 ms later',
  async (rate) => {
    const { scheduler, clock } = scene();
    clock.setRate(rate);
    for (const ms of [0, 0.3, 1, 7, 250, 1_000, 60_000, 3_600_000]) {
      const startMs = clock.monotonicMs();
      let tookMs: number | undefined;
      void clock.sleep(ms).then(() => {
        tookMs = clock.monotonicMs() - startMs;
      });
      await scheduler.run(Infinity);
      expect(tookMs).toBeGreaterThanOrEqual(ms);
      expect(tookMs).toBeLessThan(ms + 3);
    }
  },
);
