import type { OwnerReference, Resource } from '../../api/object.ts';
import { reservedHosts } from '../../api/previews.ts';
import type { Site } from '../../api/site.ts';
import type { HostRecord } from '../../runtime/store/records.ts';

export interface OwnedFacts {
  readonly object: Resource;
  /** Whether the object that a reference means, by uid, is there. */
  readonly exists: (owner: OwnerReference) => boolean;
  /** Names of the Releases that Sites of the object's namespace are to be served from. */
  readonly wantedReleases: ReadonlySet<string>;
}

/** Decides whether an object goes because all of its owners are gone. */
export function isOrphan({ object, exists, wantedReleases }: OwnedFacts): boolean {
  const owners = object.metadata.ownerReferences ?? [];
  if (owners.length === 0 || owners.some(exists)) return false;
  // A Site that was declared anew names what its predecessor left: it will take it over.
  return object.kind !== 'Release' || !wantedReleases.has(object.metadata.name);
}

/** Decides whether a claim on a host is void: its Site, by uid, is gone or gave the host up. */
export function isVoidClaim(host: string, claim: HostRecord, site: Site | undefined): boolean {
  return site?.metadata.uid !== claim.siteUid || !reservedHosts(site).includes(host);
}
