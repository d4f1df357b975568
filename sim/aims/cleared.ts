import { blobPath } from '../../runtime/content/digest.ts';
import { DOM_BLOB_GRACE_MS } from '../check/content/dom-blobs.ts';
import { makeRelease, type Published } from '../load/content.ts';
import { applySite, publish } from '../load/operations.ts';
import { NAMESPACE } from '../load/wish.ts';
import { type Aim, allIsWell, restartDoms, SITE, type Stage, settleDown, until } from './aim.ts';

/** Of a version that nobody else makes. */
const CUT_VERSION = 1_000;
/** Less than the grace, by whichever clock, and twice that is more. */
const WAITED_MS: number = DOM_BLOB_GRACE_MS * 0.7;

export const cleared: Aim = {
  story:
    'A push is cut before its Release; when its files are about to be cleared away, somebody pushes ' +
    'again and is told that they are there. They are, also when the Release comes late; a release ' +
    'that is kept stays, and one that is deleted goes from the disk of dom',
  subs: 2,
  run: async (stage) => {
    const { cluster, hand } = stage;
    const { user } = hand;
    await settleDown(stage);
    const [first] = cluster.wish.sites.get(SITE)?.releases ?? [];
    if (first === undefined) throw new Error(`there is no site ${SITE}`);
    const cut = makeRelease(SITE, CUT_VERSION, hand.random);
    cluster.checks.published(SITE, cut);
    await user.bring(cut);
    await hand.clock.sleep(WAITED_MS);
    await user.bring(cut);
    await hand.clock.sleep(WAITED_MS);
    await user.declare(cut, SITE);
    // Long enough for all that is to go, once more with another process.
    await hand.clock.sleep(2 * DOM_BLOB_GRACE_MS);
    restartDoms(stage);
    await hand.clock.sleep(2 * DOM_BLOB_GRACE_MS);
    await switchTo(stage, cut);
    await switchTo(stage, await publish(hand, SITE));
    await user.delete({ kind: 'Release', namespace: NAMESPACE, name: first.digest });
    const [dom] = cluster.doms;
    const own = blobPath(first.digest);
    await until(stage.scheduler, 'dom to clear its disk', () => !dom?.host.disk.files().has(own));
    await allIsWell(stage);
  },
};

async function switchTo(stage: Stage, release: Published): Promise<void> {
  const site = stage.cluster.wish.sites.get(SITE);
  if (site === undefined) throw new Error(`there is no site ${SITE}`);
  await applySite(stage.hand, { ...site, release, releases: [...site.releases, release] });
  await allIsWell(stage);
}
