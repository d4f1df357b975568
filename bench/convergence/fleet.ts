import { type Plan, SessionRequest, SessionResponse } from '../../proto/gen/b8s/v1/agent.ts';
import type { PlanObject, Position } from '../../proto/gen/b8s/v1/plan.ts';
import { grpcDom } from '../../runtime/node/grpc/dialer.ts';
import type { NodeCredentials } from '../../runtime/session/enrolment.ts';
import type { Link } from '../../runtime/session/link.ts';

const HEARTBEAT_MS = 1_500;
const DIALS_MAX = 25;
const DIAL_PAUSE_MS = 100;
const TRIES_MAX = 5;
const RETRY_MS = 500;

/** What a session saw of one generation of the Site, by `performance.now()`. */
export interface Seen {
  readonly receivedMs: number;
  /** When dom had certainly read the acknowledgement: its echo of a heartbeat sent right after. */
  acknowledgedMs: number | undefined;
}

/**
 * Sessions as subs hold them, without a sub behind: each says hello, keeps its plan in memory,
 * reports as an agent that serves it at once, and sends heartbeats.
 */
export class Fleet {
  readonly sessions: readonly LightSession[];

  constructor(nodes: ReadonlyMap<string, NodeCredentials>) {
    this.sessions = [...nodes].map(([name, credentials]) => new LightSession(name, credentials));
  }

  /** A few at a time, for a burst of new connections would be dropped. */
  async open(): Promise<void> {
    const waiting = this.sessions.values();
    const opener = async (): Promise<void> => {
      for (const session of waiting) {
        await session.open();
        await new Promise((resolve) => setTimeout(resolve, DIAL_PAUSE_MS));
      }
    };
    await Promise.all(Array.from({ length: DIALS_MAX }, opener));
  }

  close(): void {
    for (const session of this.sessions) session.close();
  }
}

export class LightSession {
  readonly #name: string;
  readonly #dom: ReturnType<typeof grpcDom>;
  readonly #objects = new Map<string, PlanObject>();
  readonly #seen = new Map<bigint, Seen>();
  readonly #awaitingEcho = new Map<bigint, bigint>();
  #link: Link | undefined;
  #heartbeat: NodeJS.Timeout | undefined;
  #sequence = 0n;
  error: unknown;

  constructor(name: string, credentials: NodeCredentials) {
    this.#name = name;
    this.#dom = grpcDom(() => credentials);
  }

  /** Resolves with the first plan. Tries again when dom is too busy to take it. */
  async open(): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      try {
        this.error = undefined;
        return await this.#open();
      } catch (error) {
        if (tries === TRIES_MAX) throw error;
        await new Promise((resolve) => setTimeout(resolve, tries * RETRY_MS));
      }
    }
  }

  async #open(): Promise<void> {
    const link = await this.#dom.dial(new AbortController().signal);
    this.#link = link;
    const hello = {
      ...{ node: this.#name, agentVersion: 'bench', capabilities: [], heldDigest: '' },
      held: undefined,
    };
    this.#send({ $case: 'hello', value: hello });
    await new Promise<void>((resolve, reject) => {
      this.#read(link, resolve).catch((error: unknown) => {
        this.error = error;
        clearInterval(this.#heartbeat);
        reject(error instanceof Error ? error : new Error(String(error)));
      });
    });
    this.#heartbeat = setInterval(() => this.#beat(), HEARTBEAT_MS);
  }

  seen(generation: bigint): Seen | undefined {
    return this.#seen.get(generation);
  }

  close(): void {
    clearInterval(this.#heartbeat);
    this.#link?.close();
    this.#dom.close();
  }

  async #read(link: Link, onPlan: () => void): Promise<void> {
    for await (const frame of link.frames()) {
      const { message } = SessionResponse.decode(frame);
      if (message?.$case === 'plan') {
        this.#take(message.value);
        onPlan();
      }
      if (message?.$case === 'heartbeat') this.#echoed(message.value.sequence);
    }
  }

  #take(plan: Plan): void {
    const receivedMs = performance.now();
    if (plan.base === undefined) this.#objects.clear();
    for (const object of plan.upserts) this.#objects.set(object.key, object);
    for (const key of plan.removals) this.#objects.delete(key);
    this.#report(plan.position);
    const sequence = this.#beat();
    for (const { object } of plan.upserts) {
      if (object?.$case !== 'site' || this.#seen.has(object.value.generation)) continue;
      this.#seen.set(object.value.generation, { receivedMs, acknowledgedMs: undefined });
      this.#awaitingEcho.set(sequence, object.value.generation);
    }
  }

  #echoed(sequence: bigint): void {
    const generation = this.#awaitingEcho.get(sequence);
    this.#awaitingEcho.delete(sequence);
    const seen = generation === undefined ? undefined : this.#seen.get(generation);
    if (seen !== undefined) seen.acknowledgedMs = performance.now();
  }

  #beat(): bigint {
    this.#sequence += 1n;
    this.#send({ $case: 'heartbeat', value: { sequence: this.#sequence } });
    return this.#sequence;
  }

  #report(applied: Position | undefined): void {
    const objects = [...this.#objects.values()].map(({ object }) => object);
    const sites = objects.filter((each) => each?.$case === 'site').map(({ value }) => value);
    const zones = objects.filter((each) => each?.$case === 'zone').map(({ value }) => value);
    const report = {
      sites: sites.map((site) => {
        const { uid, namespace, name, generation, serving, prepare: verified } = site;
        const held = this.#objects.get(site.certificate)?.object;
        const certificate = held?.$case === 'certificate' ? held.value.fingerprint : '';
        const words = { error: '', warning: '', previews: [], previewError: '' };
        return { uid, namespace, name, generation, serving, verified, certificate, ...words };
      }),
      zones: zones.map(({ uid, name, serial, keys }) => ({
        ...{ uid, name, serial, error: '' },
        keyTags: keys.map(({ keyTag }) => keyTag),
      })),
      ...{ peers: [], conditions: [], rssBytes: 0n, geo: [], challenges: [] },
    };
    this.#send({ $case: 'report', value: { applied, ...report } });
  }

  #send(message: SessionRequest['message']): void {
    this.#link?.send(SessionRequest.encode({ message }).finish());
  }
}
