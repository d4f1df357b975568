import { expect, test } from 'vitest';
import type { AcmeAccountRecord, AcmeOrderRecord } from '../../runtime/acme/records.ts';
import { object } from '../test-scene.ts';
import { type AcmeFacts, acmeFields, acmeProgress } from './acme-status.ts';

const NOW_MS = Date.parse('2026-03-01T00:00:00Z');
const ORDER: AcmeOrderRecord = {
  ...{ certificate: { namespace: 'default', name: 'blog' }, issuerUid: 'uid-issuer-le' },
  ...{ accountUrl: 'https://ca.test/account/1', names: ['a.example.com'], keyType: 'ecdsa-p256' },
  ...{ generation: 1, sealedKey: '', startedMs: NOW_MS, progressMs: NOW_MS, placings: 1 },
  ...{ phase: 'finalizing', authorizations: [], url: 'https://ca.test/order/1' },
};
const ACCOUNT: AcmeAccountRecord = {
  ...{ directory: 'https://ca.test/d', url: 'https://ca.test/account/1', sealedKey: 's', keyMs: 0 },
  contact: [],
};

test.each([
  { when: 'it is under way', order: ORDER, kind: 'progress', reason: 'Issuing', next: undefined },
  {
    when: 'the CA limits it',
    order: {
      ...ORDER,
      ...{ trouble: { reason: 'rateLimited', message: 'the CA says rateLimited: later' } },
      notBeforeMs: NOW_MS + 60_000,
    },
    ...{ kind: 'obstacle', reason: 'RateLimited', next: '2026-03-01T00:01:00.000Z' },
  },
  {
    when: 'the CA is away',
    order: {
      ...ORDER,
      ...{ trouble: { reason: 'unreachable', message: 'no answer' }, notBeforeMs: NOW_MS + 60_000 },
    },
    ...{ kind: 'progress', reason: 'Issuing', next: '2026-03-01T00:01:00.000Z' },
  },
])(
  'of an order when $when: what the CA said, and the next try',
  ({ order, kind, reason, next }) => {
    const issuer: AcmeFacts['issuer'] = object('Issuer', 'le', {
      acme: { directory: 'https://ca.test/d', termsOfServiceAgreed: true },
    });
    const proofs = { zones: new Map(), zoneRecord: () => undefined, nodes: [] };
    const facts: AcmeFacts = { issuer, account: ACCOUNT, order, issuance: undefined, proofs };
    const found = acmeProgress(facts, NOW_MS);
    expect(found).toMatchObject({ kind, reason });
    const { nextTry, lastError } = acmeFields(facts);
    expect([nextTry, lastError]).toEqual([next, order.trouble?.message]);
    if (next !== undefined) expect(found?.message).toContain(`${lastError}; next try at ${next}`);
  },
);
