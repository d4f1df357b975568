import { publishNext } from '../load/operations.ts';
import { type Aim, allIsWell, settleDown, weather } from './aim.ts';

const ROUNDS = 8;
/** Longer than the time between two reports of a node. */
const STORE_MS_MAX = 1_500;

export const hurried: Aim = {
  story:
    'Nodes report faster than the store takes what they say: dom writes the newest report of each, ' +
    'one at a time, and what it knows in the end is what they said last (INV-1, INV-6)',
  subs: 2,
  run: async (stage) => {
    const { scheduler, hand } = stage;
    await settleDown(stage);
    for (let round = 0; round < ROUNDS; round += 1) {
      weather(stage, { storeLatencyMsMax: STORE_MS_MAX });
      await publishNext(hand);
      await scheduler.sleep(hand.random.integer(0, 2 * STORE_MS_MAX));
      weather(stage, {});
      await allIsWell(stage);
    }
  },
};
