import { expect, test } from 'vitest';
import { acmeScene, annotate, finish, issuanceOf, materialOf, order } from './test-acme.ts';

const RENEW = 'b8s.dev/renew-requested';

test('a certificate that another account has got is replaced all the same (RFC 9773 §5)', async () => {
  const at = await acmeScene();
  await order(at);
  const before = materialOf(at)?.fingerprint;
  // With the same key it gets another account: the CA does not take `replaces` from that one.
  at.ca.forgetAccounts();
  await annotate(at, 'Certificate', 'blog', { [RENEW]: 'now' });
  await finish(at, 60_000);
  expect(at.ca.accounts.length).toBe(2);
  expect(materialOf(at)?.fingerprint).not.toBe(before);
  expect(issuanceOf(at)?.failures).toBe(0);
  await at.end();
});
