import { posix } from 'node:path';
import { type ManifestDocument, parseManifests } from '../../api/manifest.ts';
import {
  type Declaration,
  declare,
  expandList,
  type NamespaceRule,
  rankOf,
} from '../../runtime/declarations.ts';
import { type Cli, CommandError } from '../cli.ts';
import { isWebAddress, readWebManifest } from './web-manifest.ts';

export interface Declarations {
  /** In an order in which none needs a later one. */
  readonly declarations: readonly Declaration[];
  /** What is wrong with the others, one message each, with file and line. */
  readonly problems: readonly string[];
}

/** How deep `-R` descends. */
const FOLDER_DEPTH_MAX = 32;

/** Reads what `-f` names: files, folders, URLs, "-" for standard input. */
export async function readDeclarations(
  cli: Cli,
  paths: readonly string[],
  options: { readonly recursive: boolean },
): Promise<Declarations> {
  const namespace = await namespaceFor(cli);
  const documents: { readonly document: ManifestDocument; readonly folder: string }[] = [];
  for (const path of paths) {
    for (const source of await manifestFiles(cli, path, options)) {
      const text = await readSource(cli, source);
      const folder = source === '-' || isWebAddress(source) ? '.' : posix.dirname(source);
      const parsed = parseManifests(text, source).flatMap(expandList);
      documents.push(...parsed.map((document) => ({ document, folder })));
    }
  }
  if (documents.length === 0) throw new CommandError(`error: no objects in ${paths.join(', ')}`);
  const read = documents.map(({ document, folder }) => declare(document, folder, namespace));
  const declarations = read.flatMap((each) =>
    each.kind === 'declaration' ? [each.declaration] : [],
  );
  return {
    declarations: declarations.toSorted((a, b) => rankOf(a.object.kind) - rankOf(b.object.kind)),
    problems: read.flatMap((each) => (each.kind === 'problem' ? [`error: ${each.problem}`] : [])),
  };
}

async function namespaceFor(cli: Cli): Promise<NamespaceRule> {
  const { namespace } = cli.settings();
  // A config is not needed to validate files, so its absence is no failure here.
  const fallback = await cli.namespace().catch(() => 'default');
  return { fallback, required: namespace === '' ? undefined : namespace };
}

async function manifestFiles(
  cli: Cli,
  path: string,
  { recursive }: { readonly recursive: boolean },
): Promise<readonly string[]> {
  if (path === '-' || isWebAddress(path)) return [path];
  const kind = await cli.files.kind(path);
  if (kind === undefined) throw new CommandError(`error: the path "${path}" does not exist`);
  if (kind !== 'folder') return [path];
  const found = await manifestsIn(cli, path, recursive ? FOLDER_DEPTH_MAX : 0);
  if (found.length > 0) return found;
  throw new CommandError(`error: no .yaml, .yml or .json files in "${path}"`);
}

async function manifestsIn(cli: Cli, folder: string, depth: number): Promise<readonly string[]> {
  const found: string[] = [];
  for (const entry of await cli.files.list(folder)) {
    const path = posix.join(folder, entry.name);
    if (entry.kind === 'folder' && depth > 0) {
      found.push(...(await manifestsIn(cli, path, depth - 1)));
    }
    if (!/\.(ya?ml|json)$/i.test(entry.name)) continue;
    const kind = entry.kind === 'link' ? await cli.files.kind(path) : entry.kind;
    if (kind === 'file') found.push(path);
  }
  return found;
}

async function readSource(cli: Cli, source: string): Promise<string> {
  if (source === '-') return await cli.files.readStandardInput();
  if (isWebAddress(source)) return await readWebManifest(cli, source);
  const text = await cli.files.readText(source);
  if (text === undefined) throw new CommandError(`error: ${source} is gone`);
  return text;
}
