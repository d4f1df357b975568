import { changeRecords } from '../load/operations.ts';
import { type Aim, allIsWell, settleDown, weather } from './aim.ts';

const ROUNDS = 30;
const STORE_MS_MAX = 200;

export const overruled: Aim = {
  story:
    'Dom moves on to another epoch while writes of its controllers are on their way, which are ' +
    'refused: each of them is decided anew, though nothing else changes (INV-1)',
  subs: 1,
  run: async (stage) => {
    const { cluster, scheduler, hand } = stage;
    await settleDown(stage);
    weather(stage, { storeLatencyMsMax: STORE_MS_MAX });
    for (let round = 0; round < ROUNDS; round += 1) {
      const { leadership } = await cluster.reach().term;
      const changing = changeRecords(hand);
      await scheduler.sleep(hand.random.integer(0, 2 * STORE_MS_MAX));
      await leadership.raiseAbove(leadership.epoch);
      await changing;
      await allIsWell(stage);
    }
    weather(stage, {});
  },
};
