import { changeRecords, publishNext } from '../load/operations.ts';
import { hostOf } from '../load/wish.ts';
import { type Aim, allIsWell, lived, SITE, settleDown, until, weather } from './aim.ts';

const MISSED = 3;
const SERVES_ON_MS = 3_000;
const DOWN_MS = 500;

/** The window between the plan that names a release and the moment when the node has it. */
export const behind: Aim = {
  story:
    'A node that was cut off while three releases came gets the plan, but none of its blobs, ' +
    'and is rebooted meanwhile: it serves the release that it has (INV-24, INV-27), and is not ' +
    'named (INV-28)',
  subs: 3,
  run: async (stage) => {
    const { cluster, scheduler, hand } = stage;
    await settleDown(stage);
    const last = cluster.subs[2];
    if (last === undefined) throw new Error('there are three nodes');
    cluster.network.cutOff(last.host.name);
    const others = cluster.subs.filter((sub) => sub !== last);
    // The plan names the release before the last, too, and no longer the one that it serves.
    for (let left = MISSED; left > 0; left -= 1) {
      await publishNext(hand);
      const wished = cluster.wish.sites.get(SITE)?.release.digest;
      const servesWished = ({ running }: (typeof others)[number]): boolean =>
        running?.inEffect?.snapshot.edge.sites.some(
          ({ hosts, release }) => hosts.includes(hostOf(SITE)) && release === wished,
        ) ?? false;
      await until(scheduler, 'the others to serve the release', () => others.every(servesWished));
    }
    weather(stage, { blobDamage: 1 });
    cluster.network.join(last.host.name);
    const plan = others[0]?.running?.agent.state().held?.revision ?? 0n;
    const holds = (): boolean => (last.running?.agent.state().held?.revision ?? 0n) >= plan;
    await until(scheduler, 'the plan to arrive', holds);
    await lived(stage, last, SERVES_ON_MS);
    // Other versions of the zone, which do not name it; the first may have been begun before.
    for (const _ of ['first', 'second']) {
      await changeRecords(hand);
      await scheduler.sleep(DOWN_MS);
    }
    cluster.crashSub(last);
    await scheduler.sleep(DOWN_MS);
    cluster.startSub(last);
    await until(scheduler, 'it to serve', () => last.running?.serving !== undefined);
    await lived(stage, last, SERVES_ON_MS);
    weather(stage, {});
    await allIsWell(stage);
  },
};
