import { expect, test } from 'vitest';
import { silentLog } from '../../runtime/log.ts';
import { virtualClock } from '../../runtime/test-clock.ts';
import { fakeAuthority } from '../../runtime/tls/fake-authority.ts';
import { keepServerCertificate } from './server-certificate.ts';

const HOUR_MS = 3600 * 1000;
const DAY_MS = 24 * HOUR_MS;

test.each([
  { when: 'it is young', leapMs: 0, passMs: 5 * HOUR_MS, renewals: 0 },
  { when: 'the machine slept for three weeks', leapMs: 21 * DAY_MS, passMs: HOUR_MS, renewals: 1 },
  { when: 'the clock went back before its time', leapMs: -DAY_MS, passMs: HOUR_MS, renewals: 1 },
])('when $when: renewed $renewals times', async ({ leapMs, passMs, renewals }) => {
  const virtual = virtualClock();
  let leaptMs = 0;
  const clock = { ...virtual, nowMs: () => virtual.nowMs() + leaptMs };
  let count = 0;
  const random = { next: () => 0.5, bytes: (length: number) => new Uint8Array(length).fill(count) };
  const authority = fakeAuthority({ clock, random });
  const stopping = new AbortController();
  const { signal } = stopping;
  const kept = await keepServerCertificate({ authority, clock, log: silentLog, hosts: [], signal });
  kept.onChange(() => (count += 1));
  leaptMs = leapMs;
  await virtual.advance(passMs);
  expect(count).toBe(renewals);
  stopping.abort();
});
