import { once } from 'node:events';
import { type AddressInfo, createServer, isIPv6, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { DnsAnswerer } from '../../dns/reply.ts';
import { TLS_SETTINGS, type TlsIdentity } from '../tls/contexts.ts';
import { serveConnection } from './connection.ts';
import type { ConnectionTable } from './connections.ts';
import type { BoundSocket, DnsTcpLimits, DnsTls } from './listener.ts';

export interface TcpOptions {
  readonly host: string;
  readonly port: number;
  readonly answer: DnsAnswerer;
  readonly onError: (error: Error) => void;
  readonly limits: DnsTcpLimits;
  /** Shared with the listener's other sockets. */
  readonly connections: ConnectionTable;
}

/** Connections that wait to be taken while the thread is busy. */
const BACKLOG = 1024;
/** A client that has not shown who it is by then does not want to ask. */
const HANDSHAKE_MS_MAX = 5000;

/** DNS over TCP (RFC 7766, RFC 9210). Rejects when it cannot be bound. */
export async function listenTcp(options: TcpOptions): Promise<BoundSocket> {
  return listen(options, (socket) => {
    serve(options, { socket, connected: socket, transport: 'tcp' });
  });
}

/** A socket that speaks TLS. */
export interface BoundTlsSocket extends BoundSocket {
  /** For handshakes from now on that name no server which has a certificate of its own. */
  setIdentity(identity: TlsIdentity): void;
  setTicketKeys(keys: Uint8Array): void;
}

/**
 * DNS over TLS (RFC 7858): TLS 1.2 or newer, and whoever negotiates a protocol must mean "dot".
 * Which certificate a client gets is looked up anew in each handshake: a change of certificates
 * concerns no connection that is open. Rejects when it cannot be bound.
 */
export async function listenTls(options: TcpOptions, tls: DnsTls): Promise<BoundTlsSocket> {
  /** The connections that TLS is spoken over, by the peer's address and port. */
  const connectedByPeer = new Map<string, Socket>();
  let { ticketKeys } = tls;
  const server = createTlsServer({
    ...contextOptions(ticketKeys, tls.identity),
    ALPNProtocols: ['dot'],
    allowHalfOpen: true,
    handshakeTimeout: Math.min(HANDSHAKE_MS_MAX, options.limits.idleMs),
    SNICallback: (name, done) => done(null, tls.contextFor(name)),
  });
  server.on('secureConnection', (socket) => {
    const connected = connectedByPeer.get(peerOf(socket)) ?? socket;
    serve(options, { socket, connected, transport: 'tls' });
  });
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  const bound = await listen(options, (socket) => {
    const peer = peerOf(socket);
    connectedByPeer.set(peer, socket);
    socket.once('close', () => connectedByPeer.delete(peer));
    // A handshake that fails is the client's affair.
    socket.on('error', () => socket.destroy());
    server.emit('connection', socket);
  });
  return {
    ...bound,
    setIdentity: (identity) => server.setSecureContext(contextOptions(ticketKeys, identity)),
    setTicketKeys(keys) {
      ticketKeys = keys;
      server.setTicketKeys(Buffer.from(keys));
    },
  };
}

function contextOptions(ticketKeys: Uint8Array | undefined, { chainPem, keyPem }: TlsIdentity) {
  return {
    ...TLS_SETTINGS,
    cert: chainPem,
    key: keyPem,
    ...(ticketKeys !== undefined && { ticketKeys: Buffer.from(ticketKeys) }),
  };
}

function serve(
  { answer, onError, limits, connections }: TcpOptions,
  given: {
    readonly socket: Socket;
    /** The one that the table knows: below TLS. */
    readonly connected: Socket;
    readonly transport: 'tcp' | 'tls';
  },
): void {
  const { socket, connected, transport } = given;
  serveConnection({
    ...{ socket, answer, onError, limits },
    peer: { address: connected.remoteAddress ?? '', transport },
    onActivity: () => connections.touch(connected),
    onStream: (change) => connections.setHeld(connected, change === 'begins' ? 'held' : 'let go'),
  });
}

async function listen(
  { host, port, onError, connections }: TcpOptions,
  onConnection: (socket: Socket) => void,
): Promise<BoundSocket> {
  const open = new Set<Socket>();
  const server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
    if (!connections.admit(socket)) return;
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    onConnection(socket);
  });
  server.listen({ host, port, ipv6Only: isIPv6(host), reusePort: true, backlog: BACKLOG });
  await once(server, 'listening');
  server.on('error', onError);
  return {
    address: server.address() as AddressInfo,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of open) socket.destroy();
      }),
  };
}

function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress ?? ''} ${remotePort ?? 0}`;
}
