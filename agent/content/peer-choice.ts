import type { Clock } from '../../runtime/clock.ts';
import type { Digest } from '../../runtime/content/digest.ts';
import type { Peer, PeerFinder } from '../../runtime/content/peers.ts';
import { withDeadline } from '../../runtime/deadline.ts';
import type { Log } from '../../runtime/log.ts';
import { PeerPatience } from './peer-patience.ts';
import { PeerTurns } from './peer-turns.ts';

/**
 * For so long what dom named is good, wherever clocks stand: an edge that refuses it sooner is of no
 * use. Later the grant may be over, by the edge's clock, and nobody is to blame.
 */
export const GRANT_FRESH_MS = 60_000;
/** For dom to say where to fetch from. */
export const FIND_MS = 5_000;
/** Once nobody who was named is of use, dom sends, and is asked for others after this. */
export const DOM_ALONE_MS = 60_000;
/** Edges that dom is told of as useless; the longest known are forgiven first. */
export const FAILED_MAX = 16;

export interface PeerChoiceOptions {
  readonly node: string;
  readonly list: Digest;
  readonly missingBytes: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly finder: PeerFinder;
}

/** An edge that is in use. */
export interface InUse {
  /** With the newest grant. */
  peer: Peer;
  standing: 'named' | 'left';
  /** Ways in which it was asked for something that was what it should be. */
  readonly proven: Set<InUse['questions']>;
  readonly patience: PeerPatience;
  readonly turns: PeerTurns;
  /** Of small blobs: an edge may be too old to be asked for several. */
  questions: 'for several' | 'for one';
  /** Of several it had not all when it was last asked: until then it is not asked for more. */
  restUntilMs: number;
}

/** Which edge a release or index is fetched from by now, of those that dom names. */
export class PeerChoice {
  readonly #options: PeerChoiceOptions;
  /** So much of the list is not here by now. */
  missingBytes: number;
  #peers: readonly Peer[] = [];
  /** When dom named these, and who is in use. */
  #namedMs = Number.NEGATIVE_INFINITY;
  #inUse: InUse | undefined;
  /** Was in use until its grant was over: goes on if dom names it again. */
  #before: InUse | undefined;
  #asking: Promise<void> | undefined;
  /** Until then dom is not asked, but fetched from. */
  #domUntilMs = Number.NEGATIVE_INFINITY;
  #failed: readonly string[] = [];

  constructor(options: PeerChoiceOptions) {
    this.#options = options;
    this.missingBytes = options.missingBytes;
  }

  /** No edge is in use, nor is it time to ask for some. */
  isDomAlone(): boolean {
    return this.#inUse === undefined && this.#options.clock.monotonicMs() < this.#domUntilMs;
  }

  /** Undefined: none, or dom is to be asked first. */
  get inUse(): InUse | undefined {
    return this.#inUse;
  }

  /** Whom to ask now, as dom says where that is not known; undefined: dom. */
  async current(signal: AbortSignal): Promise<InUse | undefined> {
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
    this.#namedMs = clock.monotonicMs();
    if (!this.#goOn()) this.#useNext();
  }

  /** With the edge whose grant was over, if it is named again: what is known of it still holds. */
  #goOn(): boolean {
    const before = this.#before;
    this.#before = undefined;
    if (before === undefined || before.standing === 'left') return false;
    const again = this.#peers.find(({ node }) => node === before.peer.node);
    if (again === undefined) {
      before.standing = 'left';
      return false;
    }
    before.peer = again;
    this.#inUse = before;
    this.#peers = this.#peers.filter((peer) => peer !== again);
    return true;
  }

  #useNext(): void {
    const { clock, log, list } = this.#options;
    const nowMs = clock.monotonicMs();
    const [peer, ...others] = this.#peers;
    this.#peers = others;
    this.#inUse = undefined;
    // Whoever is asked by an old grant would refuse it through no fault of its own: dom is asked.
    if (peer !== undefined && !this.#isFresh()) return;
    if (peer !== undefined) {
      this.#inUse = {
        ...{ peer, standing: 'named', proven: new Set() },
        ...{ patience: new PeerPatience(clock), turns: new PeerTurns(clock) },
        ...{ questions: 'for several', restUntilMs: nowMs },
      };
      return;
    }
    this.#domUntilMs = nowMs + DOM_ALONE_MS;
    if (this.#failed.length > 0) log.info({ list }, 'no edge to fetch from is left: dom sends');
  }

  #isFresh(): boolean {
    return this.#options.clock.monotonicMs() - this.#namedMs < GRANT_FRESH_MS;
  }

  /** It did not take what it was asked with. `over`: the grant has ended, and dom makes another. */
  denied(inUse: InUse, peer: Peer): 'over' | 'refused' {
    // Several fetches may find out at once, some when there is another grant already.
    if (inUse.peer !== peer || this.#inUse !== inUse) return 'over';
    if (this.#isFresh()) return 'refused';
    const { log, list } = this.#options;
    log.debug({ peer: peer.node, list }, 'the grant for an edge is over');
    this.#before = inUse;
    this.#inUse = undefined;
    inUse.turns.wake();
    return 'over';
  }

  /** It is of no use: the next one is. */
  leave(inUse: InUse, why: string): void {
    // Several fetches may find out at once.
    if (inUse.standing === 'left') return;
    inUse.standing = 'left';
    inUse.turns.wake();
    const { log, list } = this.#options;
    const { node } = inUse.peer;
    log.warn({ peer: node, list, why }, 'an edge to fetch from is of no use');
    this.#failed = [...this.#failed.filter((each) => each !== node), node].slice(-FAILED_MAX);
    if (this.#inUse === inUse) this.#useNext();
  }
}
