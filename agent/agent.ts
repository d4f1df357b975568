import type { ExplainReply, PeerOffer } from '../proto/gen/b8s/v1/agent.ts';
import type { NodePlan, Position } from '../proto/gen/b8s/v1/plan.ts';
import { CAPABILITIES } from '../runtime/capabilities.ts';
import type { Clock } from '../runtime/clock.ts';
import type { BlobSource } from '../runtime/content/blob-source.ts';
import { PEER_SERVER_NAME } from '../runtime/content/peer-url.ts';
import type { PeerIdentity } from '../runtime/content/peers.ts';
import { type BackoffLimits, backoffMs } from '../runtime/control/backoff.ts';
import type { Disk } from '../runtime/disk/disk.ts';
import type { Datagrams } from '../runtime/dns/datagrams.ts';
import type { Log } from '../runtime/log.ts';
import type { Probe } from '../runtime/probe.ts';
import type { Random } from '../runtime/random.ts';
import type { Dialer } from '../runtime/session/dialer.ts';
import { sumOfCounts } from '../runtime/traffic/site-traffic.ts';
import type { CountedSite } from '../runtime/traffic/traffic-metrics.ts';
import { VERSION } from '../runtime/version.ts';
import { type ContentReconciler, createContentReconciler } from './content/reconciler.ts';
import type { PeerPorts } from './content/sources.ts';
import { runProber } from './dns/health/prober.ts';
import { createNotifier, type Notifier, servedZones } from './dns/transfer/notifier.ts';
import type { EdgePeering } from './edge/snapshot.ts';
import { TrafficSums } from './edge/traffic.ts';
import { AccessLogs, loggingSites } from './logs/access-logs.ts';
import type { LogLimits } from './logs/log-files.ts';
import type { AppliedReport, DataPlane, Health } from './plane/plane.ts';
import { buildReport, dnsLimited, nodeLoad } from './report.ts';
import { ServedFile } from './served-file.ts';
import type { SessionHost } from './session/conversation.ts';
import { HELD_PLAN_PATH, planFile, SERVED_PLAN_PATH } from './session/plan-file.ts';
import { PlanHolder } from './session/plan-holder.ts';
import { type PlanObjects, planObjects } from './session/plan-objects.ts';
import type { HeldPlan } from './session/plan-state.ts';
import { createSession, type Session, type SessionState } from './session/session.ts';
import { buildSnapshot, desiredContent, NOTHING_SERVED, type Served } from './snapshot.ts';
import { createTrigger, raisedWithin } from './trigger.ts';

export interface AgentOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly disk: Disk;
  readonly dialer: Dialer;
  readonly blobs: BlobSource;
  /** Left out: content comes from dom alone, and none is given to other nodes. */
  readonly peers?: AgentPeers | undefined;
  readonly plane: DataPlane;
  readonly probe: Probe;
  /** Left out: secondaries are not told of new versions of zones. */
  readonly datagrams?: Datagrams;
  readonly log: Log;
  readonly identity: { readonly node: string };
  /** Of access logs; left out: `LOG_LIMITS`. */
  readonly logLimits?: LogLimits;
  /** Memory of this process in bytes. Left out: reported as 0. */
  readonly rssBytes?: () => number;
  /** Seconds of processor time of this process since it started. Left out: not told. */
  readonly cpuS?: () => number;
}

export interface AgentPeers extends Omit<PeerPorts, 'node'> {
  readonly identity: PeerIdentity;
}

export interface AgentState {
  readonly session: SessionState;
  /** Of the plan on disk. */
  readonly held: Position | undefined;
  /** Of the plan that the data plane serves. */
  readonly applied: Position | undefined;
}

/** The control part of sub: keeps a node doing what it was told, with or without dom. */
export interface Agent {
  /** What its edges have answered since it started, and lines of access logs that were dropped. */
  counted(): { readonly sites: readonly CountedSite[]; readonly droppedLines: number };
  /**
   * Serves what the disk holds, then dials dom, until `signal` is aborted. The data plane is left
   * open: it is its owner who closes it. Throws only when the disk cannot be read at the start.
   */
  run(signal: AbortSignal): Promise<void>;
  state(): AgentState;
}

export const AGENT_CAPABILITIES: readonly string[] = [
  ...['delta', 'explain', 'fetch-resume', 'logs'],
  ...CAPABILITIES,
];
export const APPLY_RETRY_BACKOFF: BackoffLimits = { baseMs: 250, capMs: 10_000 };

export function createAgent(options: AgentOptions): Agent {
  return new ControlPart(options);
}

interface Applied {
  readonly position: Position;
  readonly plan: PlanObjects;
  readonly served: Served;
  readonly outcome: AppliedReport;
}

class ControlPart implements Agent {
  readonly #options: AgentOptions;
  readonly #holder: PlanHolder;
  readonly #servedFile: ServedFile;
  readonly #content: ContentReconciler;
  readonly #session: Session;
  readonly #notifier: Notifier | undefined;
  readonly #logs: AccessLogs;
  /** Raised when what is to be served may have changed. */
  readonly #changed = createTrigger();
  #plan: { readonly held: HeldPlan; readonly objects: PlanObjects } | undefined;
  #served = NOTHING_SERVED;
  #applied: Applied | undefined;
  #health: Health = {};
  #sequence = 0;
  /** What the edges have answered since this process started. */
  readonly #traffic = new TrafficSums();
  #troubles: { readonly apply: string | undefined; readonly hold: string | undefined } = {
    apply: undefined,
    hold: undefined,
  };

  constructor(options: AgentOptions) {
    const { disk, blobs, log, datagrams, identity, peers } = options;
    this.#options = options;
    this.#holder = new PlanHolder(planFile(disk, HELD_PLAN_PATH, log), log);
    this.#servedFile = new ServedFile(planFile(disk, SERVED_PLAN_PATH, log));
    this.#content = createContentReconciler({
      ...options,
      ...{ source: blobs, peers: peers && { ...peers, node: identity.node } },
      onChange: () => this.#contentChanged(),
    });
    this.#logs = new AccessLogs({ ...options, limits: options.logLimits });
    this.#session = createSession({ ...options, host: this.#host() });
    this.#notifier = datagrams && createNotifier({ ...options, datagrams });
    options.plane.onDamaged((blob) => this.#content.suspect(blob));
    options.plane.onLines((lines) => this.#logs.take(lines));
  }

  async run(signal: AbortSignal): Promise<void> {
    await this.#holder.load();
    this.#served = await this.#servedFile.load();
    this.#planChanged();
    await this.#content.look();
    // Serve before anything else: dom may be away, and clients are not.
    const applied = await this.#tryToApply();
    await Promise.all([
      this.#session.run(signal),
      this.#content.run(signal),
      this.#logs.run(signal),
      this.#keepApplying(applied, signal),
      this.#probePeers(signal),
      this.#notifier?.run(signal),
    ]);
  }

  counted(): ReturnType<Agent['counted']> {
    this.#traffic.add(this.#options.plane.takeTraffic());
    const bySite = Map.groupBy(this.#traffic.all(), ({ uid }) => uid);
    const sites = (this.#plan?.objects.sites ?? []).flatMap(({ uid, namespace, name }) => {
      const [first, ...others] = bySite.get(uid) ?? [];
      if (first === undefined) return [];
      return [{ namespace, site: name, count: others.reduce(sumOfCounts, first) }];
    });
    return { sites, droppedLines: this.#logs.dropped };
  }

  state(): AgentState {
    return {
      session: this.#session.state(),
      held: this.#holder.held?.position,
      applied: this.#applied?.position,
    };
  }

  #host(): SessionHost {
    const { identity, plane, rssBytes, cpuS, peers } = this.#options;
    return {
      hello: () => {
        // There is a way to dom again.
        this.#content.retrySoon();
        const peerOffer = peers && offerOf(peers.identity);
        const fixed = { agentVersion: VERSION, capabilities: AGENT_CAPABILITIES, peerOffer };
        return { node: identity.node, ...fixed, ...this.#holder.hello() };
      },
      takePlan: async (plan) => {
        const outcome = await this.#taking(async () => {
          // A plan says what is served for as long as it is the one on disk, and not a day longer.
          await this.#servedFile.remember(this.#served);
          return this.#holder.take(plan);
        });
        if (outcome === 'new') this.#planChanged();
        return outcome === 'gap' ? 'gap' : 'taken';
      },
      report: () =>
        buildReport({
          applied: this.#applied,
          content: this.#content.state(),
          health: this.#health,
          trouble: this.#troubles.hold ?? this.#troubles.apply,
          rssBytes: rssBytes?.() ?? 0,
        }),
      limited: () => dnsLimited(plane.state()),
      ...(cpuS && {
        load: () => nodeLoad(plane.state(), { cpuS: cpuS(), rssBytes: rssBytes?.() ?? 0 }),
      }),
      traffic: () => {
        this.#traffic.add(plane.takeTraffic());
        return this.#traffic.all();
      },
      logs: this.#logs,
      explain: async ({ id, name, type, clientIp }): Promise<ExplainReply> => {
        const outcome = await plane.explain({ name, type, clientIp });
        return outcome.kind === 'explained'
          ? { id, explanation: outcome.explanation, error: '' }
          : { id, explanation: undefined, error: outcome.error };
      },
    };
  }

  /** Remembers why a plan could not be kept, for the report of the next session. */
  async #taking<T>(take: () => Promise<T>): Promise<T> {
    try {
      const outcome = await take();
      this.#troubles = { ...this.#troubles, hold: undefined };
      return outcome;
    } catch (error) {
      this.#troubles = { ...this.#troubles, hold: messageOf(error) };
      throw error;
    }
  }

  #planChanged(): void {
    const { held } = this.#holder;
    if (held === undefined) return;
    this.#plan = { held, objects: planObjects(held.objects) };
    this.#wantContent();
    this.#changed.raise();
  }

  #contentChanged(): void {
    this.#changed.raise();
    this.#session.reportSoon();
  }

  #wantContent(): void {
    if (this.#plan === undefined) return;
    // What the plane really serves may lag behind what it was told to.
    const actual = new Map(
      this.#applied?.outcome.sites.flatMap(({ uid, release }) =>
        release === undefined ? [] : [[uid, release] as const],
      ),
    );
    const databases = this.#applied?.outcome.databases ?? [];
    const inUse = { ...NOTHING_SERVED, releases: actual, databases };
    this.#content.want(desiredContent(this.#plan.objects, [this.#served, inUse]));
  }

  async #keepApplying(first: 'applied' | 'again', signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#options;
    let ms = first === 'applied' ? Number.POSITIVE_INFINITY : 0;
    for (let failures = 0; ; ) {
      try {
        await raisedWithin(this.#changed, { clock, ms, signal });
      } catch {
        return;
      }
      const outcome = await this.#tryToApply();
      failures = outcome === 'applied' ? 0 : failures + 1;
      ms =
        outcome === 'applied'
          ? Number.POSITIVE_INFINITY
          : backoffMs(failures, APPLY_RETRY_BACKOFF, random);
    }
  }

  /** `again`: it is worth another try. */
  async #tryToApply(): Promise<'applied' | 'again'> {
    try {
      const outcome = await this.#apply();
      this.#troubles = { ...this.#troubles, apply: undefined };
      return outcome;
    } catch (error) {
      this.#troubles = { ...this.#troubles, apply: messageOf(error) };
      this.#options.log.error({ error: messageOf(error) }, 'the plan could not be applied');
      return 'again';
    } finally {
      this.#session.reportSoon();
    }
  }

  async #apply(): Promise<'applied' | 'again'> {
    const { clock, plane, identity, log, peers } = this.#options;
    if (this.#plan === undefined) return 'applied';
    const { held, objects } = this.#plan;
    this.#sequence += 1;
    const { snapshot, served } = buildSnapshot({
      ...{ plan: objects, content: this.#content.state(), previous: this.#served },
      ...{ node: identity.node, health: this.#health },
      ...{ sequence: this.#sequence, nowMs: clock.nowMs() },
      peering: peers && peeringOf(peers.identity),
    });
    this.#served = served;
    this.#logs.want(loggingSites(snapshot.edge));
    // What is about to be served must not be collected while it is handed over.
    this.#wantContent();
    // Remembered first: a crash in between must not bring an older release back (INV-27).
    const remembered = await this.#servedFile.remember(served).then(
      () => true,
      (error: unknown) => {
        log.error({ error: messageOf(error) }, 'what is served could not be written down');
        return false;
      },
    );
    const outcome = await plane.apply(snapshot);
    // What probes found out meanwhile is newer than the snapshot, and nobody would say it again.
    if (this.#health !== snapshot.dns.health) plane.setHealth(this.#health);
    this.#applied = { position: held.position, plan: objects, served, outcome };
    this.#notifier?.served(servedZones(objects, outcome.zones, identity.node));
    this.#wantContent();
    // What is whole on disk and could not be read all the same may be readable soon.
    return remembered && isInEffect(outcome, served) ? 'applied' : 'again';
  }

  /** A nameserver sees for itself which edges answer, also while dom is away. */
  async #probePeers(signal: AbortSignal): Promise<void> {
    const { clock, random, probe, plane, identity } = this.#options;
    const nodes = (): readonly NodePlan[] => {
      const known = this.#plan?.objects.nodes ?? [];
      const own = known.find(({ name }) => name === identity.node);
      return own?.roles.includes('nameserver') === true ? known : [];
    };
    const options = {
      ...{ self: identity.node, clock, random, probe, nodes },
      onChange: (health: ReadonlyMap<string, boolean>) => {
        this.#health = Object.fromEntries(health);
        plane.setHealth(this.#health);
        this.#session.reportSoon();
      },
    };
    await runProber(options, signal);
  }
}

function offerOf({ fingerprint, key }: PeerIdentity): PeerOffer {
  return { fingerprint: Buffer.from(fingerprint, 'hex'), key: Buffer.from(key) };
}

function peeringOf({ key, fingerprint, chainPem, keyPem }: PeerIdentity): EdgePeering {
  return { key, certificate: { names: [PEER_SERVER_NAME], fingerprint, chainPem, keyPem } };
}

/** Whether every release and database is in use that should be, where there is use for them. */
function isInEffect({ sites, databases }: AppliedReport, served: Served): boolean {
  return (
    sites.every(({ uid, release }) => release === served.releases.get(uid)) &&
    served.databases.every((digest) => databases.includes(digest))
  );
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
