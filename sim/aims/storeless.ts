import { changeRecords } from '../load/operations.ts';
import { type Aim, allIsWell, settleDown, weather } from './aim.ts';

const ROUNDS = 10;
const LOST_MS = 1_000;

export const storeless: Aim = {
  story:
    'Of what is written after a change of a Zone nobody knows for a while whether it took effect: ' +
    'controllers try again until it is done, though nothing else changes (INV-1)',
  subs: 1,
  run: async (stage) => {
    const { cluster, scheduler, hand } = stage;
    await settleDown(stage);
    const { store } = cluster;
    for (let round = 0; round < ROUNDS; round += 1) {
      store.atRevision(store.history.head + 1n, () => weather(stage, { commitUncertain: 1 }));
      await changeRecords(hand);
      await scheduler.sleep(LOST_MS);
      weather(stage, {});
      await allIsWell(stage);
    }
  },
};
