import { posix } from 'node:path';
import { formatBytes } from '../../api/column.ts';
import type { Api, DeclaredObject } from '../../runtime/api-client.ts';
import type { Declaration } from '../../runtime/declarations.ts';
import { printable } from '../../runtime/printable.ts';
import { type Cli, CommandError } from '../cli.ts';
import { isWebAddress } from '../objects/web-manifest.ts';
import { readContent } from './content.ts';
import { progressOn } from './progress.ts';
import type { LocalRelease } from './release.ts';
import { rulesWarning } from './rules-warning.ts';
import { type PublishedFor, uploadRelease } from './upload.ts';

/** `memory: 'none'`: hash every file anew. */
export interface ContentOptions {
  readonly memory: 'cache' | 'none';
}

/**
 * A Site whose `content.path` or `content.archive` names what is to be published, with
 * `content.release` in its place: the release that it is now. Undefined: it names neither.
 */
export async function resolveContent(
  { object, folder, document }: Declaration,
  cli: Cli,
  options: ContentOptions = { memory: 'cache' },
): Promise<{ readonly object: DeclaredObject; readonly release: LocalRelease } | undefined> {
  const named = namedContent(object);
  if (named === undefined) return undefined;
  const { field, where } = named;
  const isImage = field === 'archive' && where.startsWith('oci://');
  if (!isImage && isWebAddress(document.source)) {
    // As below; and there is nothing of this machine beside it.
    throw new CommandError(
      `error: spec.content.${field} "${where}" would be beside a manifest from the web (${document.source}): ` +
        'download both, or publish with b8sctl push',
    );
  }
  if (posix.isAbsolute(where)) {
    // A manifest from elsewhere must not publish what its reader did not see in it.
    const line = document.locate(`spec.content.${field}`);
    const example = field === 'path' ? './public' : './site.tar.gz';
    const mend = `must be relative to the manifest, e.g. ${example}`;
    const message = `spec.content.${field} "${where}": ${mend}`;
    throw new CommandError(`error: ${message} (${document.source}:${line})`);
  }
  const from = isImage ? where : posix.join(folder, where);
  const release = await readLocal(cli, from, options).catch((error: unknown) => {
    if (!(error instanceof CommandError) || error.message === '') throw error;
    const place = `${document.source}:${document.locate(`spec.content.${field}`)}`;
    throw new CommandError(`${error.message} (${place})`, { ...error, cause: error });
  });
  return { object: withRelease(object, release.digest), release };
}

/** Where a Site's content is read from; undefined: it names none. */
export function contentPlace({ object, folder }: Declaration): string | undefined {
  const named = namedContent(object);
  if (named === undefined) return undefined;
  const isImage = named.field === 'archive' && named.where.startsWith('oci://');
  return isImage ? named.where : posix.join(folder, named.where);
}

/** A folder, an archive or an image as a release. */
export async function readLocal(
  cli: Cli,
  where: string,
  { memory }: ContentOptions,
): Promise<LocalRelease> {
  const { files, clock, signal, terminal } = cli;
  const cacheFolder = memory === 'cache' ? cli.cacheFolder : undefined;
  const progress = progressOn(terminal, clock);
  const registries = () => cli.registries();
  const reading = { files, clock, signal, progress, cacheFolder, registries };
  try {
    return await readContent(reading, where);
  } finally {
    // Also where it was interrupted, or failed: what is said next stands on a line of its own.
    progress.end();
  }
}

/** Uploads what dom lacks of a release and says so on stderr. */
export async function publish(
  api: Api,
  release: LocalRelease,
  { site, cli }: { readonly site: PublishedFor; readonly cli: Cli },
): Promise<void> {
  const progress = progressOn(cli.terminal, cli.clock);
  // Nothing is held up by it: the other lines count.
  const warning = await rulesWarning(release);
  if (warning !== undefined) cli.terminal.error(`warning: ${printable(warning)}\n`);
  const target = { api, progress, clock: cli.clock, signal: cli.signal };
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

function namedContent({
  kind,
  spec,
}: DeclaredObject): { readonly field: 'path' | 'archive'; readonly where: string } | undefined {
  if (kind !== 'Site') return undefined;
  const { path, archive } = (spec as SiteContent | undefined)?.content ?? {};
  if (path !== undefined) return { field: 'path', where: path };
  return archive === undefined ? undefined : { field: 'archive', where: archive };
}

/** The part of a valid Site's spec that matters here. */
interface SiteContent {
  readonly content?: { readonly path?: string; readonly archive?: string };
}

/** The path is of this machine, and a Site names one source of content. */
function withRelease(object: DeclaredObject, release: string): DeclaredObject {
  return { ...object, spec: { ...(object.spec as SiteContent), content: { release } } };
}
