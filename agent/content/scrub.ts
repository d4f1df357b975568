import { createHash } from 'node:crypto';
import type { Clock } from '../../runtime/clock.ts';
import { blobPath, type Digest } from '../../runtime/content/digest.ts';
import type { Disk } from '../../runtime/disk/disk.ts';
import type { Log } from '../../runtime/log.ts';
import { createTrigger, raisedWithin } from '../trigger.ts';

/** From the end of a look through all blobs to the next one. */
export const SCRUB_INTERVAL_MS = 24 * 60 * 60 * 1000;
/** Of the time a look takes at most this part: requests come first. */
const SCRUB_SHARE_MAX = 1 / 20;
/** A disk may misread: what was wrong so often in a row is wrong. */
const READS_MAX = 3;
const READ_AGAIN_MS = 1000;
/** More are found by the next look through all. */
const SUSPECTS_MAX = 1000;

export interface ScrubOptions {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly log: Log;
  /** The digests of all blobs on disk. */
  readonly list: () => Promise<readonly Digest[]>;
  /** A suspect was gone, or something damaged has been removed: look at the disk again. */
  readonly onMissing: () => void;
}

/**
 * Looks for blobs that have rotted at rest, and removes them: to the reconciler they are then
 * missing, so their releases are no longer verified, and they are fetched again.
 *
 * Caveat: until it comes by, a large file may be sent with a wrong byte; small ones are verified as
 * they enter memory.
 */
export class Scrub {
  readonly #options: ScrubOptions;
  readonly #suspected = createTrigger();
  readonly #suspects = new Set<Digest>();
  /** What reading took since it was set to 0; a pause before another try harms no request. */
  #readingMs = 0;

  constructor(options: ScrubOptions) {
    this.#options = options;
  }

  /** Somebody could not read this blob as what its name says: it is looked at before all others. */
  suspect(blob: Digest): void {
    if (this.#suspects.size >= SUSPECTS_MAX) return;
    this.#suspects.add(blob);
    this.#suspected.raise();
  }

  /** Looks through all, at once and then from time to time, until `signal` is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#lookThrough(signal);
        await this.#rest(SCRUB_INTERVAL_MS, signal);
      } catch (error) {
        if (signal.aborted) return;
        this.#options.log.warn({ error: String(error) }, 'blobs could not be looked through');
        await this.#rest(READ_AGAIN_MS, signal).catch(() => undefined);
      }
    }
  }

  async #lookThrough(signal: AbortSignal): Promise<void> {
    for (const blob of await this.#options.list()) {
      this.#readingMs = 0;
      await this.#look(blob, signal);
      await this.#rest(this.#readingMs / SCRUB_SHARE_MAX - this.#readingMs, signal);
    }
  }

  /** Looks at nothing but suspects for that long. */
  async #rest(ms: number, signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    const untilMs = clock.monotonicMs() + ms;
    for (;;) {
      for (const suspect of [...this.#suspects]) {
        this.#suspects.delete(suspect);
        if ((await this.#look(suspect, signal)) === 'absent') this.#options.onMissing();
      }
      const leftMs = untilMs - clock.monotonicMs();
      if (leftMs < 1) return;
      await raisedWithin(this.#suspected, { clock, ms: leftMs, signal });
    }
  }

  async #look(
    blob: Digest,
    signal: AbortSignal,
  ): Promise<'whole' | 'absent' | 'removed' | 'not read'> {
    const { disk, clock, log, onMissing } = this.#options;
    let why = '';
    for (let reads = 0; reads < READS_MAX; reads += 1) {
      if (reads > 0) await clock.sleep(READ_AGAIN_MS, signal);
      signal.throwIfAborted();
      const found = await this.#digestOf(blob).catch((error: unknown) =>
        isShortage(error) ? 'shortage' : String(error),
      );
      if (found === blob) return 'whole';
      if (found === 'shortage') {
        this.#suspects.add(blob);
        return 'not read';
      }
      if (found === undefined) return 'absent';
      why = found;
    }
    log.error({ digest: blob, found: why }, 'a blob is damaged and is fetched again');
    await disk.remove(blobPath(blob));
    onMissing();
    return 'removed';
  }

  async #digestOf(blob: Digest): Promise<string | undefined> {
    const { clock, disk } = this.#options;
    const startMs = clock.monotonicMs();
    try {
      if ((await disk.stat(blobPath(blob))) === undefined) return undefined;
      const hash = createHash('sha256');
      const pieces = disk.stream(blobPath(blob), { memory: 'one piece' });
      for await (const piece of pieces) hash.update(piece);
      return `sha256-${hash.digest('hex')}`;
    } finally {
      this.#readingMs += clock.monotonicMs() - startMs;
    }
  }
}

/** The machine has no more open files or memory to give: that says nothing of what was to be read. */
function isShortage(error: unknown): boolean {
  const { code } = error instanceof Error ? (error as Error & { readonly code?: unknown }) : {};
  return code === 'EMFILE' || code === 'ENFILE' || code === 'ENOMEM';
}
