import { posix } from 'node:path';
import { formatBytes } from '../api/column.ts';
import type { Api, DeclaredObject } from '../runtime/api-client.ts';
import { type Cli, CommandError } from './cli.ts';
import { hashFolder, type LocalRelease } from './content.ts';
import type { Declaration } from './manifests.ts';
import { progressOn } from './progress.ts';
import { uploadRelease } from './upload.ts';

/**
 * A Site whose `content.path` names a folder, with `content.release` in its place: the release
 * that the folder is now. Undefined: the object names no folder.
 */
export async function resolveContent(
  { object, folder, document }: Declaration,
  cli: Cli,
): Promise<{ readonly object: DeclaredObject; readonly release: LocalRelease } | undefined> {
  const path = contentPath(object);
  if (path === undefined) return undefined;
  if (posix.isAbsolute(path)) {
    // A manifest from elsewhere must not publish a folder that its reader did not see in it.
    const line = document.locate('spec.content.path');
    const message = `spec.content.path "${path}": must be relative to the manifest, e.g. ./public`;
    throw new CommandError(`error: ${message} (${document.source}:${line})`);
  }
  const source = posix.join(folder, path);
  const progress = progressOn(cli.terminal, cli.clock);
  const release = await hashFolder(cli.files, source, { progress, signal: cli.signal });
  return { object: withRelease(object, release.digest), release };
}

/** Uploads what dom lacks of a release and says so on stderr. */
export async function publish(
  api: Api,
  release: LocalRelease,
  { site, cli }: { readonly site: { namespace: string; name: string }; readonly cli: Cli },
): Promise<void> {
  const progress = progressOn(cli.terminal, cli.clock);
  const target = { api, files: cli.files, progress, signal: cli.signal };
  const { uploadedFiles, uploadedBytes } = await uploadRelease(target, release, site);
  const all = `${count(release.files.length)}, ${formatBytes(release.sizeBytes)}`;
  const fresh =
    uploadedFiles === 0
      ? 'nothing to upload'
      : `${count(uploadedFiles)} uploaded, ${formatBytes(uploadedBytes)}`;
  cli.terminal.error(`release ${release.digest}: ${all}; ${fresh}\n`);
}

function count(files: number): string {
  return files === 1 ? '1 file' : `${files} files`;
}

function contentPath({ kind, spec }: DeclaredObject): string | undefined {
  if (kind !== 'Site') return undefined;
  return (spec as SiteContent | undefined)?.content?.path;
}

/** The part of a valid Site's spec that matters here. */
interface SiteContent {
  readonly content?: { readonly path?: string };
}

/** The path is of this machine, and a Site names a path or a release, never both. */
function withRelease(object: DeclaredObject, release: string): DeclaredObject {
  return { ...object, spec: { ...(object.spec as SiteContent), content: { release } } };
}
