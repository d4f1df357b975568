import type { Release } from '../../../api/release.ts';
import { blobPath, type Digest, isDigest } from '../../../runtime/content/digest.ts';
import { parseVariants } from '../../../runtime/content/variants.ts';
import { kindPrefix, recordKey } from '../../../runtime/store/keys.ts';
import { decodeObject } from '../../../runtime/store/mirror.ts';
import type { GeoRecord } from '../../../runtime/store/records.ts';
import type { Check, CheckPorts } from '../check.ts';
import type { StoreHistory } from '../store-history.ts';

/** How long dom keeps what nothing names: longer than any push that is not begun anew. */
export const DOM_BLOB_GRACE_MS = 30_000;
/** Clocks of hosts run at most so much too fast. */
const DRIFT = 1.2;

export interface DomBlobsParts {
  readonly history: StoreHistory;
  /** What lies on the disk of a dom; undefined: that is no dom. */
  readonly disk: (host: string) => ReadonlyMap<string, Uint8Array> | undefined;
  /** The hosts that clear their disk, while all that lies there is sound. */
  readonly cleaners: () => readonly string[];
  /** The blobs of the commit that is followed: whoever could not apply it tries on, and brings them. */
  readonly followed: () => ReadonlySet<string>;
}

/**
 * INV-8 and INV-7 for the blobs of dom. What people were told is there, or have brought, is not
 * thrown away within the grace, nor what a Release of the store has, whatever the mirror shows. Once
 * all is over that is kept for a while, nothing lies there that nothing names.
 */
export function domBlobsCheck(
  { violated, reached, nowMs }: CheckPorts,
  parts: DomBlobsParts,
): Check {
  const { history, disk, cleaners, followed } = parts;
  /** By release: the blobs that it is made of. */
  const blobs = new Map<string, readonly string[]>();
  /** By digest: when somebody last asked about a blob that is there, or brought it. */
  const assuredMs = new Map<string, number>();

  /** By whom each blob is named. */
  function named(files: ReadonlyMap<string, Uint8Array>): ReadonlyMap<string, string> {
    const names = new Map<string, string>();
    for (const item of history.list(kindPrefix('Release'), history.head)) {
      const { metadata, status } = decodeObject(item) as Release;
      for (const blob of [metadata.name, ...(blobs.get(metadata.name) ?? [])])
        names.set(blob, `Release ${metadata.name}`);
      const index = status?.variants?.index;
      for (const blob of index === undefined ? [] : formsOf(index, files))
        names.set(blob, `the forms of ${metadata.name}`);
    }
    for (const { value } of history.list(recordKey('geo', ''), history.head))
      for (const { digest } of (JSON.parse(value) as GeoRecord).databases)
        names.set(digest, 'the geography');
    return names;
  }

  return {
    published: (_site, release) =>
      void blobs.set(
        release.digest,
        release.blobs.map(([digest]) => digest),
      ),
    assured: (digest, askedMs) => void assuredMs.set(digest, askedMs),
    removed(host, path) {
      const digest = digestAt(path);
      const files = disk(host);
      if (digest === undefined || files === undefined) return;
      reached('dom clears a blob away');
      const by = named(files).get(digest);
      if (by !== undefined) violated(8, `${host} throws ${digest} away, which ${by} has`);
      const ageMs = nowMs() - (assuredMs.get(digest) ?? Number.NEGATIVE_INFINITY);
      if (ageMs < DOM_BLOB_GRACE_MS / DRIFT)
        violated(8, `${host} throws ${digest} away ${ageMs} ms after somebody counted on it`);
    },
    lingered() {
      const awaited = followed();
      for (const host of cleaners()) {
        const files = disk(host) ?? new Map<string, Uint8Array>();
        const names = named(files);
        const stray = [...files.keys()]
          .map(digestAt)
          .find((each) => each && !names.has(each) && !awaited.has(each));
        if (stray !== undefined) violated(7, `${host} keeps ${stray}, which nothing names`);
      }
    },
  };
}

/** An index, and what it names. */
function formsOf(index: string, files: ReadonlyMap<string, Uint8Array>): readonly string[] {
  const bytes = isDigest(index) ? files.get(blobPath(index)) : undefined;
  if (bytes === undefined) return [index];
  const forms = [...parseVariants(bytes).values()].flat();
  return [index, ...forms.map(({ digest }) => digest)];
}

function digestAt(path: string): Digest | undefined {
  const digest = `sha256-${path.split('/').at(-1) ?? ''}`;
  return isDigest(digest) && blobPath(digest) === path ? digest : undefined;
}
