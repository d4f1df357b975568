import { RecentMap } from '../../../runtime/recent-map.ts';
import type { PrepareOptions } from '../commit/prepare.ts';
import type { CommitSet } from '../facts.ts';

/** Of all together: two Repositories of the largest size, or many small ones. */
const OBJECTS_MAX = 20_000;
const SETS_MAX = 64;

/**
 * Commits that were prepared for forecasts, so that who asks about one a second time, or from another
 * Repository that follows it, does not have all of it read anew. Those that were not asked for the
 * longest go first. One that is refused is not kept: who mends a key or a signer asks again. Nor is
 * one that may hold decrypted values, which are to be in memory for as short as can be.
 */
export class PreparedCommits {
  readonly #sets = new RecentMap<string, CommitSet>();
  #objects = 0;

  /** `key`: of all that it depends on: the commit, how it was found, and `Wanted.key`. */
  get(key: string): CommitSet | undefined {
    return this.#sets.get(key);
  }

  keep(key: string, set: CommitSet, { decryption }: Pick<PrepareOptions, 'decryption'>): void {
    if (set.problems.length > 0 || set.desired.length > OBJECTS_MAX) return;
    if (decryption !== undefined) return;
    const before = this.#sets.set(key, set);
    this.#objects += set.desired.length - (before?.desired.length ?? 0);
    while (this.#objects > OBJECTS_MAX || this.#sets.size > SETS_MAX)
      this.#objects -= this.#sets.takeOldest()?.desired.length ?? 0;
  }
}
