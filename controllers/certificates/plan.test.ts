import { expect, test } from 'vitest';
import type { Certificate } from '../../api/certificate.ts';
import type { Issuer } from '../../api/issuer.ts';
import type { MaterialRecord } from '../../runtime/store/records.ts';
import { RENEW_INTERVAL_MIN_MS } from '../../runtime/tls/renewal.ts';
import { object } from '../test-scene.ts';
import { certificateStatus, ISSUE_RETRY_MS, planCertificate } from './plan.ts';
import { planIssuer } from './plan-issuer.ts';

const NOW_MS = Date.parse('2026-03-01T00:00:00Z');
const DAY_MS = 86_400_000;
const NAMES = ['a.example.com', 'b.example.com'];
const issuer: Issuer = object('Issuer', 'internal', { ca: { lifetime: '100d' } });

function certificate(spec: object = {}, status?: object): Certificate {
  const declared = { names: NAMES, issuer: 'internal', ...spec };
  return object('Certificate', 'blog', declared, status === undefined ? {} : { status });
}

/** Good for 100 days, `ageDays` ago. */
function material(ageDays: number, changed: Partial<MaterialRecord> = {}): MaterialRecord {
  const issuedMs = NOW_MS - ageDays * DAY_MS;
  return {
    chainPem: '',
    sealedKey: '',
    names: NAMES,
    keyType: 'ecdsa-p256',
    issuerUid: issuer.metadata.uid,
    issuedMs,
    notBeforeMs: issuedMs - 300_000,
    notAfterMs: issuedMs + 100 * DAY_MS,
    fingerprint: 'f1',
    serialNumber: '1',
    ...changed,
  };
}

const soon = (ms: number) => new Date(NOW_MS + ms).toISOString();
const failed = { observedGeneration: 1, lastError: 'no', nextTry: soon(1000) };

test.each([
  { when: 'there is none', plan: 'issue' },
  { when: 'it is fresh', material: material(0), plan: `keep ${65 * DAY_MS}` },
  {
    when: 'it is a moment before its renewal',
    material: material(65 - 1 / DAY_MS),
    plan: 'keep 1',
  },
  { when: 'its renewal is due', material: material(65), plan: 'issue' },
  {
    when: 'the clock went back, by no more than clocks differ',
    material: material(-300_000 / DAY_MS),
    plan: `keep ${65 * DAY_MS + 300_000}`,
  },
  {
    when: 'the clock went back by more, so that it is not valid yet',
    material: material(-300_001 / DAY_MS),
    plan: 'issue',
  },
  { when: 'it has expired', material: material(100), plan: 'issue' },
  {
    when: 'the names come in another order',
    material: material(0, { names: NAMES.toReversed() }),
    plan: `keep ${65 * DAY_MS}`,
  },
  { when: 'a name was added', material: material(0, { names: ['a.example.com'] }), plan: 'issue' },
  {
    when: 'a name was removed',
    material: material(0, { names: [...NAMES, 'c.example.com'] }),
    plan: 'issue',
  },
  { when: 'the key type changed', material: material(0, { keyType: 'rsa-2048' }), plan: 'issue' },
  { when: 'the issuer changed', material: material(0, { issuerUid: 'other' }), plan: 'issue' },
  { when: 'there is no issuer, and no certificate', issuer: undefined, plan: 'keep Infinity' },
  {
    when: 'there is no issuer: look again at its end',
    issuer: undefined,
    material: material(99),
    plan: `keep ${DAY_MS}`,
  },
  { when: 'the last try has just failed', certificate: certificate({}, failed), plan: 'wait 1000' },
  {
    when: 'the next try is due',
    certificate: certificate({}, { ...failed, nextTry: soon(0) }),
    plan: 'issue',
  },
  {
    when: 'the clock went back since it failed',
    certificate: certificate({}, { ...failed, nextTry: soon(ISSUE_RETRY_MS + 1) }),
    plan: 'issue',
  },
  {
    when: 'the spec changed since it failed',
    certificate: certificate({}, { ...failed, observedGeneration: 0 }),
    plan: 'issue',
  },
])('planCertificate when $when', ({ when: _, plan, ...facts }) => {
  const all = { certificate: certificate(), issuer, material: undefined, ...facts };
  const planned = planCertificate(all, NOW_MS);
  expect(planned.kind === 'issue' ? 'issue' : `${planned.kind} ${planned.recheckInMs}`).toBe(plan);
});

test('a life that ends in a moment is not renewed in a loop', () => {
  const short = material(0, { notAfterMs: NOW_MS + 10 });
  const facts = { certificate: certificate(), issuer, material: short };
  expect(planCertificate(facts, NOW_MS)).toEqual({
    kind: 'keep',
    recheckInMs: RENEW_INTERVAL_MIN_MS,
  });
});

test.each([
  {
    when: 'issued',
    material: material(1),
    ready: 'True Issued',
    renewable: 'True RenewalPlanned',
    current: 'True InTime',
  },
  {
    when: 'not issued yet',
    ready: 'False Issuing',
    renewable: 'True RenewalPlanned',
    current: undefined,
  },
  {
    when: 'its issuer is missing',
    issuer: undefined,
    ready: 'False IssuerNotFound',
    renewable: 'False IssuerNotFound',
    current: undefined,
  },
  {
    when: 'good, and its issuer went away',
    issuer: undefined,
    material: material(1),
    ready: 'True Issued',
    renewable: 'False IssuerNotFound',
    current: 'True InTime',
  },
  {
    when: 'expired',
    material: material(100),
    ready: 'False Issuing',
    renewable: 'True RenewalPlanned',
    current: 'False CertificateExpired',
  },
  {
    when: 'good, and its renewal failed',
    material: material(70),
    failure: { message: 'no', nextTryMs: 0 },
    ready: 'True Issued',
    renewable: 'False IssueFailed',
    current: 'False RenewalOverdue',
  },
  {
    when: 'of other names',
    material: material(0, { names: ['x.example.com'] }),
    ready: 'False Issuing',
    renewable: 'True RenewalPlanned',
    current: 'True InTime',
  },
])(
  'certificateStatus when it is $when',
  ({ when: _, ready, renewable, current, failure, ...facts }) => {
    const all = { certificate: certificate(), issuer, material: undefined, ...facts };
    const { conditions = [] } = certificateStatus(all, failure, NOW_MS);
    expect(conditions.map(({ type, status, reason }) => `${type} ${status} ${reason}`)).toEqual([
      `Ready ${ready}`,
      `Renewable ${renewable}`,
      ...(current === undefined ? [] : [`Current ${current}`]),
    ]);
  },
);

test.each([
  { lifetime: '90d', ready: 'True' },
  { lifetime: 'soon', ready: 'False' },
  { lifetime: '0d', ready: 'False' },
])('planIssuer with a lifetime of $lifetime', ({ lifetime, ready }) => {
  const planned = planIssuer(object('Issuer', 'x', { ca: { lifetime } }), undefined, NOW_MS);
  expect(planned.conditions?.[0]?.status).toBe(ready);
});
