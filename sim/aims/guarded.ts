import { askAsMember } from '../load/clients.ts';
import { declareMembers, drawCredentials, guard } from '../load/members.ts';
import { applySite } from '../load/operations.ts';
import { MEMBERS_PAGE } from '../load/pages.ts';
import { hostOf, type SiteWish } from '../load/wish.ts';
import { type Aim, allIsWell, restartDoms, SITE, type Stage, settleDown } from './aim.ts';

const KNOCK_MS = 20;
const ROUNDS = 4;
const AWAY_MS = 5_000;

export const guarded: Aim = {
  story:
    'A Site begins to guard pages, and ends, while its Secret comes, changes and goes, dom dies, and ' +
    'a node hears of none of it: at no time do they open to who has no password (INV-46)',
  subs: 3,
  sites: 'elaborate',
  run: async (stage) => {
    const { cluster, scheduler, hand } = stage;
    const { random } = hand;
    await declareMembers(hand, 1);
    await settleDown(stage);
    const crowd = startCrowd(stage);
    const last = cluster.subs[2]?.host.name ?? '';
    for (let round = 1; round <= ROUNDS; round += 1) {
      await setGuard(stage, guard());
      if (round % 2 === 0) restartDoms(stage);
      await scheduler.sleep(random.integer(0, AWAY_MS));
      cluster.network.cutOff(last);
      await declareMembers(hand, cluster.wish.membersVersion + 1);
      await scheduler.sleep(random.integer(0, AWAY_MS));
      cluster.network.join(last);
      await allIsWell(stage);
      await setGuard(stage, undefined);
      await scheduler.sleep(random.integer(0, AWAY_MS));
    }
    crowd.end();
    await allIsWell(stage);
  },
};

async function setGuard({ cluster, hand }: Stage, auth: SiteWish['auth']): Promise<void> {
  const site = cluster.wish.sites.get(SITE);
  if (site === undefined) throw new Error('there is a site');
  await applySite(hand, { ...site, auth });
}

/** Somebody is at every door all the time, each time from another address. */
function startCrowd({ cluster, scheduler, hand }: Stage): { readonly end: () => void } {
  const random = hand.random.fork('crowd');
  let left: 'many' | 'none' = 'many';
  const knock = (): void => {
    if (left === 'none') return;
    const client = `203.0.${random.integer(0, 255)}.${random.integer(0, 255)}`;
    const credentials = drawCredentials(cluster.wish.membersVersion, random);
    const asked = { host: hostOf(SITE), path: MEMBERS_PAGE.path, client, credentials };
    for (const sub of cluster.subs) void askAsMember(cluster, sub, asked);
    scheduler.after(KNOCK_MS, knock);
  };
  knock();
  return {
    end: () => {
      left = 'none';
    },
  };
}
