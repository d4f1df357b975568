import { previewWildcard } from '../../api/previews.ts';
import type { Site } from '../../api/site.ts';
import { zoneOfHost } from '../../runtime/dns/zones.ts';
import { hasRole, type NodeView } from '../../runtime/session/node-view.ts';
import type { GeoNameRecord } from '../../runtime/store/records.ts';
import { byName, type GeoFacts, geoName, isSame, oldestFirst } from './geo-names.ts';

/**
 * For each domain of previews in a zone the wildcard that stands for all of them (RFC 4592), with
 * the edges that answer any: of a release that is still on its way to one, that says so itself. It
 * is the oldest Site's that has its previews there, and routed as that is. Sorted by name.
 */
export function previewNames(facts: Omit<GeoFacts, 'proofs'>): readonly GeoNameRecord[] {
  const { zone, zones, nodes } = facts;
  const edges = nodes.filter((node) => hasRole(node, 'edge')).toSorted(byName);
  const byWildcard = Map.groupBy(oldestFirst(facts.sites), wildcardOf);
  const names = [...byWildcard].flatMap(([wildcard, sites]) => {
    const [oldest] = sites;
    if (wildcard === undefined || oldest === undefined || zoneOfHost(zones, wildcard) !== zone)
      return [];
    const answering = edges.filter((edge) => sites.some((site) => showsAny(edge, site)));
    const candidates =
      answering.length > 0 ? answering.map(({ name }) => name) : lastKnown(facts, wildcard, edges);
    return [geoName(oldest, wildcard, { candidates, edges })];
  });
  return names.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** Undefined: the Site has no previews. */
export function wildcardOf({ spec: { previews } }: Site): string | undefined {
  return previews === undefined ? undefined : previewWildcard(previews);
}

function showsAny(edge: NodeView, { metadata }: Site): boolean {
  const { previews = [] } = edge.site(metadata.uid) ?? {};
  return previews.length > 0;
}

/** Those named before, as far as they are no others: better than an answer without any. */
function lastKnown(
  { previous }: Pick<GeoFacts, 'previous'>,
  wildcard: string,
  edges: readonly NodeView[],
): readonly string[] {
  const named = previous?.geoNames.find(({ name }) => name === wildcard)?.candidates ?? [];
  return edges
    .filter((edge) => named.includes(edge.name) && isSame(edge, previous?.nodeUids))
    .map(({ name }) => name);
}
