import { stringify } from 'yaml';
import { API_VERSION } from '../../api/object.ts';
import type { Value } from './reader.ts';
import type { CommitAction, Manifest } from './scenario.ts';
import { siteAndVersion } from './words.ts';

/**
 * Reads what is pushed: `commit: its message`, and beside it `files`, `pages` and `removes`. A file is
 * a text, or a manifest, which need not be a good one.
 */
export function parseCommit(
  value: Value,
  beside: (name: string) => Value | undefined,
): CommitAction {
  const manifests: Manifest[] = [];
  const files = (beside('files')?.entries() ?? []).map(([path, file]): [string, string] => {
    if (!file.is('mapping')) return [path, file.text()];
    const manifest = { apiVersion: API_VERSION, ...(file.plain() as object) };
    const fields = file.fields(['apiVersion', 'kind', 'metadata', 'spec']);
    fields.need('kind').text();
    fields.need('metadata').fields(['name', 'labels', 'annotations']).need('name').text();
    manifests.push(manifest as Manifest);
    return [path, stringify(manifest)];
  });
  const pages = beside('pages')?.entries() ?? [];
  return {
    message: value.text(),
    files: new Map(files),
    manifests,
    pages: new Map(pages.map(([folder, each]) => [folder, siteAndVersion(each)])),
    removes: (beside('removes')?.list() ?? []).map((each) => each.text()),
  };
}
