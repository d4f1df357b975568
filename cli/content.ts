import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import { contentTypeOf } from '../runtime/content-type.ts';
import { type Digest, digestOf } from '../runtime/digest.ts';
import type { Files } from '../runtime/files.ts';
import {
  encodeManifest,
  MANIFEST_FILES_MAX,
  pathProblem,
  type ReleaseFile,
} from '../runtime/manifest.ts';
import { CommandError } from './cli.ts';
import type { Progress } from './progress.ts';
import { printable } from './render/table.ts';

/** A file to publish. */
export interface ContentFile {
  /** Where it is, as the Files port names it. */
  readonly source: string;
  /** Where it goes: relative to the site's root, in Unicode normal form C. */
  readonly path: string;
  readonly sizeBytes: number;
}

/** A folder as a release: all that dom must hold before a Site may name it. */
export interface LocalRelease {
  /** The release's name. */
  readonly digest: Digest;
  readonly manifest: Uint8Array;
  readonly files: readonly (ReleaseFile & { readonly source: string })[];
  readonly sizeBytes: number;
}

/** How many problems of a folder are told at once. */
const PROBLEMS_MAX = 10;

/** How deep folders may nest: a path has at most 1024 bytes. */
const DEPTH_MAX = 512;

/** Files of the tools that people edit with, never meant to be published. */
const SKIPPED: ReadonlySet<string> = new Set(['.git', '.DS_Store']);

/** Reads and hashes a folder. Throws a CommandError that names whatever cannot be published. */
export async function hashFolder(
  files: Files,
  folder: string,
  { progress, signal }: { readonly progress: Progress; readonly signal: AbortSignal },
): Promise<LocalRelease> {
  const found = await listContent(files, folder);
  const totalBytes = found.reduce((sum, file) => sum + file.sizeBytes, 0);
  const hashed: (ReleaseFile & { readonly source: string })[] = [];
  let sizeBytes = 0;
  for (const { source, path } of found) {
    signal.throwIfAborted();
    const hash = createHash('sha256');
    let fileBytes = 0;
    for await (const chunk of files.stream(source)) {
      hash.update(chunk);
      fileBytes += chunk.length;
      sizeBytes += chunk.length;
      progress.show({
        ...{ verb: 'hashing', doneFiles: hashed.length, totalFiles: found.length },
        ...{ doneBytes: sizeBytes, totalBytes },
      });
    }
    const digest: Digest = `sha256-${hash.digest('hex')}`;
    hashed.push({ source, path, digest, sizeBytes: fileBytes, contentType: contentTypeOf(path) });
  }
  progress.end();
  const manifest = encodeManifest(hashed);
  return { digest: digestOf(manifest), manifest, files: hashed, sizeBytes };
}

/** Every file to publish, sorted. Links, devices and names that no URL could say are refused. */
export async function listContent(files: Files, folder: string): Promise<readonly ContentFile[]> {
  const kind = await files.kind(folder);
  if (kind === undefined) throw new CommandError(`error: the folder "${folder}" does not exist`);
  if (kind !== 'folder') throw new CommandError(`error: "${folder}" is not a folder`);
  const walk: Walk = { files, found: [], problems: [] };
  await walkFolder(walk, folder, '', 0);
  const { found, problems } = walk;
  if (problems.length > 0) {
    const more = problems.length > PROBLEMS_MAX ? '\n  and more like these' : '';
    const told = problems
      .slice(0, PROBLEMS_MAX)
      .map((problem) => `\n  ${problem}`)
      .join('');
    throw new CommandError(`error: "${folder}" cannot be published:${told}${more}`);
  }
  if (found.length === 0) throw new CommandError(`error: "${folder}" holds no files to publish`);
  return found;
}

interface Walk {
  readonly files: Files;
  readonly found: ContentFile[];
  readonly problems: string[];
}

async function walkFolder(
  walk: Walk,
  folder: string,
  prefix: string,
  depth: number,
): Promise<void> {
  for (const { name, kind, sizeBytes } of await walk.files.list(folder)) {
    if (SKIPPED.has(name)) continue;
    // Enough is known to refuse the folder; a hostile one may have millions of entries.
    if (walk.problems.length > PROBLEMS_MAX) return;
    const source = posix.join(folder, name);
    const path = `${prefix}${name}`.normalize('NFC');
    const problem = entryProblem(name, path, kind);
    if (problem !== undefined) walk.problems.push(`${printable(source)} ${problem}`);
    else if (kind === 'folder' && depth >= DEPTH_MAX) {
      walk.problems.push(`${printable(source)} nests too deeply`);
    } else if (kind === 'folder') await walkFolder(walk, source, `${path}/`, depth + 1);
    else if (walk.found.length >= MANIFEST_FILES_MAX) {
      throw new CommandError(
        `error: "${folder}" cannot be published: more than ${MANIFEST_FILES_MAX} files`,
      );
    } else walk.found.push({ source, path, sizeBytes });
  }
}

function entryProblem(name: string, path: string, kind: string): string | undefined {
  // What the file system could not decode reads as U+FFFD, and cannot be opened by that name.
  if (name.includes('\uFFFD')) return 'has a name that is not UTF-8; rename it';
  const problem = pathProblem(path);
  if (problem !== undefined) return `${problem}; rename it`;
  if (kind === 'link') return 'is a symbolic link; replace it by what it points to';
  if (kind === 'other') return 'is neither a file nor a folder; remove it';
  return undefined;
}
