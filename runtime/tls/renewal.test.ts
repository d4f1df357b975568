import { expect, test } from 'vitest';
import type { CertificateSpec } from '../../api/certificate.ts';
import type { RenewalRecord } from '../acme/records.ts';
import type { MaterialRecord } from '../store/records.ts';
import { lastThirdMs, RENEW_INTERVAL_MIN_MS, renewalMs } from './renewal.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/** A Sunday. */
const ISSUED_MS = Date.parse('2026-03-01T00:00:00Z');

function material(lifeMs: number, change: Partial<MaterialRecord> = {}): MaterialRecord {
  return {
    ...{ chainPem: '', sealedKey: '', names: ['a.b'], keyType: 'ecdsa-p256', issuerUid: 'i' },
    ...{ issuedMs: ISSUED_MS, notBeforeMs: ISSUED_MS, notAfterMs: ISSUED_MS + lifeMs },
    ...{ fingerprint: '00000000', serialNumber: '1', directory: 'https://ca.test' },
    ...change,
  };
}

type Renewal = NonNullable<CertificateSpec['renewal']>;

function due(
  given: MaterialRecord,
  options: { renewal?: Renewal; window?: RenewalRecord['window']; nowMs?: number } = {},
): number {
  const { renewal, window, nowMs = ISSUED_MS } = options;
  const spec = {
    names: ['a.b'],
    issuer: 'i',
    keyType: 'ecdsa-p256',
    ...(renewal && { renewal }),
  } as const;
  const told = window && { fingerprint: given.fingerprint, askAgainMs: 0, window };
  return renewalMs({ spec, material: given, renewal: told }, nowMs) - ISSUED_MS;
}

const ari = (fromMs: number, renewMs = fromMs): RenewalRecord['window'] => ({
  ...{
    startMs: ISSUED_MS + fromMs,
    endMs: ISSUED_MS + fromMs + DAY_MS,
    renewMs: ISSUED_MS + renewMs,
  },
});

test.each([
  { when: '90 days', at: 58.5 * DAY_MS, given: material(90 * DAY_MS) },
  {
    when: '90 days, another one',
    at: 54 * DAY_MS,
    given: material(90 * DAY_MS, { fingerprint: 'ffffffff' }),
  },
  { when: '6 days', at: 3.9 * DAY_MS, given: material(6 * DAY_MS) },
  { when: '2 minutes: there is time for an order', at: 62_000, given: material(2 * MINUTE_MS) },
  { when: 'a moment', at: RENEW_INTERVAL_MIN_MS, given: material(10) },
  {
    when: 'dated back by longer than it lives',
    at: 62_000,
    given: material(2 * MINUTE_MS, { notBeforeMs: ISSUED_MS - DAY_MS }),
  },
  {
    when: 'at least so long before its end',
    at: 40 * DAY_MS,
    given: material(90 * DAY_MS),
    renewal: { before: '50d' },
  },
  {
    when: 'no later than ever',
    at: 58.5 * DAY_MS,
    given: material(90 * DAY_MS),
    renewal: { before: '1d' },
  },
  {
    when: 'a third of its life it has',
    at: 30 * DAY_MS,
    given: material(90 * DAY_MS),
    renewal: { before: '100d' },
  },
  {
    when: 'when the CA says',
    at: 40 * DAY_MS,
    given: material(90 * DAY_MS),
    window: ari(40 * DAY_MS),
  },
  {
    when: 'not later, though the CA says so',
    at: 58.5 * DAY_MS,
    given: material(90 * DAY_MS),
    window: ari(80 * DAY_MS),
  },
  {
    when: 'the CA says at once: not in a loop',
    at: 9 * DAY_MS,
    given: material(90 * DAY_MS),
    window: ari(-DAY_MS),
  },
  {
    when: 'a clock was ahead when it was issued: the CA knows',
    at: -900 * DAY_MS + 58.5 * DAY_MS,
    given: material(90 * DAY_MS, {
      notBeforeMs: ISSUED_MS - 900 * DAY_MS,
      notAfterMs: ISSUED_MS - 810 * DAY_MS,
    }),
    nowMs: ISSUED_MS - 900 * DAY_MS,
  },
])('renewalMs: $when', ({ at, given, ...options }) => {
  expect(due(given, options)).toBeGreaterThan(at - 1_000);
  expect(due(given, options)).toBeLessThan(at + 1_000);
});

const NIGHT = { days: [], from: '02:00', to: '04:00' };
const HOUR_MS = 60 * MINUTE_MS;

test.each([
  {
    when: 'the last night before it is due',
    hours: NIGHT,
    nowMs: ISSUED_MS,
    at: 58 * DAY_MS + 2 * HOUR_MS,
  },
  {
    when: 'the night: now',
    hours: NIGHT,
    nowMs: ISSUED_MS + 58 * DAY_MS + 3 * HOUR_MS,
    at: 58 * DAY_MS + 3 * HOUR_MS,
  },
  {
    when: 'the night was missed: when it is due',
    hours: NIGHT,
    nowMs: ISSUED_MS + 58 * DAY_MS + 5 * HOUR_MS,
    at: 58.5 * DAY_MS,
  },
  {
    when: 'on Sundays',
    hours: { ...NIGHT, days: ['Sun' as const] },
    nowMs: ISSUED_MS,
    at: 56 * DAY_MS + 2 * HOUR_MS,
  },
  {
    when: 'the last Sunday was missed',
    hours: { ...NIGHT, days: ['Sun' as const] },
    nowMs: ISSUED_MS + 57 * DAY_MS,
    at: 58.5 * DAY_MS,
  },
  {
    when: 'over midnight',
    hours: { days: ['Tue' as const], from: '23:00', to: '01:00' },
    nowMs: ISSUED_MS,
    at: 51 * DAY_MS + 23 * HOUR_MS,
  },
])('renewalMs in hours: $when', ({ hours, nowMs, at }) => {
  expect(due(material(90 * DAY_MS), { renewal: { window: hours }, nowMs })).toBe(at);
});

test('a life too short for the hours is renewed when it is due', () => {
  expect(due(material(2 * MINUTE_MS), { renewal: { window: NIGHT } })).toBe(62_000);
});

test('the last third begins after every renewal, whatever the life (INV-31)', () => {
  for (const lifeMs of [MINUTE_MS, 2 * MINUTE_MS, HOUR_MS, DAY_MS, 6 * DAY_MS, 90 * DAY_MS]) {
    const given = material(lifeMs);
    expect(ISSUED_MS + due(given)).toBeLessThan(lastThirdMs(given));
  }
});
