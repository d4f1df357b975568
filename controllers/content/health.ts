import type { Site } from '../../api/site.ts';
import { releaseOn } from '../../runtime/content/site-releases.ts';
import { hasRole, type NodeView } from '../../runtime/session/node-view.ts';
import { nameWithError } from './words.ts';

/** The edges that most nameservers, each by its own probes, cannot reach. */
export function unreachableEdges(nodes: readonly NodeView[]): ReadonlySet<string> {
  const probers = nodes.filter((node) => node.connected && hasRole(node, 'nameserver'));
  const unreachable = nodes.filter(({ name }) => {
    const others = probers.filter((prober) => prober.name !== name);
    const seers = others.filter(({ report }) => report?.unreachable.includes(name));
    return seers.length * 2 > others.length;
  });
  return new Set(unreachable.map(({ name }) => name));
}

/** What is wrong with an edge, with its name, for a person; undefined: nothing that is known. */
export function illnessOf(
  edge: NodeView,
  { site, unreachable }: { readonly site: Site; readonly unreachable?: ReadonlySet<string> },
): string | undefined {
  const { name, connected } = edge;
  if (!connected) return `${name} is not connected`;
  if (unreachable?.has(name) === true) return `${name} cannot be reached by nameservers`;
  const report = edge.site(site.metadata.uid);
  if (report !== undefined && report.error !== '') return nameWithError(edge, site);
  const told = releaseOn(site.status, name);
  return told === undefined || report?.serving === told.release
    ? undefined
    : `${name} does not serve it`;
}
