import type { Term } from '../../dom/dom.ts';
import { memoryDisk } from '../../runtime/disk/memory-disk.ts';
import type { Identity } from '../../runtime/tls/authority.ts';
import { type FakeCa, fakeAuthority, fakeCa } from '../../runtime/tls/fake-authority.ts';
import type { CaSetting } from '../ca/ca-setting.ts';
import { createCa } from '../ca/create-ca.ts';
import type { SimulatedCa } from '../ca/simulated-ca.ts';
import { allChecks } from '../check/all.ts';
import type { Commit } from '../check/check.ts';
import { Checks } from '../check/checks.ts';
import { DOM_BLOB_GRACE_MS } from '../check/content/dom-blobs.ts';
import type { SeededRandom } from '../engine/random.ts';
import type { Scheduler } from '../engine/scheduler.ts';
import type { Trace } from '../engine/trace.ts';
import { type CrashPoint, CrashPoints } from '../faults/crash-point.ts';
import { CALM, type Faults } from '../faults/faults.ts';
import type { GitSetting } from '../git/git-setting.ts';
import { SimulatedGit } from '../git/simulated-git.ts';
import type { Code } from '../hosts/code.ts';
import { type DomParts, type RunningDom, startDom } from '../hosts/dom-host.ts';
import { Host } from '../hosts/host.ts';
import { crashSub, type Sub, startSub } from '../hosts/sub-host.ts';
import { answerTrace } from '../load/answer-trace.ts';
import type { Published } from '../load/content.ts';
import type { LineKind } from '../load/line.ts';
import { User } from '../load/user.ts';
import { nothingWished, type Wish } from '../load/wish.ts';
import { Network } from '../net/network.ts';
import type { SiteStyle } from '../run/setting.ts';
import { Versions } from '../skew/versions.ts';
import { ObservedStore } from '../store/observed-store.ts';
import { StoreTrace } from '../store/store-trace.ts';
import type { Machine } from './machines.ts';
import { overheardAuthority } from './overheard-authority.ts';

export interface ClusterPorts {
  readonly scheduler: Scheduler;
  readonly random: SeededRandom;
  readonly trace: Trace;
}

export interface ClusterOptions {
  readonly machines: readonly Machine[];
  readonly doms: number;
  /** A geography database (MaxMind DB); undefined: nameservers do not know where clients are. */
  readonly geo: Uint8Array | undefined;
  /** What Sites ask for; left out: `plain`. */
  readonly sites?: SiteStyle | undefined;
  /** How people reach dom; left out: `perfect`. */
  readonly line?: LineKind | undefined;
  /** What the ACME CA is like, if there is one. */
  readonly ca?: CaSetting | undefined;
  /** What the Git remote is like, if there is one. */
  readonly git?: GitSetting | undefined;
  /** In its place: one whose commits no check knows the meaning of. */
  readonly plainGit?: DomParts['git'];
  /** Where one process is to crash, besides the faults. */
  readonly crash?: CrashPoint | undefined;
  /** Another version of the production code, which hosts may run at times. */
  readonly older?: Code | undefined;
  /** The command that shows this run again, for whoever reads of a violation. */
  readonly replay: string;
}

/** How a host calls the removal of a file. */
const REMOVAL = 'disk remove ';
/** How soon a process that ended is started again by what watches over it. */
const RESTART_MS = 1_000;

/** A machine of the control plane, and what runs there by now. */
export interface DomHost {
  readonly host: Host;
  running: RunningDom | undefined;
}

/** A control plane with its store, the nodes and the network between them. */
export class Cluster {
  readonly machines: readonly Machine[];
  readonly checks: Checks;
  readonly network: Network;
  /** Without any of its faults, for those who look at the world from outside. */
  readonly store: ObservedStore;
  readonly doms: readonly DomHost[];
  readonly subs: readonly Sub[];
  readonly versions: Versions;
  readonly sites: SiteStyle;
  /** Undefined: certificates come from b8s's own CA alone. */
  readonly ca: SimulatedCa | undefined;
  /** Undefined: nobody follows Git. */
  readonly git: SimulatedGit | undefined;
  readonly #subs = new Map<string, Sub>();
  /** To which something happened in this step. */
  readonly #touched = new Set<Sub>();
  /** The weather. */
  faults: Faults = CALM;
  /** What the users have been told that dom knows they want. */
  readonly wish: Wish = nothingWished();
  /** Keys that were written since `commits` was cleared, with their revisions. */
  readonly commits: { readonly revision: bigint; readonly keys: readonly string[] }[] = [];
  readonly #crashPoints: CrashPoints;
  readonly #releases = new Map<string, Published[]>();
  readonly #storeTrace: StoreTrace;
  readonly #ports: ClusterPorts;
  readonly #options: ClusterOptions;
  readonly #random: SeededRandom;
  readonly #ca: FakeCa;
  readonly #sealKey: Uint8Array;
  /** `sole`: the store is one process's own, which leads at once and without a lease. */
  readonly #mode: 'shared' | 'sole';
  /** Whether nodes fetch from one another, though there is little to fetch. */
  readonly #peers: 'eager' | 'real';

  constructor(ports: ClusterPorts, options: ClusterOptions) {
    const { scheduler, random, trace } = ports;
    this.#ports = ports;
    this.#options = options;
    this.#random = random.fork('cluster');
    this.machines = options.machines;
    this.sites = options.sites ?? 'plain';
    this.versions = new Versions({
      ...{ older: options.older, trace, random: random.fork('versions') },
      nodes: new Set(options.machines.map(({ name }) => name)),
    });
    const { replay } = options;
    this.checks = new Checks((checkPorts) => [answerTrace(trace), ...allChecks(checkPorts, this)], {
      replay,
      nowMs: () => scheduler.nowMs,
      onViolation: (message) => trace.violated(message),
    });
    this.ca = createCa(this, ports, options.ca);
    const { checks } = this;
    this.git =
      options.git &&
      new SimulatedGit({ scheduler, trace, checks, random: random.fork('git') }, options.git);
    trace.onText = (text) => this.checks.traced(text);
    const clock = scheduler.clock();
    this.#storeTrace = new StoreTrace(trace);
    this.store = new ObservedStore({
      scheduler,
      note: (what) => trace.add('store', what, { kind: 'fault' }),
      committed: (commit) => this.#committed(commit),
      stored: (event) => {
        this.#storeTrace.stored(event);
        this.checks.stored(event);
      },
    });
    // Blobs of several doms lie on one disk that all see, as a file server would offer it.
    const blobs = options.doms === 1 ? undefined : memoryDisk();
    this.doms = Array.from({ length: options.doms }, (_, index) => {
      const name = options.doms === 1 ? 'dom' : `dom-${index + 1}`;
      return { host: new Host(name, ports, blobs), running: undefined };
    });
    this.#ca = fakeCa({ clock, random: random.fork('authority') });
    this.#sealKey = random.fork('seal key').bytes(32);
    this.checks.confided({ kind: 'seal key', bytes: this.#sealKey });
    this.#peers = random.fork('peers').chance(0.7) ? 'eager' : 'real';
    this.#mode = options.doms > 1 || random.fork('mode').chance(0.5) ? 'shared' : 'sole';
    this.subs = options.machines.map((machine) => ({
      ...{ machine, host: new Host(machine.name, ports), address: machine.ipv4 },
      ...{ identity: undefined, running: undefined },
    }));
    for (const sub of this.subs) {
      this.#subs.set(sub.host.name, sub);
      sub.host.onTouch = () => this.#touched.add(sub);
    }
    this.#crashPoints = new CrashPoints({
      point: options.crash,
      crash: (host, lagMs) => this.#crashAndRestart(host, lagMs),
      note: (host, what) => trace.add(host, what, { kind: 'fault' }),
    });
    for (const { host } of [...this.doms, ...this.subs])
      host.onEffect = (_, what) => this.#effect(host.name, what);
    this.network = new Network({
      ...{ scheduler, random, trace },
      faults: () => this.faults,
      isServing: (node) => isServing(this.sub(node)),
      doms: this.doms.map(({ host }) => host.name),
      placeOf: (host) => options.machines.find(({ name }) => name === host)?.location,
      watch: this.checks,
    });
  }

  /** Side effects so far, of all processes. */
  get effects(): number {
    return this.#crashPoints.count;
  }

  sub(name: string): Sub | undefined {
    return this.#subs.get(name);
  }

  runningDoms(): readonly RunningDom[] {
    return this.doms.flatMap(({ running }) => running ?? []);
  }

  newUser(name: string): User {
    const { scheduler, trace, random } = this.#ports;
    const own = random.fork(`user ${name}`);
    const ports = { name, clock: scheduler.clock(), trace, random: own, checks: this.checks };
    const { line = 'perfect' } = this.#options;
    return new User({ ...ports, line, reach: () => this.reach() });
  }

  /** What a caller who knows every dom's address gets: any of them, leading or not. */
  reach(): { readonly host: string; readonly term: Promise<Term> } {
    const running = this.runningDoms();
    if (running.length === 0) throw new Error('dom is down');
    const { name, dom } = this.#random.pick(running);
    return { host: name, term: dom.leading() };
  }

  /** Releases of a site that people have made, in order. */
  releasesOf(site: string): readonly Published[] {
    return this.#releases.get(site) ?? [];
  }

  published(site: string, release: Published): void {
    this.#releases.set(site, [...this.releasesOf(site), release]);
    this.checks.published(site, release);
  }

  /** `watchLagMs`: for so long after its time a change of the store is news to it. */
  startDom(
    dom: DomHost,
    { watchLagMs }: { readonly watchLagMs: number } = { watchLagMs: 0 },
  ): void {
    if (dom.running !== undefined) return;
    const { scheduler, trace } = this.#ports;
    const { checks, store } = this;
    const { host } = dom;
    const random = this.#random.fork(`authority ${host.name} ${scheduler.steps}`);
    const authority = overheardAuthority(
      fakeAuthority({ clock: host.clock, random, ca: this.#ca }),
      (key) => this.checks.confided(key),
    );
    dom.running = startDom({
      ...{ host, store, authority, sealKey: this.#sealKey, code: this.versions.next(host.name) },
      ...{ mode: this.#mode, scheduler, trace, checks, geo: this.#options.geo },
      ...{ watchLagMs, faults: () => this.faults, ca: this.ca, peers: this.#peers },
      git: this.git ?? this.#options.plainGit,
      // What one of several has been told by people the others do not know, and see its blobs.
      blobGraceMs: this.doms.length === 1 ? DOM_BLOB_GRACE_MS : Number.POSITIVE_INFINITY,
      onEffect: (_, what) => this.#crashPoints.effect(host.name, what),
      onEnd: (why) => checks.violated(4, why),
      onDiskFault: () => {
        checks.reached.add('process ended by its disk');
        this.crashDom(dom);
        scheduler.after(RESTART_MS, () => this.startDom(dom));
      },
    });
    this.network.addDom(dom.running);
  }

  crashDom(dom: DomHost): void {
    dom.running = undefined;
    dom.host.crash();
  }

  /** Stands still, and still believes that it leads when it wakes. Returns what wakes it. */
  pauseDom({ host }: DomHost): () => void {
    return host.pause().wake;
  }

  /** Sets a machine up from nothing, as the node that it has just become, and starts sub. */
  async install(name: string, identity: Extract<Identity, { kind: 'node' }>): Promise<void> {
    const sub = this.sub(name);
    if (sub === undefined) throw new Error(`there is no machine ${name}`);
    this.crashSub(sub);
    await sub.host.wipe();
    this.checks.installed(name);
    sub.identity = identity;
    this.startSub(sub);
  }

  startSub(sub: Sub): void {
    if (sub.running !== undefined || sub.identity === undefined) return;
    const { network, checks } = this;
    const { trace, scheduler } = this.#ports;
    startSub(sub, {
      ...{ network, trace, checks, code: this.versions.next(sub.host.name), peers: this.#peers },
      onEnd: (why) => checks.violated(4, why),
      onDiskFault: () => {
        checks.reached.add('process ended by its disk');
        this.crashSub(sub);
        scheduler.after(RESTART_MS, () => this.startSub(sub));
      },
    });
  }

  crashSub(sub: Sub): void {
    crashSub(sub);
  }

  /** What can be seen of the nodes without asking them, after each step. */
  check(): void {
    for (const { host, running } of this.#touched) {
      this.checks.touched(host.name);
      if (running === undefined) continue;
      const { held, applied } = running.agent.state();
      if (held !== running.held && held !== undefined)
        this.checks.moved({ node: host.name, which: 'held', position: held });
      if (applied !== running.applied && applied !== undefined)
        this.checks.moved({ node: host.name, which: 'applied', position: applied });
      running.held = held;
      running.applied = applied;
    }
    this.#touched.clear();
    this.checks.stepped();
    this.checks.assertHeld();
  }

  #effect(host: string, what: string): void {
    if (what.startsWith(REMOVAL)) this.checks.removed(host, what.slice(REMOVAL.length));
    this.#crashPoints.effect(host, what);
  }

  #crashAndRestart(name: string, lagMs: number): void {
    const { scheduler } = this.#ports;
    const dom = this.doms.find(({ host }) => host.name === name);
    const sub = this.sub(name);
    if (dom !== undefined) {
      this.crashDom(dom);
      scheduler.after(RESTART_MS, () => this.startDom(dom, { watchLagMs: lagMs }));
    }
    if (sub !== undefined) {
      this.crashSub(sub);
      scheduler.after(RESTART_MS + lagMs, () => this.startSub(sub));
    }
  }

  #committed(commit: Commit): void {
    const { revision, transaction } = commit;
    const keys = transaction.writes.map(({ kind, key }) => (kind === 'put' ? key : `-${key}`));
    this.#storeTrace.committed(commit);
    this.commits.push({ revision, keys });
    this.checks.committed(commit);
  }
}

/** A process that stands still answers nobody. */
function isServing(sub: Sub | undefined): boolean {
  return sub?.running?.serving !== undefined && !sub.running.process.paused;
}
