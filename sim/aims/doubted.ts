import { applyZone } from '../load/operations.ts';
import { NAMESPACE, SIDE_ORIGIN, SIDE_ZONE_NAME } from '../load/wish.ts';
import { type Aim, allIsWell, settleDown, weather } from './aim.ts';

const zone = { kind: 'Zone', namespace: NAMESPACE, name: SIDE_ZONE_NAME } as const;
const ROUNDS = 12;
/** The first try is made meanwhile, and not the second. */
const LOST_MS = 100;
/** What is late has come by then. */
const LATE_MS = 5_000;

export const doubted: Aim = {
  story:
    'A Zone is made, and nobody hears whether it was; the second try makes it, it is deleted, and ' +
    'only then does the first write arrive: the Zone does not come back (INV-1)',
  subs: 1,
  run: async (stage) => {
    const { cluster, scheduler, hand } = stage;
    await settleDown(stage);
    for (let version = 1; version <= ROUNDS; version += 1) {
      weather(stage, { commitUncertain: 1 });
      const applied = applyZone(hand, { name: SIDE_ZONE_NAME, origin: SIDE_ORIGIN, version });
      await scheduler.sleep(LOST_MS);
      weather(stage, {});
      await applied;
      await hand.user.delete(zone);
      cluster.wish.zones.delete(SIDE_ZONE_NAME);
      await scheduler.sleep(LATE_MS);
      // What has come back is there in the end, too: another round would cover it up.
      if ((await hand.user.get(zone)) !== undefined) break;
    }
    await allIsWell(stage);
  },
};
