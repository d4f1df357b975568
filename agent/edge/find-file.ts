import type { EdgeFile, EdgeRelease } from './release.ts';
import { withOneSlash } from './rules/redirect-target.ts';

/** What the addresses of pages look like. */
export interface AddressRules {
  /** `/about.html` is sent to `/about`. */
  readonly hideHtml: boolean;
  /** `auto`: folders end in a slash, other pages do not. */
  readonly trailingSlash: 'auto' | 'always' | 'never';
}

export type Found =
  | { readonly kind: 'file'; readonly file: EdgeFile }
  /** The page has another address, decoded, at which relative links are right. */
  | { readonly kind: 'elsewhere'; readonly path: string }
  | { readonly kind: 'none' };

/** What a decoded path stands for in a release. */
export function findFile(path: string, rules: AddressRules, release: EdgeRelease): Found {
  const file = lookUp(path, release);
  if (file === undefined) return { kind: 'none' };
  const preferred = preferredAddress(path, file, rules);
  // Where that is another file's address, as of a page beside a folder of its name, both stay.
  if (preferred === path || lookUp(preferred, release) !== file) return { kind: 'file', file };
  return { kind: 'elsewhere', path: withOneSlash(preferred) };
}

/** The file at a path, whichever way its address is written. */
export function lookUp(path: string, { files }: EdgeRelease): EdgeFile | undefined {
  const key = path.slice(1);
  if (!path.endsWith('/'))
    return files.get(key) ?? files.get(`${key}.html`) ?? files.get(`${key}/index.html`);
  const page = path === '/' ? undefined : files.get(`${key.slice(0, -1)}.html`);
  return files.get(`${key}index.html`) ?? page;
}

const INDEX = 'index.html';
const HTML = '.html';

function preferredAddress(
  path: string,
  file: EdgeFile,
  { hideHtml, trailingSlash }: AddressRules,
): string {
  const own = `/${file.path}`;
  if (path === own && !(hideHtml && own.endsWith(HTML))) return path;
  if (path === own && path === `/${INDEX}`) return '/';
  if (own.endsWith(`/${INDEX}`)) {
    const folder = own.slice(0, -INDEX.length);
    return trailingSlash === 'never' && folder !== '/' ? folder.slice(0, -1) : folder;
  }
  const page = own.slice(0, -HTML.length);
  return trailingSlash === 'always' ? `${page}/` : page;
}

/**
 * Every address that a file can be reached at, decoded: who guards one of them means the file.
 */
export function addressesOf({ path }: EdgeFile): readonly string[] {
  const own = `/${path}`;
  if (!own.endsWith(HTML)) return [own];
  const page = own.slice(0, -HTML.length);
  if (!own.endsWith(`/${INDEX}`)) return [own, page, `${page}/`];
  const folder = own.slice(0, -INDEX.length);
  return [own, page, `${page}/`, folder, folder.slice(0, -1) || '/'];
}

/** Folders that are looked into. */
const NOT_FOUND_DEPTH_MAX = 32;

/**
 * The page for a path that there is not: the nearest one of that name, from the path's own folder
 * upwards, as Cloudflare Pages has it. A name with a folder is that one file.
 */
export function findNotFoundPage(
  path: string,
  name: string,
  { files }: EdgeRelease,
): EdgeFile | undefined {
  if (name === '' || name.includes('/')) return files.get(name);
  const folders = path.split('/', NOT_FOUND_DEPTH_MAX + 1).slice(1, -1);
  for (let depth = folders.length; depth > 0; depth -= 1) {
    const page = files.get(`${folders.slice(0, depth).join('/')}/${name}`);
    if (page !== undefined) return page;
  }
  return files.get(name);
}
