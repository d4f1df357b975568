import { configure, look } from '../load/operations.ts';
import { type Aim, allIsWell, settleDown, weather } from './aim.ts';

const ROUNDS = 12;

export const unsure: Aim = {
  story:
    'Of every other write the answer is lost, whether or not it took effect: whatever a person was ' +
    'told to be so is so (INV-8)',
  subs: 1,
  run: async (stage) => {
    const { hand } = stage;
    await settleDown(stage);
    for (let round = 0; round < ROUNDS; round += 1) {
      weather(stage, { commitUncertain: 0.5 });
      await configure(hand);
      weather(stage, {});
      await look(hand);
    }
    await allIsWell(stage);
  },
};
