import { CONTINENTS } from '../../api/countries.ts';
import { isChosenNode, type NodeChoice, type Routing } from '../../api/routing.ts';
import type { Site } from '../../api/site.ts';
import type { Zone } from '../../api/zone.ts';
import { releasesServed } from '../../runtime/content/site-releases.ts';
import { type ZonesByOrigin, zoneOfHost } from '../../runtime/dns/zones.ts';
import { hasRole, type NodeView } from '../../runtime/session/node-view.ts';
import type { GeoNameRecord, ZoneRecord } from '../../runtime/store/records.ts';
import type { ZoneProof } from './zone-proofs.ts';

export interface GeoFacts {
  readonly zone: Zone;
  readonly zones: ZonesByOrigin;
  readonly sites: readonly Site[];
  readonly nodes: readonly NodeView[];
  /** Of the version that is being served now; undefined: there is none. */
  readonly previous: GeoNames | undefined;
  /** What CAs are about to look for; left out: nothing. */
  readonly proofs?: readonly ZoneProof[];
}

type GeoNames = Pick<ZoneRecord, 'geoNames' | 'nodeUids'>;

/** The names of Sites in a zone with the nodes that may be answered, sorted by name. */
export function geoNames(facts: GeoFacts): readonly GeoNameRecord[] {
  const { zone, zones, nodes } = facts;
  const edges = nodes.filter((node) => hasRole(node, 'edge')).toSorted(byName);
  const previous = new Map(facts.previous?.geoNames.map((each) => [each.name, each]));
  const remaining = edges.filter((edge) => isSame(edge, facts.previous?.nodeUids));
  const names = new Map<string, GeoNameRecord>();
  for (const site of oldestFirst(facts.sites)) {
    const verified = edges.filter((edge) => mayServe(site, edge)).map(({ name }) => name);
    for (const host of site.spec.hosts) {
      if (names.has(host) || zoneOfHost(zones, host) !== zone) continue;
      const candidates =
        verified.length > 0
          ? verified
          : lastKnown(site, { edges, remaining, previous: previous.get(host) });
      const standIns =
        candidates.length > 0 ? [] : provers(site, edges, tokensOf(facts.proofs, host));
      const named = geoName(site, host, {
        edges,
        candidates: standIns.length > 0 ? standIns : candidates,
      });
      names.set(host, standIns.length > 0 ? { ...named, standIn: 'proof' } : named);
    }
  }
  return [...names.keys()].toSorted().flatMap((name) => names.get(name) ?? []);
}

/** The nodes that are candidates of any of the names, by name; undefined: none. */
export function candidateUids(
  names: readonly GeoNameRecord[],
  nodes: readonly NodeView[],
): Readonly<Record<string, string>> | undefined {
  const named = new Set(names.flatMap(({ candidates }) => candidates));
  if (named.size === 0) return undefined;
  return Object.fromEntries(
    nodes.filter(({ name }) => named.has(name)).map(({ name, node }) => [name, node.metadata.uid]),
  );
}

/** A machine that joined under the name of one that was removed has nothing of what that had. */
export function isSame({ name, node }: NodeView, uids: GeoNames['nodeUids']): boolean {
  return uids === undefined || uids[name] === node.metadata.uid;
}

/**
 * Whether a node may be named for a Site: it holds and has verified what is served now (INV-28), of
 * several while one is rolled out any, and a certificate, and it answers from some release already:
 * its first one may be verified, but the word to serve it still on its way. Whether it is alive is
 * not asked here: nameservers know that sooner.
 */
function mayServe(site: Site, edge: NodeView): boolean {
  return holdsServed(site, edge) && answers(site, edge);
}

function holdsServed({ metadata, status }: Site, edge: NodeView): boolean {
  const verified = edge.site(metadata.uid)?.verified ?? [];
  return releasesServed(status).some((release) => verified.includes(release));
}

interface Known {
  readonly edges: readonly NodeView[];
  /** Edges that are no other ones than when the version of now was made. */
  readonly remaining: readonly NodeView[];
  /** The name in the version of now. */
  readonly previous: GeoNameRecord | undefined;
}

/**
 * For when every node lost what it held: an empty answer takes the site down for as long as
 * resolvers remember it, the last known good one only until the first node has the content again.
 * Where those nodes were removed, one that still answers from an older release is better than none.
 */
function lastKnown(site: Site, { edges, remaining, previous }: Known): readonly string[] {
  // Of an earlier Site of this host nothing is known that holds for this one.
  if (site.status?.release === undefined || previous?.siteUid !== site.metadata.uid) return [];
  // Who stood in while a CA looked never served the Site.
  const served = previous.standIn === undefined ? previous.candidates : [];
  const known = remaining.filter(({ name }) => served.includes(name));
  const left = known.length > 0 ? known : edges.filter((edge) => answers(site, edge));
  return left.map(({ name }) => name);
}

function tokensOf(proofs: readonly ZoneProof[] = [], host: string): readonly string[] {
  return proofs.flatMap((proof) =>
    proof.kind === 'host' && proof.name === host ? [proof.token] : [],
  );
}

/**
 * For a Site that no edge has a certificate of: while a CA looks for a proof that edges answer with
 * (RFC 8555 §8.3), those that hold what is to be served are named already, or else any that has the
 * proof, or the CA could not come to see it.
 */
function provers(
  site: Site,
  edges: readonly NodeView[],
  tokens: readonly string[],
): readonly string[] {
  if (tokens.length === 0) return [];
  const holders = edges.filter((edge) => holdsServed(site, edge));
  const having = edges.filter(({ report }) =>
    tokens.some((token) => report?.challenges?.includes(token)),
  );
  return (holders.length > 0 ? holders : having).map(({ name }) => name);
}

function answers(site: Site, edge: NodeView): boolean {
  const report = edge.site(site.metadata.uid);
  return report !== undefined && report.serving !== '' && report.certificate !== '';
}

/** A name as the Site is routed; `candidates` and `edges`: sorted by name. */
export function geoName(
  site: Site,
  name: string,
  {
    candidates,
    edges,
  }: { readonly candidates: readonly string[]; readonly edges: readonly NodeView[] },
): GeoNameRecord {
  const { policy, answers } = site.spec.routing;
  const siteUid = site.metadata.uid;
  const common = { name, siteUid, ttlS: site.spec.ttl, policy, answersMax: answers };
  const ranked = rankedBy(site.spec.routing, candidates);
  const among = edges.filter((edge) => ranked.candidates.includes(edge.name));
  return { ...common, ...ranked, ...placesOf(site.spec.routing, among) };
}

function rankedBy(
  { policy, weights = {}, order: declared = [] }: Routing,
  candidates: readonly string[],
): Pick<GeoNameRecord, 'candidates' | 'weights'> {
  switch (policy) {
    case 'nearest':
      return { candidates, weights: [] };
    case 'failover': {
      // Nodes that the order does not name come last: better than none.
      const order = declared.filter((node) => candidates.includes(node));
      const rest = candidates.filter((node) => !order.includes(node));
      return { candidates: [...order, ...rest], weights: [] };
    }
    case 'weighted': {
      const shared = candidates.filter((node) => (weights[node] ?? 0) > 0);
      // If every node with a share is gone, equal shares for the others are better than no answer.
      if (shared.length === 0) return { candidates, weights: candidates.map(() => 1) };
      return { candidates: shared, weights: shared.map((node) => weights[node] ?? 0) };
    }
  }
}

/** `edges`: the candidates, sorted by name. A region stays there when it has none of them. */
function placesOf(
  { regions = [], fallback }: Routing,
  edges: readonly NodeView[],
): Pick<GeoNameRecord, 'regions' | 'fallback'> {
  const chosenBy = (choice: NodeChoice): readonly string[] =>
    edges
      .filter(({ name, node }) => isChosenNode(choice, { name, labels: node.metadata.labels }))
      .map(({ name }) => name);
  return {
    ...(regions.length > 0 && {
      regions: regions.map((region) => ({
        countries: region.countries ?? [],
        continents: (region.continents ?? []).map((continent) => CONTINENTS[continent]),
        nodes: chosenBy(region),
      })),
    }),
    ...(fallback !== undefined && {
      fallback: { ...fallback.location, nodes: chosenBy(fallback) },
    }),
  };
}

/** A host is its first Site's; the API refuses a second one, so this is for the odd case only. */
export function oldestFirst(sites: readonly Site[]): readonly Site[] {
  return sites
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .toSorted((a, b) => compare(a.metadata.creationTimestamp, b.metadata.creationTimestamp));
}

export function byName(one: NodeView, other: NodeView): number {
  return compare(one.name, other.name);
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
