import { posix } from 'node:path';
import type { ManifestDocument } from '../../../api/manifest.ts';
import type { Clock } from '../../../runtime/clock.ts';
import { type Declaration, declare, expandList } from '../../../runtime/declarations.ts';
import type { GitCommit, GitEntry } from '../../../runtime/git/git.ts';
import type { AgeKeys } from '../../../runtime/sops/age-keys.ts';
import { parseSopsManifests } from '../../../runtime/sops/sops-manifests.ts';
import { restsBetween } from '../rests.ts';

/**
 * Of one manifest, and of all of a commit together: parsing takes up to 4 µs for a byte on a busy
 * machine, and the one that leads must not be away for as long as its lease lasts.
 */
export const MANIFEST_BYTES_MAX = 1_000_000;
export const MANIFESTS_BYTES_MAX = 8_000_000;
export const OBJECTS_MAX = 10_000;
/** Line breaks and commas of one manifest: each value takes its time, however short it is. */
const MANIFEST_VALUES_MAX = 100_000;

export interface ReadManifests {
  readonly declarations: readonly Declaration[];
  /** What is wrong, each with its file. */
  readonly problems: readonly string[];
}

interface Files {
  readonly entries: readonly GitEntry[];
  /** Of what is encrypted; a text: why there are none. */
  readonly keys: AgeKeys | string;
  /** For objects that name none. */
  readonly namespace: string;
}

/**
 * What the manifests of a commit declare, but for those in the folders of Sites: a site may well have
 * a manifest.json. A Site in such a folder is content, too.
 */
export async function readManifests(
  from: GitCommit,
  { entries, keys, namespace }: Files,
  clock: Clock,
): Promise<ReadManifests> {
  const content = new Folders();
  const read: { readonly file: string; readonly declared: Declared }[] = [];
  const rest = restsBetween(clock);
  let [leftBytes, leftDocuments] = [MANIFESTS_BYTES_MAX, OBJECTS_MAX];
  for (const entry of inOrder(entries)) {
    const { path: file } = entry;
    if (content.has(file)) continue;
    const refused = refusal(entry, leftBytes);
    if (refused !== undefined) {
      // It may be content of a Site that is still to come.
      read.push({ file, declared: { kind: 'problem', problem: `${file} ${refused}` } });
      continue;
    }
    leftBytes -= entry.sizeBytes;
    const text = await textOf(from, entry);
    const startMs = clock.monotonicMs();
    const documents = await documentsOf(text, file, keys);
    leftDocuments -= documents.length;
    if (leftDocuments < 0) return { declarations: [], problems: [TOO_MANY] };
    for (const document of documents) {
      const rule = { fallback: namespace, required: undefined };
      const declared = declare(document, posix.dirname(file), rule);
      read.push({ file, declared });
      const folder = declared.kind === 'problem' ? undefined : contentFolder(declared.declaration);
      if (folder !== undefined && folder !== '.' && !content.has(file)) content.add(folder);
    }
    await rest(startMs);
  }
  const kept = read.filter(({ file }) => !content.has(file));
  return {
    declarations: kept.flatMap(({ declared }) =>
      declared.kind === 'declaration' ? [declared.declaration] : [],
    ),
    problems: kept.flatMap(({ declared }) =>
      declared.kind === 'problem' ? [declared.problem] : [],
    ),
  };
}

type Declared = ReturnType<typeof declare>;

/** Relative to the root of the repository; undefined: the object has none. */
export function contentFolder({ object, folder }: Declaration): string | undefined {
  if (object.kind !== 'Site') return undefined;
  const { path } =
    (object.spec as { readonly content?: { readonly path?: string } } | undefined)?.content ?? {};
  return path === undefined ? undefined : posix.join(folder, path).replace(/\/$/, '');
}

/**
 * Those further up first: what they say is content is not even read. Folders and files that begin with
 * a dot belong to tools.
 */
function inOrder(entries: readonly GitEntry[]): readonly GitEntry[] {
  return entries
    .filter(
      ({ path, kind }) =>
        kind !== 'submodule' && /\.(ya?ml|json)$/i.test(path) && !/(^|\/)\./.test(path),
    )
    .map((entry) => ({ entry, depth: entry.path.split('/').length }))
    .toSorted((one, other) => one.depth - other.depth)
    .map(({ entry }) => entry);
}

/** Why a file is not read. */
function refusal({ kind, sizeBytes }: GitEntry, leftBytes: number): string | undefined {
  if (kind === 'link') return 'is a symbolic link, which is not followed; put the file there';
  if (sizeBytes > MANIFEST_BYTES_MAX)
    return `is ${sizeBytes} bytes long; at most ${MANIFEST_BYTES_MAX} are possible for a manifest: split it into several files`;
  if (sizeBytes > leftBytes)
    return `makes it more than ${MANIFESTS_BYTES_MAX} bytes of manifests; split them among several Repositories, each with its own spec.path`;
  return undefined;
}

const TOO_MANY = `it declares more than ${OBJECTS_MAX} objects; split them among several Repositories, each with its own spec.path`;

async function documentsOf(
  text: string | undefined,
  file: string,
  keys: AgeKeys | string,
): Promise<readonly ManifestDocument[]> {
  if (text === undefined) return [broken(file, 'is not UTF-8')];
  if (valuesOf(text) > MANIFEST_VALUES_MAX)
    return [
      broken(file, `has more than ${MANIFEST_VALUES_MAX} values; split it into several files`),
    ];
  return (await parseSopsManifests(text, file, keys)).flatMap(expandList);
}

function broken(file: string, problem: string): ManifestDocument {
  return { kind: 'error', message: `${file} ${problem}` };
}

function valuesOf(text: string): number {
  let count = 0;
  for (const mark of ['\n', ','])
    for (let at = text.indexOf(mark); at !== -1; at = text.indexOf(mark, at + 1)) count += 1;
  return count;
}

async function textOf(from: GitCommit, entry: GitEntry): Promise<string | undefined> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of from.read(entry)) chunks.push(chunk);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
  } catch {
    return undefined;
  }
}

/** Folders, and what lies in them, looked up by the folders that a file is in. */
class Folders {
  readonly #paths = new Set<string>();

  add(path: string): void {
    this.#paths.add(path);
  }

  has(file: string): boolean {
    if (this.#paths.size === 0) return false;
    for (let end = file.lastIndexOf('/'); end > 0; end = file.lastIndexOf('/', end - 1))
      if (this.#paths.has(file.slice(0, end))) return true;
    return false;
  }
}
