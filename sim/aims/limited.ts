import { RENEW_REQUESTED } from '../../api/requests.ts';
import { CALM } from '../../runtime/acme/fake/weather.ts';
import { LETS_ENCRYPT_LIMITS } from '../../runtime/acme/limits.ts';
import { CALM_CA } from '../ca/calm-ca.ts';
import { applyCertificate, declareCertificate, declareIssuers } from '../load/applicant.ts';
import { NAMESPACE } from '../load/wish.ts';
import { type Aim, allIsWell, caOf, restartDoms, type Stage, settleDown, until } from './aim.ts';

/** Longer than dom would wait by itself after one failure, and than a restart takes. */
const REFILL_MS = 100_000;
const NAME = 'wild';
const BUSY_MS = 15_000;

export const limited: Aim = {
  story:
    'A CA gives two certificates for a set of names, then few, and for a while it is too busy for ' +
    'anything: people ask again and again, dom restarts, another Certificate has the same names, and ' +
    'the CA is not asked for the same before it said (INV-30)',
  subs: 1,
  ca: {
    ...CALM_CA,
    accounts: 'open',
    limits: {
      ...LETS_ENCRYPT_LIMITS,
      certificatesPerSet: { capacity: 2, refillMs: REFILL_MS },
    },
  },
  run: async (stage) => {
    const { cluster, scheduler, hand } = stage;
    const ca = caOf(stage);
    await settleDown(stage);
    await declareIssuers(hand);
    await declareCertificate(hand, NAME, 0);
    await allIsWell(stage);
    const wished = cluster.wish.certificates.get(NAME);
    if (wished === undefined) throw new Error(`Certificate ${NAME} is gone`);
    await renewed(stage, 'first');
    const orders = ca.first.asked.createOrder ?? 0;
    for (const request of ['second', 'third', 'fourth']) {
      await applyCertificate(hand, wished, { [RENEW_REQUESTED]: request });
      await scheduler.sleep(10_000);
      restartDoms(stage);
      await scheduler.sleep(10_000);
    }
    const again = { ...wished, name: 'again' };
    await applyCertificate(hand, again);
    await hand.user.delete({ kind: 'Certificate', namespace: NAMESPACE, name: NAME });
    await applyCertificate(hand, wished);
    await scheduler.sleep(REFILL_MS / 3);
    if ((ca.first.asked.createOrder ?? 0) !== orders + 1)
      cluster.checks.violated(30, 'the CA was asked for what it had just refused');
    // Two are to come by now.
    await scheduler.sleep(2 * REFILL_MS);
    await allIsWell(stage);
    await whileBusy(stage);
  },
};

async function renewed(stage: Stage, request: string): Promise<void> {
  const { cluster, scheduler, hand } = stage;
  const { ca, wish } = cluster;
  const wished = wish.certificates.get(NAME);
  if (ca === undefined || wished === undefined) return;
  const before = ca.first.certificates.length;
  await applyCertificate(hand, wished, { [RENEW_REQUESTED]: request });
  await until(scheduler, 'the renewal', () => ca.first.certificates.length > before);
  await allIsWell(stage);
}

/** Orders that are under way, too, wait for as long as it says. */
async function whileBusy(stage: Stage): Promise<void> {
  const { scheduler, hand } = stage;
  const ca = caOf(stage);
  ca.first.set({ limits: undefined });
  await declareCertificate(hand, 'pair', 0);
  await scheduler.sleep(500);
  ca.first.setWeather({ ...CALM, faults: { rateLimited: 1 }, retryAfterMsMax: REFILL_MS });
  await scheduler.sleep(BUSY_MS);
  restartDoms(stage);
  ca.first.setWeather(CALM);
  await scheduler.sleep(REFILL_MS);
  await allIsWell(stage);
}
