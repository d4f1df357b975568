import type { Clock } from '../../runtime/clock.ts';
import type { BlobSource } from '../../runtime/content/blob-source.ts';
import type { Digest } from '../../runtime/content/digest.ts';
import { type BackoffLimits, backoffMs } from '../../runtime/control/backoff.ts';
import type { Disk } from '../../runtime/disk/disk.ts';
import type { Log } from '../../runtime/log.ts';
import type { Random } from '../../runtime/random.ts';
import { createTrigger, raisedWithin } from '../trigger.ts';
import { listBlobs } from './blob-list.ts';
import { createBlobStore } from './blob-store.ts';
import { FetchPool } from './fetch-pool.ts';
import {
  ageGarbage,
  COLLECT_GRACE_MS,
  type ContentAction,
  type DesiredContent,
  type ObservedContent,
  planContent,
  referencedReleases,
} from './plan.ts';
import { Scrub } from './scrub.ts';
import { type PeerPorts, Sources } from './sources.ts';
import { type ContentState, contentState, isSameState } from './state.ts';

/** Brings the desired content to disk, verifies it, and clears away what nothing needs. */
export interface ContentReconciler {
  /** What is wanted from now on. Cheap to call with the same again. */
  want(desired: DesiredContent): void;
  /** Looks at the disk once, fetching nothing: what a node can serve right after its start. */
  look(): Promise<ContentState>;
  state(): ContentState;
  /** A way to dom is open again: do not wait for the backoff of what failed without one. */
  retrySoon(): void;
  /** Somebody could not read this blob: look whether it is what its name says, and fetch it if not. */
  suspect(blob: Digest): void;
  /** Reconciles until `signal` is aborted. Never throws. */
  run(signal: AbortSignal): Promise<void>;
}

export const CONTENT_RETRY_BACKOFF: BackoffLimits = { baseMs: 250, capMs: 10_000 };
/** While fetches are under way the disk is looked at no more often than this… */
const LOOK_INTERVAL_MS = 1000;
/** …and, with very many blobs, for no more than this part of the time. */
const LOOK_SHARE_MAX = 1 / 20;

export interface ContentOptions {
  readonly disk: Disk;
  readonly source: BlobSource;
  /** Left out: all is fetched from dom. */
  readonly peers?: PeerPorts | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Called whenever `state()` says something else. */
  readonly onChange: () => void;
}

export function createContentReconciler(options: ContentOptions): ContentReconciler {
  return new Reconciler(options);
}

const NOTHING: DesiredContent = {
  ...{ releases: [], blobs: [], variants: [] },
  ...{ keepReleases: [], keepBlobs: [] },
};

class Reconciler implements ContentReconciler {
  readonly #options: ContentOptions;
  readonly #store: ReturnType<typeof createBlobStore>;
  readonly #changed = createTrigger();
  readonly #pool: FetchPool;
  readonly #scrub: Scrub;
  #desired = NOTHING;
  /** Until somebody has said what is wanted nothing is garbage: a plan may be unreadable, or late. */
  #isTold = false;
  #garbageSinceMs: ReadonlyMap<string, number> = new Map();
  #state: ContentState = {
    ...{ verified: new Set(), blobs: new Set() },
    ...{ variants: new Map(), errors: new Map() },
  };
  /** Of the last look, as long as the disk itself fails. */
  #failures = 0;

  constructor(options: ContentOptions) {
    this.#options = options;
    this.#store = createBlobStore(options.disk);
    const sources = new Sources(options);
    this.#pool = new FetchPool({
      ...{ ...options, sources },
      onFetched: (digest, sizeBytes) => this.#store.added(digest, sizeBytes),
      onProgress: () => this.#changed.raise(),
    });
    this.#scrub = new Scrub({
      ...options,
      list: async () => [...(await listBlobs(options.disk, [])).keys()].toSorted(),
      onMissing: () => {
        this.#store.forget();
        this.#changed.raise();
      },
    });
  }

  want(desired: DesiredContent): void {
    const isFirst = !this.#isTold;
    this.#isTold = true;
    if (!isFirst && JSON.stringify(desired) === JSON.stringify(this.#desired)) return;
    this.#desired = desired;
    this.#changed.raise();
  }

  state(): ContentState {
    return this.#state;
  }

  retrySoon(): void {
    this.#pool.forgetFailures();
    this.#changed.raise();
  }

  suspect(blob: Digest): void {
    this.#scrub.suspect(blob);
  }

  async look(): Promise<ContentState> {
    const desired = this.#desired;
    this.#publish(desired, await this.#observe(desired));
    return this.#state;
  }

  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#scrub.run(signal), this.#keepReconciling(signal)]);
  }

  async #keepReconciling(signal: AbortSignal): Promise<void> {
    const { clock, log, random } = this.#options;
    this.#changed.raise();
    for (let ms = Number.POSITIVE_INFINITY; ; ) {
      try {
        await raisedWithin(this.#changed, { clock, ms, signal });
      } catch {
        break;
      }
      try {
        ms = await this.#reconcile(signal);
        this.#failures = 0;
      } catch (error) {
        this.#failures += 1;
        this.#store.forget();
        ms = backoffMs(this.#failures, CONTENT_RETRY_BACKOFF, random);
        log.warn({ error: messageOf(error), retryInMs: ms }, 'content could not be reconciled');
      }
    }
    await this.#pool.idle();
  }

  /** One turn: look, decide, do. Gives when the next is due with no further event. */
  async #reconcile(signal: AbortSignal): Promise<number> {
    const { clock } = this.#options;
    if (!this.#isTold) return Infinity;
    const isFull = this.#pool.lacksRoom();
    // What only helps makes room for what is needed, and so does what may be wanted again.
    const desired = isFull ? { ...this.#desired, variants: [] } : this.#desired;
    const startMs = clock.monotonicMs();
    this.#pool.beginLook();
    const observed = await this.#observe(desired);
    const nowMs = clock.monotonicMs();
    const lookAgainInMs = Math.max(LOOK_INTERVAL_MS, (nowMs - startMs) / LOOK_SHARE_MAX);
    const ages = { nowMs, garbageSinceMs: this.#garbageSinceMs };
    this.#garbageSinceMs = ageGarbage(desired, observed, ages);
    const actions = planContent(desired, observed, {
      ...ages,
      garbageSinceMs: this.#garbageSinceMs,
      ...(isFull && { room: 'none' }),
    });
    const fetches = actions.filter((action) => action.kind === 'fetch');
    this.#pool.want(fetches, { parts: observed.parts, signal });
    const marked = new Set(observed.markers);
    let after: ObservedContent = { ...observed, markers: marked };
    for (const action of actions) {
      if (action.kind !== 'mark' && action.kind !== 'unmark') continue;
      await this.#act(action);
      if (action.kind === 'mark') marked.add(action.release);
      else marked.delete(action.release);
      after = { ...after, markers: marked };
    }
    this.#publish(desired, after);
    for (const action of actions) if (action.kind === 'collect') await this.#act(action);
    return Math.min(this.#pool.dueInMs(lookAgainInMs), this.#garbageDueInMs(nowMs));
  }

  #observe(desired: DesiredContent): Promise<ObservedContent> {
    return this.#store.observe(referencedReleases(desired), desired.variants);
  }

  async #act(action: Exclude<ContentAction, { kind: 'fetch' }>): Promise<void> {
    const { log } = this.#options;
    switch (action.kind) {
      case 'mark':
        log.info({ release: action.release }, 'release verified');
        return this.#store.mark(action.release);
      case 'unmark':
        log.warn({ release: action.release }, 'a verified release lacks a blob');
        return this.#store.unmark(action.release);
      case 'collect':
        log.debug({ item: action.item }, 'collecting what nothing refers to');
        return this.#store.remove(action.item);
    }
  }

  #garbageDueInMs(nowMs: number): number {
    const due = this.#garbageSinceMs.values().map((sinceMs) => sinceMs + COLLECT_GRACE_MS - nowMs);
    // What is due by now was collected in this turn; the next turn forgets it.
    return due.reduce((soonest, ms) => (ms > 0 ? Math.min(soonest, ms) : soonest), Infinity);
  }

  #publish(desired: DesiredContent, observed: ObservedContent): void {
    const before = this.#state;
    const past = { failures: this.#pool.failures(), before: before.variants };
    this.#state = contentState(desired, observed, past);
    if (!isSameState(before, this.#state)) this.#options.onChange();
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
