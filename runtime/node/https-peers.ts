import { createHash } from 'node:crypto';
import type { Agent, IncomingMessage } from 'node:http';
import { connect, type TLSSocket } from 'node:tls';
import { PEER_SERVER_NAME } from '../content/peer-url.ts';
import { type Peer, type PeerAnswer, type PeerFetcher, peerAnswer } from '../content/peers.ts';
import { http } from './http-module.ts';

/** Connections to one edge at once. */
const SOCKETS_MAX = 8;
/** Edges that connections are kept to; those of the longest known are closed first. */
const AGENTS_MAX = 8;
/** A connection that nothing was asked over for so long is closed. */
const IDLE_MS = 15_000;
/** A longer answer that is no blob is not read to its end, and its connection not used again. */
const REFUSAL_BYTES_MAX = 4096;

export interface HttpsPeers extends PeerFetcher {
  close(): void;
}

/**
 * Other edges over HTTP/1.1 and TLS 1.3. Who they are is said by the fingerprint of their
 * certificate, which dom has from themselves; no CA, name or date of it matters.
 */
export function httpsPeers(): HttpsPeers {
  const agents = new Map<string, Agent>();

  function agentOf(fingerprint: string): Agent {
    const known = agents.get(fingerprint);
    if (known !== undefined) return known;
    const agent = new http.Agent({ keepAlive: true, maxSockets: SOCKETS_MAX, timeout: IDLE_MS });
    agent.createConnection = (options) => pinnedSocket(options, fingerprint);
    agents.set(fingerprint, agent);
    const [oldest] = agents;
    if (agents.size > AGENTS_MAX && oldest !== undefined) {
      agents.delete(oldest[0]);
      oldest[1].destroy();
    }
    return agent;
  }

  return {
    async get(peer, wanted, signal) {
      let failure: unknown = new Error(`node ${peer.node} has no address`);
      for (const address of peer.addresses) {
        try {
          const agent = agentOf(peer.fingerprint);
          const response = await request(agent, { ...wanted, address, peer, signal });
          return answerOf(response, wanted.offsetBytes);
        } catch (error) {
          signal.throwIfAborted();
          failure = error;
        }
      }
      throw failure;
    },
    close() {
      for (const agent of agents.values()) agent.destroy();
      agents.clear();
    },
  };
}

/** Nothing is written before the certificate has been looked at. */
function pinnedSocket(options: object, fingerprint: string): TLSSocket {
  const { host, port } = options as { readonly host: string; readonly port: number };
  const socket = connect({
    ...{ host, port },
    servername: PEER_SERVER_NAME,
    ALPNProtocols: ['http/1.1'],
    minVersion: 'TLSv1.3',
    // Looked at below: it is not of any CA. That the edge has its key is proven all the same.
    rejectUnauthorized: false,
  });
  // What is written meanwhile stays here.
  socket.cork();
  socket.once('secureConnect', () => {
    const { raw } = socket.getPeerCertificate();
    const shown = createHash('sha256').update(raw).digest('hex');
    if (shown === fingerprint) return socket.uncork();
    socket.destroy(new Error(`${host} ${port}: it shows another certificate than dom knows of`));
  });
  return socket;
}

function request(
  agent: Agent,
  given: {
    readonly path: string;
    readonly offsetBytes: number;
    readonly address: string;
    readonly peer: Peer;
    readonly signal: AbortSignal;
  },
): Promise<IncomingMessage> {
  const { path, offsetBytes, address: host, peer, signal } = given;
  const range = offsetBytes > 0 && { range: `bytes=${offsetBytes}-` };
  const headers = { host: PEER_SERVER_NAME, ...range };
  return new Promise((resolve, reject) => {
    const asked = http.request({ agent, host, port: peer.httpsPort, path, headers, signal });
    asked.once('response', resolve);
    asked.on('error', reject);
    asked.end();
  });
}

function answerOf(response: IncomingMessage, offsetBytes: number): PeerAnswer {
  const { statusCode: status = 0, headers } = response;
  const header = (name: string): string | undefined => String(headers[name] ?? '') || undefined;
  const answer = peerAnswer({ status, header, pieces: response }, offsetBytes);
  if (answer.kind !== 'bytes') discard(response);
  return answer;
}

function discard(response: IncomingMessage): void {
  response.on('error', () => undefined);
  const bytes = Number(response.headers['content-length'] ?? Number.POSITIVE_INFINITY);
  if (bytes <= REFUSAL_BYTES_MAX) response.resume();
  else response.destroy();
}
