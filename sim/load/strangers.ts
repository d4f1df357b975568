import { SessionRequest } from '../../proto/gen/b8s/v1/agent.ts';
import type { Position } from '../../proto/gen/b8s/v1/plan.ts';
import { CAPABILITIES } from '../../runtime/capabilities.ts';
import type { Identity } from '../../runtime/tls/authority.ts';
import { encodeFakeRequest, fakeKey } from '../../runtime/tls/fake-authority.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { Process } from '../engine/process.ts';
import type { SeededRandom } from '../engine/random.ts';
import type { Scheduler } from '../engine/scheduler.ts';
import type { Caller } from '../net/caller.ts';

type NodeIdentity = Extract<Identity, { kind: 'node' }>;

export interface StrangersPorts {
  readonly scheduler: Scheduler;
  readonly random: SeededRandom;
  /** Until then they may do what dom has to write down. */
  readonly untilMs: number;
}

const PAUSE_MS_MAX = 12_000;
const FRESH_MS = 60_000;
/** So long a stranger hangs on. */
const STAYS_MS_MAX = 15_000;
/** By then every dom knows that a Node is gone, whatever befell it. */
const KNOWN_GONE_MS = 90_000;
/** A token that is about to expire as it is used. */
const TOKEN_TTL_S_MAX = 3;

/**
 * Those who have no business here: machines with the certificate of a Node that is gone while
 * another one bears its name, nodes that ask for what is not theirs, people with old tokens.
 */
export function startStrangers(cluster: Cluster, ports: StrangersPorts): void {
  const strangers = new Strangers(cluster, ports);
  const { scheduler, random } = ports;
  const come = (): void => {
    strangers.come().catch((error: unknown) => {
      cluster.checks.violated(4, `a stranger failed: ${String(error)}`);
    });
    scheduler.after(random.integer(1, PAUSE_MS_MAX), come);
  };
  scheduler.after(random.integer(1, PAUSE_MS_MAX), come);
}

class Strangers {
  readonly #cluster: Cluster;
  readonly #ports: StrangersPorts;
  /** By uid: whom machines were; with the time since when another one bears the name. */
  readonly #known = new Map<string, { readonly identity: NodeIdentity; goneMs: number }>();
  #count = 0;

  constructor(cluster: Cluster, ports: StrangersPorts) {
    this.#cluster = cluster;
    this.#ports = ports;
  }

  async come(): Promise<void> {
    this.#lookAround();
    // Whoever has become one may still be taken for the one it was.
    if (this.#gone().some(({ goneMs }) => this.#ports.scheduler.nowMs - goneMs < FRESH_MS))
      return this.#comeWithOldCertificate();
    switch (this.#ports.random.pick(['certificate', 'blob', 'token', 'future'] as const)) {
      case 'certificate':
        return this.#comeWithOldCertificate();
      case 'blob':
        return this.#askForBlob();
      case 'token':
        return this.#comeWithOldToken();
      case 'future':
        return this.#comeFromTheFuture();
    }
  }

  #lookAround(): void {
    const { nowMs } = this.#ports.scheduler;
    for (const { identity } of this.#cluster.subs)
      if (identity !== undefined && !this.#known.has(identity.uid))
        this.#known.set(identity.uid, { identity, goneMs: Infinity });
    for (const known of this.#known.values()) {
      const isCurrent = this.#cluster.sub(known.identity.name)?.identity === known.identity;
      if (!isCurrent) known.goneMs = Math.min(known.goneMs, nowMs);
    }
  }

  /** What dom says to it is watched where frames are sent (INV-36). */
  async #comeWithOldCertificate(): Promise<void> {
    const gone = this.#gone();
    if (gone.length > 0) await this.#say(this.#stranger(this.#ports.random.pick(gone).identity));
  }

  /** A node says that it holds a plan which dom has yet to make: dom goes on from there (INV-17). */
  async #comeFromTheFuture(): Promise<void> {
    const { random, scheduler, untilMs } = this.#ports;
    const { subs, wish } = this.#cluster;
    const nodes = subs.flatMap(({ identity }) => identity ?? []);
    const present = nodes.filter(({ name }) => wish.nodes.has(name));
    if (present.length === 0 || scheduler.nowMs >= untilMs) return;
    try {
      const { epoch } = (await this.#cluster.reach().term).leadership;
      const held = { epoch: epoch + BigInt(random.integer(0, 2)), revision: 1_000_000n };
      const itself = random.pick(present);
      await this.#say({ ...this.#stranger(itself), node: itself.name }, held);
    } catch {
      // No dom leads.
    }
  }

  /** Says hello and hears what dom says to it, for as long as it may stay. */
  async #say(caller: Caller, held?: Position): Promise<void> {
    const { process, identity } = caller;
    try {
      const link = await this.#cluster.network.dialer(caller).dial(process.signal);
      link.send(helloOf(identity.name, held));
      for await (const _ of link.frames()) if (!process.alive) return;
    } catch {
      // Nobody answers, or it is sent away.
    }
  }

  async #askForBlob(): Promise<void> {
    const { random, scheduler } = this.#ports;
    const { checks, network, subs, wish } = this.#cluster;
    const digests = [...wish.sites.values()].map(({ release }) => release.digest);
    const others = subs.filter(({ machine }) => !machine.roles.includes('edge'));
    const askers = [
      ...this.#gone().filter(({ goneMs }) => scheduler.nowMs - goneMs >= KNOWN_GONE_MS),
      ...others.flatMap(({ identity }) => (identity === undefined ? [] : [{ identity }])),
    ];
    if (digests.length === 0 || askers.length === 0) return;
    const { identity } = random.pick(askers);
    const stranger = this.#stranger(identity);
    try {
      const pieces = network
        .blobs(stranger)
        .fetch(random.pick(digests), 0, stranger.process.signal);
      for await (const _ of pieces)
        checks.violated(34, `${identity.name} (${identity.uid}) gets a file that is not its own`);
    } catch {
      // So it must be.
    }
  }

  /** Which has expired by the clock of the dom that it is shown to. */
  async #comeWithOldToken(): Promise<void> {
    const { random, scheduler, untilMs } = this.#ports;
    const cluster = this.#cluster;
    if (scheduler.nowMs >= untilMs) return;
    const ttlS = random.integer(1, TOKEN_TTL_S_MAX);
    const node = 'stranger';
    try {
      const { api } = await cluster.reach().term;
      const { token, expiresMs } = await api.createToken({ node, ttlS }, ADMIN);
      cluster.checks.confided({ kind: 'token', text: token.slice(token.indexOf('.') + 1) });
      await scheduler.sleep(1000 * ttlS + random.integer(0, 2_000));
      const { host, term } = cluster.reach();
      const clock = cluster.doms.find((dom) => dom.host.name === host)?.host.clock;
      const { join } = await term;
      const isExpired = (): boolean => clock !== undefined && clock.nowMs() >= Number(expiresMs);
      if (!isExpired()) return;
      const { publicKey } = fakeKey(random);
      const csr = encodeFakeRequest({ publicKey, strength: 'strong', signedBy: publicKey });
      const request = { token, node, csr: Buffer.from(csr), specJson: '', agentVersion: 'sim' };
      await join.join(request);
      if (isExpired()) cluster.checks.violated(35, 'a token buys a certificate after it expired');
    } catch {
      // So it must be; or no dom leads.
    }
  }

  #gone(): readonly { readonly identity: NodeIdentity; readonly goneMs: number }[] {
    return [...this.#known.values()].filter(({ goneMs }) => goneMs !== Infinity);
  }

  /** It calls from nowhere in particular, and gives up some time later. */
  #stranger(identity: NodeIdentity): Caller {
    const { scheduler, random } = this.#ports;
    this.#count += 1;
    const process = new Process(`stranger#${this.#count}`);
    scheduler.after(random.integer(1, STAYS_MS_MAX), () => process.kill());
    return { node: 'stranger', identity, process };
  }
}

const ADMIN = { identity: { kind: 'user', name: 'admin', role: 'admin' } } as const;

/** It can do what the node itself can: else it would be told another plan of the same revision. */
function helloOf(node: string, held: Position | undefined): Uint8Array {
  const fixed = { agentVersion: 'sim', capabilities: [...CAPABILITIES], held, heldDigest: '' };
  return SessionRequest.encode({
    message: { $case: 'hello', value: { node, ...fixed } },
  }).finish();
}
