import { drain, takeBack } from '../load/drain.ts';
import { applySite } from '../load/operations.ts';
import { apart } from '../net/reachability.ts';
import { type Aim, allIsWell, lived, SITE, settleDown } from './aim.ts';

/** So long a nameserver hears nothing of dom: longer than b8sctl waits for it, three times. */
const CUT_OFF_MS = 90_000;
const LIVED_MS = 2_000;

export const drained: Aim = {
  story:
    'A node is drained while a nameserver cannot be reached by dom, and answers with it as ever: ' +
    'nobody is told that the node can be stopped (INV-47). Later it is drained, and taken back',
  subs: 3,
  run: async (stage) => {
    const { cluster, scheduler, hand } = stage;
    await settleDown(stage);
    const site = cluster.wish.sites.get(SITE);
    const [first, , last] = cluster.subs;
    if (site === undefined || first === undefined || last === undefined)
      throw new Error('there are three nodes and a site');
    // Every answer has all of them, whoever asks.
    await applySite(hand, { ...site, routing: { policy: 'nearest', answers: 3 } });
    await allIsWell(stage);
    const { doms } = cluster.network;
    const heal = cluster.network.cut(apart([first.host.name], doms), 'a nameserver is alone');
    const draining = drain(hand, last.host.name);
    await lived(stage, last, CUT_OFF_MS);
    heal();
    await draining;
    await allIsWell(stage);
    for (let round = 1; round <= 3; round += 1) {
      await Promise.all([drain(hand, last.host.name), lived(stage, last, LIVED_MS)]);
      await lived(stage, last, LIVED_MS);
      await allIsWell(stage);
      await takeBack(hand, last.host.name);
      await scheduler.sleep(LIVED_MS);
    }
  },
};
