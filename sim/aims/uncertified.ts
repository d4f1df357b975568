import { NAMESPACE } from '../load/wish.ts';
import { type Aim, allIsWell, SITE, settleDown, weather } from './aim.ts';

const ROUNDS = 3;
/** So that plans are made of what lies between the deletion and the next certificate. */
const STORE_MS_MAX = 400;

export const uncertified: Aim = {
  story:
    'Somebody deletes the Certificate of a Site: until the next one comes nodes go on with the one ' +
    'that they have (INV-29)',
  subs: 2,
  run: async (stage) => {
    const { hand } = stage;
    await settleDown(stage);
    for (let round = 0; round < ROUNDS; round += 1) {
      weather(stage, { storeLatencyMsMax: STORE_MS_MAX });
      await hand.user.delete({ kind: 'Certificate', namespace: NAMESPACE, name: SITE });
      await allIsWell(stage);
      weather(stage, {});
    }
  },
};
