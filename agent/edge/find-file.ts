import type { EdgeFile, EdgeRelease } from './release.ts';
import type { CompiledSite } from './site-table.ts';

export type Found =
  | { readonly kind: 'file'; readonly file: EdgeFile }
  /** A folder that was asked for without its final slash: relative links would miss. */
  | { readonly kind: 'folder' }
  | { readonly kind: 'none' };

/** What a decoded path stands for in a release. */
export function findFile(path: string, site: CompiledSite, release: EdgeRelease): Found {
  const key = path.slice(1);
  const isFolder = path.endsWith('/');
  const file = isFolder
    ? release.files.get(`${key}index.html`)
    : (release.files.get(key) ?? release.files.get(`${key}.html`));
  if (file !== undefined) return { kind: 'file', file };
  if (!isFolder && release.files.has(`${key}/index.html`)) return { kind: 'folder' };
  if (site.singlePageApp && !path.slice(path.lastIndexOf('/')).includes('.')) {
    const app = release.files.get('index.html');
    if (app !== undefined) return { kind: 'file', file: app };
  }
  return { kind: 'none' };
}
