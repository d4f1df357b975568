import type { Cluster } from '../cluster/cluster.ts';
import type { SeededRandom } from '../engine/random.ts';
import { PREVIEW_DOMAIN, type PreviewsWish } from './wish.ts';

/** Of the Sites: which have previews. */
const PREVIEWED_SHARE = 0.4;

/** A Site's; undefined: none. Drawn on its own; an older dom does not know them. */
export function drawPreviews({
  cluster,
  random,
}: {
  readonly cluster: Pick<Cluster, 'versions' | 'ca'>;
  readonly random: SeededRandom;
}): PreviewsWish | undefined {
  const own = random.fork('previews');
  if (cluster.versions.count !== 'one' || !own.chance(PREVIEWED_SHARE)) return undefined;
  // A CA finds no proof for a domain that is in no zone of ours.
  const isOutside = cluster.ca === undefined && own.chance(0.2);
  return { domain: isOutside ? 'preview.elsewhere.test' : PREVIEW_DOMAIN, keep: own.integer(1, 3) };
}
