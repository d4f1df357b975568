import { expect, test } from 'vitest';
import {
  DOWN_DETECTION_MS_MAX,
  FAILURES_TO_DOWN,
  observeProbe,
  PROBE_INTERVAL_MS,
  PROBE_JITTER,
  PROBE_TIMEOUT_MS,
  unprobed,
} from './health.ts';

test.each([
  { when: 'never probed', probes: '', reachable: true },
  { when: 'two failures', probes: 'xx', reachable: true },
  { when: 'three failures in a row', probes: 'xxx', reachable: false },
  { when: 'failures with a success between', probes: 'xx.xx', reachable: true },
  { when: 'one success after the fall', probes: 'xxx.', reachable: false },
  { when: 'two successes after the fall', probes: 'xxx..', reachable: true },
  { when: 'successes with a failure between', probes: 'xxx.x.', reachable: false },
  { when: 'back up, and two failures', probes: 'xxx..xx', reachable: true },
])('reachable is $reachable after $when', ({ probes, reachable }) => {
  const states = probes
    .split('')
    .reduce(
      (state, probe, nowMs) => observeProbe(state, { reachable: probe === '.', nowMs }),
      unprobed(0),
    );
  expect(states.reachable).toBe(reachable);
});

test('it remembers since when', () => {
  const fail = (state: ReturnType<typeof unprobed>, nowMs: number) =>
    observeProbe(state, { reachable: false, nowMs });
  expect([10, 20, 30, 40].reduce(fail, unprobed(0)).sinceMs).toBe(30);
});

test('the worst case of detection is within its bound', () => {
  const intervalMsMax = PROBE_INTERVAL_MS * (1 + PROBE_JITTER);
  const worstMs = FAILURES_TO_DOWN * intervalMsMax + PROBE_TIMEOUT_MS;
  expect(worstMs).toBeLessThan(DOWN_DETECTION_MS_MAX);
});
