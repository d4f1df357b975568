import type { Digest } from '../../runtime/content/digest.ts';
import type { ReleaseFile } from '../../runtime/content/manifest.ts';
import type { Variant } from '../../runtime/content/variants.ts';

/** What this node must have on disk, and what it must not lose. */
export interface DesiredContent {
  /** To be fetched and verified; what requests wait for comes first. */
  readonly releases: readonly Digest[];
  /** To be fetched as they are: geography databases. */
  readonly blobs: readonly WantedBlob[];
  /** Indexes of compressed forms: fetched last, with the forms that they name. */
  readonly variants: readonly Digest[];
  /** Not to be fetched, but still served: not to be collected. */
  readonly keepReleases: readonly Digest[];
  readonly keepBlobs: readonly Digest[];
}

export interface WantedBlob {
  readonly digest: Digest;
  readonly sizeBytes: number;
}

/** What is on disk. Files under names of ours that are not digests are `strays`. */
export interface ObservedContent {
  /** Whole blobs with their sizes in bytes; their bytes were verified before they got there. */
  readonly blobs: ReadonlyMap<Digest, number>;
  /** Parts of blobs. */
  readonly parts: ReadonlySet<Digest>;
  readonly markers: ReadonlySet<Digest>;
  /** Of the desired and kept releases whose manifest is here. */
  readonly manifests: ReadonlyMap<Digest, Manifest>;
  /** Of the desired indexes that are here, the forms; none where one cannot be read. */
  readonly forms: ReadonlyMap<Digest, readonly Variant[]>;
  readonly strays: readonly string[];
  /** Another one once a blob went: what was whole in this one is. Left out: nothing is remembered. */
  readonly era?: object;
}

export type Manifest =
  | { readonly kind: 'parsed'; readonly files: readonly ReleaseFile[] }
  /** Verified, so dom has it like this too: another try would not help. */
  | { readonly kind: 'broken'; readonly why: string };

export type ContentAction =
  /** Every blob is here: say so on disk. */
  | { readonly kind: 'mark'; readonly release: Digest }
  /** Marked, but a blob went missing. */
  | { readonly kind: 'unmark'; readonly release: Digest }
  | {
      readonly kind: 'fetch';
      readonly digest: Digest;
      /** The release or index that names it; undefined: none does. */
      readonly list: Digest | undefined;
      /** Unknown for manifests and indexes. */
      readonly sizeBytes: number | undefined;
      /** `helpful`: nothing waits for it. */
      readonly need: Need;
    }
  | { readonly kind: 'collect'; readonly item: StoredItem };

export type Need = 'needed' | 'helpful';

/** One file of ours on disk. */
export type StoredItem =
  | { readonly kind: 'blob' | 'part' | 'marker'; readonly digest: Digest }
  | { readonly kind: 'stray'; readonly path: string };

/** How long what nothing refers to stays: a site rolled back finds its old release still here. */
export const COLLECT_GRACE_MS = 10 * 60 * 1000;

export interface ContentAges {
  readonly nowMs: number;
  /** Since when each item is garbage, by `itemName`; see `ageGarbage`. */
  readonly garbageSinceMs: ReadonlyMap<string, number>;
  /** What is needed has no room on the disk: garbage goes at once. Left out: it has. */
  readonly room?: 'none';
}

/**
 * What is to be done, in order: marks first, for requests wait for them; then fetches, manifests
 * before blobs, releases in their order, compressed forms behind all of them; removals last.
 */
export function planContent(
  desired: DesiredContent,
  observed: ObservedContent,
  ages: ContentAges,
): readonly ContentAction[] {
  return [
    ...planMarks(desired, observed),
    ...planFetches(desired, observed),
    ...planCollection(desired, observed, ages),
  ];
}

/** The releases whose manifest and every blob are here, marked or not. */
export function isComplete(release: Digest, observed: ObservedContent): boolean {
  const manifest = observed.manifests.get(release);
  return manifest?.kind === 'parsed' && missingFiles(manifest.files, observed).length === 0;
}

/** Takes note of what became garbage by now, and forgets what is needed again or gone. */
export function ageGarbage(
  desired: DesiredContent,
  observed: ObservedContent,
  ages: ContentAges,
): ReadonlyMap<string, number> {
  const names = garbage(desired, observed).map(itemName);
  return new Map(names.map((name) => [name, ages.garbageSinceMs.get(name) ?? ages.nowMs]));
}

/** Names an item among all: "blob sha256-…". */
export function itemName(item: StoredItem): string {
  return item.kind === 'stray' ? `stray ${item.path}` : `${item.kind} ${item.digest}`;
}

/** All releases that matter, each once. */
export function referencedReleases(desired: DesiredContent): readonly Digest[] {
  return [...new Set([...desired.releases, ...desired.keepReleases])];
}

function planMarks(desired: DesiredContent, observed: ObservedContent): readonly ContentAction[] {
  return referencedReleases(desired).flatMap((release): readonly ContentAction[] => {
    const complete = isComplete(release, observed);
    const marked = observed.markers.has(release);
    if (complete === marked) return [];
    return [{ kind: complete ? 'mark' : 'unmark', release }];
  });
}

function planFetches(desired: DesiredContent, observed: ObservedContent): readonly ContentAction[] {
  const manifests = desired.releases
    .filter((release) => !observed.manifests.has(release))
    .map((digest) => ({ digest, sizeBytes: undefined }));
  const files = desired.releases.flatMap((release) => {
    const manifest = observed.manifests.get(release);
    const missing = manifest?.kind === 'parsed' ? missingFiles(manifest.files, observed) : [];
    return missing.map(listedIn(release));
  });
  const blobs = desired.blobs.filter(({ digest, sizeBytes }) => {
    return observed.blobs.get(digest) !== sizeBytes;
  });
  const indexes = desired.variants
    .filter((index) => !observed.forms.has(index))
    .map((digest) => ({ digest, sizeBytes: undefined }));
  const forms = desired.variants.flatMap((index) =>
    missingForms(index, observed).map(listedIn(index)),
  );
  const wanted = new Map<Digest, ContentAction>();
  const want = (found: readonly Fetchable[], need: Need): void => {
    for (const { digest, sizeBytes, list } of found)
      if (!wanted.has(digest)) wanted.set(digest, { kind: 'fetch', digest, list, sizeBytes, need });
  };
  want([...manifests, ...files, ...blobs], 'needed');
  want([...indexes, ...forms], 'helpful');
  return [...wanted.values()];
}

type Fetchable = Pick<ContentAction & { kind: 'fetch' }, 'digest' | 'sizeBytes'> & {
  readonly list?: Digest;
};

function listedIn(list: Digest): (blob: Variant | ReleaseFile) => Fetchable {
  return ({ digest, sizeBytes }) => ({ digest, sizeBytes, list });
}

/** The forms that an index names and that are not here; none where it is not here itself. */
export function missingForms(index: Digest, observed: ObservedContent): readonly Variant[] {
  const forms = observed.forms.get(index) ?? [];
  return forms.filter(({ digest, sizeBytes }) => observed.blobs.get(digest) !== sizeBytes);
}

function missingFiles(
  files: readonly ReleaseFile[],
  { blobs, era }: ObservedContent,
): readonly ReleaseFile[] {
  if (era !== undefined && WHOLE.get(era)?.has(files)) return [];
  const missing = files.filter(({ digest, sizeBytes }) => blobs.get(digest) !== sizeBytes);
  if (era !== undefined && missing.length === 0) remember(era, files);
  return missing;
}

function remember(era: object, files: readonly ReleaseFile[]): void {
  const known = WHOLE.get(era);
  if (known === undefined) WHOLE.set(era, new WeakSet([files]));
  else known.add(files);
}

/** Releases by their files, of which all were there in an era: ten of ten thousand files are kept. */
const WHOLE = new WeakMap<object, WeakSet<readonly ReleaseFile[]>>();

function planCollection(
  desired: DesiredContent,
  observed: ObservedContent,
  { nowMs, garbageSinceMs, room }: ContentAges,
): readonly ContentAction[] {
  // Of a release that is served and has lost its manifest, nobody knows what is garbage.
  const isSure = desired.keepReleases.every((release) => observed.manifests.has(release));
  const graceMs = room === 'none' && isSure ? 0 : COLLECT_GRACE_MS;
  return garbage(desired, observed)
    .filter((item) => nowMs - (garbageSinceMs.get(itemName(item)) ?? nowMs) >= graceMs)
    .map((item) => ({ kind: 'collect', item }));
}

/** Markers first: what is marked must never lack a blob. */
function garbage(desired: DesiredContent, observed: ObservedContent): readonly StoredItem[] {
  const releases = new Set(referencedReleases(desired));
  const needed = neededBlobs(desired, observed);
  const items = (kind: 'blob' | 'part' | 'marker', digests: Iterable<Digest>) =>
    [...digests].toSorted().map((digest): StoredItem => ({ kind, digest }));
  return [
    ...items(
      'marker',
      observed.markers.values().filter((digest) => !releases.has(digest)),
    ),
    ...items(
      'blob',
      observed.blobs.keys().filter((digest) => !needed.has(digest)),
    ),
    ...items(
      'part',
      observed.parts.values().filter((digest) => !needed.has(digest)),
    ),
    ...observed.strays.map((path): StoredItem => ({ kind: 'stray', path })),
  ];
}

/** What a look needs may be what the one before did: then it is not gathered once more. */
function neededBlobs(desired: DesiredContent, observed: ObservedContent): ReadonlySet<Digest> {
  const { manifests, forms } = observed;
  const known = NEEDED.get(desired);
  if (known !== undefined && isSame(known.manifests, manifests) && isSame(known.forms, forms))
    return known.needed;
  const needed = gatherNeeded(desired, observed);
  NEEDED.set(desired, { manifests, forms, needed });
  return needed;
}

const NEEDED = new WeakMap<
  DesiredContent,
  Pick<ObservedContent, 'manifests' | 'forms'> & { readonly needed: ReadonlySet<Digest> }
>();

function gatherNeeded(desired: DesiredContent, observed: ObservedContent): ReadonlySet<Digest> {
  const needed = new Set<Digest>([
    ...referencedReleases(desired),
    ...desired.blobs.map(({ digest }) => digest),
    ...desired.keepBlobs,
    ...desired.variants,
  ]);
  for (const index of desired.variants)
    for (const { digest } of observed.forms.get(index) ?? []) needed.add(digest);
  for (const release of referencedReleases(desired)) {
    const manifest = observed.manifests.get(release);
    if (manifest?.kind !== 'parsed') continue;
    for (const { digest } of manifest.files) needed.add(digest);
  }
  return needed;
}

/** The same values, not merely equal ones. */
function isSame<Key, Value>(one: ReadonlyMap<Key, Value>, other: ReadonlyMap<Key, Value>): boolean {
  if (one.size !== other.size) return false;
  for (const [key, value] of one) if (other.get(key) !== value) return false;
  return true;
}
