import { CALM_CA } from '../ca/calm-ca.ts';
import type { SimulatedCa } from '../ca/simulated-ca.ts';
import {
  applyCertificate,
  declareCertificate,
  declareIssuers,
  ISSUERS,
} from '../load/applicant.ts';
import { applySite } from '../load/operations.ts';
import { NAMESPACE, ORIGIN } from '../load/wish.ts';
import { type Aim, allIsWell, caOf, SITE, type Stage, settleDown, until } from './aim.ts';

const BROKEN = 'broken';

export const issued: Aim = {
  story:
    'An ACME CA issues by all three challenges while it is away, busy, and answers get lost: each ' +
    'proof is everywhere before it looks (INV-30, INV-32), and a domain that nobody can prove ' +
    'delays no other (INV-5)',
  subs: 3,
  ca: CALM_CA,
  run: async (stage) => {
    const { cluster, hand } = stage;
    const ca = caOf(stage);
    await settleDown(stage);
    await declareIssuers(hand);
    await bringBroken(stage, ca);
    ca.first.failNext('createOrder', 'lost');
    await declareCertificate(hand, 'wild', 0);
    await isReady(stage, 'wild');
    // Without a list nothing tells that the CA has heard of it: it has two orders, both counted.
    ca.first.set({ keepsOrderList: false });
    ca.first.failNext('createOrder', 'lost');
    ca.first.failNext('finalize', 'lost');
    ca.first.failNext('download', 'unreachable');
    await declareCertificate(hand, 'pair', 0);
    await isReady(stage, 'pair');
    await hand.user.delete({ kind: 'Certificate', namespace: NAMESPACE, name: BROKEN });
    cluster.wish.certificates.delete(BROKEN);
    await allIsWell(stage);
    for (const issuer of Object.keys(ISSUERS)) {
      const site = cluster.wish.sites.get(SITE);
      if (site !== undefined) await applySite(hand, { ...site, issuer });
      await allIsWell(stage);
    }
    nothingBurnt(stage, ca);
  },
};

/** By the plain Issuer: no zone of ours holds the name, and it leads nowhere. */
async function bringBroken({ cluster, scheduler, hand }: Stage, ca: SimulatedCa): Promise<void> {
  const names = ['nobody.elsewhere.test'];
  await applyCertificate(hand, { name: BROKEN, names, issuer: 'plain' });
  cluster.wish.certificates.delete(BROKEN);
  await until(scheduler, 'its order', () => ca.first.ordersOf(names).length > 0);
}

async function isReady({ cluster, scheduler, hand }: Stage, name: string): Promise<void> {
  await until(scheduler, `Certificate ${name}`, async () => {
    const found = await hand.user.get({ kind: 'Certificate', namespace: NAMESPACE, name });
    const { conditions = [] } = found?.status ?? {};
    return conditions.some(({ type, status }) => type === 'Ready' && status === 'True');
  });
  cluster.checks.assertHeld();
}

/** In fair weather the CA finds whatever it is told to look for. */
function nothingBurnt({ cluster }: Stage, { burnt }: SimulatedCa): void {
  const [first] = burnt.filter(({ name }) => name.endsWith(ORIGIN));
  if (first !== undefined)
    cluster.checks.violated(30, `an order is burnt: ${first.name}: ${first.why}`);
}
