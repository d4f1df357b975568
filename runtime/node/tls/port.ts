import { constants } from 'node:crypto';
import type { Server as HttpServer } from 'node:http';
import { type AddressInfo, createServer as createNetServer, type Socket } from 'node:net';
import { createServer as createTlsServer, TLSSocket } from 'node:tls';
import { type Server as GrpcServer, ServerCredentials } from '@grpc/grpc-js';
import type { Log } from '../../log.ts';
import { http as nodeHttp } from '../http-module.ts';
import { answerPlainly, type PlainHandler } from '../plain-http.ts';
import { certificateIdentity } from './peer-identity.ts';

export interface TlsCredentials {
  /** PEM, leaf first, up to but not including the CA. */
  readonly certPem: string;
  readonly keyPem: string;
  /** PEM. Also sent at the end of the chain, so that a machine that joins can pin it. */
  readonly caPem: string;
}

export interface TlsLimits {
  readonly connectionsMax: number;
  /** Connections that have not finished their handshake. */
  readonly handshakesMax: number;
  readonly handshakeTimeoutMs: number;
  /** How long a connection without a client certificate may last: enough to join. */
  readonly anonymousLifetimeMs: number;
  /** …and how much may come over it, about: enough to join, too little to fill dom's memory. */
  readonly anonymousBytesMax: number;
  /** How long `close` waits for calls to end. */
  readonly closeGraceMs: number;
}

export const TLS_LIMITS: TlsLimits = {
  connectionsMax: 10_000,
  handshakesMax: 1_000,
  handshakeTimeoutMs: 10_000,
  anonymousLifetimeMs: 60_000,
  anonymousBytesMax: 1024 * 1024,
  closeGraceMs: 5_000,
};

export interface TlsPortOptions {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly credentials: TlsCredentials;
  /** Answers HTTP/2. */
  readonly grpc: GrpcServer;
  /** Answers HTTP/1.1. */
  readonly http: PlainHandler;
  readonly log: Log;
  readonly limits?: Partial<TlsLimits>;
}

export interface TlsPort {
  readonly port: number;
  connectionCount(): number;
  /** For handshakes from now on; open connections stay as they are. */
  setCredentials(credentials: TlsCredentials): void;
  /** Ends what is open, gently at first, and stops listening. Ends the gRPC server too. */
  close(): Promise<void>;
}

/**
 * Dom's one port: gRPC and HTTP/1.1 over TLS 1.2 or newer, told apart by ALPN (RFC 7301).
 *
 * Guarantees: a peer that shows a client certificate which is not of our CA, not for clients, or
 * not valid now is cut off; one that shows none is let in without an identity, for a short time.
 * No connection outlives the certificate it was opened with. Nothing a peer sends ends the process.
 * Errors: rejects when it cannot listen.
 */
export async function listenTls(options: TlsPortOptions): Promise<TlsPort> {
  const { log, grpc } = options;
  const limits = { ...TLS_LIMITS, ...options.limits };
  const injector = grpc.createConnectionInjector(ServerCredentials.createInsecure());
  const plain = plainServer(options.http, log);
  const sockets = new Set<Socket>();
  const handshakes = new Set<string>();

  const tls = createTlsServer({
    ...contextOf(options.credentials),
    // gRPC offers h2 alone; whoever offers both, as curl does, wants /healthz or /metrics.
    ALPNProtocols: ['http/1.1', 'h2'],
    requestCert: true,
    // Machines that join have no certificate yet; what peers do show is judged below.
    rejectUnauthorized: false,
    handshakeTimeout: limits.handshakeTimeoutMs,
  });
  tls.on('secureConnection', (socket) => {
    handshakes.delete(peerOf(socket));
    socket.on('error', (error) => log.debug({ peer: peerOf(socket), error }, 'connection failed'));
    const admission = admit(socket, limits);
    if (admission.kind === 'refused') {
      log.warn({ peer: peerOf(socket), ...admission.fields }, 'client certificate refused');
      socket.destroy();
      return;
    }
    limitLifetime(socket, admission.lifetimeMs);
    if (admission.kind === 'anonymous') limitBytes(socket, limits.anonymousBytesMax);
    if (socket.alpnProtocol === 'h2') injector.injectConnection(socket);
    else plain.emit('connection', socket);
  });
  tls.on('tlsClientError', (error, socket) => {
    log.debug({ peer: peerOf(socket), error: String(error) }, 'TLS handshake failed');
    socket.destroy();
  });

  const listener = createNetServer({ noDelay: true }, (socket) => {
    const peer = peerOf(socket);
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => {
      sockets.delete(socket);
      handshakes.delete(peer);
    });
    if (handshakes.size >= limits.handshakesMax) {
      log.debug({ peer }, 'too many handshakes at once: connection dropped');
      socket.destroy();
      return;
    }
    handshakes.add(peer);
    tls.emit('connection', socket);
  });
  listener.maxConnections = limits.connectionsMax;
  listener.on('drop', (peer) => log.warn({ peer: peer?.remoteAddress }, 'too many connections'));
  await listen(listener, options);

  return {
    port: (listener.address() as AddressInfo).port,
    connectionCount: () => sockets.size,
    setCredentials: (credentials) => tls.setSecureContext(contextOf(credentials)),
    async close() {
      const closed = new Promise((resolve) => listener.close(resolve));
      await shutDown(grpc, limits.closeGraceMs);
      injector.destroy();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** Room for all subs that dial again at once after a restart of dom. */
const BACKLOG = 4096;
const BYTES_LOOK_EVERY_MS = 50;
/** Between two blobs that a node fetches over HTTP. */
const KEEP_ALIVE_MS = 30_000;
/** The longest delay that a timer keeps. */
const LIFETIME_MS_MAX = 2 ** 31 - 1;

function contextOf({ certPem, keyPem, caPem }: TlsCredentials) {
  return {
    cert: `${certPem.trimEnd()}\n${caPem}`,
    key: keyPem,
    ca: caPem,
    minVersion: 'TLSv1.2',
    // A resumed session would skip the check of the client's certificate, also of one that has
    // expired since: every connection proves itself anew.
    secureOptions: constants.SSL_OP_NO_TICKET,
  } as const;
}

type Admission =
  | { readonly kind: 'admitted' | 'anonymous'; readonly lifetimeMs: number }
  | { readonly kind: 'refused'; readonly fields: Readonly<Record<string, string>> };

/** `authorized` alone will not do: it can be true of a peer that shows no certificate at all. */
function admit(socket: TLSSocket, { anonymousLifetimeMs }: TlsLimits): Admission {
  const certificate = socket.getPeerCertificate();
  // Each call asks who it is from, and to parse the certificate anew takes longer than most calls.
  // A connection speaks for whom it was admitted as, whatever it might show later.
  Object.defineProperty(socket, 'getPeerCertificate', { value: () => certificate });
  // Without a certificate the object is empty, whatever its type says.
  if (certificate?.raw === undefined) return { kind: 'anonymous', lifetimeMs: anonymousLifetimeMs };
  const { subjectaltname = '', valid_to: notAfter } = certificate;
  if (!socket.authorized) {
    const reason = String(socket.authorizationError);
    return { kind: 'refused', fields: { reason, names: subjectaltname, notAfter } };
  }
  return { kind: 'admitted', lifetimeMs: Date.parse(notAfter) - Date.now() };
}

function limitLifetime(socket: TLSSocket, lifetimeMs: number): void {
  const timer = setTimeout(() => socket.destroy(), Math.min(lifetimeMs, LIFETIME_MS_MAX));
  timer.unref();
  socket.on('close', () => clearTimeout(timer));
}

/** Looked at from time to time: gRPC reads the socket, and tells nobody how much. */
function limitBytes(socket: TLSSocket, bytesMax: number): void {
  const timer = setInterval(() => {
    if (socket.bytesRead > bytesMax) socket.destroy();
  }, BYTES_LOOK_EVERY_MS);
  timer.unref();
  socket.on('close', () => clearInterval(timer));
}

function plainServer(handler: PlainHandler, log: Log): HttpServer {
  const server = nodeHttp.createServer((request, response) => {
    const { socket } = request;
    const identity =
      socket instanceof TLSSocket ? certificateIdentity(socket.getPeerCertificate()) : undefined;
    answerPlainly(handler, { request, response, identity, log });
  });
  server.on('clientError', (_error, socket) => socket.destroy());
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  // A large upload takes as long as its line does; whoever reads a body says how long it waits.
  server.requestTimeout = 0;
  return server;
}

function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress ?? 'unknown'}:${remotePort ?? 0}`;
}

function listen(
  server: ReturnType<typeof createNetServer>,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => {
      reject(new Error(`listen on ${host} port ${port}: ${cause.message}`, { cause }));
    });
    server.listen({ host, port, backlog: BACKLOG }, resolve);
  });
}

async function shutDown(grpc: GrpcServer, graceMs: number): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, graceMs);
    grpc.tryShutdown(() => {
      clearTimeout(timer);
      resolve();
    });
  });
  grpc.forceShutdown();
}
