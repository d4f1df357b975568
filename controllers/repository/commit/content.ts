import { createHash } from 'node:crypto';
import type { BlobShelf } from '../../../runtime/content/blob-shelf.ts';
import { EntryCheck, type EntryKind } from '../../../runtime/content/content-check.ts';
import { contentTypeOf } from '../../../runtime/content/content-type.ts';
import { type Digest, digestOf } from '../../../runtime/content/digest.ts';
import { encodeManifest, type ReleaseFile } from '../../../runtime/content/manifest.ts';
import type { GitCommit, GitEntry } from '../../../runtime/git/git.ts';
import type { DesiredRelease } from '../facts.ts';

/** Larger files are read twice, for their digest and for their bytes, in place of being held. */
const HELD_BYTES_MAX = 4 * 1024 * 1024;
/** Git's name of a file, and ours: so an unchanged one is not read again. Some 40 MB. */
const KNOWN_MAX = 200_000;
const LFS = 'version https://git-lfs.github.com/spec/';

export interface ContentPorts {
  readonly blobs: BlobShelf;
  readonly known: KnownFiles;
}

/** What a person must mend in the content. */
export class ContentProblem extends Error {
  override readonly name = 'ContentProblem';
}

/** The digests of files by what Git calls them. */
export class KnownFiles {
  readonly #digests = new Map<string, Digest>();

  get(id: string): Digest | undefined {
    return this.#digests.get(id);
  }

  note(id: string, digest: Digest): void {
    if (this.#digests.size >= KNOWN_MAX) this.#digests.clear();
    this.#digests.set(id, digest);
  }
}

/** Puts a folder of a commit among the blobs, as a release. Throws a `ContentProblem`. */
export async function folderRelease(
  from: GitCommit,
  folder: string,
  ports: ContentPorts,
): Promise<DesiredRelease> {
  const entries = await from.list(folder);
  if (entries === undefined) throw new ContentProblem(`"${folder}": is no folder of this commit`);
  const files: ReleaseFile[] = [];
  for (const { entry, path } of admitted(entries, folder)) {
    const { digest, sizeBytes } = await putFile(from, entry, ports);
    files.push({ path, digest, sizeBytes, contentType: contentTypeOf(path) });
  }
  const manifest = encodeManifest(files);
  const digest = digestOf(manifest);
  if ((await ports.blobs.sizeOf(digest)) === undefined)
    await ports.blobs.put(digest, once(manifest));
  const sizeBytes = files.reduce((sum, file) => sum + file.sizeBytes, 0);
  return { digest, files: files.length, sizeBytes };
}

function admitted(
  entries: readonly GitEntry[],
  folder: string,
): readonly { readonly entry: GitEntry; readonly path: string }[] {
  const check = new EntryCheck(folder, (message) => new ContentProblem(message));
  const files: { entry: GitEntry; path: string }[] = [];
  for (const entry of entries) {
    const { path: shown, kind, sizeBytes } = entry;
    const name = folder === '' ? shown : shown.slice(folder.length + 1);
    const found = check.admit({ shown, name, kind: KINDS[kind], sizeBytes });
    if (found.kind !== 'file') continue;
    check.count(sizeBytes);
    files.push({ entry, path: found.path });
  }
  check.finish();
  return files;
}

const KINDS: Readonly<Record<GitEntry['kind'], EntryKind>> = {
  file: 'file',
  link: 'symbolic link',
  submodule: 'something unknown',
};

async function putFile(
  from: GitCommit,
  entry: GitEntry,
  { blobs, known }: ContentPorts,
): Promise<{ readonly digest: Digest; readonly sizeBytes: number }> {
  const { id, sizeBytes } = entry;
  const before = known.get(id);
  if (before !== undefined && (await blobs.sizeOf(before)) !== undefined)
    return { digest: before, sizeBytes };
  const digest = sizeBytes > HELD_BYTES_MAX ? await digestIn(from, entry) : undefined;
  if (digest !== undefined) {
    if ((await blobs.sizeOf(digest)) === undefined) await blobs.put(digest, from.read(entry));
    known.note(id, digest);
    return { digest, sizeBytes };
  }
  const chunks: Uint8Array[] = [];
  for await (const chunk of from.read(entry)) chunks.push(chunk);
  const bytes = Buffer.concat(chunks);
  if (bytes.subarray(0, LFS.length).toString('latin1') === LFS)
    throw new ContentProblem(
      `"${entry.path}" is kept by Git LFS, which is not followed; put the file itself into the repository`,
    );
  const held = digestOf(bytes);
  if ((await blobs.sizeOf(held)) === undefined) await blobs.put(held, once(bytes));
  known.note(id, held);
  return { digest: held, sizeBytes: bytes.length };
}

async function digestIn(from: GitCommit, entry: GitEntry): Promise<Digest> {
  const hash = createHash('sha256');
  for await (const chunk of from.read(entry)) hash.update(chunk);
  return `sha256-${hash.digest('hex')}`;
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
