import { createHash } from 'node:crypto';
import type { Agent } from '../../agent/agent.ts';
import type { SignPort } from '../../agent/dns/dnssec/ecdsa.ts';
import type { InProcessPlane } from '../../agent/plane/in-process-plane.ts';
import type { AppliedReport, DataPlane, Health, PlaneSnapshot } from '../../agent/plane/plane.ts';
import type { Position } from '../../proto/gen/b8s/v1/plan.ts';
import { PEER_KEY_BYTES } from '../../runtime/content/peer-url.ts';
import type { PeerIdentity } from '../../runtime/content/peers.ts';
import { fakePasswordHasher } from '../../runtime/secret/fake-password-hasher.ts';
import type { Identity } from '../../runtime/tls/authority.ts';
import type { Checks } from '../check/checks.ts';
import type { Machine } from '../cluster/machines.ts';
import type { Process } from '../engine/process.ts';
import type { SeededRandom } from '../engine/random.ts';
import type { Trace } from '../engine/trace.ts';
import type { Network } from '../net/network.ts';
import type { Code } from './code.ts';
import type { Host } from './host.ts';
import { DiskFault } from './host-disk.ts';

/** A node: its machine, who it is, and what runs there by now. */
export interface Sub {
  readonly machine: Machine;
  readonly host: Host;
  readonly address: string;
  /** Undefined: it has not joined yet. */
  identity: Extract<Identity, { kind: 'node' }> | undefined;
  running: RunningSub | undefined;
}

export interface RunningSub {
  readonly process: Process;
  readonly agent: Agent;
  /**
   * Undefined until the first snapshot is in effect: as in production, nothing listens before; and
   * while the process stands still, with all its threads.
   */
  readonly serving: InProcessPlane | undefined;
  /** What it serves, and what it says of that; undefined: nothing yet. */
  inEffect: { readonly snapshot: PlaneSnapshot; readonly report: AppliedReport } | undefined;
  /** Its positions when they were last looked at. */
  held: Position | undefined;
  applied: Position | undefined;
  /** What its probes say of the other edges, as its data plane has it. */
  health: Health;
}

export interface SubParts {
  readonly code: Pick<Code, 'createAgent' | 'createInProcessPlane'>;
  readonly network: Network;
  readonly trace: Trace;
  readonly checks: Checks;
  /** `eager`: it asks for other edges, however little there is to fetch. */
  readonly peers: 'eager' | 'real';
  /** A process of sub may crash, but must never end by itself… */
  readonly onEnd: (why: string) => void;
  /** …unless it cannot read its own disk: then whoever watches over it starts it again. */
  readonly onDiskFault: () => void;
}

/** Starts sub's production code on its host, with simulated ports. The node must have joined. */
export function startSub(sub: Sub, parts: SubParts): void {
  const { network, trace, checks, code, peers } = parts;
  const { host, identity } = sub;
  if (identity === undefined) throw new Error(`start ${host.name}: it has not joined`);
  const { process, random, disk } = host.start();
  const caller = { node: host.name, identity, process };
  const log = process.log(checks.overhear(host.name, trace.log(host.name)));
  const reader = host.reader(random.fork('plane'));
  const names = { nodeName: host.name };
  const clock = process.clock(host.clock);
  const accessLog = { clock, random: random.fork('access log') };
  const gate = { clock, hasher: fakePasswordHasher(random.fork('gate')) };
  const plane = code.createInProcessPlane({
    ...{ disk: reader, ...names, log, clock, sign: fakeSign, accessLog, gate },
  });
  const peerIdentity = fakePeerIdentity(random.fork('peers'));
  const probe = network.probe(caller);
  const agent = code.createAgent({
    clock,
    random,
    disk,
    dialer: network.dialer(caller),
    blobs: network.blobs(caller),
    peers: { ...network.peers(caller), identity: peerIdentity, ...(peers === 'eager' && EAGER) },
    plane: process.wrap<DataPlane>({
      apply: async (snapshot) => {
        const report = await plane.apply(snapshot);
        listening = true;
        running.inEffect = { snapshot, report };
        running.health = snapshot.dns.health;
        if (process.alive) checks.applied({ node: host.name, snapshot, report });
        return report;
      },
      setHealth: (health) => {
        running.health = health;
        plane.setHealth(health);
        checks.judged(host.name, health);
      },
      explain: (question) => plane.explain(question),
      state: () => plane.state(),
      // Older code does not count.
      takeTraffic: () => plane.takeTraffic?.() ?? [],
      onDamaged: (listener) => plane.onDamaged(listener),
      // Older code notes nothing.
      onLines: (write) => plane.onLines?.(write),
      close: () => plane.close(),
    }),
    probe: {
      probe: async (target, signal) => {
        const isUp = await probe.probe(target, signal);
        const outcome = isUp ? 'answered' : 'silent';
        checks.probed({ nameserver: host.name, node: target.node, outcome });
        return isUp;
      },
    },
    log,
    identity: { node: host.name },
  });
  let listening = false;
  const running: RunningSub = {
    ...{
      process,
      agent,
      inEffect: undefined,
      held: undefined,
      applied: undefined,
      health: {},
    },
    get serving() {
      return listening && !process.paused ? plane : undefined;
    },
  };
  sub.running = running;
  network.addEdge({
    ...{ name: host.name, process, fingerprint: peerIdentity.fingerprint },
    request: (request) =>
      sub.machine.roles.includes('edge') ? running.serving?.request(request) : undefined,
  });
  agent.run(process.signal).then(
    () => ended(process, parts, new Error('for no reason')),
    (error: unknown) => ended(process, parts, error),
  );
}

/** A process has ended without having been killed. */
export function ended(
  process: Process,
  { onEnd, onDiskFault }: Pick<SubParts, 'onEnd' | 'onDiskFault'>,
  error: unknown,
): void {
  if (!process.alive) return;
  if (error instanceof DiskFault) onDiskFault();
  else onEnd(`${process.name} ended by itself: ${String(error)}`);
}

export function crashSub(sub: Sub): void {
  sub.host.crash();
  sub.running = undefined;
}

const EAGER = { askBytesMin: 0 };

/** Nobody in the simulation looks at certificates of edges: the fingerprint says which it is. */
function fakePeerIdentity(random: SeededRandom): PeerIdentity {
  const fingerprint = Buffer.from(random.bytes(PEER_KEY_BYTES)).toString('hex');
  return { fingerprint, chainPem: '', keyPem: '', key: random.bytes(PEER_KEY_BYTES) };
}

/** As long as a true one, and always the same: nobody in the simulation checks it. */
const fakeSign: SignPort = (data) => createHash('sha512').update(data).digest();
