import type { Repository } from '../../../api/repository.ts';
import type { Facts } from '../facts.ts';

/**
 * Whether a commit was rolled back, and the Repository still means the same by it. That it was
 * suspended for a while, or is looked at more often, makes no better commit of it.
 */
export function isBad({ record: { bad }, repository }: Facts, commit: string): boolean {
  return bad?.commit === commit && bad.meant === meantBy(repository);
}

/** What of a Repository decides what becomes of a commit. */
export function meantBy({ spec }: Repository): string {
  const { url, path, timeout } = spec;
  return JSON.stringify([url, path, timeout]);
}
