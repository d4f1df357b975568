import { configure } from '../load/operations.ts';
import { type Aim, allIsWell, settleDown, weather } from './aim.ts';

/** All of them before dom takes the node for lost. */
const CHANGES = 60;

export const deaf: Aim = {
  story:
    'A node stands still while much changes, so that nothing that is sent to it is taken: dom waits ' +
    'until it reads again, and then sends the newest plan only (INV-39)',
  subs: 2,
  run: async (stage) => {
    const { cluster, hand } = stage;
    // Of the connections that are about to be made.
    weather(stage, { windowFrames: 1 });
    await settleDown(stage);
    const last = cluster.subs[1];
    const { wake } = last?.host.pause() ?? { wake: () => undefined };
    for (let left = CHANGES; left > 0; left -= 1) await configure(hand);
    wake();
    weather(stage, {});
    await allIsWell(stage);
  },
};
