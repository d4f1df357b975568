/** Paths that every release has, with the file that answers each. */
export const PAGES = [
  { path: '/', file: 'index.html' },
  { path: '/about', file: 'about.html' },
  { path: '/assets/style.css', file: 'assets/style.css' },
] as const;

/** What elaborate releases have besides; Sites may guard it. */
export const MEMBERS_PAGE = { path: '/members/list', file: 'members/list.html' } as const;
/** What `spec.auth` guards, if anything. */
export const MEMBERS_PATHS = ['/members/*'] as const;

/** A header of all that a release with rules is answered with: its version. */
export const VERSION_HEADER = 'x-version';
/** Where such a release sends to `movedTo`; others have nothing there. */
export const MOVED_PATH = '/moved';

export function movedTo(version: number): string {
  return `/version-${version}`;
}

/** The file that answers a path. Throws for one that no release has. */
export function fileOf(path: string): string {
  const page = PAGES.find((each) => each.path === path);
  if (page === undefined) throw new Error(`no release has ${path}`);
  return page.file;
}
