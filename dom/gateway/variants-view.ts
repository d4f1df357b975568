import type { Site } from '../../api/site.ts';
import type { VariantsPlan } from '../../proto/gen/b8s/v1/plan.ts';
import { releasesShown } from '../../runtime/content/site-releases.ts';
import type { World } from '../../runtime/store/world.ts';

/** Of the releases that edges are to have for a Site: the compressed forms there are by now. */
export function variantsOf(world: World, site: Site): readonly VariantsPlan[] {
  if (site.spec.compression === 'off') return [];
  const { namespace } = site.metadata;
  return releasesShown(site)
    .toSorted()
    .flatMap((release) => {
      const index = world.get('Release', { namespace, name: release })?.status?.variants?.index;
      return index === undefined ? [] : [{ release, index }];
    });
}
