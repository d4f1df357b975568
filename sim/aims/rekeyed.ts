import { NAMESPACE } from '../load/wish.ts';
import {
  type Aim,
  allIsWell,
  lived,
  restartDoms,
  SITE,
  settleDown,
  until,
  weather,
} from './aim.ts';

const LAG_MS_MAX = 3_000;
const SERVES_ON_MS = 3_000;

export const rekeyed: Aim = {
  story:
    'The Certificate of a Site is deleted, for its key got about, and dom restarts before it sees ' +
    'that: a new one with a new key is made all the same, every node comes to use it, and until ' +
    'then serves with the one it has (INV-16, INV-29)',
  subs: 2,
  run: async (stage) => {
    const { cluster, scheduler, hand } = stage;
    await settleDown(stage);
    const [first] = cluster.subs;
    if (first === undefined) throw new Error('there are two nodes');
    const old = new Set(inUse());
    weather(stage, { watchHold: 1, watchHoldMsMax: LAG_MS_MAX });
    await hand.user.delete({ kind: 'Certificate', namespace: NAMESPACE, name: SITE });
    restartDoms(stage);
    await lived(stage, first, SERVES_ON_MS);
    weather(stage, {});
    await until(scheduler, 'new keys to be in use', () => {
      const now = inUse();
      return now.length === cluster.subs.length && now.every((each) => !old.has(each));
    });
    await allIsWell(stage);

    /** Fingerprints, one for each node that serves the site. */
    function inUse(): readonly string[] {
      return cluster.subs.flatMap(({ running }) =>
        // That of previews is another Certificate.
        (running?.inEffect?.snapshot.edge.certificates ?? [])
          .filter(({ names }) => names.every((name) => !name.startsWith('*.')))
          .map((each) => each.fingerprint),
      );
    }
  },
};
