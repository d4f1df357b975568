import { join } from '../load/operations.ts';
import { type Aim, allIsWell, restartDoms, settleDown, weather } from './aim.ts';

const LAG_MS_MAX = 3_000;
/** People ask for the site all the while. */
const EMPTY_HANDED_MS = 15_000;

export const replaced: Aim = {
  story:
    'The only node is removed, another machine joins at once under its name, and dom restarts ' +
    'before it sees that: it never knew the node to be gone. For a while the new one gets no ' +
    'content, and it is not named for what the old one had (INV-16, INV-28)',
  subs: 1,
  run: async (stage) => {
    const { cluster, scheduler, hand } = stage;
    await settleDown(stage);
    const [machine] = cluster.machines;
    if (machine === undefined) throw new Error('there is one node');
    weather(stage, { watchHold: 1, watchHoldMsMax: LAG_MS_MAX, blobDamage: 1 });
    await hand.user.delete({ kind: 'Node', name: machine.name });
    cluster.wish.nodes.delete(machine.name);
    await join(hand, machine);
    restartDoms(stage);
    await scheduler.sleep(EMPTY_HANDED_MS);
    weather(stage, {});
    await allIsWell(stage);
  },
};
