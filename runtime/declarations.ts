import { kindOf } from '../api/kinds.ts';
import { formatViolation, type ManifestDocument } from '../api/manifest.ts';
import type { Resource } from '../api/object.ts';
import { formatPath } from '../api/path.ts';
import { validateObject } from '../api/validate.ts';
import type { DeclaredObject } from './api-client.ts';
import { sopsOf } from './sops/is-encrypted.ts';

/** An object of a manifest that is right as far as one can tell without dom. */
export interface Declaration {
  /** What the manifest says, without defaults, in the namespace where it goes. */
  readonly object: DeclaredObject;
  readonly document: ObjectDocument;
  /** Where the manifest lies: paths in it are relative to here. */
  readonly folder: string;
}

export type ObjectDocument = Extract<ManifestDocument, { readonly kind: 'object' }>;

export interface NamespaceRule {
  /** For objects that name none. */
  readonly fallback: string;
  /** The one that all must be in; undefined: any. */
  readonly required: string | undefined;
}

export type Declared =
  | { readonly kind: 'declaration'; readonly declaration: Declaration }
  /** What is wrong, with file and line; several lines when several things are. */
  | { readonly kind: 'problem'; readonly problem: string };

/** What one document of a manifest declares. */
export function declare(
  document: ManifestDocument,
  folder: string,
  namespace: NamespaceRule,
): Declared {
  if (document.kind === 'error') return { kind: 'problem', problem: document.message };
  const sealed = sealedProblem(document);
  if (sealed !== undefined) return { kind: 'problem', problem: sealed };
  const validation = validateObject(document.raw);
  if (validation.kind === 'invalid') {
    const problems = validation.violations.map((each) => formatViolation(each, document));
    return { kind: 'problem', problem: invalidText(document, problems) };
  }
  const object = declaredObject(document.raw, validation.object, namespace);
  const given = object.metadata.namespace;
  if (namespace.required !== undefined && given !== undefined && given !== namespace.required) {
    const line = document.locate('metadata.namespace');
    const message = `the namespace "${given}" of the object is not the "${namespace.required}" of --namespace`;
    return { kind: 'problem', problem: `${message} (${document.source}:${line})` };
  }
  return { kind: 'declaration', declaration: { object, document, folder } };
}

/** What SOPS has encrypted must not be applied as it is: the ciphertext would become the value. */
function sealedProblem(document: ObjectDocument): string | undefined {
  const place = (path: string): string => `${document.source}:${document.locate(path)}`;
  if (sopsOf(document.raw) !== undefined)
    return `${place('sops')} is encrypted with SOPS, which only dom decrypts: push it to a repository that dom follows (spec.decryption), or sops --decrypt it to a pipe`;
  const { kind, spec } = isFields(document.raw) ? document.raw : {};
  const data = isFields(spec) ? spec['data'] : undefined;
  if (kind !== 'Secret' || !isFields(data)) return undefined;
  const name = Object.keys(data).find((key) => String(data[key]).startsWith(SEALED_BEGIN));
  if (name === undefined) return undefined;
  const path = formatPath(['spec', 'data', name]);
  return `${place(path)} ${path} is what SOPS made of a value, without the sops block that says how: take the file as SOPS wrote it`;
}

/** The objects of a `kind: List`, as `get -o yaml` prints it, each with its own lines. */
export function expandList(document: ManifestDocument): readonly ManifestDocument[] {
  if (document.kind === 'error') return [document];
  const { raw } = document;
  if (!isFields(raw) || raw['kind'] !== 'List' || !Array.isArray(raw['items'])) return [document];
  // Said of the file, not of each item.
  if (sopsOf(raw) !== undefined) return [document];
  return raw['items'].map((item: unknown, index) => ({
    ...document,
    raw: item,
    locate: (path: string) => document.locate(`items[${index}]${path === '' ? '' : `.${path}`}`),
  }));
}

/** How SOPS begins what it encrypts. */
const SEALED_BEGIN = 'ENC[AES256_GCM,';

/** Kinds that others refer to come first. */
const ORDER = ['Secret', 'Issuer', 'Node', 'Zone', 'Certificate', 'Release', 'Site'];

/** Objects of a lower rank are applied before those of a higher one. */
export function rankOf(kind: string): number {
  const index = ORDER.indexOf(kind);
  return index === -1 ? ORDER.length : index;
}

/** What is wrong with one object, one problem a line, under the object's name. */
export function invalidText(document: ObjectDocument, problems: readonly string[]): string {
  return [`${describeDocument(document)} is invalid:`, ...problems].join('\n  ');
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
