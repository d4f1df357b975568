import type { Socket } from 'node:net';
import { clientKey } from '../tls/client-key.ts';

/** What connections may be open at once. */
export interface ConnectionLimits {
  readonly connectionsMax: number;
  readonly connectionsPerAddressMax: number;
}

/**
 * The open connections of a listener, over all its addresses and transports. Every step takes the
 * same time however many there are.
 *
 * When there is no room for another, the one that has been idle longest makes way (RFC 9210 §4.1):
 * whoever holds connections for their own sake cannot keep those out who have a question.
 */
export class ConnectionTable {
  readonly #limits: ConnectionLimits;
  readonly #countByClient: Map<string, number> = new Map();
  /** In the order of their last sign of life, the oldest first. */
  readonly #clientOf: Map<Socket, string> = new Map();
  /** Those that are in the middle of a long answer: few, for there is a limit to such answers. */
  readonly #held: Set<Socket> = new Set();

  constructor(limits: ConnectionLimits) {
    this.#limits = limits;
  }

  /** False: this client has enough of them, and the socket is cut. */
  admit(socket: Socket): boolean {
    const { remoteAddress } = socket;
    const client = remoteAddress === undefined ? undefined : clientKey(remoteAddress);
    const count = client === undefined ? 0 : (this.#countByClient.get(client) ?? 0);
    if (client === undefined || count >= this.#limits.connectionsPerAddressMax) {
      socket.destroy();
      return false;
    }
    if (this.#clientOf.size >= this.#limits.connectionsMax) this.#cutIdlest();
    this.#countByClient.set(client, (this.#countByClient.get(client) ?? 0) + 1);
    this.#clientOf.set(socket, client);
    socket.once('close', () => this.#forget(socket));
    return true;
  }

  /** It asked something, or took an answer. */
  touch(socket: Socket): void {
    const client = this.#clientOf.get(socket);
    if (client === undefined) return;
    this.#clientOf.delete(socket);
    this.#clientOf.set(socket, client);
  }

  /** Nobody else's connections end it from now on, or may again. */
  setHeld(socket: Socket, standing: 'held' | 'let go'): void {
    if (standing === 'held' && this.#clientOf.has(socket)) this.#held.add(socket);
    else this.#held.delete(socket);
  }

  #cutIdlest(): void {
    for (const socket of this.#clientOf.keys()) {
      if (this.#held.has(socket)) continue;
      this.#forget(socket);
      socket.destroy();
      return;
    }
  }

  #forget(socket: Socket): void {
    this.#held.delete(socket);
    const client = this.#clientOf.get(socket);
    if (client === undefined) return;
    this.#clientOf.delete(socket);
    const count = (this.#countByClient.get(client) ?? 1) - 1;
    if (count === 0) this.#countByClient.delete(client);
    else this.#countByClient.set(client, count);
  }
}
