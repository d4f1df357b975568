import { createSite, deleteSite, publishNext } from '../load/operations.ts';
import { type Aim, allIsWell, restartDoms, SITE, settleDown, weather } from './aim.ts';

const LAG_MS_MAX = 5_000;

export const namesake: Aim = {
  story:
    'A Site is deleted and declared again while watches stand still, and dom restarts before it ' +
    'sees that: it never knew the Site to be gone, and what belonged to the old one goes all the ' +
    'same (INV-7, INV-16)',
  subs: 1,
  run: async (stage) => {
    const { hand } = stage;
    await settleDown(stage);
    await publishNext(hand);
    await allIsWell(stage);
    weather(stage, { watchHold: 1, watchHoldMsMax: LAG_MS_MAX });
    await deleteSite(hand, SITE);
    await createSite(hand, SITE);
    restartDoms(stage);
    weather(stage, {});
    await allIsWell(stage);
  },
};
