import type { Release } from '../../api/release.ts';
import type { Site } from '../../api/site.ts';
import { type Digest, isDigest } from '../../runtime/content/digest.ts';
import {
  MANIFEST_BYTES_MAX,
  ManifestError,
  parseManifest,
} from '../../runtime/content/manifest.ts';
import { releasesPreviewed, releasesServed } from '../../runtime/content/site-releases.ts';
import {
  parseVariants,
  VARIANTS_BYTES_MAX,
  VariantsError,
} from '../../runtime/content/variants.ts';
import type { GeoRecord } from '../../runtime/store/records.ts';

/** A blob that the store names, with what it names in its turn. */
export interface Root {
  readonly digest: Digest;
  /** `files`: it is a manifest; `forms`: an index of compressed forms; `nothing`: only itself. */
  readonly names: 'files' | 'forms' | 'nothing';
  /**
   * Whose manifest it is, and who is told when it cannot be read: nobody knows what else is in use
   * then. Undefined: it may be missing, or be something else.
   */
  readonly owner?: Release | Site;
}

export interface Named {
  readonly sites: readonly Site[];
  readonly releases: readonly Release[];
  readonly geo: GeoRecord | undefined;
}

/**
 * All that the store says of blobs; whatever names one must be listed here. Each root once, sorted.
 *
 * A Release that is there is kept, and so is all of it, whether or not it is served or previewed; so
 * is what a Site serves whose Release somebody has deleted.
 */
export function rootsOf({ sites, releases, geo }: Named): readonly Root[] {
  const roots = new Map<string, Root>();
  const add = (digest: string, root: Omit<Root, 'digest'>): void => {
    const key = `${digest} ${root.names}`;
    if (isDigest(digest) && !roots.has(key)) roots.set(key, { digest, ...root });
  };
  for (const release of releases) {
    add(release.metadata.name, { names: 'files', owner: release });
    const index = release.status?.variants?.index;
    if (index !== undefined) add(index, { names: 'forms' });
  }
  for (const site of sites) {
    const { release, from } = site.status?.rollout ?? {};
    for (const each of [...releasesServed(site.status), ...releasesPreviewed(site), release, from])
      if (each !== undefined) add(each, { names: 'files', owner: site });
  }
  // What only a spec names may be anything: it was never verified, nor declared.
  for (const { spec } of sites)
    if (spec.content?.release !== undefined) add(spec.content.release, { names: 'files' });
  for (const { digest } of geo?.databases ?? []) add(digest, { names: 'nothing' });
  return [...roots].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, root]) => root);
}

/** The longest list that is worth reading. */
export function sizeBytesMax({ names }: Root): number {
  return names === 'forms' ? VARIANTS_BYTES_MAX : MANIFEST_BYTES_MAX;
}

export type Reading =
  | { readonly kind: 'read'; readonly digests: readonly Digest[] }
  | { readonly kind: 'unreadable'; readonly why: string };

/** What a root names, besides itself. */
export function readRoot({ names }: Root, bytes: Uint8Array): Reading {
  try {
    return { kind: 'read', digests: names === 'files' ? filesOf(bytes) : formsOf(bytes) };
  } catch (error) {
    if (!(error instanceof ManifestError) && !(error instanceof VariantsError)) throw error;
    return { kind: 'unreadable', why: error.message };
  }
}

function filesOf(manifest: Uint8Array): readonly Digest[] {
  return parseManifest(manifest).map(({ digest }) => digest);
}

function formsOf(index: Uint8Array): readonly Digest[] {
  return [...parseVariants(index).values()].flat().map(({ digest }) => digest);
}
