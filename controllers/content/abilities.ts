import type { Site } from '../../api/site.ts';
import type { NodeView } from '../../runtime/session/node-view.ts';

/**
 * Who is told of a Site, and who is not, for an older sub would leave out what it does not know of.
 * One that is away may come back as a newer one. If none is able, all are waited for: nothing else
 * stands in the way than that.
 */
export function serving(
  { spec }: Site,
  edges: readonly NodeView[],
): { readonly able: readonly NodeView[]; readonly tooOld: readonly NodeView[] } {
  const isTooOld = ({ connected, capabilities }: NodeView): boolean =>
    spec.auth !== undefined && connected && !capabilities.includes('passwords');
  const tooOld = edges.filter(isTooOld);
  const able = edges.filter((edge) => !isTooOld(edge));
  return { able: able.length > 0 ? able : edges, tooOld };
}
