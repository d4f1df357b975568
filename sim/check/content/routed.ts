import type { Node } from '../../../api/node.ts';
import { previewWildcard } from '../../../api/previews.ts';
import type { Site } from '../../../api/site.ts';
import { proofsUp } from '../../../runtime/acme/proofs.ts';
import type { AcmeOrderRecord } from '../../../runtime/acme/records.ts';
import { releasesServed } from '../../../runtime/content/site-releases.ts';
import { kindPrefix, LEADER_KEY, recordKey, WORLD_PREFIX } from '../../../runtime/store/keys.ts';
import type { GeoNameRecord, ReportRecord, ZoneRecord } from '../../../runtime/store/records.ts';
import type { Revision } from '../../../runtime/store/store.ts';
import type { Check, CheckPorts, Commit } from '../check.ts';
import { readOnce } from '../read-once.ts';
import type { StoreHistory } from '../store-history.ts';

const NODES_PREFIX = kindPrefix('Node');
const SITES_PREFIX = kindPrefix('Site');
const ZONES_PREFIX = recordKey('zone', '');
const REPORTS_PREFIX = recordKey('report', '');
const ORDERS_PREFIX = recordKey('acmeOrder', '');

const ABOUT = [NODES_PREFIX, SITES_PREFIX, ZONES_PREFIX, REPORTS_PREFIX, ORDERS_PREFIX];

/** A name with the Nodes that its candidates are; undefined: an older dom has not said it. */
type Named = GeoNameRecord & { readonly nodeUids: ZoneRecord['nodeUids'] | undefined };

/** How many versions of b8s take part. */
export type VersionCount = 'one' | 'several';

/** A dom that leads and goes on writing for so long has seen what it has to know. */
const LATE_MS = 30_000;

/**
 * INV-28: a version of a zone names for a site only nodes that have verified a release that dom
 * has switched to, as the store was at some moment between the version before and this one; and no
 * dom leaves a version as it is when that changes. Where no node that answers has the release,
 * those named before are better than none; but another Node of an old name is another (INV-16).
 * While a CA looks for a proof of a name that nobody serves yet, who has the proof stands in.
 */
export function routedCheck(
  { violated, nowMs }: Pick<CheckPorts, 'violated' | 'nowMs'>,
  history: StoreHistory,
  versions: VersionCount = 'one',
): Check {
  /** By name: who is named wrongly, since when, and who should have seen it. */
  const late = new Map<string, { readonly sinceMs: number; readonly process: string }>();
  let strayed: ReadonlyMap<string, readonly string[]> = new Map();
  return {
    committed(commit) {
      const { process, revision, transaction } = commit;
      for (const write of transaction.writes) {
        if (write.kind !== 'put' || !write.key.startsWith(ZONES_PREFIX)) continue;
        const since = commit.before.get(write.key)?.modRevision ?? 0n;
        for (const geoName of namesOf(JSON.parse(write.value) as ZoneRecord, versions)) {
          const strays = straysBetween(history, geoName, { since, until: revision - 1n });
          if (strays.length === 0) continue;
          const nodes = strays.join(', ');
          violated(28, `${describe(commit)} names ${nodes} for ${geoName.name} unverified`);
        }
      }
      const isAbout = ({ key }: { readonly key: string }): boolean =>
        ABOUT.some((prefix) => key.startsWith(prefix));
      // Until it led again, it may have heard nothing.
      if (transaction.writes.some(({ key }) => key === LEADER_KEY)) late.clear();
      if (transaction.writes.some(isAbout)) strayed = straysNow(history, versions);
      for (const [name, strays] of strayed) {
        const known = late.get(name);
        if (strays.length === 0) late.delete(name);
        else if (known?.process !== process) late.set(name, { sinceMs: nowMs(), process });
        else if (nowMs() - known.sinceMs > LATE_MS)
          violated(28, `${process} leaves ${strays.join(', ')} named for ${name} unverified`);
      }
    },
  };
}

/** Of each name in each zone, the candidates that should not be. */
function straysNow(
  history: StoreHistory,
  versions: VersionCount,
): ReadonlyMap<string, readonly string[]> {
  const zones = history.list(ZONES_PREFIX, history.head);
  const names = zones.flatMap((item) => namesOf(readOnce<ZoneRecord>(item), versions));
  return new Map(names.map((each) => [each.name, straysAt(history, each, history.head)] as const));
}

function namesOf({ geoNames, nodeUids }: ZoneRecord, versions: VersionCount): readonly Named[] {
  const meant = nodeUids ?? (versions === 'one' ? {} : undefined);
  return geoNames.map((each) => ({ ...each, nodeUids: meant }));
}

function describe({ process, revision }: Commit): string {
  return `commit ${revision} by ${process}`;
}

/** None if there was a moment without; else those of the last one. */
function straysBetween(
  history: StoreHistory,
  geoName: Named,
  { since, until }: { readonly since: Revision; readonly until: Revision },
): readonly string[] {
  const last = straysAt(history, geoName, until);
  if (last.length === 0) return [];
  for (let at: Revision | undefined = since; at !== undefined && at < until; ) {
    if (straysAt(history, geoName, at).length === 0) return [];
    at = history.nextChanged(WORLD_PREFIX, { after: at, upTo: until });
  }
  return last;
}

/**
 * The candidates that had not verified what was to be served, as of one revision, or were other
 * nodes than the version means.
 */
function straysAt(
  history: StoreHistory,
  { name, siteUid, candidates, standIn, nodeUids }: Named,
  at: Revision,
): readonly string[] {
  const site = history
    .list(SITES_PREFIX, at)
    .map((item) => readOnce<Site>(item))
    .find(({ metadata }) => metadata.uid === siteUid);
  if (name.startsWith('*.')) return previewStraysAt(history, { name, candidates, nodeUids }, at);
  // Several, while one is rolled out: each is good.
  const releases = releasesServed(site?.status);
  if (releases.length === 0 && standIn === undefined) return candidates;
  const isAnother = (node: string): boolean =>
    nodeUids !== undefined && uidOf(history, node, at) !== nodeUids[node];
  const others = candidates.filter(isAnother);
  if (others.length > 0) return others;
  const tokens = standIn === undefined ? [] : tokensAt(history, name, at);
  const edges = reportsAt(history, at).map(({ node, report: { sites, challenges = [] } }) => {
    const held = sites.find(({ uid }) => uid === siteUid);
    const answers = held !== undefined && held.serving !== '' && held.certificate !== '';
    const verified = releases.some((release) => held?.verified.includes(release));
    const proves = tokens.some((token) => challenges.includes(token));
    return { node, answers, verified, proves };
  });
  const holders = edges.filter(({ answers, verified }) => answers && verified);
  if (standIn === undefined && holders.length === 0) return [];
  // Nobody stands in once the site is served, or when no CA looks.
  const isOpen = holders.length === 0 && tokens.length > 0;
  const standing = isOpen ? edges.filter(({ verified, proves }) => verified || proves) : [];
  const right = new Set((standIn === undefined ? holders : standing).map(({ node }) => node));
  return candidates.filter((node) => !right.has(node));
}

/**
 * A wildcard is for the previews of all Sites with its domain: whoever answers any is named, or who
 * was before where nobody does.
 */
function previewStraysAt(
  history: StoreHistory,
  { name, candidates, nodeUids }: Pick<Named, 'name' | 'candidates' | 'nodeUids'>,
  at: Revision,
): readonly string[] {
  const others = candidates.filter(
    (node) => nodeUids !== undefined && uidOf(history, node, at) !== nodeUids[node],
  );
  if (others.length > 0) return others;
  const sites = history
    .list(SITES_PREFIX, at)
    .map((item) => readOnce<Site>(item))
    .filter(({ spec }) => spec.previews !== undefined && previewWildcard(spec.previews) === name);
  const uids = new Set(sites.map(({ metadata }) => metadata.uid));
  const holders = reportsAt(history, at).flatMap(({ node, report: { sites: shown } }) =>
    shown.some(({ uid, previews = [] }) => uids.has(uid) && previews.length > 0) ? [node] : [],
  );
  return holders.length === 0 ? [] : candidates.filter((node) => !holders.includes(node));
}

/** Of Nodes that there are: for a moment the last report of one that was removed outlives it. */
function reportsAt(
  history: StoreHistory,
  at: Revision,
): readonly { readonly node: string; readonly report: ReportRecord }[] {
  return history.list(REPORTS_PREFIX, at).flatMap((item) => {
    const node = item.key.slice(REPORTS_PREFIX.length);
    const uid = uidOf(history, node, at);
    const report = readOnce<ReportRecord>(item);
    return uid === undefined || uid !== report.nodeUid ? [] : [{ node, report }];
  });
}

/** Of the proofs for a name that edges are to have, as of one revision. */
function tokensAt(history: StoreHistory, host: string, at: Revision): readonly string[] {
  return history
    .list(ORDERS_PREFIX, at)
    .flatMap((item) => proofsUp(readOnce<AcmeOrderRecord>(item)))
    .filter(({ name, proof }) => name === host && proof.type !== 'dns-01')
    .map(({ proof }) => proof.token);
}

/** Undefined: there was no Node of that name. */
function uidOf(history: StoreHistory, node: string, at: Revision): string | undefined {
  const item = history.get(`${NODES_PREFIX}${node}`, at);
  return item === undefined ? undefined : readOnce<Node>(item).metadata.uid;
}
