import { CommandError } from '../cli.ts';
import { type Archive, archiveError } from './archive.ts';
import { hashArchive } from './archive-release.ts';
import { hashFolder } from './folder.ts';
import { imageArchive } from './image.ts';
import { parseImageName, Registry } from './registry.ts';
import type { LocalRelease, Reading } from './release.ts';
import { tarArchive } from './tar.ts';
import { packingOf, unpacked } from './unpack.ts';
import { zipArchive } from './zip.ts';

/** The first bytes of a file, enough to tell what it is. */
const START_BYTES = 512;

/**
 * What is at `where`, a folder, an archive or an image, as a release. Throws a CommandError that names
 * whatever cannot be published.
 */
export async function readContent(reading: Reading, where: string): Promise<LocalRelease> {
  if (where.startsWith('oci://'))
    return await hashArchive(reading, await openImage(reading, where));
  const kind = await reading.files.kind(where);
  if (kind === 'folder') return await hashFolder(reading, where);
  if (kind === 'file') return await hashArchive(reading, await openArchive(reading, where));
  if (kind === 'other')
    throw new CommandError(`error: "${where}" is neither a folder nor an archive`);
  throw new CommandError(`error: the folder or archive "${where}" does not exist`);
}

async function openArchive({ files }: Reading, path: string): Promise<Archive> {
  const stamp = await files.stamp(path);
  const start: Uint8Array[] = [];
  for await (const chunk of files.stream(path, { start: 0, end: START_BYTES })) start.push(chunk);
  const packing = packingOf(Buffer.concat(start));
  if (packing === 'zip') return zipArchive(path, path, files);
  if (packing === undefined || packing === 'bzip2' || packing === 'xz') {
    const what = packing === undefined ? 'it is no archive' : `it is packed by ${packing}`;
    throw archiveError(path, `${what}; give a folder, .tar, .tar.gz, .tar.zst or .zip`);
  }
  const open = async function* (): AsyncGenerator<Uint8Array> {
    if ((await files.stamp(path))?.text !== stamp?.text)
      throw archiveError(path, 'it changed while it was read; push again');
    yield* files.stream(path);
  };
  return tarArchive(path, () => unpacked(path, open(), packing));
}

async function openImage({ registries, signal }: Reading, where: string): Promise<Archive> {
  const image = parseImageName(where);
  const registry = new Registry(image, await registries());
  return await imageArchive(where, { registry, reference: image.reference }, signal);
}
