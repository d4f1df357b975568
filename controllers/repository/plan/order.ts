import { kindsByName } from '../../../api/kinds.ts';
import type { Resource } from '../../../api/object.ts';
import { reservedHosts } from '../../../api/previews.ts';
import type { Site, SiteSpec } from '../../../api/site.ts';
import type { DeclaredObject } from '../../../runtime/api-client.ts';
import { rankOf } from '../../../runtime/declarations.ts';
import { shownKey } from '../facts.ts';

/** What is to be done to objects; the same for a commit that comes and for one that is undone. */
export interface Change {
  readonly key: string;
  /** What it is to be; undefined: removed. */
  readonly object: DeclaredObject | undefined;
}

export type Ordered<Each extends Change> =
  | { readonly kind: 'ordered'; readonly changes: readonly Each[] }
  /** No order will do; for a person. */
  | { readonly kind: 'circle'; readonly problem: string };

/**
 * The order of changes: what others refer to first, removals last and the other way round. But a
 * Site that gives a host up comes before the one that gets it, for no two may have it.
 */
export function orderChanges<Each extends Change>(
  changes: readonly Each[],
  live: (key: string) => Resource | undefined,
): Ordered<Each> {
  const inRank = changes.toSorted(
    (one, other) => placeOf(one) - placeOf(other) || byKey(one, other),
  );
  const holders = new Map<string, Each>();
  for (const change of inRank)
    for (const host of givenUp(change, live(change.key))) holders.set(host, change);
  const done = new Set<Each>();
  const under = new Set<Each>();
  const ordered: Each[] = [];
  const circle: string[] = [];
  const visit = (change: Each): void => {
    if (done.has(change)) return;
    if (under.has(change)) {
      circle.push(change.key);
      return;
    }
    under.add(change);
    for (const host of wantedHosts(change)) {
      const holder = holders.get(host);
      if (holder !== undefined && holder !== change) visit(holder);
    }
    under.delete(change);
    if (done.has(change)) return;
    done.add(change);
    ordered.push(change);
  };
  for (const change of inRank) visit(change);
  if (circle.length === 0) return { kind: 'ordered', changes: ordered };
  const names = circle.map(shownKey).join(', ');
  const problem = `${names}: Sites swap hosts, which needs two commits: take the hosts away in the first`;
  return { kind: 'circle', problem };
}

/** Removals come after all that is declared, in the opposite order. */
const RANKS = 100;

function placeOf({ key, object }: Change): number {
  const rank = rankOf(key.slice(0, key.indexOf('/')));
  return object === undefined ? 2 * RANKS - rank : rank;
}

function byKey(one: Change, other: Change): number {
  return one.key < other.key ? -1 : 1;
}

/** The hosts that a Site is to have; none for what is no Site. */
export function wantedHosts({ object }: Pick<Change, 'object'>): readonly string[] {
  if (object?.kind !== 'Site') return [];
  const spec = kindsByName.Site.normalize(object.spec) as SiteSpec;
  return reservedHosts({ metadata: object.metadata, spec });
}

/** The hosts that a Site has now, and will not have. */
function givenUp(change: Change, live: Resource | undefined): readonly string[] {
  if (live?.kind !== 'Site') return [];
  const wanted = new Set(wantedHosts(change));
  return reservedHosts(live as Site).filter((host) => !wanted.has(host));
}
