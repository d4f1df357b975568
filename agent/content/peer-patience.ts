import type { Clock } from '../../runtime/clock.ts';
import type { Digest } from '../../runtime/content/digest.ts';

/** An edge may lack what is wanted, while it fetches itself: for so long… */
export const PEER_PATIENCE_MS = 10_000;
/** …unless it gives so much meanwhile, or gets it itself: what it says of itself may be a lie. */
export const PEER_PROGRESS_BYTES_MIN = 160 * 1024;
/** A blob that it gives counts as so much at least: most are small. */
const BLOB_PROGRESS_BYTES_MIN = 8 * 1024;

/**
 * How long one edge is waited for: from when it first lacked something, until it has got on by
 * `PEER_PROGRESS_BYTES_MIN`, or `PEER_PATIENCE_MS` are over. So one that lies can cost no more
 * than that, and the time in which blobs of their size are got at the least rate.
 */
export class PeerPatience {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  /** Of blobs that it does not have yet: the most that it ever said to have, in bytes. */
  readonly #held = new Map<Digest, number>();
  /** Undefined: it has got on since it lacked anything. */
  #lackedSinceMs: number | undefined;
  /** Since then. */
  #progressBytes = 0;

  constructor(clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock;
  }

  /** It had nothing, or not all, of what it was asked for. `over`: it is not waited for any more. */
  lacked(): 'waits' | 'over' {
    const nowMs = this.#clock.monotonicMs();
    this.#lackedSinceMs ??= nowMs;
    return nowMs - this.#lackedSinceMs >= PEER_PATIENCE_MS ? 'over' : 'waits';
  }

  /** It gave a blob, whole and right. */
  gave(sizeBytes: number): void {
    this.#progress(Math.max(sizeBytes, BLOB_PROGRESS_BYTES_MIN));
  }

  /** It says to have so much of a blob by now: what is beyond the blob's end is no progress. */
  holds(
    { digest, sizeBytes }: { readonly digest: Digest; readonly sizeBytes: number },
    heldBytes: number,
  ): void {
    const beforeBytes = this.#held.get(digest) ?? 0;
    const nowBytes = Math.min(heldBytes, sizeBytes);
    if (nowBytes <= beforeBytes) return;
    this.#held.set(digest, nowBytes);
    this.#progress(nowBytes - beforeBytes);
  }

  #progress(bytes: number): void {
    this.#progressBytes += bytes;
    if (this.#progressBytes < PEER_PROGRESS_BYTES_MIN) return;
    this.#progressBytes = 0;
    this.#lackedSinceMs = undefined;
  }
}
