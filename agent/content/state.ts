import type { Digest } from '../../runtime/content/digest.ts';
import {
  type DesiredContent,
  isComplete,
  missingForms,
  type ObservedContent,
  referencedReleases,
} from './plan.ts';

/** What the rest of the node may know of the content on its disk. */
export interface ContentState {
  /** Releases that are whole and marked so, among those desired and kept. */
  readonly verified: ReadonlySet<Digest>;
  /** Blobs, among those desired and kept for themselves, that are here. */
  readonly blobs: ReadonlySet<Digest>;
  /** Indexes of compressed forms that can be used, with the forms of each that are not here. */
  readonly variants: ReadonlyMap<Digest, readonly Digest[]>;
  /** What stands in the way, by release or blob, for a person. */
  readonly errors: ReadonlyMap<Digest, string>;
}

export interface ContentPast {
  /** Why the last try to fetch each failed. */
  readonly failures: ReadonlyMap<Digest, string>;
  /** The indexes that could be used until now. */
  readonly before: ContentState['variants'];
}

/** An index of which more forms are missing is not used yet. */
const ABSENT_MAX = 64;

/** Pure: what may be known of the content by now. */
export function contentState(
  desired: DesiredContent,
  observed: ObservedContent,
  past: ContentPast,
): ContentState {
  const wanted = [...desired.blobs.map(({ digest }) => digest), ...desired.keepBlobs];
  return {
    verified: new Set(
      referencedReleases(desired)
        .filter((release) => observed.markers.has(release) && isComplete(release, observed))
        .toSorted(),
    ),
    blobs: new Set(wanted.filter((digest) => observed.blobs.has(digest)).toSorted()),
    variants: usableVariants(desired, observed, past),
    errors: contentErrors(desired, observed, past.failures),
  };
}

/** The first thing in the way of each release, or blob for itself, that is not whole. */
function contentErrors(
  desired: DesiredContent,
  observed: ObservedContent,
  failures: ReadonlyMap<Digest, string>,
): ReadonlyMap<Digest, string> {
  const errors = new Map<Digest, string>();
  const failureOf = (digest: Digest | undefined): string | undefined =>
    digest === undefined ? undefined : failures.get(digest);
  for (const release of desired.releases) {
    const manifest = observed.manifests.get(release);
    const error =
      manifest?.kind === 'broken'
        ? `release ${release}: ${manifest.why}`
        : manifest?.kind === 'parsed'
          ? failureOf(manifest.files.find(({ digest }) => failures.has(digest))?.digest)
          : failures.get(release);
    if (error !== undefined) errors.set(release, error);
  }
  for (const { digest } of desired.blobs) {
    const error = failures.get(digest);
    if (error !== undefined) errors.set(digest, error);
  }
  return errors;
}

/**
 * An index is used once all its forms are here, or have been tried for. If one goes missing later,
 * the others are used on.
 */
function usableVariants(
  desired: DesiredContent,
  observed: ObservedContent,
  past: ContentPast,
): ContentState['variants'] {
  const usable = new Map<Digest, readonly Digest[]>();
  for (const index of desired.variants) {
    if (!observed.forms.has(index)) continue;
    const absent = [...new Set(missingForms(index, observed).map(({ digest }) => digest))];
    const isTried = past.before.has(index) || absent.every((each) => past.failures.has(each));
    if (isTried && absent.length <= ABSENT_MAX) usable.set(index, absent.toSorted());
  }
  return usable;
}

/** Says the same, to whoever may know. */
export function isSameState(one: ContentState, other: ContentState): boolean {
  return textOf(one) === textOf(other);
}

function textOf({ verified, blobs, variants, errors }: ContentState): string {
  return JSON.stringify([[...verified], [...blobs], [...variants], [...errors]]);
}
