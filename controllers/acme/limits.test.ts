import { expect, test } from 'vitest';
import { LETS_ENCRYPT_LIMITS } from '../../runtime/acme/limits.ts';
import type { AcmeCountRecord, IssuanceTry } from '../../runtime/acme/records.ts';
import { type LimitFacts, limitReached, registeredDomain } from './limits.ts';

const NOW_MS = Date.parse('2026-03-01T00:00:00Z');
const MINUTE_MS = 60_000;
const LE = 'https://acme-v02.api.letsencrypt.org/directory';

function counts(
  number: number,
  change: (index: number) => Partial<AcmeCountRecord>,
): readonly AcmeCountRecord[] {
  return Array.from({ length: number }, (_, index) => ({
    ...{ issuerUid: 'i', directory: LE, names: [`n${index}.example.com`], startedMs: NOW_MS },
    kind: 'first' as const,
    ...change(index),
  }));
}

const same = () => ({ names: ['a.example.com'], kind: 'renewal' as const });
const unproven: IssuanceTry = {
  ...{ startedMs: NOW_MS, endedMs: NOW_MS, issuer: 'le', names: ['a.example.com'] },
  ...{ outcome: 'failed', detail: '', unproven: ['a.example.com'] },
};

test.each<{ when: string; reached: string | undefined } & Partial<LimitFacts>>([
  { when: 'nothing was ordered', reached: undefined },
  { when: 'the same was ordered four times', counts: counts(4, same), reached: undefined },
  { when: 'the same was ordered five times', counts: counts(5, same), reached: 'just these names' },
  {
    when: 'the same was ordered five times, long ago',
    counts: counts(5, () => ({ ...same(), startedMs: NOW_MS - 34 * 60 * MINUTE_MS })),
    reached: undefined,
  },
  {
    when: 'the same failed nine times before a certificate was asked for',
    counts: counts(9, () => ({ ...same(), certificate: 'none', endedMs: NOW_MS })),
    reached: undefined,
  },
  {
    when: 'the same was ordered five times, long ago, and issued a while ago',
    counts: counts(5, () => ({
      ...{ ...same(), startedMs: NOW_MS - 34 * 60 * MINUTE_MS },
      endedMs: NOW_MS - 33 * 60 * MINUTE_MS,
    })),
    reached: 'just these names',
  },
  {
    when: '300 failed before certificates were asked for',
    counts: counts(300, (i) => ({ names: [`a.e${i}.org`], certificate: 'none' })),
    reached: 'one account',
  },
  {
    when: 'the CA refused the same',
    limits: undefined,
    counts: counts(1, () => ({ ...same(), endedMs: NOW_MS, refusedUntilMs: NOW_MS + 1 })),
    reached: 'refused an order for just these names',
  },
  {
    when: 'the CA itself wants it, and refused the same',
    kind: 'suggested',
    counts: counts(1, () => ({ ...same(), endedMs: NOW_MS, refusedUntilMs: NOW_MS + 1 })),
    reached: 'refused an order for just these names',
  },
  {
    when: 'the CA refused the same until now',
    counts: counts(1, () => ({ ...same(), endedMs: NOW_MS - 1, refusedUntilMs: NOW_MS })),
    reached: undefined,
  },
  {
    when: 'the CA refused others, and another account',
    counts: [
      ...counts(1, () => ({ endedMs: NOW_MS, refusedUntilMs: NOW_MS + 1 })),
      ...counts(1, () => ({
        ...{ ...same(), issuerUid: 'x', endedMs: NOW_MS },
        refusedUntilMs: NOW_MS + 1,
      })),
    ],
    reached: undefined,
  },
  {
    when: 'a clock was an hour ahead when the CA refused the same',
    counts: counts(1, () => ({
      ...{ ...same(), endedMs: NOW_MS + 60 * MINUTE_MS },
      refusedUntilMs: NOW_MS + 61 * MINUTE_MS,
    })),
    reached: undefined,
  },
  {
    when: 'the CA itself wants it',
    kind: 'suggested',
    counts: counts(9, same),
    reached: undefined,
  },
  { when: '49 of the domain were ordered', counts: counts(49, () => ({})), reached: undefined },
  {
    when: '50 of the domain were ordered',
    counts: counts(50, () => ({})),
    reached: 'names of example.com',
  },
  {
    when: '50 of the domain were renewed',
    counts: counts(50, () => ({ kind: 'renewal' })),
    reached: undefined,
  },
  {
    when: 'it is renewed, and 50 of the domain were ordered',
    kind: 'renewal',
    counts: counts(50, () => ({})),
    reached: undefined,
  },
  {
    when: '50 of another domain were ordered',
    counts: counts(50, (i) => ({ names: [`n${i}.example.org`] })),
    reached: undefined,
  },
  {
    when: '300 were ordered',
    counts: counts(300, (i) => ({ names: [`a.e${i}.org`] })),
    reached: 'one account',
  },
  {
    when: '300 were ordered by another account',
    counts: counts(300, (i) => ({ issuerUid: 'x', names: [`a.e${i}.org`] })),
    reached: undefined,
  },
  {
    when: '300 were ordered elsewhere',
    counts: counts(300, () => ({ directory: 'https://x' })),
    reached: undefined,
  },
  {
    when: 'nobody knows what the CA allows',
    limits: undefined,
    counts: counts(900, () => ({})),
    reached: undefined,
  },
  {
    when: 'four validations failed',
    issuances: [{ tries: Array(4).fill(unproven), failures: 4, generation: 1 }],
    reached: undefined,
  },
  {
    when: 'five validations failed',
    issuances: [{ tries: Array(5).fill(unproven), failures: 5, generation: 1 }],
    reached: 'validations of a.example.com',
  },
  {
    when: 'a clock was ahead when five were ordered',
    counts: counts(5, () => ({ ...same(), startedMs: NOW_MS * 2 })),
    reached: 'just these names',
  },
])('limitReached when $when', ({ when: _, reached, ...facts }) => {
  const all: LimitFacts = {
    ...{ directory: LE, issuerUid: 'i', names: ['a.example.com'], kind: 'first' },
    ...{ limits: LETS_ENCRYPT_LIMITS, counts: [], issuances: [] },
    ...facts,
  };
  const found = limitReached(all, NOW_MS);
  if (reached === undefined) expect(found).toBeUndefined();
  else expect(found?.message).toContain(reached);
});

test('it says when there is room again', () => {
  const facts: LimitFacts = {
    ...{ directory: LE, issuerUid: 'i', names: ['a.example.com'], kind: 'renewal' },
    ...{ limits: LETS_ENCRYPT_LIMITS, counts: counts(5, same), issuances: [] },
  };
  const { inMs = 0 } = limitReached(facts, NOW_MS) ?? {};
  expect(inMs).toBe(34 * 60 * MINUTE_MS);
  expect(limitReached(facts, NOW_MS + inMs - 1)).toBeDefined();
  expect(limitReached(facts, NOW_MS + inMs)).toBeUndefined();
});

test.each([
  { name: 'example.com', domain: 'example.com' },
  { name: '*.a.b.example.co.uk', domain: 'example.co.uk' },
  { name: 'me.github.io', domain: 'me.github.io' },
  { name: 'a.example.test', domain: 'example.test' },
  { name: 'co.uk', domain: 'co.uk' },
])('$name is of $domain', ({ name, domain }) => {
  expect(registeredDomain(name)).toBe(domain);
});

test('a hundred names of each of a thousand orders are looked at once', () => {
  const names = (order: number): readonly string[] =>
    Array.from({ length: 100 }, (_, index) => `www.d${index}-${order}.com`);
  const directory = LE;
  const counts = Array.from({ length: 1_000 }, (_, order) => {
    const of = { issuerUid: `uid-${order}`, directory, names: names(order) };
    return { ...of, startedMs: 0, kind: 'first' as const };
  });
  const limits = LETS_ENCRYPT_LIMITS;
  const facts = {
    directory,
    limits,
    issuerUid: 'uid',
    names: names(7),
    kind: 'first' as const,
    counts,
  };
  expect(limitReached({ ...facts, issuances: [] }, 0)).toBeUndefined();
}, 5_000);
