import { expect, test } from 'vitest';
import type { Certificate } from '../../api/certificate.ts';
import { RENEW_REQUESTED, REVOKE_REQUESTED, ROLLOVER_REQUESTED } from '../../api/requests.ts';
import type {
  AcmeAccountRecord,
  AcmeOrderRecord,
  IssuanceRecord,
  IssuanceTry,
} from '../../runtime/acme/records.ts';
import type { MaterialRecord } from '../../runtime/store/records.ts';
import { object } from '../test-scene.ts';
import { planAccount } from './account.ts';
import type { LimitReached } from './limits.ts';
import {
  type IssuerFacts,
  leftMs,
  ORDER_AWAY_MS_MAX,
  ORDER_PROGRESS_MS_MAX,
  type OrderFacts,
  planOrder,
  WAIT_MS_MAX,
} from './plan.ts';
import type { AcmeIssuer } from './ports.ts';

const NOW_MS = Date.parse('2026-03-01T00:00:00Z');
const DAY_MS = 86_400_000;
const DIRECTORY = 'https://ca.test/directory';

function issuer(name = 'le', acme: object = {}, annotations: object = {}): AcmeIssuer {
  const spec = { acme: { directory: DIRECTORY, termsOfServiceAgreed: true, ...acme } };
  return object('Issuer', name, spec, { metadata: { annotations } });
}

const ACCOUNT: AcmeAccountRecord = {
  ...{ directory: DIRECTORY, url: 'https://ca.test/account/1', sealedKey: 's', keyMs: 0 },
  contact: [],
};
const asked = (change: Partial<IssuerFacts> = {}): IssuerFacts => ({
  ...{ issuer: issuer(), account: ACCOUNT },
  ...change,
});
const certificate = (spec: object = {}, annotations: object = {}): Certificate =>
  object(
    'Certificate',
    'blog',
    { names: ['a.example.com'], issuer: 'le', ...spec },
    { metadata: { annotations } },
  );

const MATERIAL: MaterialRecord = {
  ...{ chainPem: '', sealedKey: '', names: ['a.example.com'], keyType: 'ecdsa-p256' },
  ...{ issuerUid: 'uid-issuer-le', issuedMs: NOW_MS, notBeforeMs: NOW_MS - 3_600_000 },
  ...{
    notAfterMs: NOW_MS + 100 * DAY_MS,
    fingerprint: '00',
    serialNumber: '1',
    directory: DIRECTORY,
  },
};
const aged = (days: number): MaterialRecord => ({
  ...MATERIAL,
  issuedMs: NOW_MS - days * DAY_MS,
  notBeforeMs: NOW_MS - days * DAY_MS,
});
const ORDER: AcmeOrderRecord = {
  ...{ certificate: { namespace: 'default', name: 'blog' }, issuerUid: 'uid-issuer-le' },
  ...{ accountUrl: 'https://ca.test/account/1', names: ['a.example.com'], keyType: 'ecdsa-p256' },
  ...{ generation: 1, sealedKey: '', startedMs: NOW_MS, progressMs: NOW_MS, placings: 1 },
  ...{ phase: 'validating', authorizations: [] },
};
const failed = (
  inMs: number,
  reason = 'unauthorized',
  change: Partial<IssuanceRecord> = {},
): IssuanceRecord => ({
  ...{ tries: [], failures: 1, generation: 1 },
  failure: { reason, message: 'no', nextTryMs: NOW_MS + inMs },
  ...change,
});
const LIMIT: LimitReached = { inMs: 60_000, message: 'too many' };
const triedWith = (name: string): IssuanceTry => ({
  ...{ startedMs: NOW_MS, endedMs: NOW_MS, issuer: name, names: [], outcome: 'failed' },
  detail: 'no',
});
const held = (inMs: number): AcmeAccountRecord => ({
  ...ACCOUNT,
  failedGeneration: 1,
  failure: { reason: 'unreachable', message: 'no', nextTryMs: NOW_MS + inMs },
});
const second = asked({ issuer: issuer('second'), account: ACCOUNT });

const other: IssuerFacts = {
  issuer: issuer('other', { directory: 'https://other.test/directory' }),
  account: { ...ACCOUNT, directory: 'https://other.test/directory' },
};
const LIMITED = { reason: 'rateLimited', message: 'too many' };

test.each<{ when: string; plan: string } & Partial<OrderFacts>>([
  { when: 'there is none', plan: 'start le' },
  { when: 'no Issuer of it is an ACME CA', issuers: [], plan: 'none Infinity' },
  { when: 'it is fresh', material: MATERIAL, plan: `none ${65 * DAY_MS}` },
  {
    when: 'it is old',
    material: aged(300),
    plan: 'start le',
  },
  {
    when: 'another name was declared',
    material: { ...MATERIAL, names: ['b.c'] },
    plan: 'start le',
  },
  {
    when: 'it is of another CA',
    material: { ...MATERIAL, directory: 'https://x' },
    plan: 'start le',
  },
  {
    when: 'it is of a fallback',
    issuers: [asked(), second],
    material: { ...MATERIAL, issuerUid: 'uid-issuer-second' },
    plan: `none ${65 * DAY_MS}`,
  },
  {
    when: 'a person asks for another',
    certificate: certificate({}, { [RENEW_REQUESTED]: 'now' }),
    material: MATERIAL,
    plan: 'start le',
  },
  {
    when: 'it answers what a person asked for',
    certificate: certificate({}, { [RENEW_REQUESTED]: 'now' }),
    material: { ...MATERIAL, renewRequest: 'now' },
    plan: `none ${65 * DAY_MS}`,
  },
  {
    when: 'it is to be revoked',
    certificate: certificate({}, { [REVOKE_REQUESTED]: '00 superseded' }),
    material: MATERIAL,
    plan: 'start le',
  },
  {
    when: 'it is to be revoked for good',
    certificate: certificate({}, { [REVOKE_REQUESTED]: '00 cessationOfOperation' }),
    material: MATERIAL,
    plan: 'none Infinity',
  },
  {
    when: 'another one was revoked',
    certificate: certificate({}, { [REVOKE_REQUESTED]: '01 superseded' }),
    material: MATERIAL,
    plan: `none ${65 * DAY_MS}`,
  },
  {
    when: 'the CA wants it renewed at once',
    material: aged(20),
    issuance: {
      ...{ tries: [], failures: 0, generation: 1 },
      renewal: {
        ...{ fingerprint: '00', askAgainMs: 0 },
        window: { startMs: 1, endMs: 2, renewMs: 1 },
      },
    },
    plan: 'start le',
  },
  {
    when: 'the CA wants it renewed at once, and it has just been issued: no loop',
    material: MATERIAL,
    issuance: {
      ...{ tries: [], failures: 0, generation: 1 },
      renewal: {
        ...{ fingerprint: '00', askAgainMs: 0 },
        window: { startMs: 1, endMs: 2, renewMs: 1 },
      },
    },
    plan: `none ${10 * DAY_MS}`,
  },
  { when: 'it failed a while ago', issuance: failed(0), plan: 'start le' },
  { when: 'it has just failed', issuance: failed(5_000), plan: 'wait 5000' },
  { when: 'the clock went back since', issuance: failed(WAIT_MS_MAX + 1), plan: 'start le' },
  {
    when: 'the spec changed since',
    issuance: failed(5_000, 'x', { generation: 0 }),
    plan: 'start le',
  },
  {
    when: 'the spec changed since, but the CA counts',
    issuance: failed(5_000, 'rateLimited', { generation: 0 }),
    plan: 'wait 5000',
  },
  {
    when: 'the terms are not agreed',
    issuers: [asked({ issuer: issuer('le', { termsOfServiceAgreed: false }) })],
    plan: 'wait Infinity',
  },
  {
    when: 'the account is not there yet',
    issuers: [asked({ account: undefined })],
    plan: 'wait Infinity',
  },
  { when: 'the CA is away', issuers: [asked({ account: held(7) })], plan: 'wait 7' },
  {
    when: 'the CA is away, and there is a fallback',
    issuers: [asked({ account: held(7) }), second],
    plan: 'start second',
  },
  {
    when: 'it has failed twice',
    issuers: [asked(), second],
    issuance: failed(0, 'x', { failures: 2 }),
    plan: 'start le',
  },
  {
    when: 'it has failed three times',
    issuers: [asked(), second],
    issuance: failed(0, 'x', { failures: 3 }),
    plan: 'start second',
  },
  {
    when: 'both have failed',
    issuers: [asked(), second],
    issuance: failed(0, 'x', { failures: 6 }),
    plan: 'start le',
  },
  {
    when: 'the account gets a new key',
    issuers: [asked({ issuer: issuer('le', {}, { [ROLLOVER_REQUESTED]: 'now' }) })],
    plan: 'wait Infinity',
  },
  {
    when: 'an order would break a limit',
    limitOf: () => LIMIT,
    plan: 'hold too many',
  },
  {
    when: 'an order would break a limit, and there is a fallback',
    issuers: [asked(), second],
    limitOf: ({ issuer: { metadata } }) => (metadata.name === 'le' ? LIMIT : undefined),
    plan: 'start second',
  },
  {
    when: 'all are at a limit: that which ends first counts',
    issuers: [asked(), second],
    limitOf: ({ issuer: { metadata } }) =>
      metadata.name === 'le' ? LIMIT : { inMs: 5, message: 'sooner' },
    plan: 'hold sooner',
  },
  {
    when: 'the CA refused it as one too many, and there is a fallback',
    issuers: [asked(), second],
    issuance: failed(5_000, 'rateLimited', { tries: [triedWith('le')] }),
    plan: 'start second',
  },
  {
    when: 'the fallback refused it as one too many, and the first is at a limit',
    issuers: [asked(), second],
    issuance: failed(5_000, 'rateLimited', { tries: [triedWith('le'), triedWith('second')] }),
    limitOf: ({ issuer: { metadata } }) => (metadata.name === 'le' ? LIMIT : undefined),
    plan: 'wait 5000',
  },
  {
    when: 'it was refused for another reason, and there is a fallback',
    issuers: [asked(), second],
    issuance: failed(5_000, 'unauthorized', { tries: [triedWith('le')] }),
    plan: 'wait 5000',
  },
  { when: 'the same is ordered for another', hasTwin: true, plan: 'wait 2000' },
  {
    when: 'the account is at a limit before the order was taken, and there is a fallback',
    issuers: [asked({ account: held(7) }), other],
    order: { ...ORDER, phase: 'placing', trouble: LIMITED },
    plan: 'abandon',
  },
  {
    when: 'the account is at a limit before the order was taken, and there is none',
    issuers: [asked({ account: held(7) })],
    order: { ...ORDER, phase: 'placing', trouble: LIMITED },
    plan: 'wait 7',
  },
  {
    when: 'the account is at a limit, and the order was taken',
    issuers: [asked({ account: held(7) }), other],
    order: { ...ORDER, trouble: LIMITED },
    plan: 'wait 7',
  },
  { when: 'the order is under way', order: ORDER, plan: 'step validating' },
  {
    when: 'the CA said when to look',
    order: { ...ORDER, notBeforeMs: NOW_MS + 9 },
    plan: 'wait 9',
  },
  {
    when: 'a dom whose clock is ahead came no further, and lost the lead',
    order: { ...ORDER, heldSinceMs: NOW_MS + 1_380_000, notBeforeMs: NOW_MS + 1_400_000 },
    plan: 'step validating',
  },
  {
    when: 'a dom whose clock is a little ahead did',
    order: { ...ORDER, heldSinceMs: NOW_MS + 60_000, notBeforeMs: NOW_MS + 80_000 },
    plan: 'wait 80000',
  },
  { when: 'other names are declared', order: { ...ORDER, names: ['x.y'] }, plan: 'abandon' },
  { when: 'another key is declared', order: { ...ORDER, keyType: 'rsa-2048' }, plan: 'abandon' },
  { when: 'its Issuer is gone', order: { ...ORDER, issuerUid: 'x' }, plan: 'abandon' },
  { when: 'its account is gone', order: { ...ORDER, accountUrl: 'x' }, plan: 'abandon' },
  {
    when: 'its order waits an hour',
    order: { ...ORDER, progressMs: NOW_MS - ORDER_PROGRESS_MS_MAX },
    plan: 'step validating',
  },
  {
    when: 'its order waits longer',
    order: { ...ORDER, progressMs: NOW_MS - ORDER_PROGRESS_MS_MAX - 1 },
    plan: 'expire',
  },
  {
    when: 'the clock went back by more',
    order: { ...ORDER, progressMs: NOW_MS + ORDER_PROGRESS_MS_MAX + 1 },
    plan: 'expire',
  },
  {
    when: 'its order waits for a CA that is away',
    order: { ...ORDER, troubles: 1, progressMs: NOW_MS - ORDER_AWAY_MS_MAX },
    plan: 'step validating',
  },
  {
    when: 'the clock is set right by which a certificate had not begun, and there is another CA',
    issuers: [asked(), second],
    order: {
      ...ORDER,
      ...{ phase: 'downloading', troubles: 9, trouble: { reason: 'notBegun', message: 'no' } },
      progressMs: NOW_MS - ORDER_AWAY_MS_MAX,
    },
    plan: 'step downloading',
  },
  {
    when: 'its order waits for a CA, and there is another',
    issuers: [asked(), second],
    order: { ...ORDER, troubles: 1, progressMs: NOW_MS - ORDER_AWAY_MS_MAX },
    plan: 'expire',
  },
])('planOrder when $when', ({ when: _, plan, ...facts }) => {
  const all: OrderFacts = {
    ...{ certificate: certificate(), issuers: [asked()], material: undefined, order: undefined },
    ...{ issuance: undefined, hasTwin: false },
    ...facts,
  };
  const planned = planOrder(all, NOW_MS);
  const more =
    planned.kind === 'none' || planned.kind === 'wait'
      ? ` ${planned.recheckInMs}`
      : planned.kind === 'start'
        ? ` ${planned.with.issuer.metadata.name}`
        : planned.kind === 'step'
          ? ` ${planned.step}`
          : planned.kind === 'hold'
            ? ` ${planned.limit.message}`
            : '';
  expect(`${planned.kind}${more}`).toBe(plan);
});

const external = { externalAccount: { keyId: 'k', secret: 'a/b' } };
test.each([
  { when: 'there is none', plan: 'makeKey' },
  {
    when: 'the terms are not agreed',
    issuer: issuer('le', { termsOfServiceAgreed: false }),
    plan: 'none',
  },
  { when: 'it is of another CA', record: { ...ACCOUNT, directory: 'x' }, plan: 'makeKey' },
  { when: 'the CA does not know it yet', record: { ...ACCOUNT, url: undefined }, plan: 'register' },
  { when: 'all is well', record: ACCOUNT, plan: 'none' },
  { when: 'the CA was asked just now', record: held(5), plan: 'wait' },
  {
    when: 'the contact is another',
    issuer: issuer('le', { contact: ['a@b'] }),
    record: ACCOUNT,
    plan: 'tellContact',
  },
  {
    when: 'it is to be bound to another one',
    issuer: issuer('le', external),
    record: ACCOUNT,
    plan: 'makeKey',
  },
  {
    when: 'it is bound',
    issuer: issuer('le', external),
    record: { ...ACCOUNT, externalKeyId: 'k' },
    plan: 'none',
  },
  {
    when: 'a new key is asked for',
    issuer: issuer('le', {}, { [ROLLOVER_REQUESTED]: '1' }),
    record: ACCOUNT,
    plan: 'makeNextKey',
  },
  { when: 'a new key is there', record: { ...ACCOUNT, nextSealedKey: 's' }, plan: 'changeKey' },
  {
    when: 'it has the new key',
    issuer: issuer('le', {}, { [ROLLOVER_REQUESTED]: '1' }),
    record: { ...ACCOUNT, rollover: '1' },
    plan: 'none',
  },
  { when: 'the request was taken back', record: { ...ACCOUNT, rollover: '1' }, plan: 'none' },
])('planAccount when $when', ({ plan, record, issuer: given = issuer() }) => {
  const stored =
    record === undefined ? undefined : (JSON.parse(JSON.stringify(record)) as AcmeAccountRecord);
  expect(planAccount(given, stored, NOW_MS).kind).toBe(plan);
});

test.each([
  { when: 'it is waited for', sinceMs: NOW_MS - 1_000, left: 30_000 },
  { when: 'a clock is a little behind', sinceMs: NOW_MS + 60_000, left: 30_000 },
  { when: 'a clock went back by an hour', sinceMs: NOW_MS + 3_600_000, left: 0 },
  { when: 'an older version noted it', sinceMs: undefined, left: 30_000 },
])('how long a failure holds things up: $when', ({ sinceMs, left }) => {
  const nextTryMs = NOW_MS + 30_000;
  expect(leftMs(sinceMs === undefined ? { nextTryMs } : { sinceMs, nextTryMs }, NOW_MS)).toBe(left);
});
