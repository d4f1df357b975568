import type { Server, Socket } from 'node:net';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:tls';
import {
  CLIENT_HELLO_BYTES_MAX,
  type ClientHello,
  parseClientHello,
} from '../../tls/client-hello.ts';
import { ACME_PROTOCOL, type AlpnProofs } from './alpn-proofs.ts';
import { TLS_SETTINGS } from './contexts.ts';

/**
 * Shows proofs to CAs at a TLS server's own port (RFC 8737). OpenSSL has chosen a certificate before
 * Node tells what protocols a client offers; so while a proof is up, each connection's first
 * message is read here, and the connection goes on as if nobody had: to a server of its own if it
 * offers `acme-tls/1` alone and names a host whose proof is up, else to `server`.
 *
 * Guarantees: while no proof is up, a connection takes the way it always took. A client that does
 * not send its first message in `handshakeMs` is cut.
 */
export function showProofs(
  server: Server,
  { proofs, handshakeMs }: { readonly proofs: AlpnProofs; readonly handshakeMs: number },
): void {
  const listeners = server.listeners('connection');
  const prover = proofServer(proofs, handshakeMs);
  const accept = (socket: Socket): void => {
    for (const listener of listeners) Reflect.apply(listener, server, [socket]);
  };
  server.removeAllListeners('connection');
  server.on('connection', (socket: Socket) => {
    if (proofs.size === 0) return accept(socket);
    lookAtHello(socket, handshakeMs, (hello) => {
      if (hello !== undefined && looksForProof(hello, proofs)) prover.emit('connection', socket);
      else accept(socket);
    });
  });
}

/** RFC 8737 §3: the client offers this protocol and no other. */
function looksForProof({ serverName, protocols }: ClientHello, proofs: AlpnProofs): boolean {
  const [first, ...others] = protocols;
  if (first !== ACME_PROTOCOL || others.length > 0) return false;
  return serverName !== undefined && proofs.has(serverName);
}

/** It never listens: it is handed connections, and ends each once the certificate was shown. */
function proofServer(proofs: AlpnProofs, handshakeMs: number): TlsServer {
  const server = createTlsServer({
    ...TLS_SETTINGS,
    ALPNProtocols: [ACME_PROTOCOL],
    handshakeTimeout: handshakeMs,
    SNICallback(serverName, done) {
      const context = proofs.contextFor(serverName);
      if (context === undefined) done(new Error('the proof has gone'));
      else done(null, context);
    },
  });
  server.on('secureConnection', (socket) => {
    socket.on('error', () => undefined);
    socket.destroySoon();
  });
  // A client that gives up is no news to us; Node destroys what it leaves.
  server.on('tlsClientError', () => undefined);
  return server;
}

/**
 * Waits for the first message, and puts the bytes back before it calls `onward`; undefined: it is
 * none that can be read, and whoever comes next will say so. Not called when the connection ends.
 */
function lookAtHello(
  socket: Socket,
  waitMs: number,
  onward: (hello: ClientHello | undefined) => void,
): void {
  const chunks: Buffer[] = [];
  let [gatheredBytes, wantedBytes] = [0, 1];
  const timer = setTimeout(() => socket.destroy(), waitMs);

  function read(): void {
    for (let chunk = takeChunk(socket); chunk !== null; chunk = takeChunk(socket)) {
      chunks.push(chunk);
      gatheredBytes += chunk.length;
    }
    // A client may send byte by byte: there is no look before one can tell more.
    if (gatheredBytes < wantedBytes) return;
    const bytes = Buffer.concat(chunks);
    const outcome = parseClientHello(bytes);
    if (outcome.kind === 'more' && gatheredBytes < CLIENT_HELLO_BYTES_MAX) {
      wantedBytes = outcome.bytesMin;
      return;
    }
    leave();
    socket.unshift(bytes);
    onward(outcome.kind === 'hello' ? outcome.hello : undefined);
  }

  function drop(): void {
    leave();
    socket.destroy();
  }

  function leave(): void {
    clearTimeout(timer);
    socket.off('readable', read).off('end', drop).off('error', drop).off('close', leave);
  }

  socket.on('readable', read).on('end', drop).on('error', drop).on('close', leave);
}

function takeChunk(socket: Socket): Buffer | null {
  return socket.read() as Buffer | null;
}
