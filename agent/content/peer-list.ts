import type { Clock } from '../../runtime/clock.ts';
import type { BlobSource } from '../../runtime/content/blob-source.ts';
import type { Digest } from '../../runtime/content/digest.ts';
import { peerPath, severalPath } from '../../runtime/content/peer-url.ts';
import type { Peer, PeerAnswer, PeerFetcher, PeerFinder } from '../../runtime/content/peers.ts';
import { NOT_YET, parseHeads, type SmallBlobs } from '../../runtime/content/small-blobs.ts';
import { withDeadline } from '../../runtime/deadline.ts';
import type { Log } from '../../runtime/log.ts';
import { watched } from '../watched.ts';
import type { FetchOutcome } from './sources.ts';

/** For an edge to answer, and between two pieces of what it sends. */
export const PEER_STALL_MS = 5_000;
/** An edge may have nothing of what is wanted, while it fetches itself: for so long. */
export const PEER_PATIENCE_MS = 10_000;
/** While an edge has nothing of what is wanted, it is asked for one blob as often as this. */
export const PEER_POLL_MS = 100;
/** While it has not all of what it is asked for by one question, the next one waits for so long. */
const PEER_REST_MS = 100;
/** Once it has something, so many others are asked for: it gets them in the same order as we. */
const WOKEN = 2;
/** An edge that sends less is left aside, once it has had time to show it. */
export const PEER_BYTES_PER_S_MIN = 64 * 1024;
/** For dom to say where to fetch from. */
export const FIND_MS = 5_000;
/** Once nobody who was named is of use, dom sends, and is asked for others after this. */
export const DOM_ALONE_MS = 60_000;
/** Edges that dom is told of as useless; the longest known are forgiven first. */
export const FAILED_MAX = 16;

export interface PeerListOptions {
  readonly node: string;
  readonly list: Digest;
  readonly missingBytes: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly source: BlobSource;
  readonly finder: PeerFinder;
  readonly fetcher: PeerFetcher;
}

/** An edge that is in use. */
interface InUse {
  readonly peer: Peer;
  standing: 'named' | 'left';
  /** Ways in which it was asked for something that was what it should be. */
  readonly proven: Set<InUse['questions']>;
  /** When it last gave something, or was seen to get something itself. */
  goodMs: number;
  /** Of blobs that it does not have yet: as much as it had when it was last asked. */
  readonly held: Map<Digest, number>;
  /** Fetches of what it does not have yet, each to be asked for when it is called; in order. */
  readonly waiting: (() => void)[];
  /** When one of these went without having been called. */
  polledMs: number;
  /** Of small blobs: an edge may be too old to be asked for several. */
  questions: 'for several' | 'for one';
  /** Of several it had not all when it was last asked: until then it is not asked for more. */
  restUntilMs: number;
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
export class PeerList implements BlobSource {
  readonly #options: PeerListOptions;
  missingBytes: number;
  #peers: readonly Peer[] = [];
  #inUse: InUse | undefined;
  #asking: Promise<void> | undefined;
  /** Until then dom is not asked, but fetched from. */
  #domUntilMs = Number.NEGATIVE_INFINITY;
  #failed: readonly string[] = [];
  /** Whom blobs that are under way come from. */
  readonly #servedBy = new Map<Digest, Served>();

  constructor(options: PeerListOptions) {
    this.#options = options;
    this.missingBytes = options.missingBytes;
  }

  async *fetch(
    digest: Digest,
    offsetBytes: number,
    signal: AbortSignal,
  ): AsyncIterable<Uint8Array> {
    this.#servedBy.delete(digest);
    for (;;) {
      const inUse = await this.#current(signal);
      if (inUse === undefined) break;
      const pieces = await this.#ask(inUse, { digest, offsetBytes }, signal);
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
      const inUse = await this.#current(signal);
      if (inUse === undefined) break;
      const answer = await this.#askSeveral(inUse, digests, signal);
      if (answer !== undefined) return answer;
    }
    return (await this.#options.source.fetchSmall?.(digests, signal)) ?? 'unknown';
  }

  /** Whether who is in use, or will be, can be asked for several small blobs at once. */
  takesSeveral(): boolean {
    return this.#inUse?.questions !== 'for one';
  }

  /** No edge is in use, nor is it time to ask for some. */
  isDomAlone(): boolean {
    return this.#inUse === undefined && this.#options.clock.monotonicMs() < this.#domUntilMs;
  }

  /** `again`: it was an edge's fault, which is left aside by now. */
  ended(digest: Digest, outcome: FetchOutcome): 'again' | 'over' {
    const served = this.#servedBy.get(digest);
    this.#servedBy.delete(digest);
    if (served === undefined) return 'over';
    const { inUse, offsetBytes, asked } = served;
    const { log, list, clock } = this.#options;
    switch (outcome) {
      case 'done':
        inUse.goodMs = clock.monotonicMs();
        if (inUse.proven.has(asked)) return 'over';
        inUse.proven.add(asked);
        log.info({ peer: inUse.peer.node, list, asked }, 'an edge is fetched from');
        return 'over';
      case 'wrong bytes':
        // Of a blob in two parts nobody knows which is wrong: the next try begins anew.
        if (offsetBytes === 0) this.#leave(inUse, `it sent wrong bytes for ${digest}`);
        return 'again';
      case 'failed':
        return inUse.standing === 'left' ? 'again' : 'over';
    }
  }

  /** Undefined: dom. */
  async #current(signal: AbortSignal): Promise<InUse | undefined> {
    const { clock } = this.#options;
    if (this.#inUse !== undefined) return this.#inUse;
    if (clock.monotonicMs() < this.#domUntilMs) return undefined;
    this.#asking ??= this.#find(signal).finally(() => {
      this.#asking = undefined;
    });
    await this.#asking;
    signal.throwIfAborted();
    return this.#inUse;
  }

  async #find(signal: AbortSignal): Promise<void> {
    const { finder, clock, list, log } = this.#options;
    const question = { list, missingBytes: this.missingBytes, failed: this.#failed };
    const options = { clock, ms: FIND_MS, signal, late: 'ask dom for peers: no answer' };
    try {
      this.#peers = await withDeadline((scope) => finder.find(question, scope), options);
    } catch (error) {
      // Not wanted any more: nobody has said anything about edges.
      if (signal.aborted) return;
      log.debug({ list, error: String(error) }, 'dom named no edges to fetch from');
      this.#peers = [];
    }
    this.#useNext();
  }

  #useNext(): void {
    const { clock } = this.#options;
    const [peer, ...others] = this.#peers;
    this.#peers = others;
    const nowMs = clock.monotonicMs();
    this.#inUse = peer && {
      ...{ peer, standing: 'named', proven: new Set(), goodMs: nowMs },
      ...{ held: new Map(), waiting: [], polledMs: nowMs },
      ...{ questions: 'for several', restUntilMs: nowMs },
    };
    if (peer !== undefined) return;
    this.#domUntilMs = nowMs + DOM_ALONE_MS;
    const { log, list } = this.#options;
    if (this.#failed.length > 0) log.info({ list }, 'no edge to fetch from is left: dom sends');
  }

  #leave(inUse: InUse, why: string): void {
    // Several fetches may find out at once.
    if (inUse.standing === 'left') return;
    inUse.standing = 'left';
    wake(inUse, inUse.waiting.length);
    const { log, list } = this.#options;
    const { node } = inUse.peer;
    log.warn({ peer: node, list, why }, 'an edge to fetch from is of no use');
    this.#failed = [...this.#failed.filter((each) => each !== node), node].slice(-FAILED_MAX);
    this.#useNext();
  }

  /** Undefined: look who is in use by now. */
  async #ask(
    inUse: InUse,
    { digest, offsetBytes }: { readonly digest: Digest; readonly offsetBytes: number },
    signal: AbortSignal,
  ): Promise<AsyncIterable<Uint8Array> | undefined> {
    const path = peerPath(this.#grantOf(inUse), digest);
    const wanted = { what: digest, path, offsetBytes };
    const answer = await this.#answerOf(inUse, wanted, signal);
    switch (answer.kind) {
      case 'bytes':
        wake(inUse, WOKEN);
        return this.#paced(inUse, answer.pieces, { what: digest, signal });
      case 'refused':
        this.#leave(inUse, answer.why);
        return undefined;
      case 'not yet':
        this.#note(inUse, digest, answer.heldBytes);
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
    const { clock, log, list } = this.#options;
    const restMs = inUse.restUntilMs - clock.monotonicMs();
    if (restMs > 0) {
      await clock.sleep(restMs, signal);
      if (inUse.standing === 'left') return undefined;
    }
    const what = `${digests.length} blobs`;
    const path = severalPath(this.#grantOf(inUse), digests);
    const answer = await this.#answerOf(inUse, { what, path, offsetBytes: 0 }, signal);
    switch (answer.kind) {
      case 'bytes': {
        const heads = parseHeads(answer.heads ?? '', digests.length);
        if (heads === undefined) {
          this.#leave(inUse, `fetch ${what}: it names others`);
          return undefined;
        }
        wake(inUse, WOKEN);
        if (heads.includes(NOT_YET)) {
          inUse.restUntilMs = clock.monotonicMs() + PEER_REST_MS;
          log.debug({ peer: inUse.peer.node, list }, 'an edge has not all of it yet');
        }
        const served = { inUse, offsetBytes: 0, asked: 'for several' } as const;
        for (const digest of digests) this.#servedBy.set(digest, served);
        return { heads, pieces: this.#paced(inUse, answer.pieces, { what, signal }) };
      }
      case 'refused':
        if (inUse.standing === 'left') return undefined;
        // It may be too old for such questions: asked for one of them it gives it, or is left aside.
        inUse.questions = 'for one';
        return { heads: digests.map(() => NOT_YET), pieces: nothing() };
      case 'not yet':
      case 'busy':
        return this.#wait(inUse, signal);
    }
  }

  #grantOf({ peer }: InUse): Parameters<typeof peerPath>[0] {
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
      this.#leave(inUse, messageOf(error));
      return { kind: 'refused', why: messageOf(error) };
    }
  }

  /** It has nothing of what is wanted now: until it is worth to ask once more. */
  async #wait(inUse: InUse, signal: AbortSignal): Promise<undefined> {
    if (this.#options.clock.monotonicMs() - inUse.goodMs >= PEER_PATIENCE_MS)
      this.#leave(inUse, `for ${PEER_PATIENCE_MS} ms it had nothing new`);
    else await this.#turn(inUse, signal);
  }

  /** Thousands of blobs that are not there yet are not all asked for all the time. */
  async #turn(inUse: InUse, signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    const { waiting } = inUse;
    const over = new AbortController();
    const call = (): void => over.abort(new Error('it is its turn'));
    waiting.push(call);
    const scope = AbortSignal.any([signal, over.signal]);
    try {
      const isDue = (): boolean =>
        waiting[0] === call && clock.monotonicMs() - inUse.polledMs >= PEER_POLL_MS;
      do await clock.sleep(PEER_POLL_MS, scope);
      while (!isDue());
      inUse.polledMs = clock.monotonicMs();
    } catch {
      signal.throwIfAborted();
    } finally {
      const index = waiting.indexOf(call);
      if (index >= 0) waiting.splice(index, 1);
    }
  }

  /** It has more of it than before: it is worth to wait. */
  #note(inUse: InUse, digest: Digest, heldBytes: number): void {
    const before = inUse.held.get(digest) ?? 0;
    if (heldBytes > before) inUse.goodMs = this.#options.clock.monotonicMs();
    inUse.held.set(digest, heldBytes);
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
      if (!signal.aborted) this.#leave(inUse, messageOf(error));
      throw error;
    }
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

async function* nothing(): AsyncGenerator<Uint8Array> {
  // It ends at once.
}

function wake({ waiting }: InUse, count: number): void {
  for (const call of waiting.splice(0, count)) call();
}
