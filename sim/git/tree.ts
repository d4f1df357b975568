import { posix } from 'node:path';
import { contentTypeOf } from '../../runtime/content/content-type.ts';
import { type Digest, digestOf } from '../../runtime/content/digest.ts';
import { encodeManifest } from '../../runtime/content/manifest.ts';
import type { FakeFile } from '../../runtime/git/fake/remote.ts';
import type { Published } from '../load/content.ts';
import { NAMESPACE } from '../load/wish.ts';

/** An object that a commit declares. */
export interface Declaration {
  readonly kind: 'Issuer' | 'Site';
  readonly name: string;
  /** Whose Repository follows it: its `spec.path`. */
  readonly folder: string;
  /** Within that folder. */
  readonly file: string;
  /** As declared, without what is said of content. */
  readonly spec: object;
  readonly labels?: Readonly<Record<string, string>>;
  /** Of a Site, beside its manifest. */
  readonly content?: Published;
}

/** What a commit holds, as whoever made it means it. */
export interface Tree {
  /** By key of the object, `Issuer//git-a`. */
  readonly objects: ReadonlyMap<string, Declaration>;
  /** Folders in which a manifest cannot be read. */
  readonly broken: ReadonlySet<string>;
}

export const EMPTY_TREE: Tree = { objects: new Map(), broken: new Set() };

export function keyOf({ kind, name }: Pick<Declaration, 'kind' | 'name'>): string {
  return `${kind}/${kind === 'Issuer' ? '' : NAMESPACE}/${name}`;
}

/**
 * What a Repository of that folder is to make of it: the spec of each object by its key; undefined:
 * nothing, for it is refused.
 */
export function declaredIn(
  { objects, broken }: Tree,
  folder: string,
): ReadonlyMap<string, object> | undefined {
  const own = [...objects].filter(([, each]) => each.folder === folder);
  if (broken.has(folder) || own.length === 0) return undefined;
  return new Map(own.map(([key, each]) => [key, specOf(each)]));
}

function specOf({ spec, content }: Declaration): object {
  return content === undefined ? spec : { ...spec, content: { release: content.digest } };
}

export function filesOf({ objects, broken }: Tree): Readonly<Record<string, FakeFile>> {
  // So that a folder of which nothing is left is a folder.
  const readme = 'What is here is followed.';
  const files: Record<string, FakeFile> = { 'one/README.md': readme, 'two/README.md': readme };
  for (const declaration of objects.values()) {
    const { kind, name, folder, file, labels, content } = declaration;
    const path = `${folder}/${file}`;
    const place = `${name}-public`;
    for (const [page, bytes] of content?.files ?? [])
      files[`${posix.dirname(path)}/${place}/${page}`] = bytes;
    const spec =
      content === undefined
        ? declaration.spec
        : { ...declaration.spec, content: { path: `./${place}` } };
    const metadata = { name, ...(labels === undefined ? {} : { labels }) };
    files[path] = JSON.stringify({ apiVersion: 'b8s.dev/v1', kind, metadata, spec }, undefined, 1);
  }
  const typo = 'apiVersion: b8s.dev/v1\nkind: Issuer\nmetadata: { name: x }\nspec: { cax: {} }\n';
  for (const folder of broken) files[`${folder}/typo.yaml`] = typo;
  return files;
}

/** Some version of the pages of a Site, as a release of them is named. */
export function makePages(site: string, version: number): Published {
  const texts: readonly (readonly [string, string])[] = [
    ['about.html', 'always the same'],
    ['index.html', `<h1>${site} of commit ${version}</h1>`],
  ];
  const files = new Map(texts.map(([path, text]) => [path, Buffer.from(text)]));
  const manifest = encodeManifest(
    [...files].map(([path, bytes]) => {
      const contentType = contentTypeOf(path);
      return { path, digest: digestOf(bytes), sizeBytes: bytes.length, contentType };
    }),
  );
  const digest = digestOf(manifest);
  const blobs = [...files.values()].map((bytes): [Digest, Uint8Array] => [digestOf(bytes), bytes]);
  const sizeBytes = [...files.values()].reduce((sum, bytes) => sum + bytes.length, 0);
  return { digest, files, blobs: [...blobs, [digest, manifest]], sizeBytes };
}
