import { formatBytes } from '../../api/column.ts';

/** What every system says of a full disk (ENOSPC), and what is said of it here. */
const FULL = /no space left/u;

export function isDiskFull(why: string): boolean {
  return FULL.test(why);
}

/** Why something did not get to the disk, with the mend where that is known. */
export function inWords(why: string, sizeBytes?: number): string {
  if (!isDiskFull(why)) return why;
  const what = sizeBytes === undefined ? '' : ` for ${formatBytes(sizeBytes)}`;
  return `its disk is full: no space left${what}; make room, and it goes on by itself`;
}
