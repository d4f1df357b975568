/**
 * The parts of a path of a `Disk`; the empty path is the disk's own folder.
 *
 * Errors: a `RangeError` for a path that would leave the disk: `..`, a leading `/`, NUL.
 */
export function diskPathParts(path: string): readonly string[] {
  if (path === '') return [];
  const parts = path.split('/');
  if (path.includes('\0') || parts.some((part) => part === '' || part === '.' || part === '..')) {
    throw new RangeError(`disk path ${JSON.stringify(path)}: must stay inside the disk`);
  }
  return parts;
}
