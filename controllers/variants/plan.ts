import type { Release } from '../../api/release.ts';
import type { Site } from '../../api/site.ts';
import { isCompressible } from '../../runtime/content/content-coding.ts';
import type { Digest } from '../../runtime/content/digest.ts';
import type { ReleaseFile } from '../../runtime/content/manifest.ts';
import { releasesShown } from '../../runtime/content/site-releases.ts';
import type { Variant, Variants } from '../../runtime/content/variants.ts';

/** A form must be at least so much shorter than its file: unpacking costs the reader time. */
export const KEPT_FRACTION_MAX = 0.95;
/** Indexes of earlier releases that are looked through for forms that are there already. */
export const EARLIER_MAX = 3;

/** The Sites of its namespace that want it sent compressed. */
export function sitesOf(release: Release, sites: readonly Site[]): readonly Site[] {
  const { name, namespace } = release.metadata;
  return sites.filter(
    (site) =>
      site.metadata.namespace === namespace &&
      site.spec.compression !== 'off' &&
      releasesShown(site).includes(name),
  );
}

/** Types that a Site declares by extension count beside those of the manifest. */
export function typesOf(sites: readonly Site[]): ReadonlyMap<string, readonly string[]> {
  const declared = sites.flatMap(({ spec }) => Object.entries(spec.mimeTypes ?? {}));
  const byExtension = Map.groupBy(declared, ([extension]) => extension);
  return new Map(
    [...byExtension].map(([extension, types]) => [extension, types.map(([, type]) => type)]),
  );
}

/** By digest, the sizes in bytes; the smallest first, so that most pages are done soon. */
export function compressibleFiles(
  files: readonly ReleaseFile[],
  types: ReadonlyMap<string, readonly string[]>,
): ReadonlyMap<Digest, number> {
  const chosen = files.filter(({ path, contentType, sizeBytes }) =>
    [contentType, ...(types.get(extensionOf(path)) ?? [])].some((type) =>
      isCompressible(type, sizeBytes),
    ),
  );
  const inOrder = chosen.toSorted((one, other) => one.sizeBytes - other.sizeBytes);
  return new Map(inOrder.map(({ digest, sizeBytes }) => [digest, sizeBytes]));
}

/** Indexes that may name forms of its files: its own, then those of releases before it. */
export function knownIndexes(release: Release, releases: readonly Release[]): readonly string[] {
  const { name, namespace } = release.metadata;
  const others = releases
    .filter((each) => each.metadata.namespace === namespace && each.metadata.name !== name)
    .filter((each) => each.spec.site === release.spec.site)
    .toSorted((one, other) => (created(one) < created(other) ? 1 : -1));
  const indexes = (each: Release): readonly string[] =>
    each.status?.variants === undefined ? [] : [each.status.variants.index];
  const earlier = others.flatMap(indexes).slice(0, EARLIER_MAX);
  return [...new Set([...indexes(release), ...earlier])];
}

/** Whether a form is worth it. */
export function isKept(sourceBytes: number, formBytes: number): boolean {
  return formBytes > 0 && formBytes <= sourceBytes * KEPT_FRACTION_MAX;
}

/** How much less is sent to whoever knows all codings. */
export function savedBytes(done: Variants, sources: ReadonlyMap<Digest, number>): number {
  let saved = 0;
  for (const [source, forms] of done) {
    const shortest = Math.min(...forms.map(({ sizeBytes }) => sizeBytes));
    if (forms.length > 0) saved += (sources.get(source) ?? 0) - shortest;
  }
  return saved;
}

/** Whether what an index says of a file can be taken over: that one may keep more than this one. */
export function isUsable(forms: readonly Variant[], sourceBytes: number): boolean {
  return forms.every(({ sizeBytes }) => isKept(sourceBytes, sizeBytes));
}

function created({ metadata }: Release): string {
  return `${metadata.creationTimestamp} ${metadata.name}`;
}

function extensionOf(path: string): string {
  const dot = path.lastIndexOf('.');
  return dot <= path.lastIndexOf('/') ? '' : path.slice(dot + 1).toLowerCase();
}
