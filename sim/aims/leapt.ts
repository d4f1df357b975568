import { CALM_CA } from '../ca/calm-ca.ts';
import { declareCertificate, declareIssuers } from '../load/applicant.ts';
import { type Aim, allIsWell, settleDown, until } from './aim.ts';

const NAME = 'pair';
/** Less than an hour, after which an order is given up; and longer than this story waits. */
const LEAP_MS = 23 * 60_000;
/** The CA is asked a few times in it. */
const AWAY_MS = 10_000;

export const leapt: Aim = {
  story:
    'While an order is under way the CA is away and the clock of dom is ahead; when it is set ' +
    'right, what was put off by it is not waited for (INV-1)',
  subs: 1,
  ca: CALM_CA,
  run: async (stage) => {
    const { cluster, scheduler, hand } = stage;
    const { ca } = cluster;
    const [dom] = cluster.doms;
    if (ca === undefined || dom === undefined) throw new Error('this story needs a CA and a dom');
    await settleDown(stage);
    await declareIssuers(hand);
    await allIsWell(stage);
    await declareCertificate(hand, NAME, 0);
    const names = cluster.wish.certificates.get(NAME)?.names ?? [];
    await until(scheduler, 'its order', () => ca.first.ordersOf(names).length > 0);
    ca.isReachable = false;
    dom.host.jump(LEAP_MS);
    await scheduler.sleep(AWAY_MS);
    dom.host.jump(-LEAP_MS);
    ca.isReachable = true;
    await allIsWell(stage);
  },
};
