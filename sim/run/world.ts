import { BLOB_STALL_MS_MAX } from '../../agent/content/download.ts';
import { COLLECT_GRACE_MS } from '../../agent/content/plan.ts';
import { turns } from '../../runtime/node/settle.ts';
import { kindPrefix } from '../../runtime/store/keys.ts';
import { startAim } from '../aims/all.ts';
import { pending } from '../check/convergence.ts';
import { Cluster } from '../cluster/cluster.ts';
import { type SeededRandom, seededRandom } from '../engine/random.ts';
import { EPOCH_MS, Scheduler } from '../engine/scheduler.ts';
import { Trace, type TraceLine } from '../engine/trace.ts';
import { startStorm } from '../faults/storm.ts';
import type { Code } from '../hosts/code.ts';
import { startClients } from '../load/clients.ts';
import { startContenders } from '../load/contenders.ts';
import { startKeeper } from '../load/keeper.ts';
import { startPeople } from '../load/people.ts';
import { startStrangers } from '../load/strangers.ts';
import { viewOfAll } from '../load/view.ts';
import { startUpgrades, upgradeAll } from '../skew/upgrade.ts';
import { restoreBackup } from './backup.ts';
import { liveOnRenewals } from './live-on-renewals.ts';
import { machinesOf } from './machines-of.ts';
import { isSweep, nextStepInMs } from './next-step.ts';
import { CONVERGENCE_MS_MAX, lateMsMax, renewedMsMax } from './patience.ts';
import type { Setting } from './setting.ts';
import { startCa } from './start-ca.ts';
import { startGit } from './start-git.ts';
import { weatherKinds } from './weather.ts';

/** The faults stop, and by then the users, too, must have got through. */
const USERS_MS_MAX = 300_000;
/** A story has many steps, each of which has a bound of its own; a crash may delay several. */
const STORY_MS_MAX = 600_000;
/**
 * Longer than all leases, than events wait to be counted, and than a fetch hangs whose other end is
 * gone: after it nothing is left to say.
 */
const SETTLE_MS = BLOB_STALL_MS_MAX + 5_000;
/** Nothing is written in this time (INV-2). */
const QUIET_MS = 40_000;
/** By this much clocks may go too fast or too slowly: 1 %, and some. */
const DRIFT = 1.02;
/** Every host is rebooted within this time, one after another, with dom gone for good (INV-24). */
const REBOOT_MS = 10_000;
/** So many times what it takes: a loop of writes that feeds itself goes far beyond. */
const COMMITS_PER_NODE_MAX = 1_500;
const COMMITS_COUNTED_FOR_MS = 120_000;
const ORPHANED_SHARE = 0.3;
/** Of those: where dom is away for so long before the first node reboots. */
const LONG_ALONE_SHARE = 0.05;
const LONG_ALONE_MS = 3_600_000;
/** Of those in which dom is not gone for good. */
const RESTORED_SHARE = 0.2;
/** It takes longer than all the rest. */
const LINGERING_SHARE = 0.04;
const LINGERS_MAX = 3;
/** So many nodes are rebooted at most: what one does, all do. */
const REBOOTS_MAX = 3;
const LOOK_MS = 1_000;

export interface RunResult {
  /** SHA-256 of all that happened. */
  readonly hash: string;
  readonly steps: number;
  /** Commits, changes of disks and of what CAs know, of all processes together. */
  readonly effects: number;
  readonly virtualMs: number;
  /** From the end of the faults until all was as wished. */
  readonly convergedAfterMs: number;
  /** Rare paths that were reached. */
  readonly reached: ReadonlySet<string>;
}

export interface WorldOptions {
  /** Whether to keep what happened, or its hash alone. */
  readonly keep: 'lines' | 'hash';
  /** A geography database (MaxMind DB); left out: nobody knows where clients are. */
  readonly geo?: Uint8Array | undefined;
  /** Another version of the production code, which hosts may run until the faults stop. */
  readonly older?: Code | undefined;
  /** The command that shows this run again. */
  readonly replay: string;
  /** What people do; left out: what the seed draws. Resolves once they are content. */
  readonly people?: typeof startPeople;
  /** Called once all rests and has been checked, with the true time. */
  readonly atRest?: (cluster: Cluster, wallMs: number) => Promise<void>;
}

/** One run of a world. Throws an `InvariantError`. */
export class World {
  readonly trace: Trace;
  readonly #setting: Setting;
  readonly #options: WorldOptions;
  readonly #scheduler: Scheduler;
  readonly #random: SeededRandom;
  readonly #cluster: Cluster;
  #people: 'busy' | 'content' = 'busy';

  constructor(setting: Setting, worldOptions: WorldOptions) {
    const { keep, geo, replay, older } = worldOptions;
    this.#setting = setting;
    this.#options = worldOptions;
    this.#random = seededRandom(`world ${setting.seed}`);
    this.#scheduler = new Scheduler({ random: this.#random.fork('order'), turns });
    this.trace = new Trace(() => this.#scheduler.nowMs, { keep });
    const [scheduler, random, trace] = [this.#scheduler, this.#random, this.trace];
    const machines = machinesOf(setting);
    const { doms, crash, ca, git, sites, line } = setting;
    const options = { machines, doms, geo, replay, crash, older, ca, git, sites, line };
    this.#cluster = new Cluster({ scheduler, random, trace }, options);
    this.#scheduler.onStep = () => this.#cluster.check();
  }

  lines(): readonly TraceLine[] {
    return this.trace.lines();
  }

  /** Virtual milliseconds since the start. */
  get nowMs(): number {
    return this.#scheduler.nowMs;
  }

  async run(): Promise<RunResult> {
    const { stormMs } = this.#setting;
    const random = this.#random.fork('end');
    this.trace.add('world', JSON.stringify(this.#setting));
    this.#start();
    await this.#pass(stormMs);
    this.trace.add('world', 'the faults stop');
    upgradeAll(this.#cluster);
    await this.#renews();
    const busyMs = this.#scheduler.nowMs;
    const convergedAfterMs = await this.#converge();
    await this.#staysQuiet(busyMs);
    await this.#cluster.checks.rested();
    this.#cluster.checks.assertHeld();
    await this.#options.atRest?.(this.#cluster, this.#wallMs());
    if (this.#random.fork('lingers').chance(LINGERING_SHARE)) await this.#lingers();
    if (random.chance(ORPHANED_SHARE)) await this.#outlivesDom(random);
    else if (this.#random.fork('restored').chance(RESTORED_SHARE)) await this.#restoresBackup();
    for (const dom of this.#cluster.doms) this.#cluster.crashDom(dom);
    for (const sub of this.#cluster.subs) this.#cluster.crashSub(sub);
    const { steps, nowMs } = this.#scheduler;
    const { checks, effects } = this.#cluster;
    const { reached } = checks;
    return {
      hash: this.trace.digest(),
      steps,
      effects,
      virtualMs: nowMs,
      convergedAfterMs,
      reached,
    };
  }

  #start(): void {
    const setting = this.#setting;
    const scheduler = this.#scheduler;
    const cluster = this.#cluster;
    for (const dom of cluster.doms) cluster.startDom(dom);
    const { faults, stormMs: lengthMs, clients: count, leftOut } = setting;
    startStorm(cluster, { faults, lengthMs, scheduler, random: this.#random.fork('storm') });
    const upgrades = this.#random.fork('upgrades');
    startUpgrades(cluster, { scheduler, random: upgrades, lengthMs });
    const keeper = this.#random.fork('keeper');
    startKeeper(cluster, { scheduler, random: keeper, untilMs: lengthMs });
    const strangers = this.#random.fork('strangers');
    startStrangers(cluster, { scheduler, random: strangers, untilMs: lengthMs });
    startClients(cluster, { scheduler, random: this.#random.fork('clients'), count });
    const { people = setting.aim === undefined ? startPeople : startAim } = this.#options;
    const own = { scheduler, lengthMs, leftOut, random: this.#random.fork('certificates') };
    const applicant = setting.aim === undefined ? startCa(cluster, own) : undefined;
    const commits = { scheduler, lengthMs, leftOut, random: this.#random.fork('git people') };
    const committer = setting.aim === undefined ? startGit(cluster, commits) : undefined;
    const busy = people(cluster, { setting, scheduler, random: this.#random.fork('people') });
    const contending = this.#random.fork('contenders');
    const { contenders: rivals = 0 } = setting;
    const contest = startContenders(cluster, { scheduler, random: contending, count: rivals });
    Promise.all([busy, applicant, committer, contest]).then(
      () => {
        this.#people = 'content';
      },
      (error: unknown) => cluster.checks.violated(1, `a user gave up: ${String(error)}`),
    );
  }

  /**
   * INV-31, and INV-32 through crashes. Not in worlds without faults: they are there to be compared
   * with others, and to be crashed at each of their side effects, also with a watch that lags by
   * more than such short certificates could bear.
   */
  async #renews(): Promise<void> {
    if (this.#setting.aim !== undefined) return;
    if (weatherKinds(this.#setting).length === 0) return this.#cluster.ca?.calmDown();
    const people = { areContent: () => this.#people === 'content' };
    const random = this.#random.fork('renewals');
    const ports = { cluster: this.#cluster, scheduler: this.#scheduler, random };
    await liveOnRenewals({ ...ports, ...people, pass: (ms) => this.#pass(ms) });
  }

  /** INV-1. It counts only if it lasts: leases that are about to end still look well. */
  async #converge(): Promise<number> {
    const startMs = this.#scheduler.nowMs;
    const moreMs = renewedMsMax(this.#cluster) + lateMsMax(this.#setting.crash);
    const usersMs = this.#setting.aim === undefined ? USERS_MS_MAX : STORY_MS_MAX;
    await this.#pass(usersMs + moreMs, () => this.#people === 'content');
    if (this.#people === 'busy') this.#violated(1, 'a user still waits for dom to take a change');
    let [wishedMs, firstMs]: [number, number | undefined] = [this.#scheduler.nowMs, undefined];
    for (let sinceMs: number | undefined; ; await this.#pass(LOOK_MS)) {
      const waiting = await pending(this.#cluster, this.#wallMs());
      const { nowMs } = this.#scheduler;
      sinceMs = waiting.length === 0 ? (sinceMs ?? nowMs) : undefined;
      if (sinceMs !== undefined && nowMs - sinceMs >= SETTLE_MS) {
        firstMs ??= sinceMs;
        const stepMs = await this.#nextStepMs();
        if (stepMs > QUIET_MS * DRIFT) {
          this.trace.add('world', `all is as wished since ${sinceMs} ms`);
          return firstMs - startMs;
        }
        // What is to happen by itself comes before any rest.
        await this.#pass(stepMs * DRIFT);
        [wishedMs, sinceMs] = [this.#scheduler.nowMs, undefined];
      }
      if (sinceMs === undefined && nowMs - wishedMs >= CONVERGENCE_MS_MAX + moreMs)
        this.#violated(
          1,
          `${nowMs - wishedMs} ms after the last wish: waiting for ${waiting.join('; ')}`,
        );
    }
  }

  /** INV-2, and INV-1 once more: it stays so. */
  async #staysQuiet(busyMs: number): Promise<void> {
    const { commits, subs } = this.#cluster;
    const lengths = Math.max(1, busyMs / COMMITS_COUNTED_FOR_MS);
    if (commits.length > COMMITS_PER_NODE_MAX * subs.length * lengths)
      this.#violated(2, `${commits.length} commits in one run`);
    commits.length = 0;
    await this.#cluster.checks.settled();
    const before = await this.#revision();
    await this.#pass(QUIET_MS);
    const after = await this.#revision();
    const swept = commits.filter(({ keys }) => isSweep(keys)).length;
    if (after !== before + BigInt(swept)) {
      const keys = commits.map(({ revision, keys: each }) => `${revision}: ${each.join(' ')}`);
      this.#violated(2, `revision ${before} became ${after} at rest: ${keys.join('; ')}`);
    }
    const waiting = await pending(this.#cluster, this.#wallMs());
    if (waiting.length > 0) this.#violated(1, `no longer as wished: ${waiting.join('; ')}`);
  }

  /**
   * INV-7: what nodes keep in case of need, they keep for a while. That begins anew when dom has made
   * more of a Release's compressed forms, which it tries again for as long as it could not read one.
   */
  async #lingers(): Promise<void> {
    const { commits } = this.#cluster;
    const isOfRelease = (key: string): boolean => key.startsWith(kindPrefix('Release'));
    for (let waits = 0; waits < LINGERS_MAX; waits += 1) {
      commits.length = 0;
      await this.#pass(COLLECT_GRACE_MS + QUIET_MS);
      if (!commits.some(({ keys }) => keys.some(isOfRelease))) break;
    }
    await this.#cluster.checks.lingered();
    this.#cluster.checks.assertHeld();
  }

  /** INV-24: dom goes for good, then nodes reboot; all answers are as they were. */
  async #outlivesDom(random: SeededRandom): Promise<void> {
    const cluster = this.#cluster;
    const before = await this.#view();
    for (const dom of cluster.doms) cluster.crashDom(dom);
    this.trace.add('world', 'dom is gone for good');
    const isLong = random.fork('long').chance(LONG_ALONE_SHARE);
    await this.#pass(isLong ? LONG_ALONE_MS : QUIET_MS);
    for (const sub of cluster.subs.slice(0, REBOOTS_MAX)) {
      cluster.crashSub(sub);
      await this.#pass(random.integer(0, REBOOT_MS / 2));
      cluster.startSub(sub);
      await this.#pass(REBOOT_MS);
    }
    const after = await this.#view();
    if (after !== before) this.#violated(24, `without dom\n${before}\nbecame\n${after}\n`);
  }

  /** INV-17 */
  async #restoresBackup(): Promise<void> {
    await restoreBackup({
      ...{ cluster: this.#cluster, random: this.#random.fork('backup') },
      pass: (ms, condition) => this.#pass(ms, condition),
      clock: this.#scheduler.clock(),
      pending: () => pending(this.#cluster, this.#wallMs()),
      faults: this.#setting.faults,
    });
  }

  #view(): Promise<string> {
    return viewOfAll({ cluster: this.#cluster, nowMs: this.#wallMs(), of: 'everything' });
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

  #nextStepMs(): Promise<number> {
    const { store, doms } = this.#cluster;
    const clocks = doms.map(({ host }) => host.clock);
    return nextStepInMs({ store, clocks });
  }

  #wallMs(): number {
    return EPOCH_MS + this.#scheduler.nowMs;
  }

  #violated(number: number, what: string): never {
    const { checks } = this.#cluster;
    checks.violated(number, what);
    checks.assertHeld();
    throw new Error('unreachable');
  }
}
