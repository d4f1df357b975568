import { expect, test } from 'vitest';
import { condition } from '../api/object.ts';
import { proofsUp } from '../runtime/acme/proofs.ts';
import type { IssuanceFailure } from '../runtime/acme/records.ts';
import { allControllers } from './all.ts';
import { defaultIssuer } from './certificates/plan.ts';
import { type Scene, scene } from './test-scene.ts';

const DIRECTORY = 'https://ca.test/directory';
const NODES = ['a', 'b', 'c'];
const BLOG = { namespace: 'default', name: 'blog' };

/** All controllers as dom runs them; nodes do what they are told when `obey` says so. */
async function cluster(acme: object = {}): Promise<Scene> {
  const at = await scene();
  at.start(...allControllers(at));
  await at.commit({ kind: 'create', object: defaultIssuer() });
  for (const name of NODES) {
    await at.node(name);
    await at.connect(name);
  }
  await at.create('Zone', 'example', { origin: 'example.com' });
  const spec = { acme: { directory: DIRECTORY, termsOfServiceAgreed: true, ...acme } };
  await at.create('Issuer', 'letsencrypt', spec);
  return at;
}

async function obey(at: Scene, nodes: readonly string[] = NODES): Promise<void> {
  const zones = at.world.records('zone').map(([, { value }]) => ({
    ...{ uid: value.zoneUid, serial: value.serial, error: '' },
  }));
  const challenges = at.world
    .records('acmeOrder')
    .flatMap(([, { value }]) => proofsUp(value).map(({ proof }) => proof.token));
  for (const node of nodes) await at.report(node, { zones, challenges });
}

const certificate = (at: Scene) => {
  const found = at.world.get('Certificate', BLOG);
  if (found === undefined) throw new Error('no certificate');
  return found;
};
const ready = (at: Scene) => condition(certificate(at), 'Ready');

test('a site with tls: { issuer } gets a certificate by DNS, and says all the way where it is', async () => {
  const at = await cluster();
  await at.create('Site', 'blog', { hosts: ['blog.example.com'], tls: { issuer: 'letsencrypt' } });
  expect(ready(at)).toMatchObject({ status: 'False', reason: 'WaitingForProof' });
  for (let round = 0; round < 3; round += 1) await obey(at, ['a', 'b']);
  expect(ready(at)?.message).toContain(
    '2/3 nameservers to serve the proof of blog.example.com (not yet: c)',
  );
  expect(certificate(at).status?.order).toBe(at.ca.orders[0]?.url);
  await obey(at);
  await at.clock.advance(5_000);
  expect(ready(at)).toMatchObject({ status: 'True', reason: 'Issued' });
  const { status } = certificate(at);
  expect(status?.tries).toMatchObject([{ outcome: 'issued', issuer: 'letsencrypt' }]);
  expect(status?.order).toBeUndefined();
  expect(status?.renewalTime).toBeDefined();
  expect(condition(certificate(at), 'Renewable')?.reason).toBe('RenewalPlanned');
  const issuer = at.world.get('Issuer', { name: 'letsencrypt' });
  expect(issuer?.status?.account).toMatchObject({ url: at.ca.accounts[0]?.url });
  const [zone] = at.world.records('zone');
  expect(zone?.[1].value.records.filter(({ type }) => type === 'TXT')).toEqual([]);
  expect(
    JSON.stringify([
      ...at.world.list('Certificate'),
      ...at.world.list('Issuer'),
      ...at.events.notes,
    ]),
  ).not.toContain('PRIVATE KEY');
  const revision = await at.revision();
  at.start(...allControllers(at));
  await at.clock.advance(3_600_000);
  expect(await at.revision()).toBe(revision);
  await at.end();
});

test('by HTTP every edge answers first, and the host leads to edges before the site is there', async () => {
  const at = await cluster({ challenge: 'http-01' });
  await at.create('Site', 'blog', { hosts: ['blog.example.com'], tls: { issuer: 'letsencrypt' } });
  for (let round = 0; round < 4; round += 1) await obey(at);
  await at.clock.advance(5_000);
  expect(ready(at)).toMatchObject({ status: 'True', reason: 'Issued' });
  await at.end();
});

test('what the CA says of a failure, and when it is tried again, is in the status', async () => {
  const at = await cluster();
  at.looks(async () => 'NXDOMAIN looking up TXT');
  await at.create('Site', 'blog', { hosts: ['blog.example.com'], tls: { issuer: 'letsencrypt' } });
  for (let round = 0; round < 3; round += 1) await obey(at);
  await at.clock.advance(5_000);
  const { status } = certificate(at);
  expect(ready(at)).toMatchObject({ reason: 'OrderFailed' });
  expect(status?.lastError).toContain('NXDOMAIN looking up TXT');
  expect(ready(at)?.message).toContain(`next try at ${status?.nextTry}`);
  expect(at.events.notes.map(({ reason }) => reason)).toContain('OrderFailed');
  await at.end();
});

test.each([
  {
    when: 'the terms are not agreed',
    acme: { termsOfServiceAgreed: false },
    reason: 'TermsNotAgreed',
  },
  {
    when: 'the CA is not there',
    acme: { directory: 'https://no.test/d' },
    reason: 'AccountFailed',
  },
  { when: 'the self-check fails', names: ['*.elsewhere.test'], reason: 'SelfCheckFailed' },
  { when: 'a limit is reached', failure: 'rateLimited', reason: 'RateLimited' },
])('the reason when $when', async ({ acme = {}, names = ['a.example.com'], failure, reason }) => {
  const at = await cluster(acme);
  if (failure !== undefined) at.ca.failNext('createOrder', 'rateLimited');
  await at.create('Certificate', 'blog', { names, issuer: 'letsencrypt' });
  if (failure !== undefined) {
    const nextTryMs = at.clock.nowMs() + 60_000;
    const value = {
      tries: [],
      failures: 1,
      generation: 1,
      failure: { reason: failure, message: 'no', nextTryMs } satisfies IssuanceFailure,
    };
    await at.put('acmeOrder', certificate(at).metadata.uid, undefined);
    await at.put('issuance', certificate(at).metadata.uid, value);
  }
  await at.clock.advance(20_000);
  expect(ready(at)?.reason).toBe(reason);
  expect(ready(at)?.message.length).toBeGreaterThan(20);
  await at.end();
});

test('with the CA away it is said once that the renewal is late, and that the end is near (INV-31)', async () => {
  const at = await cluster();
  at.ca.set({ lifetimeMs: 3_600_000 + 86_400_000, hasRenewalInfo: false });
  await at.create('Certificate', 'blog', { names: ['a.example.com'], issuer: 'letsencrypt' });
  for (let round = 0; round < 3; round += 1) await obey(at);
  await at.clock.advance(5_000);
  expect(ready(at)?.status).toBe('True');
  at.ca.setWeather({ faults: { unreachable: 1 }, flaws: {}, slowMsMax: 0 });
  await at.clock.advance(86_400_000 * 1.1);
  const late = at.events.notes
    .map(({ reason }) => reason)
    .filter((reason) => /Renewal|Expir/.test(reason));
  expect(late).toEqual(['RenewalOverdue', 'CertificateExpiring', 'CertificateExpired']);
  expect(ready(at)?.status).toBe('False');
  expect(at.world.records('material')).toHaveLength(1);
  await at.end();
});

test('clocks that leap make no loop, and lose no certificate', { timeout: 30_000 }, async () => {
  const at = await scene();
  let leapMs = 0;
  const clock = { ...at.clock, nowMs: () => at.clock.nowMs() + leapMs };
  at.start(...allControllers({ ...at, clock }));
  await at.node('a');
  await at.connect('a');
  await at.create('Zone', 'example', { origin: 'example.com' });
  await at.create('Issuer', 'letsencrypt', {
    acme: { directory: DIRECTORY, termsOfServiceAgreed: true },
  });
  await at.create('Certificate', 'blog', { names: ['a.example.com'], issuer: 'letsencrypt' });
  const live = async (days: number): Promise<void> => {
    for (let hour = 0; hour < days * 24; hour += 8) {
      await at.clock.advance(8 * 3_600_000);
      await obey(at, ['a']);
    }
  };
  await live(1);
  expect(at.ca.certificates).toHaveLength(1);
  for (const days of [60, 0, 200, 0, -300, 0, -30, 30]) {
    leapMs = days * 86_400_000;
    await live(2);
    const { uid } = certificate(at).metadata;
    const held = at.world.record('material', uid)?.value;
    expect(held?.notAfterMs).toBeGreaterThan(at.clock.nowMs());
  }
  // One for each leap at most: those that dom takes for ended, or never begun, are asked for rarely.
  expect(at.ca.certificates.length).toBeLessThan(16);
  leapMs = 0;
  await live(10);
  expect(ready(at)?.status).toBe('True');
  await at.end();
});
