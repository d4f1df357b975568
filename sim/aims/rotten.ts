import { type Aim, allIsWell, lived, settleDown, until, weather } from './aim.ts';

const STRIKES = 40;
const LOST_MS = 5_000;

export const rotten: Aim = {
  story:
    'Every copy of a release rots on every node, and cannot be fetched again for a while: DNS goes ' +
    'on naming nodes (INV-21)',
  subs: 2,
  run: async (stage) => {
    const { cluster, scheduler, hand } = stage;
    await settleDown(stage);
    for (const sub of cluster.subs) await lived(stage, sub, 1);
    weather(stage, { blobDamage: 1 });
    for (const sub of cluster.subs) {
      for (let left = STRIKES; left > 0; left -= 1) sub.host.strike(hand.random);
      // It looks through its disk as it starts.
      cluster.crashSub(sub);
      cluster.startSub(sub);
    }
    const serve = (): boolean =>
      cluster.subs.every(({ running }) => running?.serving !== undefined);
    await until(scheduler, 'them to listen again', serve);
    for (const sub of cluster.subs) await lived(stage, sub, LOST_MS);
    weather(stage, {});
    await allIsWell(stage);
  },
};
