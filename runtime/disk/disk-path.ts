/**
 * The parts of a path of a `Disk`; the empty path is the disk's own folder.
 *
 * Errors: a `RangeError` for a path that would leave the disk: `..`, a leading `/`, NUL.
 */
export function diskPathParts(path: string): readonly string[] {
  checkDiskPath(path);
  return path === '' ? [] : path.split('/');
}

/** The same errors, for who has no use for the parts. */
export function checkDiskPath(path: string): void {
  if (path === '' || !LEAVES.test(path)) return;
  throw new RangeError(`disk path ${JSON.stringify(path)}: must stay inside the disk`);
}

/** A part that is empty, `.` or `..`; NUL. */
const LEAVES = /(?:^|\/)\.{0,2}(?:\/|$)|\0/u;
