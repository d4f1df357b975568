import type { Term } from '../../dom/dom.ts';
import type { CertificateAuthority } from '../../runtime/authority.ts';
import { blobPath, digestHex, digestOf } from '../../runtime/digest.ts';
import { fakeAuthority } from '../../runtime/fake-authority.ts';
import { EPOCH_KEY, objectKey } from '../../runtime/keys.ts';
import { memoryStore } from '../../runtime/memory-store.ts';
import type { Store, Transaction } from '../../runtime/store.ts';
import { Invariants } from '../check/invariants.ts';
import type { SeededRandom } from '../engine/random.ts';
import type { Scheduler } from '../engine/scheduler.ts';
import type { Trace } from '../engine/trace.ts';
import { CALM, type Faults } from '../faults/faults.ts';
import { type RunningDom, startDom } from '../hosts/dom-host.ts';
import { Host } from '../hosts/host.ts';
import { crashSub, type Sub, startSub } from '../hosts/sub-host.ts';
import type { Published } from '../load/content.ts';
import { User } from '../load/user.ts';
import { Network } from '../net/network.ts';
import { observedStore } from '../store/remote-store.ts';

export const SITE = { namespace: 'default', name: 'blog' } as const;
export const SITE_HOST = 'blog.example.test';
/** A second site, which comes and goes. */
export const OTHER_SITE = { namespace: 'default', name: 'docs' } as const;
export const OTHER_HOST = 'docs.example.test';
export const ZONE = { namespace: 'default', name: 'example-test' } as const;

/** The three machines of the demo, with what each declares of itself when it joins. */
export const MACHINES = {
  london: { ipv4: ['192.0.2.1'], location: { latitude: 51.51, longitude: -0.13 } },
  newyork: { ipv4: ['192.0.2.2'], location: { latitude: 40.71, longitude: -74.01 } },
  sydney: { ipv4: ['192.0.2.3'], location: { latitude: -33.87, longitude: 151.21 } },
} as const;

export interface ClusterPorts {
  readonly seed: number;
  readonly scheduler: Scheduler;
  readonly random: SeededRandom;
  readonly trace: Trace;
}

/** A control plane with its store, three nodes and the network between them. */
export class Cluster {
  readonly invariants: Invariants;
  readonly network: Network;
  readonly store: Store;
  readonly subs: readonly Sub[];
  readonly user: User;
  /** Keys that were written since `commits` was cleared, with their revisions. */
  readonly commits: { readonly revision: bigint; readonly keys: readonly string[] }[] = [];
  /** All that the user has published. */
  readonly releases: Published[] = [];
  readonly #ports: ClusterPorts;
  readonly #random: SeededRandom;
  readonly #domHost: Host;
  readonly #authority: CertificateAuthority;
  readonly #sealKey: Uint8Array;
  readonly #mode: 'shared' | 'sole';
  /** Those whose process lives; the network knows them all. */
  readonly #doms: RunningDom[] = [];
  /** The weather. */
  faults: Faults = CALM;
  #epoch = 0n;
  #serving: string | undefined;

  constructor(ports: ClusterPorts) {
    const { seed, scheduler, random, trace } = ports;
    this.#ports = ports;
    this.#random = random.fork('cluster');
    this.invariants = new Invariants(seed);
    const clock = scheduler.clock();
    this.store = observedStore(memoryStore({ clock }), (transaction, revision) =>
      this.#committed(transaction, revision),
    );
    this.#domHost = new Host('dom', ports);
    this.#authority = fakeAuthority({ clock, random: random.fork('authority') });
    this.#sealKey = random.fork('seal key').bytes(32);
    this.#mode = random.fork('mode').chance(0.5) ? 'shared' : 'sole';
    this.subs = Object.entries(MACHINES).map(([name, { ipv4 }]) => ({
      host: new Host(name, ports),
      address: ipv4[0],
      identity: undefined,
      running: undefined,
    }));
    const isServing = (node: string): boolean => this.sub(node)?.running?.serving !== undefined;
    this.network = new Network({
      ...{ scheduler, random, trace, isServing, doms: this.#doms },
      faults: () => this.faults,
    });
    this.user = new User({
      ...{ clock, trace, random: random.fork('user'), invariants: this.invariants },
      term: () => this.term(),
    });
  }

  sub(name: string): Sub | undefined {
    return this.subs.find(({ host }) => host.name === name);
  }

  /** What a caller who knows every dom's address gets: any of them, leading or not. */
  async term(): Promise<Term> {
    if (this.#doms.length === 0) throw new Error('dom is down');
    return this.#random.pick(this.#doms).dom.leading();
  }

  /** Where none runs. */
  startDom(): void {
    if (this.#doms.length === 0) this.#addDom();
  }

  /**
   * Dom stands still and another one is started beside it, where the store is shared. Returns what
   * wakes it: it still believes that it leads, and may be right.
   */
  pauseDom(): () => void {
    const [paused, other] = this.#doms;
    if (paused === undefined || other !== undefined || this.#mode === 'sole')
      return () => undefined;
    const { process } = paused;
    this.#ports.trace.add('dom', `${process.name} STANDS STILL`);
    process.pause();
    this.#addDom();
    return () => {
      if (process.alive && process.paused) this.#ports.trace.add('dom', `${process.name} wakes up`);
      process.resume();
    };
  }

  /** All of them. */
  crashDom(): void {
    for (const { process } of this.#doms.splice(0)) process.kill();
    this.#domHost.crash();
  }

  startSub(sub: Sub): void {
    if (sub.running !== undefined || sub.identity === undefined) return;
    const { network } = this;
    const { trace } = this.#ports;
    startSub(sub, { network, trace, onEnd: (why) => this.invariants.violated(4, why) });
  }

  crashSub(sub: Sub): void {
    crashSub(sub);
  }

  /** What can be seen of the nodes without asking them, after each step. */
  check(): void {
    for (const { host, running } of this.subs) {
      if (running === undefined) continue;
      const { held, applied } = running.agent.state();
      this.invariants.position(host.name, 'held', held);
      this.invariants.position(host.name, 'applied', applied);
    }
    this.invariants.assertHeld();
  }

  #committed({ guards, writes }: Transaction, revision: bigint): void {
    const isFenced = guards.some(({ key }) => key === EPOCH_KEY);
    if (!isFenced) this.invariants.violated(15, `commit ${revision} does not carry its epoch`);
    const keys = writes.map(({ kind, key }) => (kind === 'put' ? key : `-${key}`));
    this.#ports.trace.add('store', `commits ${revision}: ${keys.join(' ')}`);
    this.commits.push({ revision, keys });
    for (const write of writes) {
      if (write.kind === 'put' && write.key === SITE_KEY) this.#siteWritten(write.value);
      if (write.kind === 'put' && write.key === EPOCH_KEY) this.#epochWritten(write.value);
    }
  }

  #addDom(): void {
    const { scheduler, trace } = this.#ports;
    const faults = () => this.faults;
    const dom = startDom({
      ...{ host: this.#domHost, store: this.store, authority: this.#authority },
      ...{ sealKey: this.#sealKey, mode: this.#mode, scheduler, trace, faults },
      onEnd: (why) => this.invariants.violated(4, why),
    });
    this.#doms.push(dom);
  }

  #epochWritten(value: string): void {
    const { epoch } = JSON.parse(value) as { epoch: string };
    if (BigInt(epoch) <= this.#epoch)
      this.invariants.violated(15, `epoch ${epoch} comes after ${this.#epoch}`);
    this.#epoch = BigInt(epoch);
  }

  #siteWritten(value: string): void {
    const { status } = JSON.parse(value) as { status?: { release?: string } };
    if (status?.release === this.#serving) return;
    this.#serving = status?.release;
    const release = this.releases.find(({ digest }) => digest === this.#serving);
    this.invariants.switched(release);
    if (release !== undefined && !this.subs.some((sub) => holdsVerified(sub, release)))
      this.invariants.violated(28, `dom switches to ${release.digest}, which no node holds`);
  }
}

/** By the node's disk itself: what it says of itself may be wrong. */
function holdsVerified({ host }: Sub, { digest, files }: Published): boolean {
  const stored = host.disk.files();
  const blobs = [digest, ...[...files.values()].map(digestOf)];
  return (
    stored.has(`verified/${digestHex(digest)}`) && blobs.every((blob) => stored.has(blobPath(blob)))
  );
}

const SITE_KEY = objectKey({ kind: 'Site', ...SITE });
