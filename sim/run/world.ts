import { settle } from '../../runtime/node/settle.ts';
import { pending } from '../check/convergence.ts';
import { Cluster } from '../cluster/cluster.ts';
import { type SeededRandom, seededRandom } from '../engine/random.ts';
import { EPOCH_MS, Scheduler } from '../engine/scheduler.ts';
import { Trace, type TraceLine } from '../engine/trace.ts';
import { drawFaults, type Faults } from '../faults/faults.ts';
import { startStorm } from '../faults/storm.ts';
import { startClients, viewOfAll } from '../load/clients.ts';
import { playScenario, type Wish } from '../load/scenario.ts';

/** Once the faults stop and the user is content, all is as wished within this time (INV-1). */
export const CONVERGENCE_MS_MAX = 90_000;
/** The faults stop, and by then the user, too, must have got through. */
const USER_MS_MAX = 180_000;
const STORM_MS = { min: 30_000, max: 90_000 } as const;
/** Longer than all leases, and than events wait to be counted: after it nothing is left to say. */
const SETTLE_MS = 20_000;
/** Nothing is written in this time (INV-2). */
const QUIET_MS = 60_000;
/** Every host is rebooted within this time, one after another, with dom gone for good (INV-24). */
const REBOOT_MS = 20_000;
/** Ten times what the busiest run needs: a loop of writes that feeds itself goes far beyond. */
const COMMITS_MAX = 3_000;
const ORPHANED_SHARE = 0.3;
const LOOK_MS = 1_000;

export interface RunResult {
  /** SHA-256 of all that happened. */
  readonly hash: string;
  readonly faults: Faults;
  readonly steps: number;
  readonly virtualMs: number;
  /** From the end of the faults until all was as wished. */
  readonly convergedAfterMs: number;
}

/** One run of a world, all of it drawn from a seed. Throws an `InvariantError`. */
export class World {
  readonly trace: Trace;
  readonly #scheduler: Scheduler;
  readonly #random: SeededRandom;
  readonly #cluster: Cluster;
  #wish: Wish | undefined;

  constructor(seed: number, { keep }: { readonly keep: 'lines' | 'hash' }) {
    this.#random = seededRandom(`world ${seed}`);
    this.#scheduler = new Scheduler({ random: this.#random.fork('order'), settle });
    this.trace = new Trace(() => this.#scheduler.nowMs, { keep });
    const [scheduler, random, trace] = [this.#scheduler, this.#random, this.trace];
    this.#cluster = new Cluster({ seed, scheduler, random, trace });
    this.#scheduler.onStep = () => this.#cluster.check();
  }

  lines(): readonly TraceLine[] {
    return this.trace.lines();
  }

  async run(): Promise<RunResult> {
    const random = this.#random.fork('storm');
    const faults = drawFaults(random);
    const lengthMs = random.integer(STORM_MS.min, STORM_MS.max);
    this.trace.add('world', `faults for ${lengthMs} ms: ${JSON.stringify(faults)}`);
    this.#start(faults, lengthMs, random);
    await this.#pass(lengthMs);
    this.trace.add('world', 'the faults stop');
    const convergedAfterMs = await this.#converge();
    await this.#staysQuiet();
    if (random.chance(ORPHANED_SHARE)) await this.#outlivesDom(random);
    this.#cluster.crashDom();
    for (const sub of this.#cluster.subs) this.#cluster.crashSub(sub);
    const { steps, nowMs } = this.#scheduler;
    return { hash: this.trace.digest(), faults, steps, virtualMs: nowMs, convergedAfterMs };
  }

  #start(faults: Faults, lengthMs: number, random: SeededRandom): void {
    const scheduler = this.#scheduler;
    const cluster = this.#cluster;
    cluster.startDom();
    startStorm(cluster, { faults, lengthMs, scheduler, random });
    startClients(cluster, { scheduler, random: this.#random.fork('clients') });
    playScenario(cluster, {
      clock: scheduler.clock(),
      random: this.#random.fork('scenario'),
    }).then(
      (wish) => {
        this.#wish = wish;
      },
      (error: unknown) => cluster.invariants.violated(1, `the user gave up: ${String(error)}`),
    );
  }

  /** INV-1. It counts only if it lasts: leases that are about to end still look well. */
  async #converge(): Promise<number> {
    const startMs = this.#scheduler.nowMs;
    await this.#pass(USER_MS_MAX, () => this.#wish !== undefined);
    const wishedMs = this.#scheduler.nowMs;
    for (let sinceMs: number | undefined; ; await this.#pass(LOOK_MS)) {
      const waiting = await pending(this.#cluster, this.#wish, this.#wallMs());
      const { nowMs } = this.#scheduler;
      sinceMs = waiting.length === 0 ? (sinceMs ?? nowMs) : undefined;
      if (sinceMs !== undefined && nowMs - sinceMs >= SETTLE_MS) {
        this.trace.add('world', `all is as wished since ${sinceMs} ms`);
        return sinceMs - startMs;
      }
      if (sinceMs !== undefined) continue;
      if (nowMs - wishedMs >= CONVERGENCE_MS_MAX || this.#wish === undefined)
        this.#violated(
          1,
          `${nowMs - startMs} ms after the faults: waiting for ${waiting.join('; ')}`,
        );
    }
  }

  /** INV-2, and INV-1 once more: it stays so. */
  async #staysQuiet(): Promise<void> {
    const { commits } = this.#cluster;
    if (commits.length > COMMITS_MAX) this.#violated(2, `${commits.length} commits in one run`);
    commits.length = 0;
    const before = await this.#revision();
    await this.#pass(QUIET_MS);
    const after = await this.#revision();
    if (after !== before) {
      const keys = commits.map(({ revision, keys: each }) => `${revision}: ${each.join(' ')}`);
      this.#violated(2, `revision ${before} became ${after} at rest: ${keys.join('; ')}`);
    }
    const waiting = await pending(this.#cluster, this.#wish, this.#wallMs());
    if (waiting.length > 0) this.#violated(1, `no longer as wished: ${waiting.join('; ')}`);
  }

  /** INV-24: dom goes for good, then each node reboots; all answers are as they were. */
  async #outlivesDom(random: SeededRandom): Promise<void> {
    const cluster = this.#cluster;
    const before = await viewOfAll(cluster, this.#wallMs());
    cluster.crashDom();
    this.trace.add('world', 'dom is gone for good');
    await this.#pass(QUIET_MS);
    for (const sub of cluster.subs) {
      cluster.crashSub(sub);
      await this.#pass(random.integer(0, REBOOT_MS / 2));
      cluster.startSub(sub);
      await this.#pass(REBOOT_MS);
    }
    const after = await viewOfAll(cluster, this.#wallMs());
    if (after !== before) this.#violated(24, `without dom\n${before}\nbecame\n${after}\n`);
  }

  async #pass(ms: number, condition?: () => boolean): Promise<void> {
    const untilMs = this.#scheduler.nowMs + ms;
    if ((await this.#scheduler.run(untilMs, condition)) === 'deadlock')
      this.#violated(1, 'deadlock: nothing is scheduled, so nothing can happen any more');
  }

  async #revision(): Promise<bigint> {
    const { revision } = await this.#cluster.store.list('/b8s');
    return revision;
  }

  #wallMs(): number {
    return EPOCH_MS + this.#scheduler.nowMs;
  }

  #violated(number: number, what: string): never {
    const { invariants } = this.#cluster;
    invariants.violated(number, what);
    invariants.assertHeld();
    throw new Error('unreachable');
  }
}
