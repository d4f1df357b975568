import type { Site } from '../../api/site.ts';
import { kindPrefix, recordKey, WORLD_PREFIX } from '../../runtime/keys.ts';
import type { GeoNameRecord, ReportRecord, ZoneRecord } from '../../runtime/records.ts';
import type { Revision } from '../../runtime/store.ts';
import type { Check, CheckPorts, Commit } from './check.ts';
import type { StoreHistory } from './store-history.ts';

const SITES_PREFIX = kindPrefix('Site');
const ZONES_PREFIX = recordKey('zone', '');
const REPORTS_PREFIX = recordKey('report', '');

/**
 * INV-28: a version of a zone names for a site only nodes that have verified the release that dom
 * has switched to, as the store was at some moment between the version before and this one. Where
 * no node that answers has it, those named before are better than none.
 */
export function routedCheck(
  { violated }: Pick<CheckPorts, 'violated'>,
  history: StoreHistory,
): Check {
  return {
    committed(commit) {
      for (const write of commit.transaction.writes) {
        if (write.kind !== 'put' || !write.key.startsWith(ZONES_PREFIX)) continue;
        const { geoNames } = JSON.parse(write.value) as ZoneRecord;
        const since = commit.before.get(write.key)?.modRevision ?? 0n;
        for (const geoName of geoNames) {
          const strays = straysBetween(history, geoName, { since, until: commit.revision - 1n });
          if (strays.length === 0) continue;
          const nodes = strays.join(', ');
          violated(28, `${describe(commit)} names ${nodes} for ${geoName.name} unverified`);
        }
      }
    },
  };
}

function describe({ process, revision }: Commit): string {
  return `commit ${revision} by ${process}`;
}

/** None if there was a moment without; else those of the last one. */
function straysBetween(
  history: StoreHistory,
  geoName: GeoNameRecord,
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

/** The candidates that had not verified what was to be served, as of one revision. */
function straysAt(
  history: StoreHistory,
  { siteUid, candidates }: GeoNameRecord,
  at: Revision,
): readonly string[] {
  const site = history
    .list(SITES_PREFIX, at)
    .map(({ value }) => JSON.parse(value) as Site)
    .find(({ metadata }) => metadata.uid === siteUid);
  const release = site?.status?.release;
  if (release === undefined) return candidates;
  const holders = history.list(REPORTS_PREFIX, at).flatMap(({ key, value }) => {
    const { sites } = JSON.parse(value) as ReportRecord;
    const held = sites.find(({ uid }) => uid === siteUid);
    const answers = held !== undefined && held.serving !== '' && held.certificate !== '';
    return answers && held.verified.includes(release) ? [key.slice(REPORTS_PREFIX.length)] : [];
  });
  return holders.length === 0 ? [] : candidates.filter((node) => !holders.includes(node));
}
