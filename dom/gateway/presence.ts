import type { Hello } from '../../proto/gen/b8s/v1/agent.ts';
import { knownCapabilities } from '../../runtime/capabilities.ts';
import { LinkClosedError } from '../../runtime/session/link.ts';
import type { LeaseId, Revision } from '../../runtime/store/store.ts';
import type { GatewayPorts } from './ports.ts';

/**
 * The lease on a session's record. While dom lives it ends leases by itself, much sooner; this one
 * is for its absence: long enough for the next leader to begin and for all nodes to dial it, so
 * that a change of leader makes no node look gone (INV-24).
 */
export const NODE_LEASE_MS = 30_000;
const RENEW_EVERY_MS = NODE_LEASE_MS / 3;
/** What a node calls its version is kept and shown, so it has a bound. */
const AGENT_VERSION_MAX = 64;

/** That a node is there: the record of its session in the store, under a lease. */
export class Presence {
  readonly #node: { readonly name: string; readonly uid: string };
  readonly #ports: Pick<GatewayPorts, 'clock' | 'store' | 'writer'>;
  #lease: LeaseId | undefined;
  #renewedMs = 0;

  constructor(
    node: { readonly name: string; readonly uid: string },
    ports: Pick<GatewayPorts, 'clock' | 'store' | 'writer'>,
  ) {
    this.#node = node;
    this.#ports = ports;
  }

  /**
   * `modRevision`: of the record as it was before; a later session's is not to be overwritten.
   * Throws when one has begun meanwhile, and the signal's reason when this one has ended.
   */
  async register(hello: Hello, modRevision: Revision, signal: AbortSignal): Promise<void> {
    const { store, writer, clock } = this.#ports;
    const { name: id, uid: nodeUid } = this.#node;
    this.#lease = await store.grantLease(NODE_LEASE_MS);
    this.#renewedMs = clock.monotonicMs();
    // A newer session of this node may have begun meanwhile: the record is its own by now.
    signal.throwIfAborted();
    const capabilities = knownCapabilities(hello.capabilities);
    const value = {
      nodeUid,
      agentVersion: hello.agentVersion.slice(0, AGENT_VERSION_MAX),
      connectedSince: new Date(clock.nowMs()).toISOString(),
      ...(capabilities.length > 0 && { capabilities }),
    };
    const lease = this.#lease;
    const operation = { kind: 'record', record: 'session', id, value, modRevision, lease } as const;
    const outcome = await writer.commit([operation], { manager: 'node', user: `node:${id}` });
    if (outcome.outcome === 'conflict')
      throw new LinkClosedError('lost', 'another session of this node began, or another dom leads');
    signal.throwIfAborted();
  }

  /** To be called with each heartbeat; `expired` when the node counts as gone by now. */
  async renew(): Promise<'fresh' | 'expired'> {
    const { store, clock } = this.#ports;
    const nowMs = clock.monotonicMs();
    if (this.#lease === undefined || nowMs - this.#renewedMs < RENEW_EVERY_MS) return 'fresh';
    this.#renewedMs = nowMs;
    return (await store.renewLease(this.#lease)) === 'expired' ? 'expired' : 'fresh';
  }

  /** Says that the node is gone. To be called once it had time to come back, and did not. */
  async forget(): Promise<void> {
    if (this.#lease !== undefined) await this.#ports.store.revokeLease(this.#lease);
  }
}
