import { condition } from '../../api/object.ts';
import { RENEW_REQUESTED } from '../../api/requests.ts';
import { LETS_ENCRYPT_LIMITS } from '../../runtime/acme/limits.ts';
import { CALM_CA } from '../ca/calm-ca.ts';
import { applyCertificate, declareIssuers } from '../load/applicant.ts';
import { NAMESPACE, ORIGIN } from '../load/wish.ts';
import { type Aim, allIsWell, caOf, restartDoms, settleDown } from './aim.ts';

const REFILL_MS = 90_000;
const REQUESTS = 6;
const NAMES: readonly string[] = ['one', 'two', 'three', 'four', 'five'];

export const counted: Aim = {
  story:
    'It is known what a CA gives: two certificates for a set of names, three of a domain, then few. ' +
    'People want more, answers get lost, dom restarts: the CA never has to refuse, and all come in ' +
    'their time (INV-30)',
  subs: 1,
  ca: {
    ...CALM_CA,
    accounts: 'open',
    hasRenewalInfo: false,
    limitsAre: 'published',
    limits: {
      ...LETS_ENCRYPT_LIMITS,
      certificatesPerSet: { capacity: 2, refillMs: REFILL_MS },
      certificatesPerDomain: { capacity: 3, refillMs: REFILL_MS / 3 },
    },
  },
  run: async (stage) => {
    const { cluster, scheduler, hand } = stage;
    const ca = caOf(stage);
    await settleDown(stage);
    await declareIssuers(hand);
    ca.first.failNext('createOrder', 'lost');
    for (const name of NAMES)
      await applyCertificate(hand, { name, names: [`${name}.${ORIGIN}`], issuer: 'public' });
    for (let number = 1; number <= REQUESTS; number += 1) {
      await scheduler.sleep(10_000);
      await applyCertificate(
        hand,
        { name: 'one', names: [`one.${ORIGIN}`], issuer: 'public' },
        { [RENEW_REQUESTED]: `${number}` },
      );
      restartDoms(stage);
    }
    const first = await hand.user.get({ kind: 'Certificate', namespace: NAMESPACE, name: 'one' });
    const renewable = first && condition(first, 'Renewable');
    if (renewable?.reason !== 'RateLimited')
      cluster.checks.violated(30, `nobody is told that a limit is reached: ${renewable?.reason}`);
    await scheduler.sleep(2 * REFILL_MS);
    await allIsWell(stage);
  },
};
