import { once } from 'node:events';
import { type AddressInfo, createServer, isIPv6, type Server, type Socket } from 'node:net';
import {
  createServer as createTlsServer,
  type TLSSocket,
  type Server as TlsServer,
} from 'node:tls';
import type { HttpAnswer, HttpHandler, HttpRequest } from '../http.ts';
import { closeOf } from './close-of.ts';
import { Http1Connection } from './http/http1-connection.ts';
import { Http2Connection } from './http/http2-connection.ts';
import { ChunkPool } from './http/output.ts';
import { Places } from './http/places.ts';
import { CoarseTime, type Connection, SendBudget, type SharedParts } from './http/shared.ts';
import { showProofs } from './tls/alpn-gate.ts';
import type { AlpnProofs } from './tls/alpn-proofs.ts';
import { TLS_SETTINGS, type TlsContexts } from './tls/contexts.ts';

export interface HttpListenerOptions {
  /** IPv4 and IPv6 addresses of this machine; wildcards work, too. */
  readonly addresses: readonly string[];
  /** 0: any that is free, one for all addresses. */
  readonly httpPort: number;
  /** 0: any that is free, one for all addresses. */
  readonly httpsPort: number;
  readonly handler: HttpHandler;
  readonly contexts: TlsContexts;
  /** What is shown to CAs that offer `acme-tls/1`; left out: nothing. */
  readonly proofs?: AlpnProofs;
  /** 48 bytes, the same for all who share the port, so that each resumes the others' sessions. */
  readonly ticketKeys?: Uint8Array;
  readonly limits?: Partial<HttpLimits>;
  /** A bug of the handler; the client got 500. */
  readonly onError?: (error: unknown) => void;
  /** Told of a request that was refused for its body, which the handler is never asked. */
  readonly onRefused?: (request: HttpRequest, answer: HttpAnswer) => void;
}

/** What one slow or greedy client can take from the others. */
export interface HttpLimits {
  readonly headerBytesMax: number;
  /** Lines of headers in one request; in HTTP/2 with those that begin with a colon. */
  readonly headerFieldsMax: number;
  /** For the TLS handshake. */
  readonly handshakeMs: number;
  /** From the first byte of a request to the end of its headers; to the first request, too. */
  readonly headersMs: number;
  /** Between two requests of one HTTP/1.1 connection. */
  readonly keepAliveMs: number;
  /** Without a request or a byte of an answer: also a reader that has stalled. */
  readonly idleMs: number;
  /** Open at once, in all; one that has no request makes way for another. */
  readonly connectionsMax: number;
  /** Open at once from one address, IPv6: from one /64; more are cut at once. */
  readonly connectionsPerClientMax: number;
  /** Open at once in one HTTP/2 connection. */
  readonly streamsMax: number;
}

export const HTTP_LIMITS: HttpLimits = {
  headerBytesMax: 16 * 1024,
  headerFieldsMax: 128,
  handshakeMs: 10_000,
  headersMs: 10_000,
  keepAliveMs: 60_000,
  idleMs: 75_000,
  connectionsMax: 10_000,
  connectionsPerClientMax: 1000,
  streamsMax: 128,
};

export interface HttpListener {
  readonly httpPort: number;
  readonly httpsPort: number;
  /** 48 bytes, for handshakes from now on; tickets made with others are worth nothing then. */
  setTicketKeys(keys: Uint8Array): void;
  /**
   * `leave`: clients are told to go (GOAWAY, `Connection: close`), while it goes on accepting and
   * answering who comes all the same. `stay`: they are not told so any more.
   */
  guide(clients: 'stay' | 'leave'): void;
  /** Open connections, of both protocols. */
  connections(): number;
  /**
   * Stops accepting, tells clients to leave (GOAWAY, `Connection: close`), lets what is in flight
   * finish and cuts what is left after `graceMs`. Resolves once every socket is closed.
   */
  close(options: { readonly graceMs: number }): Promise<void>;
}

/**
 * Serves HTTP/1.1 in the clear and HTTP/1.1 and HTTP/2 over TLS. Ports are shared (SO_REUSEPORT)
 * by all who ask for the same one, so several threads can serve and each be replaced.
 *
 * Guarantees: whatever a client does costs at most its own connection. No request body is ever
 * read: 405, or 413 to a method that is served. A TLS client that names a host without a
 * certificate gets the alert `unrecognized_name` (RFC 6066 §3), never another host's certificate.
 * Errors: rejects, with nothing left open, when an address cannot be bound.
 */
export async function listenHttp(options: HttpListenerOptions): Promise<HttpListener> {
  const limits = { ...HTTP_LIMITS, ...options.limits };
  const parts = sharedParts(options, limits);
  const places = new Places(limits, parts.time);
  const servers: Server[] = [];
  const secureServers: TlsServer[] = [];
  let { httpPort, httpsPort } = options;
  const stopSweeping = startSweeping(places, parts, limits);

  let isClosing = false;
  const guide = (clients: 'stay' | 'leave'): void => {
    if (isClosing) return;
    parts.drain.phase = clients === 'leave' ? 'draining' : 'serving';
    if (clients === 'leave') for (const connection of places.connections()) connection.leave();
  };
  const close = async (graceMs: number): Promise<void> => {
    guide('leave');
    isClosing = true;
    const closed = servers.map(closeServer);
    const gone = places.sockets().map(closeOf);
    const timer = setTimeout(() => {
      for (const socket of places.sockets()) socket.destroy();
    }, graceMs);
    await Promise.all([...closed, ...gone]);
    clearTimeout(timer);
    stopSweeping();
  };
  const start = async (server: Server, host: string, port: number): Promise<number> => {
    guard(server, places);
    servers.push(server);
    server.listen({ host, port, reusePort: true, ipv6Only: isIPv6(host), backlog: 1024 });
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  };
  const take = (socket: Socket, connection: Connection): void => {
    places.serve(below(socket) ?? socket, connection);
    if (parts.drain.phase === 'draining') connection.leave();
  };

  try {
    for (const host of options.addresses) {
      httpPort = await start(plainServer(parts, take), host, httpPort);
      const secure = secureServer(options, limits, parts, take);
      secureServers.push(secure);
      httpsPort = await start(secure, host, httpsPort);
    }
  } catch (cause) {
    await close(0);
    const where = `${options.addresses.join(', ')} ports ${httpPort} and ${httpsPort}`;
    throw new Error(`listen for HTTP on ${where}`, { cause });
  }
  return {
    httpPort,
    httpsPort,
    setTicketKeys(keys) {
      for (const server of secureServers) server.setTicketKeys(Buffer.from(keys));
    },
    guide,
    connections: () => places.size,
    close: ({ graceMs }) => close(graceMs),
  };
}

/** Nothing is done for a connection that is not admitted, least of all a handshake. */
function guard(server: Server, places: Places): void {
  const listeners = server.listeners('connection');
  server.removeAllListeners('connection');
  server.on('connection', (socket: Socket) => {
    if (!places.admit(socket)) return;
    for (const listener of listeners) Reflect.apply(listener, server, [socket]);
  });
}

type Take = (socket: Socket, connection: Connection) => void;

function sharedParts(options: HttpListenerOptions, limits: HttpLimits): SharedParts {
  const { handler, onError, onRefused } = options;
  const time = new CoarseTime();
  time.tick(performance.now(), Date.now());
  const [chunks, budget] = [new ChunkPool(), new SendBudget()];
  const asked = { handler, onError, onRefused };
  return { ...asked, limits, chunks, time, drain: { phase: 'serving' }, budget };
}

const SWEEP_MS_MAX = 500;

/** One timer for all connections, in place of some for each. */
function startSweeping(places: Places, { time }: SharedParts, limits: HttpLimits): () => void {
  const shortestMs = Math.min(limits.headersMs, limits.keepAliveMs, limits.idleMs);
  const timer = setInterval(
    () => {
      time.tick(performance.now(), Date.now());
      for (const connection of places.connections()) connection.sweep();
    },
    Math.min(SWEEP_MS_MAX, Math.ceil(shortestMs / 4)),
  );
  return () => clearInterval(timer);
}

function plainServer(parts: SharedParts, take: Take): Server {
  return createServer({ noDelay: true, allowHalfOpen: true }, (socket) =>
    take(socket, new Http1Connection(socket, parts, { secure: false })),
  );
}

function secureServer(
  options: HttpListenerOptions,
  limits: HttpLimits,
  parts: SharedParts,
  take: Take,
): TlsServer {
  const { contexts, proofs, ticketKeys } = options;
  const server = createTlsServer({
    ...TLS_SETTINGS,
    ALPNProtocols: ['h2', 'http/1.1'],
    handshakeTimeout: limits.handshakeMs,
    noDelay: true,
    ...(ticketKeys === undefined ? {} : { ticketKeys: Buffer.from(ticketKeys) }),
    // No default certificate: a client that sends no name fails the handshake, too.
    SNICallback(this: TLSSocket, serverName, done) {
      const context = contexts.contextFor(serverName);
      if (context !== undefined) done(null, context);
      else refuseName(this, () => done(new Error('unrecognized name')));
    },
  });
  server.on('secureConnection', (socket) => {
    // Until here, who ends its half is gone; from here on it may still wait for its answers.
    socket.allowHalfOpen = true;
    const isHttp2 = socket.alpnProtocol === 'h2';
    take(
      socket,
      isHttp2
        ? new Http2Connection(socket, parts)
        : new Http1Connection(socket, parts, { secure: true }),
    );
  });
  // A client that gives up is no news to us; one that takes too long is not cut by Node itself.
  server.on('tlsClientError', (_error, socket) => void socket.destroy());
  if (proofs !== undefined) showProofs(server, { proofs, handshakeMs: limits.handshakeMs });
  return server;
}

/** Record: alert (21), TLS 1.2, 2 bytes: fatal (2), unrecognized_name (112). */
const UNRECOGNIZED_NAME = Uint8Array.of(21, 3, 3, 0, 2, 2, 112);

/**
 * OpenSSL sends this alert only from a callback that Node does not offer, and without it a client
 * cannot tell a wrong node from a broken one. No key is agreed on yet, so the alert is plain text
 * and can be written to the connection below TLS.
 */
function refuseName(socket: TLSSocket, done: () => void): void {
  const connection = below(socket);
  if (connection === undefined) done();
  else connection.write(UNRECOGNIZED_NAME, done);
}

/** The connection that TLS is spoken on; undefined: it is not. */
function below(socket: Socket): Socket | undefined {
  const { _parent } = socket as Socket & { readonly _parent?: Socket };
  return _parent ?? undefined;
}

/** Resolves once the server has closed; one that never listened is closed already. */
function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}
