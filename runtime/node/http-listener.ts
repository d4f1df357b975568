import { once } from 'node:events';
import { createSecureServer, type Http2SecureServer } from 'node:http2';
import { type AddressInfo, isIPv6, type Server, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { HttpHandler } from '../http.ts';
import { showProofs } from './alpn-gate.ts';
import type { AlpnProofs } from './alpn-proofs.ts';
import { type DrainState, serveHttp1, serveHttp2 } from './http-exchange.ts';
import { http } from './http-module.ts';
import { TLS_SETTINGS, type TlsContexts } from './tls-contexts.ts';

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
}

/** What one slow or greedy client can take from the others. */
export interface HttpLimits {
  readonly headerBytesMax: number;
  /** For the TLS handshake. */
  readonly handshakeMs: number;
  /** From the first byte of a request to the end of its headers. */
  readonly headersMs: number;
  /** From the first byte of a request to its end. */
  readonly requestMs: number;
  /** Between two requests of one HTTP/1.1 connection. */
  readonly keepAliveMs: number;
  /** Without a byte either way: also a reader that has stalled. */
  readonly idleMs: number;
  /** Open at once, for each address and protocol; more are cut at once. */
  readonly connectionsMax: number;
  /** Open at once in one HTTP/2 connection. */
  readonly streamsMax: number;
}

export const HTTP_LIMITS: HttpLimits = {
  headerBytesMax: 16 * 1024,
  handshakeMs: 10_000,
  headersMs: 10_000,
  requestMs: 15_000,
  keepAliveMs: 60_000,
  idleMs: 75_000,
  connectionsMax: 10_000,
  streamsMax: 128,
};

export interface HttpListener {
  readonly httpPort: number;
  readonly httpsPort: number;
  /** 48 bytes, for handshakes from now on; tickets made with others are worth nothing then. */
  setTicketKeys(keys: Uint8Array): void;
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
 * read: 413. A TLS client that names a host without a certificate gets the alert
 * `unrecognized_name` (RFC 6066 §3), never another host's certificate.
 * Errors: rejects, with nothing left open, when an address cannot be bound.
 */
export async function listenHttp(options: HttpListenerOptions): Promise<HttpListener> {
  const limits = { ...HTTP_LIMITS, ...options.limits };
  const drain: DrainState = { phase: 'serving' };
  const sockets = new Set<Socket>();
  const servers: Server[] = [];
  const secureServers: Http2SecureServer[] = [];
  let { httpPort, httpsPort } = options;

  const close = async (graceMs: number): Promise<void> => {
    drain.phase = 'draining';
    const closed = servers.map(closeServer);
    const gone = [...sockets].map((socket) => once(socket, 'close'));
    const timer = setTimeout(() => {
      for (const socket of sockets) socket.destroy();
    }, graceMs);
    await Promise.all([...closed, ...gone]);
    clearTimeout(timer);
  };
  const start = async (server: Server, host: string, port: number): Promise<number> => {
    server.maxConnections = limits.connectionsMax;
    server.on('connection', (socket: Socket) => {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
    });
    servers.push(server);
    server.listen({ host, port, reusePort: true, ipv6Only: isIPv6(host), backlog: 1024 });
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  };

  try {
    for (const host of options.addresses) {
      httpPort = await start(plainServer(options, limits, drain), host, httpPort);
      const secure = secureServer(options, limits, drain);
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
    connections: () => sockets.size,
    close: ({ graceMs }) => close(graceMs),
  };
}

function plainServer(options: HttpListenerOptions, limits: HttpLimits, drain: DrainState): Server {
  const server = http.createServer({ ...http1Limits(limits), noDelay: true });
  const serve = serveHttp1(options, drain, { secure: false });
  // Whoever asks "may I send a body" gets the same answer as whoever sends it.
  server.on('request', serve).on('checkContinue', serve);
  server.setTimeout(limits.idleMs);
  return server;
}

function secureServer(
  options: HttpListenerOptions,
  limits: HttpLimits,
  drain: DrainState,
): Http2SecureServer {
  const { contexts, proofs, ticketKeys } = options;
  const server = createSecureServer({
    ...TLS_SETTINGS,
    ...http1Limits(limits),
    allowHTTP1: true,
    handshakeTimeout: limits.handshakeMs,
    noDelay: true,
    ...(ticketKeys === undefined ? {} : { ticketKeys: Buffer.from(ticketKeys) }),
    settings: {
      enablePush: false,
      maxConcurrentStreams: limits.streamsMax,
      maxHeaderListSize: limits.headerBytesMax,
    },
    // No default certificate: a client that sends no name fails the handshake, too.
    SNICallback(this: TLSSocket, serverName, done) {
      const context = contexts.contextFor(serverName);
      if (context !== undefined) done(null, context);
      else refuseName(this, () => done(new Error('unrecognized name')));
    },
  });
  const serve = serveHttp1(options, drain, { secure: true });
  server.on('request', serve).on('checkContinue', serve);
  // Listening for requests also makes every HTTP/2 stream look like one, at a price: take the
  // streams themselves instead.
  server.removeAllListeners('stream');
  server.on('stream', serveHttp2(options));
  server.setTimeout(limits.idleMs);
  if (proofs !== undefined) showProofs(server, { proofs, handshakeMs: limits.handshakeMs });
  return server;
}

function http1Limits(limits: HttpLimits): {
  readonly maxHeaderSize: number;
  readonly headersTimeout: number;
  readonly requestTimeout: number;
  readonly keepAliveTimeout: number;
  readonly connectionsCheckingInterval: number;
} {
  return {
    maxHeaderSize: limits.headerBytesMax,
    headersTimeout: limits.headersMs,
    requestTimeout: limits.requestMs,
    keepAliveTimeout: limits.keepAliveMs,
    connectionsCheckingInterval: Math.min(5000, limits.headersMs),
  };
}

/** Record: alert (21), TLS 1.2, 2 bytes: fatal (2), unrecognized_name (112). */
const UNRECOGNIZED_NAME = Uint8Array.of(21, 3, 3, 0, 2, 2, 112);

/**
 * OpenSSL sends this alert only from a callback that Node does not offer, and without it a client
 * cannot tell a wrong node from a broken one. No key is agreed on yet, so the alert is plain text
 * and can be written to the connection below TLS.
 */
function refuseName(socket: TLSSocket, done: () => void): void {
  const { _parent: below } = socket as TLSSocket & { readonly _parent?: Socket };
  if (below === undefined) done();
  else below.write(UNRECOGNIZED_NAME, done);
}

/** Resolves once the server has closed; one that never listened is closed already. */
function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}
