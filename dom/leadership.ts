import type { Clock } from '../runtime/clock.ts';
import { backoffMs } from '../runtime/control/backoff.ts';
import type { Log } from '../runtime/log.ts';
import type { Random } from '../runtime/random.ts';
import { scopeOf } from '../runtime/scope.ts';
import { EPOCH_KEY, LEADER_KEY } from '../runtime/store/keys.ts';
import type { Guard, LeaseId, Revision, Store } from '../runtime/store/store.ts';
import type { Doubts } from '../runtime/store/writer.ts';
import { takeTurns } from '../runtime/turns.ts';

/** How long a silent leader keeps the lead. */
export const LEADER_LEASE_MS = 10_000;
const RENEW_EVERY_MS = LEADER_LEASE_MS / 5;
/** A leader that could not renew for this long stands down, well before its lease can end. */
const STAND_DOWN_AFTER_MS = (LEADER_LEASE_MS * 3) / 5;
const CAMPAIGN_EVERY_MS = 1_000;
const RETRY = { baseMs: 20, capMs: 500 };

export interface LeadershipPorts {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

export interface LeadershipOptions {
  /** Names this dom to the others: its address. */
  readonly holder: string;
  /**
   * `shared`: others may run on the same store, lead by a lease. `sole`: the store belongs to this
   * process alone, lead at once.
   */
  readonly mode: 'shared' | 'sole';
}

/**
 * The right to write, for one term.
 *
 * The term is an epoch that only grows. Every write carries `fence()`: the store refuses it once
 * another leader has written a higher epoch or, with a lease, once ours has ended (INV-15). After a
 * write in doubt the epoch is written once more as it is: what has an older fence is refused.
 */
export interface Leadership extends Doubts {
  readonly epoch: bigint;
  fence(): readonly Guard[];
  /** Aborted when the lead is lost; a new term needs a new campaign. */
  readonly lost: AbortSignal;
  /** Moves on to an epoch above `seen`: a sub knows more than a restored backup does (INV-17). */
  raiseAbove(seen: bigint): Promise<void>;
  resign(): Promise<void>;
}

/** Waits until this dom leads. Rejects with the signal's reason when it is aborted first. */
export async function campaign(
  ports: LeadershipPorts,
  options: LeadershipOptions,
  signal: AbortSignal,
): Promise<Leadership> {
  for (;;) {
    signal.throwIfAborted();
    const term = await attempt(ports, options);
    if (term !== undefined) return new Term(ports, term);
    await ports.clock.sleep(CAMPAIGN_EVERY_MS, signal);
  }
}

/** Who leads by now, if anyone does. */
export async function currentLeader(store: Store): Promise<string | undefined> {
  const item = await store.get(LEADER_KEY);
  return item === undefined ? undefined : (JSON.parse(item.value) as LeaderValue).holder;
}

interface LeaderValue {
  readonly holder: string;
}

interface EpochValue {
  readonly epoch: string;
}

interface TermState {
  readonly epoch: bigint;
  readonly lease: LeaseId | undefined;
  /** The revision at which both keys were written. */
  readonly revision: Revision;
}

async function attempt(
  { store, log }: LeadershipPorts,
  { holder, mode }: LeadershipOptions,
): Promise<TermState | undefined> {
  const [leader, epochItem] = [await store.get(LEADER_KEY), await store.get(EPOCH_KEY)];
  if (mode === 'shared' && leader !== undefined) return undefined;
  const epoch = epochOf(epochItem?.value) + 1n;
  const lease = mode === 'shared' ? await store.grantLease(LEADER_LEASE_MS) : undefined;
  const value = JSON.stringify({ holder } satisfies LeaderValue);
  const endLease = async (): Promise<void> => {
    if (lease !== undefined) await store.revokeLease(lease);
  };
  const committing = store.commit({
    guards: [
      { key: LEADER_KEY, modRevision: leader?.modRevision ?? 0n },
      { key: EPOCH_KEY, modRevision: epochItem?.modRevision ?? 0n },
    ],
    writes: [
      { kind: 'put', key: LEADER_KEY, value, ...(lease === undefined ? {} : { lease }) },
      { kind: 'put', key: EPOCH_KEY, value: epochText(epoch) },
    ],
  });
  const outcome = await committing.catch(async (error: unknown) => {
    // It may have taken effect: a key that nobody renews would keep everyone from the lead.
    await endLease().catch(() => undefined);
    throw error;
  });
  if (outcome.outcome === 'committed') {
    log.info({ epoch: String(epoch), holder }, 'leading');
    return { epoch, lease, revision: outcome.revision };
  }
  await endLease();
  return undefined;
}

class Term implements Leadership {
  epoch: bigint;
  readonly #ports: LeadershipPorts;
  readonly #lost = new AbortController();
  readonly #leader: Guard;
  readonly #lease: LeaseId | undefined;
  /** Writes of the epoch: each must know how the last one ended. */
  readonly #inTurn = takeTurns();
  #epochRevision: Revision;
  #isDoubted = false;

  constructor(ports: LeadershipPorts, state: TermState) {
    this.#ports = ports;
    this.epoch = state.epoch;
    this.#lease = state.lease;
    this.#leader = { key: LEADER_KEY, modRevision: state.revision };
    this.#epochRevision = state.revision;
    if (this.#lease !== undefined) void this.#keep(this.#lease);
  }

  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  fence(): readonly Guard[] {
    return [this.#leader, { key: EPOCH_KEY, modRevision: this.#epochRevision }];
  }

  async raiseAbove(seen: bigint): Promise<void> {
    // Nodes bring what they have seen all at once.
    await this.#inTurn(() => this.#raiseAbove(seen));
  }

  doubt(): void {
    this.#isDoubted = true;
  }

  settled(): Promise<void> | undefined {
    return this.#isDoubted ? this.#inTurn(() => this.#settle()) : undefined;
  }

  async resign(): Promise<void> {
    this.#lost.abort(new Error('resigned'));
    if (this.#lease !== undefined) await this.#ports.store.revokeLease(this.#lease);
  }

  async #raiseAbove(seen: bigint): Promise<void> {
    if (this.epoch > seen) return;
    const { store, log } = this.#ports;
    const epoch = seen + 1n;
    const write = { kind: 'put', key: EPOCH_KEY, value: epochText(epoch) } as const;
    const outcome = await store
      .commit({ guards: this.fence(), writes: [write] })
      .catch((error: unknown) => {
        // Was it written, then no write of ours would ever be taken again: begin anew.
        this.#lose('its epoch may have been written or not');
        throw error;
      });
    if (outcome.outcome === 'conflict') return this.#lose('its epoch was overwritten');
    log.warn(
      { epoch: String(epoch), seen: String(seen) },
      'a node holds a later plan than the store knows: was a backup restored?',
    );
    this.#epochRevision = outcome.revision;
    this.epoch = epoch;
  }

  async #settle(): Promise<void> {
    // Many writes may wait for it.
    if (!this.#isDoubted) return;
    const { store, log } = this.#ports;
    const write = { kind: 'put', key: EPOCH_KEY, value: epochText(this.epoch) } as const;
    const outcome = await store
      .commit({ guards: this.fence(), writes: [write] })
      .catch((cause: unknown) => {
        throw new Error(`a write before this one is in doubt: ${String(cause)}`, { cause });
      });
    const revision =
      outcome.outcome === 'committed' ? outcome.revision : await this.#ownEpochRevision();
    if (revision === undefined) {
      this.#lose('its epoch was overwritten');
      throw new Error('no longer leading');
    }
    log.info({ epoch: String(this.epoch) }, 'the fence is renewed after a write in doubt');
    this.#epochRevision = revision;
    this.#isDoubted = false;
  }

  /** An earlier try to write it may have taken effect; undefined: it is another leader's. */
  async #ownEpochRevision(): Promise<Revision | undefined> {
    const { store } = this.#ports;
    const [leader, epoch] = [await store.get(LEADER_KEY), await store.get(EPOCH_KEY)];
    const isOwn =
      leader?.modRevision === this.#leader.modRevision && epochOf(epoch?.value) === this.epoch;
    return isOwn ? epoch?.modRevision : undefined;
  }

  async #keep(lease: LeaseId): Promise<void> {
    const { store, clock, random } = this.#ports;
    let renewedMs = clock.monotonicMs();
    let failures = 0;
    while (!this.lost.aborted) {
      const pauseMs = failures === 0 ? RENEW_EVERY_MS : backoffMs(failures, RETRY, random);
      await clock.sleep(pauseMs, this.lost).catch(() => undefined);
      if (this.lost.aborted) return;
      const askedMs = clock.monotonicMs();
      const asking = scopeOf(this.lost);
      const leftMs = Math.max(0, renewedMs + STAND_DOWN_AFTER_MS - askedMs);
      const answer = await Promise.race([
        store.renewLease(lease).catch(() => 'failed' as const),
        clock.sleep(leftMs, asking.signal).then(late, late),
      ]);
      asking.end();
      if (answer === 'expired') return this.#lose('its lease ended');
      if (answer === 'renewed') {
        renewedMs = askedMs;
        failures = 0;
      } else failures += 1;
      if (clock.monotonicMs() - renewedMs >= STAND_DOWN_AFTER_MS)
        return this.#lose('its lease could not be renewed');
    }
  }

  #lose(why: string): void {
    if (this.lost.aborted) return;
    this.#ports.log.error({ epoch: String(this.epoch), why }, 'no longer leading');
    this.#lost.abort(new Error(`no longer leading: ${why}`));
  }
}

function late(): 'late' {
  return 'late';
}

function epochOf(value: string | undefined): bigint {
  return value === undefined ? 0n : BigInt((JSON.parse(value) as EpochValue).epoch);
}

function epochText(epoch: bigint): string {
  return JSON.stringify({ epoch: String(epoch) } satisfies EpochValue);
}
