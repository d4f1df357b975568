import type { Release } from '../../api/release.ts';
import type { Site } from '../../api/site.ts';
import { ROLLOUT_DEFAULTS } from '../../api/site-rollout.ts';
import { releasesShown } from '../../runtime/content/site-releases.ts';

/** Releases changed in one write; the rest follows in the next. */
export const RELEASES_PER_WRITE = 20;

export interface ReleaseFacts {
  readonly site: Site;
  /** All Sites and Releases of its namespace. */
  readonly sites: readonly Site[];
  readonly releases: readonly Release[];
}

export interface ReleasesPlan {
  /** To be owned by the Site from now on, so that they go when it goes. */
  readonly adopt: readonly Release[];
  /** To be owned by others only. */
  readonly release: readonly Release[];
  readonly remove: readonly Release[];
}

/** Decides which releases a Site takes over, and which of its old ones are not needed any more. */
export function planReleases({ site, sites, releases }: ReleaseFacts): ReleasesPlan {
  const { uid } = site.metadata;
  const inUse = new Set(sites.flatMap(releasesInUse));
  const adopt = releases.filter((release) => isToAdopt(release, site));
  const superseded = releases
    .filter((release) => owners(release).includes(uid) && !inUse.has(release.metadata.name))
    .toSorted(newestFirst)
    .slice((site.spec.rollout ?? ROLLOUT_DEFAULTS).keep);
  const isShared = (release: Release): boolean => owners(release).some((owner) => owner !== uid);
  return {
    adopt: adopt.slice(0, RELEASES_PER_WRITE),
    release: superseded.filter(isShared).slice(0, RELEASES_PER_WRITE),
    remove: superseded.filter((each) => !isShared(each)).slice(0, RELEASES_PER_WRITE),
  };
}

/** What a Site names in any way, by name. */
export function releasesInUse(site: Site): readonly string[] {
  const { release, from } = site.status?.rollout ?? {};
  const isOver = site.status?.rollout?.phase === 'done';
  // What a rollout came from is gone back to with `rollout undo`, and then is one of many.
  const named = [release, isOver ? undefined : from].filter((name) => name !== undefined);
  return [...releasesShown(site), ...named];
}

/** What it names, and what was pushed for it and is nobody's: a push overtaken by another. */
export function isToAdopt(release: Release, site: Site): boolean {
  const { metadata, spec } = release;
  if (owners(release).includes(site.metadata.uid) || metadata.deletionTimestamp !== undefined)
    return false;
  if (metadata.name === site.spec.content?.release) return true;
  return owners(release).length === 0 && spec.site === site.metadata.name;
}

/** By uid. */
export function owners({ metadata }: Release): readonly string[] {
  return (metadata.ownerReferences ?? []).map(({ uid }) => uid);
}

export function newestFirst({ metadata: a }: Release, { metadata: b }: Release): number {
  if (a.creationTimestamp !== b.creationTimestamp)
    return a.creationTimestamp > b.creationTimestamp ? -1 : 1;
  return a.name < b.name ? -1 : 1;
}
