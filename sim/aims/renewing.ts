import type { Certificate } from '../../api/certificate.ts';
import { condition } from '../../api/object.ts';
import { RENEW_REQUESTED, REVOKE_REQUESTED, ROLLOVER_REQUESTED } from '../../api/requests.ts';
import { FAILURES_PER_ISSUER } from '../../controllers/acme/plan.ts';
import { CALM_CA } from '../ca/calm-ca.ts';
import { SECOND_DIRECTORY, type SimulatedCa } from '../ca/simulated-ca.ts';
import { EPOCH_MS } from '../engine/scheduler.ts';
import {
  applyCertificate,
  applyIssuer,
  declareCertificate,
  declareIssuers,
} from '../load/applicant.ts';
import { applySite } from '../load/operations.ts';
import { NAMESPACE } from '../load/wish.ts';
import { type Aim, allIsWell, caOf, SITE, type Stage, settleDown } from './aim.ts';

const LIFE_MS = 120_000;
const LOOK_MS = 2_000;
/** What an order may take once it is due, and what the status may be late. */
const SLACK_MS = 15_000;
const CERTIFICATES = [SITE, 'wild'];

export const renewing: Aim = {
  story:
    'Certificates live for two minutes: each is renewed before a third of that is left, as the CA ' +
    'says, when a person wants it, and when it is revoked; while the CA is away they serve on, ' +
    'dom warns, and another CA is asked (INV-29, INV-31)',
  subs: 2,
  ca: { ...CALM_CA, lifeMs: LIFE_MS },
  run: async (stage) => {
    const { cluster, hand, scheduler } = stage;
    const ca = caOf(stage);
    await settleDown(stage);
    await declareIssuers(hand);
    await declareCertificate(hand, 'wild', 0);
    const site = cluster.wish.sites.get(SITE);
    if (site !== undefined) await applySite(hand, { ...site, issuer: 'plain' });
    await scheduler.sleep(20_000);
    await staysFresh(stage, 2 * LIFE_MS);
    await onRequest(stage, ca);
    await elsewhere(stage, ca);
    await withoutCa(stage, ca);
    ca.calmDown();
    await scheduler.sleep(LIFE_MS);
    await allIsWell(stage);
  },
};

/** INV-31, with the CA there. */
async function staysFresh(stage: Stage, forMs: number): Promise<void> {
  const { cluster, scheduler } = stage;
  const untilMs = scheduler.nowMs + forMs;
  while (scheduler.nowMs < untilMs) {
    for (const name of CERTIFICATES) {
      const leftMs = await leftOf(stage, name);
      if (leftMs < LIFE_MS / 3 - SLACK_MS)
        cluster.checks.violated(31, `${name} is to be renewed, and is good for ${leftMs} ms`);
    }
    await scheduler.sleep(LOOK_MS);
  }
}

/** What people ask for, and what the CA wants and refuses. */
async function onRequest(stage: Stage, ca: SimulatedCa): Promise<void> {
  const { cluster, hand } = stage;
  const wild = cluster.wish.certificates.get('wild');
  if (wild === undefined) throw new Error('Certificate wild is gone');
  ca.first.failNext('createOrder', 'rateLimited');
  await applyCertificate(hand, wild, { [RENEW_REQUESTED]: 'once' });
  await staysFresh(stage, 30_000);
  await applyIssuer(hand, 'public', { [ROLLOVER_REQUESTED]: 'once' });
  await staysFresh(stage, 15_000);
  const fingerprint = (await read(stage, 'wild'))?.status?.fingerprint ?? '';
  await applyCertificate(hand, wild, { [REVOKE_REQUESTED]: `${fingerprint} keyCompromise` });
  await staysFresh(stage, 30_000);
  const inUse = await read(stage, 'wild');
  if (inUse?.status?.fingerprint === fingerprint)
    cluster.checks.violated(29, 'wild is revoked and in use');
}

/** Longer than any of them lives. */
async function withoutCa(stage: Stage, ca: SimulatedCa): Promise<void> {
  const { cluster, scheduler } = stage;
  ca.isReachable = false;
  await scheduler.sleep(LIFE_MS + SLACK_MS);
  const site = await read(stage, SITE);
  if (site === undefined || condition(site, 'Current')?.status === 'True')
    cluster.checks.violated(31, `the CA is away, and ${SITE} says that all is in time`);
  for (const { host, running } of cluster.subs)
    if (running?.inEffect?.report.sites[0]?.certificate === undefined)
      cluster.checks.violated(29, `the CA is away, and ${host.name} serves no certificate`);
  ca.isReachable = true;
}

/** What the first CA issues is for another key, until the next one is asked. */
async function elsewhere(stage: Stage, ca: SimulatedCa): Promise<void> {
  const { cluster, hand } = stage;
  const wild = cluster.wish.certificates.get('wild');
  if (wild === undefined) throw new Error('Certificate wild is gone');
  for (let failures = 0; failures < CERTIFICATES.length * FAILURES_PER_ISSUER; failures += 1)
    ca.first.spoilNext('otherKey');
  await applyCertificate(hand, wild, { [RENEW_REQUESTED]: 'twice' });
  await stage.scheduler.sleep(LIFE_MS / 2);
  if (!ca.second.orders.some(({ now }) => now === 'valid'))
    cluster.checks.violated(31, `${SECOND_DIRECTORY} was not asked`);
}

async function leftOf(stage: Stage, name: string): Promise<number> {
  const notAfter = (await read(stage, name))?.status?.notAfter ?? '';
  return Date.parse(notAfter) - EPOCH_MS - stage.scheduler.nowMs;
}

async function read({ hand }: Stage, name: string): Promise<Certificate | undefined> {
  const found = await hand.user.get({ kind: 'Certificate', namespace: NAMESPACE, name });
  return found as Certificate | undefined;
}
