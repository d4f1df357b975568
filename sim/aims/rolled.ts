import { ROLLOUT_RESUMED } from '../../api/requests.ts';
import type { Site } from '../../api/site.ts';
import { browsePage } from '../load/clients.ts';
import { applySite, publish } from '../load/operations.ts';
import { hostOf, NAMESPACE } from '../load/wish.ts';
import {
  type Aim,
  allIsWell,
  lived,
  restartDoms,
  SITE,
  type Stage,
  settleDown,
  until,
  weather,
} from './aim.ts';

const STRIKES = 60;
const VISITS = 5;
const LONG_MS = 20_000;

export const rolled: Aim = {
  story:
    'A release of which the first node cannot read the files is rolled out node by node: it is ' +
    'undone by itself, and not tried again, also by the next dom, until a person says so (INV-28)',
  subs: 4,
  run: async (stage) => {
    const { cluster, scheduler, hand } = stage;
    await settleDown(stage);
    const wish = cluster.wish.sites.get(SITE);
    if (wish === undefined) throw new Error(`there is no site ${SITE}`);
    const release = await publish(hand, SITE);
    const rollout = { strategy: 'rolling', observe: '6s' };
    const next = { ...wish, release, releases: [...wish.releases, release], rollout };
    await applySite(hand, next);
    await until(scheduler, 'the first batch', async () => (await aheadOf(stage)).length > 0);
    const [name = ''] = await aheadOf(stage);
    const first = cluster.sub(name);
    if (first === undefined) throw new Error(`${name} is no node`);
    const serves = (): boolean =>
      first.running?.inEffect?.report.sites.some((each) => each.release === release.digest) ??
      false;
    await until(scheduler, 'it to serve the release', serves);
    // What rots stays so, for nothing else arrives.
    weather(stage, { blobDamage: 1 });
    for (let left = STRIKES; left > 0; left -= 1) first.host.strike(hand.random);
    const isUndone = async (): Promise<boolean> => {
      const page = { host: hostOf(SITE), path: '/assets/style.css', namedBy: undefined };
      for (let left = VISITS; left > 0; left -= 1) await browsePage(cluster, first, page);
      return (await siteOf(stage))?.status?.rollout?.phase === 'undone';
    };
    await until(scheduler, 'it to be undone', isUndone);
    restartDoms(stage);
    await lived(stage, first, LONG_MS);
    weather(stage, {});
    // What nobody has read since, such as a geography database, somebody brings back.
    await first.host.rot.mend();
    await applySite(hand, next, { [ROLLOUT_RESUMED]: 'the first time' });
    await until(scheduler, 'some to be switched', async () => (await aheadOf(stage)).length > 0);
    await allIsWell(stage);
  },
};

async function aheadOf(stage: Stage): Promise<readonly string[]> {
  return (await siteOf(stage))?.status?.ahead?.flatMap(({ nodes }) => nodes) ?? [];
}

async function siteOf({ hand }: Stage): Promise<Site | undefined> {
  return (await hand.user.get({ kind: 'Site', namespace: NAMESPACE, name: SITE })) as
    | Site
    | undefined;
}
