/** What is remembered between two looks of who clears up: some 50 MB. */
export const ASKED_MAX = 500_000;

/**
 * Keeps those who ask about blobs, or bring them, and who clears them away, from each other's throat:
 * a push that was told that a blob is here must find it here when its Release is declared.
 *
 * Guarantees: of one digest, a removal that has begun is over before anybody is answered; and what
 * was asked about since the last `take` is not removed.
 * Caveats: beyond ASKED_MAX digests everything counts as asked about.
 */
export class Asked {
  #asked = new Set<string>();
  #extent: 'known' | 'all' = 'known';
  readonly #leaving = new Map<string, Promise<unknown>>();

  /** To be awaited before anything is said of the blob, or put in its place. */
  async about(digest: string): Promise<void> {
    // Noted at once, not after the wait: a removal may begin in between.
    if (this.#asked.size < ASKED_MAX) this.#asked.add(digest);
    else if (!this.#asked.has(digest)) this.#extent = 'all';
    // Whether it failed is for who removes: what is there is looked at after this.
    await this.#leaving.get(digest)?.catch(() => undefined);
  }

  /** What was asked about since the last call; `all`: too many to know them. */
  take(): ReadonlySet<string> | 'all' {
    const taken = this.#extent === 'all' ? this.#extent : this.#asked;
    this.#asked = new Set();
    this.#extent = 'known';
    return taken;
  }

  async unlessAsked(digest: string, remove: () => Promise<void>): Promise<'discarded' | 'asked'> {
    while (this.#leaving.has(digest)) await this.#leaving.get(digest)?.catch(() => undefined);
    // From here to where the removal is noted nobody gets a word in.
    if (this.#extent === 'all' || this.#asked.has(digest)) return 'asked';
    const leaving = remove();
    this.#leaving.set(digest, leaving);
    try {
      await leaving;
    } finally {
      this.#leaving.delete(digest);
    }
    return 'discarded';
  }
}
