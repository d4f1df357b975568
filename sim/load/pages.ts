/** Paths that every release has, with the file that answers each. */
export const PAGES = [
  { path: '/', file: 'index.html' },
  { path: '/about', file: 'about.html' },
  { path: '/assets/style.css', file: 'assets/style.css' },
] as const;

/** The file that answers a path. Throws for one that no release has. */
export function fileOf(path: string): string {
  const page = PAGES.find((each) => each.path === path);
  if (page === undefined) throw new Error(`no release has ${path}`);
  return page.file;
}
