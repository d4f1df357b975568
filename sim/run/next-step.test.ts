import { expect, test } from 'vitest';
import { memoryStore } from '../../runtime/store/memory-store.ts';
import { virtualClock } from '../../runtime/test-clock.ts';
import { isSweep, nextStepInMs } from './next-step.ts';

const NOW_MS = Date.parse('2027-01-15T08:00:00.000Z');

test.each<{
  when: string;
  times: readonly (string | undefined)[];
  clocksMs?: number[];
  inMs: number;
}>([
  { when: 'there is no zone', times: [], inMs: Infinity },
  { when: 'no zone waits for a time', times: [undefined], inMs: Infinity },
  { when: 'two do', times: ['2027-01-15T09:00:00Z', '2027-01-15T08:01:00Z'], inMs: 60_000 },
  { when: 'it is late', times: ['2027-01-15T07:00:00Z'], inMs: Infinity },
  {
    when: 'the clock of one machine is ahead',
    times: ['2027-01-15T09:00:00Z'],
    clocksMs: [NOW_MS, NOW_MS + 3_599_000],
    inMs: 1_000,
  },
])('the next step when $when', async ({ times, clocksMs = [NOW_MS], inMs }) => {
  const store = memoryStore({ clock: virtualClock() });
  for (const [index, nextStepTime] of times.entries()) {
    const status = { dnssec: { phase: 'signing', keys: [], nextStepTime } };
    const write = { key: `/b8s/zones/default/${index}`, value: JSON.stringify({ status }) };
    await store.commit({ guards: [], writes: [{ kind: 'put', ...write }] });
  }
  const clocks = clocksMs.map((ms) => ({ nowMs: () => ms }));
  expect(await nextStepInMs({ store, clocks })).toBe(inMs);
});

test.each([
  { when: 'expired tokens go', keys: ['-/b8s/system/token/a', '-/b8s/system/token/b'], is: true },
  { when: 'one is made', keys: ['/b8s/system/token/a'], is: false },
  { when: 'one buys something', keys: ['-/b8s/system/token/a', '/b8s/nodes/a'], is: false },
  { when: 'a lease ends', keys: [], is: false },
])('what dom sweeps at rest: $when', ({ keys, is }) => {
  expect(isSweep(keys)).toBe(is);
});
