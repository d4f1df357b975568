import type { Socket } from 'node:net';
import { clientKey } from '../tls/client-key.ts';
import type { CoarseTime, Connection } from './shared.ts';

export interface PlaceLimits {
  /** One more, and one that has no request makes way. */
  readonly connectionsMax: number;
  /** One more of the same client (IPv6: of one /64) is cut at once. */
  readonly connectionsPerClientMax: number;
}

/** Looked at when there is no room for another connection; the others have their turn then. */
const EXAMINED_MAX = 64;
/** How long a handshake is left alone when others look for room. */
const SPARED_MS = 1000;

interface Place {
  readonly client: string;
  readonly sinceMs: number;
  /** Undefined: TLS has not agreed yet. */
  connection: Connection | undefined;
}

/**
 * The open connections of a listener, over all its addresses and protocols. Each step takes the
 * same time however many there are.
 *
 * Whoever holds connections for their own sake cannot keep those out who have a request: where
 * there is no room, one that waits for its client is cut, and one that is being answered never is.
 */
export class Places {
  readonly #limits: PlaceLimits;
  readonly #time: CoarseTime;
  readonly #countByClient = new Map<string, number>();
  /** Those that were admitted, or had to be left alone, longest ago come first. */
  readonly #placeOf = new Map<Socket, Place>();

  constructor(limits: PlaceLimits, time: CoarseTime) {
    this.#limits = limits;
    this.#time = time;
  }

  get size(): number {
    return this.#placeOf.size;
  }

  sockets(): readonly Socket[] {
    return [...this.#placeOf.keys()];
  }

  *connections(): Generator<Connection> {
    for (const { connection } of this.#placeOf.values()) if (connection) yield connection;
  }

  /** False: this client has enough of them, or there is no room, and the socket is cut. */
  admit(socket: Socket): boolean {
    const client = clientKey(socket.remoteAddress ?? '');
    const count = this.#countByClient.get(client) ?? 0;
    if (count >= this.#limits.connectionsPerClientMax || !this.#makeRoom()) {
      socket.destroy();
      return false;
    }
    // Again: what made way may have been the same client's.
    this.#countByClient.set(client, (this.#countByClient.get(client) ?? 0) + 1);
    this.#placeOf.set(socket, { client, sinceMs: this.#time.nowMs, connection: undefined });
    socket.once('close', () => this.#forget(socket));
    return true;
  }

  /** `socket`: what was admitted, below TLS. */
  serve(socket: Socket, connection: Connection): void {
    const place = this.#placeOf.get(socket);
    if (place !== undefined) place.connection = connection;
  }

  #makeRoom(): boolean {
    if (this.#placeOf.size < this.#limits.connectionsMax) return true;
    let examined = 0;
    for (const [socket, place] of this.#placeOf) {
      if (this.#canGo(place)) {
        this.#forget(socket);
        socket.destroy();
        return true;
      }
      this.#placeOf.delete(socket);
      this.#placeOf.set(socket, place);
      examined += 1;
      if (examined >= Math.min(EXAMINED_MAX, this.#placeOf.size)) return false;
    }
    return false;
  }

  #canGo({ connection, sinceMs }: Place): boolean {
    if (connection === undefined) return this.#time.nowMs - sinceMs > SPARED_MS;
    return connection.isIdle;
  }

  #forget(socket: Socket): void {
    const client = this.#placeOf.get(socket)?.client;
    if (client === undefined) return;
    this.#placeOf.delete(socket);
    const count = (this.#countByClient.get(client) ?? 1) - 1;
    if (count === 0) this.#countByClient.delete(client);
    else this.#countByClient.set(client, count);
  }
}
