import { posix } from 'node:path';
import { kindOf } from '../api/kinds.ts';
import { formatViolation, type ManifestDocument, parseManifests } from '../api/manifest.ts';
import type { Resource } from '../api/object.ts';
import { validateObject } from '../api/validate.ts';
import type { DeclaredObject } from '../runtime/api-client.ts';
import { type Cli, CommandError } from './cli.ts';

/** An object of a manifest that is right as far as one can tell without dom. */
export interface Declaration {
  /** What the manifest says, without defaults, in the namespace where it goes. */
  readonly object: DeclaredObject;
  readonly document: ObjectDocument;
  /** Where the manifest lies: paths in it are relative to here. */
  readonly folder: string;
}

export type ObjectDocument = Extract<ManifestDocument, { readonly kind: 'object' }>;

export interface Declarations {
  /** In an order in which none needs a later one. */
  readonly declarations: readonly Declaration[];
  /** What is wrong with the others, one message each, with file and line. */
  readonly problems: readonly string[];
}

/** How deep `-R` descends. */
const FOLDER_DEPTH_MAX = 32;

/** Reads what `-f` names: files, folders, "-" for standard input. */
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
      const folder = source === '-' ? '.' : posix.dirname(source);
      const parsed = parseManifests(text, source).flatMap(expandList);
      documents.push(...parsed.map((document) => ({ document, folder })));
    }
  }
  if (documents.length === 0) throw new CommandError(`error: no objects in ${paths.join(', ')}`);
  const read = documents.map(({ document, folder }) => declare(document, folder, namespace));
  const declarations = read.flatMap(({ declaration }) => declaration ?? []);
  return {
    declarations: declarations.toSorted((a, b) => rank(a.object.kind) - rank(b.object.kind)),
    problems: read.flatMap(({ problems }) => problems),
  };
}

/** Kinds that others refer to come first. */
const ORDER = ['Issuer', 'Node', 'Zone', 'Certificate', 'Release', 'Site'];

function rank(kind: string): number {
  const index = ORDER.indexOf(kind);
  return index === -1 ? ORDER.length : index;
}

interface NamespaceRule {
  /** For objects that name none. */
  readonly fallback: string;
  /** The one that `-n` insists on. */
  readonly required: string | undefined;
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
  if (path === '-') return ['-'];
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
  const text = await cli.files.readText(source);
  if (text === undefined) throw new CommandError(`error: ${source} is gone`);
  return text;
}

/** The objects of a `kind: List`, as `get -o yaml` prints it, each with its own lines. */
function expandList(document: ManifestDocument): readonly ManifestDocument[] {
  if (document.kind === 'error') return [document];
  const { raw } = document;
  if (!isFields(raw) || raw['kind'] !== 'List' || !Array.isArray(raw['items'])) return [document];
  return raw['items'].map((item: unknown, index) => ({
    ...document,
    raw: item,
    locate: (path: string) => document.locate(`items[${index}]${path === '' ? '' : `.${path}`}`),
  }));
}

interface Read {
  readonly declaration?: Declaration;
  readonly problems: readonly string[];
}

function declare(document: ManifestDocument, folder: string, namespace: NamespaceRule): Read {
  if (document.kind === 'error') return { problems: [`error: ${document.message}`] };
  const validation = validateObject(document.raw);
  if (validation.kind === 'invalid') {
    const problems = validation.violations.map((each) => formatViolation(each, document));
    return { problems: [invalidText(document, problems)] };
  }
  const object = declaredObject(document.raw, validation.object, namespace);
  const given = object.metadata.namespace;
  if (namespace.required !== undefined && given !== undefined && given !== namespace.required) {
    const line = document.locate('metadata.namespace');
    const message = `the namespace "${given}" of the object is not the "${namespace.required}" of --namespace`;
    return { problems: [`error: ${message} (${document.source}:${line})`] };
  }
  return { declaration: { object, document, folder }, problems: [] };
}

/** What is wrong with one object, one problem a line, under the object's name. */
export function invalidText(document: ObjectDocument, problems: readonly string[]): string {
  return [`error: ${describeDocument(document)} is invalid:`, ...problems].join('\n  ');
}

function describeDocument({ raw }: ObjectDocument): string {
  const { kind, metadata } = isFields(raw) ? raw : {};
  const name = isFields(metadata) ? metadata['name'] : undefined;
  const type = typeof kind === 'string' ? (kindOf(kind)?.kind ?? kind) : 'an object';
  return typeof name === 'string' ? `${type} "${name}"` : type;
}

/** Only what a person declares: a file that `get -o yaml` made can be applied as it is. */
function declaredObject(
  raw: unknown,
  { apiVersion, kind, metadata }: Resource,
  { fallback }: NamespaceRule,
): DeclaredObject {
  const given = isFields(raw) ? raw : {};
  const givenMetadata = isFields(given['metadata']) ? given['metadata'] : {};
  const isNamespaced = kindOf(kind)?.scope === 'namespace';
  const { name, labels, annotations } = metadata;
  const namespace = givenMetadata['namespace'] === undefined ? fallback : metadata.namespace;
  return {
    apiVersion,
    kind,
    metadata: {
      name,
      ...(isNamespaced && namespace !== undefined && { namespace }),
      ...(labels !== undefined && { labels }),
      ...(annotations !== undefined && { annotations }),
    },
    spec: given['spec'] ?? {},
  };
}

function isFields(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
