import type { Clock } from '../../runtime/clock.ts';
import type { BlobStock } from '../../runtime/content/blob-shelf.ts';
import type { Digest } from '../../runtime/content/digest.ts';
import type { Controller, Outcome } from '../../runtime/control/controller.ts';
import type { EventRecorder } from '../../runtime/control/events.ts';
import type { World } from '../../runtime/store/world.ts';
import { keyOf, Look, type Obstacle, rootsIn } from './look.ts';
import { lookEveryMs } from './plan.ts';

/** After so long others have their turn: one list of 100,000 files takes a fifth of it. */
const TURN_MS = 500;
/** What stands in the way is told again after this long. */
const TOLD_AGAIN_MS = 24 * 3600 * 1000;
const NAME = 'all';

export interface BlobsPorts {
  readonly world: World;
  readonly blobs: BlobStock;
  readonly clock: Clock;
  readonly events: EventRecorder;
  /** How long a blob stays that nothing names, in milliseconds. */
  readonly blobGraceMs: number;
  /** Resolves once the world shows all that the store held when this was called. */
  readonly current: (signal: AbortSignal) => Promise<void>;
}

/**
 * Clears away the blobs of this dom's disk that nothing names any more. There is one name, for all.
 *
 * Why it may act on what the mirror shows (INV-16): a look begins once the mirror has caught up with
 * the store, a blob goes only once it had no name and nobody asked about it for the whole grace, and
 * b8sctl asks about each blob of a release just before it declares that. What is remembered of ages is
 * this process's own, so a new leader or a restart begins anew.
 */
export function blobsController(ports: BlobsPorts): Controller {
  const collection = new Collection(ports);
  return {
    name: 'blobs',
    concurrency: 1,
    affected: () => [],
    calls(look) {
      look(NAME);
      return () => undefined;
    },
    reconcile: (_, signal) => collection.reconcile(signal),
  };
}

interface Begun {
  readonly look: Look;
  /** All that was named when it began. */
  readonly named: string;
  /** `behind`: the mirror may not show yet what was declared before it began. */
  mirror: 'behind' | 'current';
}

class Collection {
  readonly #ports: BlobsPorts;
  #phase: 'idle' | 'looking' = 'idle';
  #begun: Begun | undefined;
  /** Since when nothing names a blob: what the last whole look has left. */
  #unusedSinceMs: ReadonlyMap<Digest, number> = new Map();
  /** All that was named when the last look found nothing unused. */
  #clean: string | undefined;
  #told: { readonly what: string; readonly atMs: number } | undefined;

  constructor(ports: BlobsPorts) {
    this.#ports = ports;
  }

  async reconcile(signal: AbortSignal): Promise<Outcome> {
    // One that was given up because the disk hangs is still at it.
    if (this.#phase === 'looking') return { recheckInMs: lookEveryMs(this.#ports.blobGraceMs) };
    this.#phase = 'looking';
    try {
      return { recheckInMs: await this.#lookOn(signal) };
    } finally {
      this.#phase = 'idle';
    }
  }

  /** Returns when to go on. */
  async #lookOn(signal: AbortSignal): Promise<number> {
    const nextMs = lookEveryMs(this.#ports.blobGraceMs);
    const begun = this.#begun ?? this.#begin();
    if (begun === undefined) return nextMs;
    // Kept before the wait, which may fail: who asked until now is known to this look only.
    this.#begun = begun;
    if (begun.mirror === 'behind') await this.#ports.current(signal);
    begun.mirror = 'current';
    const outcome = await this.#turn(begun.look, signal);
    if (outcome === 'more') return 0;
    this.#begun = undefined;
    if (outcome !== 'over') this.#tell(outcome);
    else {
      this.#told = undefined;
      this.#unusedSinceMs = begun.look.unusedSinceMs;
      this.#clean = this.#unusedSinceMs.size === 0 ? begun.named : undefined;
    }
    return nextMs;
  }

  /** Undefined: there is nothing to be found that was not found the last time. */
  #begin(): Begun | undefined {
    const { world, blobs, blobGraceMs: graceMs } = this.#ports;
    const named = rootsIn(world).map(keyOf).join();
    const asked = blobs.takeAsked();
    if (asked !== 'all' && asked.size === 0 && this.#clean === named) return undefined;
    // What was put or asked about is as new.
    const known = [...this.#unusedSinceMs];
    const before = asked === 'all' ? [] : known.filter(([digest]) => !asked.has(digest));
    return {
      look: new Look(this.#ports, { before: new Map(before), graceMs }),
      named,
      mirror: 'behind',
    };
  }

  async #turn(look: Look, signal: AbortSignal): Promise<Awaited<ReturnType<Look['step']>>> {
    const { clock } = this.#ports;
    for (const untilMs = clock.monotonicMs() + TURN_MS; clock.monotonicMs() < untilMs; ) {
      signal.throwIfAborted();
      const outcome = await look.step(clock.monotonicMs());
      if (outcome !== 'more') return outcome;
    }
    return 'more';
  }

  #tell({ owner, digest, why }: Obstacle): void {
    const { clock, events } = this.#ports;
    const nowMs = clock.monotonicMs();
    const what = `${owner.metadata.uid} ${digest} ${why}`;
    if (this.#told?.what === what && nowMs - this.#told.atMs < TOLD_AGAIN_MS) return;
    this.#told = { what, atMs: nowMs };
    const whose = owner.kind === 'Release' ? '' : ` of Site "${owner.metadata.name}"`;
    const mend =
      owner.kind === 'Release'
        ? `push it again, or delete the Release: b8sctl delete release ${digest}`
        : 'push it again, or publish another release';
    events.record({
      regarding: owner,
      type: 'Warning',
      reason: 'ManifestUnreadable',
      message: `the list of files of release ${digest}${whose} cannot be read: ${why}. Until it can, no unused content is cleared away; ${mend}`,
      source: { component: 'blobs-controller' },
    });
  }
}
