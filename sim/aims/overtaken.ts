import { ROLLOUT_RESUMED } from '../../api/requests.ts';
import { applySite, applyZone, createSite, FIRST_ZONE, join, publish } from '../load/operations.ts';
import { type Aim, SITE } from './aim.ts';

/** A batch or two are switched in this time. */
const BATCHES_MS = 4_000;

export const overtaken: Aim = {
  story:
    'A release is rolled out node by node, overtaken by the next one in the midst of it, and that ' +
    'by the one before the first: three releases at once, and in the end one',
  subs: 3,
  run: async ({ cluster, hand }) => {
    // Nothing is waited for but time: with a crash in it, too, the story is told to its end.
    await Promise.all(cluster.machines.map((machine) => join(hand, machine)));
    await applyZone(hand, FIRST_ZONE);
    await createSite(hand, SITE);
    await hand.clock.sleep(BATCHES_MS);
    const wish = cluster.wish.sites.get(SITE);
    if (wish === undefined) throw new Error(`there is no site ${SITE}`);
    const rollout = { strategy: 'rolling', observe: '2s' };
    let site = { ...wish, rollout };
    for (let left = 2; left > 0; left -= 1) {
      const release = await publish(hand, SITE);
      site = { ...site, release, releases: [...site.releases, release] };
      await applySite(hand, site);
      await hand.clock.sleep(BATCHES_MS);
    }
    const [first = site.release, second = site.release] = site.releases;
    await applySite(hand, { ...site, release: second });
    await hand.clock.sleep(BATCHES_MS);
    await applySite(hand, { ...site, release: first });
    await hand.clock.sleep(BATCHES_MS);
    await applySite(hand, site);
    await hand.clock.sleep(BATCHES_MS);
    // What crashed meanwhile may have been taken for the fault of a release. Then all is to be well.
    await applySite(hand, { ...site, rollout: undefined }, { [ROLLOUT_RESUMED]: 'now' });
  },
};
