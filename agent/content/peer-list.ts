import type { BlobSource } from '../../runtime/content/blob-source.ts';
import type { Digest } from '../../runtime/content/digest.ts';
import { peerPath, severalPath } from '../../runtime/content/peer-url.ts';
import type { Peer, PeerAnswer, PeerFetcher } from '../../runtime/content/peers.ts';
import { NOT_YET, parseHeads, type SmallBlobs } from '../../runtime/content/small-blobs.ts';
import { withDeadline } from '../../runtime/deadline.ts';
import { watched } from '../watched.ts';
import { type InUse, PeerChoice, type PeerChoiceOptions } from './peer-choice.ts';
import { PEER_PATIENCE_MS } from './peer-patience.ts';
import type { FetchOutcome, ListedBlob } from './sources.ts';

/** For an edge to answer, and between two pieces of what it sends. */
export const PEER_STALL_MS = 5_000;
/** While it has not all of what it is asked for by one question, the next one waits for so long. */
const PEER_REST_MS = 100;
/** Once it has something, so many others are asked for: it gets them in the same order as we. */
const WOKEN = 2;
/** An edge that sends less is left aside, once it has had time to show it. */
export const PEER_BYTES_PER_S_MIN = 64 * 1024;

export interface PeerListOptions extends PeerChoiceOptions {
  readonly source: BlobSource;
  readonly fetcher: PeerFetcher;
}

/** One blob to be asked for alone. */
interface Wanted {
  readonly digest: Digest;
  readonly sizeBytes: number;
  readonly offsetBytes: number;
}

/** Whom a blob that is under way comes from, and how it was asked for. */
interface Served {
  readonly inUse: InUse;
  readonly offsetBytes: number;
  readonly asked: InUse['questions'];
}

/**
 * The sources of one release or index: edges in the order that dom gave, one after the other, and
 * behind them dom itself.
 */
export class PeerList implements Pick<BlobSource, 'fetchSmall'> {
  readonly #options: PeerListOptions;
  readonly #choice: PeerChoice;
  /** Whom blobs that are under way come from. */
  readonly #servedBy = new Map<Digest, Served>();

  constructor(options: PeerListOptions) {
    this.#options = options;
    this.#choice = new PeerChoice(options);
  }

  /** For a blob of this size, to be asked for alone. */
  alone(sizeBytes: number): BlobSource {
    return {
      fetch: (digest, offsetBytes, signal) =>
        this.#fetch({ digest, sizeBytes, offsetBytes }, signal),
    };
  }

  async *#fetch(wanted: Wanted, signal: AbortSignal): AsyncIterable<Uint8Array> {
    const { digest, offsetBytes } = wanted;
    this.#servedBy.delete(digest);
    for (;;) {
      const inUse = await this.#choice.current(signal);
      if (inUse === undefined) break;
      const pieces = await this.#ask(inUse, wanted, signal);
      if (pieces === undefined) continue;
      this.#servedBy.set(digest, { inUse, offsetBytes, asked: 'for one' });
      yield* pieces;
      return;
    }
    yield* this.#options.source.fetch(digest, offsetBytes, signal);
  }

  async fetchSmall(
    digests: readonly Digest[],
    signal: AbortSignal,
  ): Promise<SmallBlobs | 'unknown'> {
    for (const digest of digests) this.#servedBy.delete(digest);
    for (;;) {
      const inUse = await this.#choice.current(signal);
      if (inUse === undefined) break;
      const answer = await this.#askSeveral(inUse, digests, signal);
      if (answer !== undefined) return answer;
    }
    return (await this.#options.source.fetchSmall?.(digests, signal)) ?? 'unknown';
  }

  /** So much of the list is not here by now. */
  lacks(missingBytes: number): void {
    this.#choice.missingBytes = missingBytes;
  }

  isDomAlone(): boolean {
    return this.#choice.isDomAlone();
  }

  /** Whether who is in use, or will be, can be asked for several small blobs at once. */
  takesSeveral(): boolean {
    return this.#choice.inUse?.questions !== 'for one';
  }

  /** `again`: it was an edge's fault, which is left aside by now. */
  ended(
    { digest, sizeBytes = 0 }: Pick<ListedBlob, 'digest' | 'sizeBytes'>,
    outcome: FetchOutcome,
  ): 'again' | 'over' {
    const served = this.#servedBy.get(digest);
    this.#servedBy.delete(digest);
    if (served === undefined) return 'over';
    const { inUse, offsetBytes, asked } = served;
    const { log, list } = this.#options;
    switch (outcome) {
      case 'done':
        inUse.patience.gave(sizeBytes);
        if (inUse.proven.has(asked)) return 'over';
        inUse.proven.add(asked);
        log.info({ peer: inUse.peer.node, list, asked }, 'an edge is fetched from');
        return 'over';
      case 'wrong bytes':
        // Of a blob in two parts nobody knows which is wrong: the next try begins anew.
        if (offsetBytes === 0) this.#choice.leave(inUse, `it sent wrong bytes for ${digest}`);
        return 'again';
      case 'failed':
        return inUse.standing === 'left' ? 'again' : 'over';
    }
  }

  /** Undefined: look who is in use by now. */
  async #ask(
    inUse: InUse,
    wanted: Wanted,
    signal: AbortSignal,
  ): Promise<AsyncIterable<Uint8Array> | undefined> {
    const { digest, offsetBytes } = wanted;
    const { peer } = inUse;
    const path = peerPath(this.#grantOf(peer), digest);
    const answer = await this.#answerOf(inUse, { what: digest, path, offsetBytes }, signal);
    switch (answer.kind) {
      case 'bytes':
        inUse.turns.wake(WOKEN);
        return this.#paced(inUse, answer.pieces, { what: digest, signal });
      case 'denied':
        if (this.#choice.denied(inUse, peer) === 'refused') this.#choice.leave(inUse, answer.why);
        return undefined;
      case 'refused':
        this.#choice.leave(inUse, answer.why);
        return undefined;
      case 'not yet':
        inUse.patience.holds(wanted, answer.heldBytes);
        return this.#wait(inUse, signal);
      case 'busy':
        return this.#wait(inUse, signal);
    }
  }

  /** As `#ask`. Of those that it does not have yet it says so. */
  async #askSeveral(
    inUse: InUse,
    digests: readonly Digest[],
    signal: AbortSignal,
  ): Promise<SmallBlobs | undefined> {
    const { clock } = this.#options;
    const restMs = inUse.restUntilMs - clock.monotonicMs();
    if (restMs > 0) {
      await clock.sleep(restMs, signal);
      if (this.#choice.inUse !== inUse) return undefined;
    }
    const what = `${digests.length} blobs`;
    const { peer } = inUse;
    const path = severalPath(this.#grantOf(peer), digests);
    const answer = await this.#answerOf(inUse, { what, path, offsetBytes: 0 }, signal);
    switch (answer.kind) {
      case 'bytes': {
        const heads = parseHeads(answer.heads ?? '', digests.length);
        if (heads === undefined) {
          this.#choice.leave(inUse, `fetch ${what}: it names others`);
          return undefined;
        }
        return this.#taken(inUse, { digests, heads, pieces: answer.pieces }, signal);
      }
      case 'denied':
        return this.#choice.denied(inUse, peer) === 'over'
          ? undefined
          : this.#oneByOne(inUse, digests);
      case 'refused':
        return inUse.standing === 'left' ? undefined : this.#oneByOne(inUse, digests);
      case 'not yet':
      case 'busy':
        return this.#waitFor(inUse, digests, signal);
    }
  }

  /** What came for a question for several, as `#askSeveral` gives it. */
  async #taken(
    inUse: InUse,
    { digests, heads, pieces }: SmallBlobs & { readonly digests: readonly Digest[] },
    signal: AbortSignal,
  ): Promise<SmallBlobs | undefined> {
    const { clock, log, list } = this.#options;
    // It says in other words that it has nothing.
    if (!heads.some((head) => typeof head === 'number'))
      return this.#waitFor(inUse, digests, signal);
    inUse.turns.wake(WOKEN);
    if (heads.includes(NOT_YET)) {
      if (!this.#isWorthWaiting(inUse)) return undefined;
      inUse.restUntilMs = clock.monotonicMs() + PEER_REST_MS;
      log.debug({ peer: inUse.peer.node, list }, 'an edge has not all of it yet');
    }
    const served = { inUse, offsetBytes: 0, asked: 'for several' } as const;
    for (const digest of digests) this.#servedBy.set(digest, served);
    const what = `${digests.length} blobs`;
    return { heads, pieces: this.#paced(inUse, pieces, { what, signal }) };
  }

  /** It may be too old for questions for several: asked for one it gives it, or is left aside. */
  #oneByOne(inUse: InUse, digests: readonly Digest[]): SmallBlobs {
    inUse.questions = 'for one';
    return noneYet(digests);
  }

  /** It has none of these now: once it is worth to ask once more others may be asked for first. */
  async #waitFor(
    inUse: InUse,
    digests: readonly Digest[],
    signal: AbortSignal,
  ): Promise<SmallBlobs | undefined> {
    await this.#wait(inUse, signal);
    return inUse === this.#choice.inUse ? noneYet(digests) : undefined;
  }

  #grantOf(peer: Peer): Parameters<typeof peerPath>[0] {
    const { list, node } = this.#options;
    return { list, node, untilS: peer.untilS, key: peer.grant };
  }

  /** `refused`: that it gave none is as bad. */
  async #answerOf(
    inUse: InUse,
    wanted: { readonly what: string; readonly path: string; readonly offsetBytes: number },
    signal: AbortSignal,
  ): Promise<PeerAnswer> {
    const { clock, fetcher } = this.#options;
    const { peer } = inUse;
    const { what, path, offsetBytes } = wanted;
    const late = `fetch ${what} from ${peer.node}: no answer`;
    try {
      return await withDeadline(
        // The signal of the deadline ends with it, and the pieces come later.
        () => fetcher.get(peer, { path, offsetBytes }, signal),
        { clock, ms: PEER_STALL_MS, signal, late },
      );
    } catch (error) {
      signal.throwIfAborted();
      this.#choice.leave(inUse, messageOf(error));
      return { kind: 'refused', why: messageOf(error) };
    }
  }

  /** It has nothing of what is wanted now: until it is worth to ask once more. */
  async #wait(inUse: InUse, signal: AbortSignal): Promise<undefined> {
    if (this.#isWorthWaiting(inUse)) await inUse.turns.wait(signal);
  }

  /** It lacks something. False: for too long, and it is left aside. */
  #isWorthWaiting(inUse: InUse): boolean {
    // It may have been left, or its grant been over, while it answered.
    if (this.#choice.inUse !== inUse) return false;
    if (inUse.patience.lacked() === 'waits') return true;
    this.#choice.leave(inUse, `for ${PEER_PATIENCE_MS} ms it had nothing new, or too little`);
    return false;
  }

  /** Throws, and leaves the edge aside, where it breaks off, stalls or is too slow. */
  async *#paced(
    inUse: InUse,
    pieces: AsyncIterable<Uint8Array>,
    { what, signal }: { readonly what: string; readonly signal: AbortSignal },
  ): AsyncGenerator<Uint8Array> {
    const { clock } = this.#options;
    const told = `fetch ${what} from ${inUse.peer.node}`;
    const startMs = clock.monotonicMs();
    const options = { clock, ms: PEER_STALL_MS, signal, late: `${told}: not a byte` };
    let bytes = 0;
    try {
      for await (const piece of watched(pieces, options)) {
        bytes += piece.length;
        const tookMs = clock.monotonicMs() - startMs;
        const isSlow = bytes < (tookMs / 1000) * PEER_BYTES_PER_S_MIN;
        if (tookMs >= PEER_STALL_MS && isSlow) throw new Error(`${told}: it is too slow`);
        yield piece;
      }
    } catch (error) {
      if (!signal.aborted) this.#choice.leave(inUse, messageOf(error));
      throw error;
    }
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function noneYet(digests: readonly Digest[]): SmallBlobs {
  return { heads: digests.map(() => NOT_YET), pieces: nothing() };
}

async function* nothing(): AsyncGenerator<Uint8Array> {
  // It ends at once.
}
