import { expect, test } from 'vitest';
import { AcmeProblem } from '../../runtime/acme/acme.ts';
import { StandingRefusals } from './standing-refusals.ts';

const account = { url: 'https://ca.test/account/1' };
const names = { step: 'createOrder', account, about: ['b.test', 'a.test'] };
const refused = (retryAfterMs?: number) =>
  new AcmeProblem({ type: 'rateLimited', detail: 'busy', status: 429 }, retryAfterMs);

function standing() {
  const clock = { atMs: 0, monotonicMs: () => clock.atMs };
  return { clock, refusals: new StandingRefusals(clock) };
}

test('the same question is answered with what is left of the time', () => {
  const { clock, refusals } = standing();
  refusals.heard(names, refused(10_000));
  clock.atMs = 4_000;
  const found = refusals.of({ ...names, about: ['a.test', 'b.test'] });
  expect(found).toMatchObject({ retryAfterMs: 6_000, document: { detail: 'busy' } });
  clock.atMs = 10_000;
  expect(refusals.of(names)).toBeUndefined();
});

test.each([
  { what: 'other names', other: { ...names, about: ['a.test'] } },
  { what: 'another account', other: { ...names, account: { url: 'https://ca.test/account/2' } } },
  { what: 'another step', other: { ...names, step: 'listOrders' } },
])('$what may be asked about', ({ other }) => {
  const { refusals } = standing();
  refusals.heard(names, refused(10_000));
  expect(refusals.of(other)).toBeUndefined();
});

test('a refusal that does not say when to come back holds nobody up', () => {
  const { refusals } = standing();
  refusals.heard(names, refused());
  expect(refusals.of(names)).toBeUndefined();
});
