import { Agent as HttpAgent, type IncomingHttpHeaders, request as requestHttp } from 'node:http';
import { Agent as HttpsAgent, type RequestOptions, request as requestHttps } from 'node:https';
import type { AcmeServer } from '../../acme/acme.ts';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** One connection pool for each CA; no cookies, no redirects, no retries. */
export interface Transport {
  /** Rejects when nobody answers, when too much is sent, and soon after `signal` is aborted. */
  send(request: {
    readonly server: AcmeServer;
    readonly method: 'GET' | 'HEAD' | 'POST';
    readonly url: string;
    /** JSON of a JWS; for POST. */
    readonly body?: string;
    readonly accept?: string;
    readonly bytesMax: number;
    readonly signal: AbortSignal;
  }): Promise<Answer>;
  close(): void;
}

/** Connections to one CA at the same time; what is more waits. */
const SOCKETS_MAX = 8;
/** Shorter than CAs keep theirs, so that they seldom close one that is just being used. */
const IDLE_MS_MAX = 5_000;
/** CAs whose connections are kept; there are as many as Issuers differ in directory or trust. */
const AGENTS_MAX = 16;
const HEADER_BYTES_MAX = 32 * 1024;

/** `userAgent`: RFC 8555 §6.1. */
export function createTransport({ userAgent }: { readonly userAgent: string }): Transport {
  const agents = new Map<string, HttpAgent | HttpsAgent>();

  function agentFor({ directory, caPem }: AcmeServer): HttpAgent | HttpsAgent {
    const key = `${new URL(directory).origin} ${caPem ?? ''}`;
    const kept = agents.get(key);
    const agent = kept ?? newAgent(directory, caPem);
    // Behind the others: the first is the one that was not used for the longest.
    agents.delete(key);
    agents.set(key, agent);
    const [oldest] = agents.keys();
    if (agents.size > AGENTS_MAX && oldest !== undefined) {
      agents.get(oldest)?.destroy();
      agents.delete(oldest);
    }
    return agent;
  }

  return {
    send: ({ server, method, url, body, accept = 'application/json', bytesMax, signal }) => {
      const headers: Record<string, string | number> = {
        accept,
        'accept-language': 'en',
        'user-agent': userAgent,
      };
      if (body !== undefined) {
        headers['content-type'] = 'application/jose+json';
        headers['content-length'] = Buffer.byteLength(body);
      }
      const maxHeaderSize = HEADER_BYTES_MAX;
      const options = { method, headers, agent: agentFor(server), signal, maxHeaderSize };
      return exchange(url, options, body, bytesMax);
    },
    close() {
      for (const agent of agents.values()) agent.destroy();
      agents.clear();
    },
  };
}

function newAgent(directory: string, caPem: string | undefined): HttpAgent | HttpsAgent {
  const options = { keepAlive: true, maxSockets: SOCKETS_MAX, timeout: IDLE_MS_MAX };
  if (new URL(directory).protocol === 'http:') return new HttpAgent(options);
  return new HttpsAgent({
    ...options,
    minVersion: 'TLSv1.2',
    ...(caPem === undefined ? {} : { ca: caPem }),
  });
}

function exchange(
  url: string,
  options: RequestOptions,
  body: string | undefined,
  bytesMax: number,
): Promise<Answer> {
  const send = url.startsWith('https:') ? requestHttps : requestHttp;
  return new Promise((resolve, reject) => {
    const call = send(url, options, (response) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > bytesMax) call.destroy(new Error(`more than ${bytesMax} bytes`));
        else chunks.push(chunk);
      });
      response.on('error', reject);
      response.on('close', () => reject(new Error('the connection ended within the answer')));
      response.on('end', () => {
        const { statusCode: status = 0, headers } = response;
        resolve({ status, headers, body: Buffer.concat(chunks) });
      });
    });
    call.on('error', reject);
    // 1xx and upgrades are no answers.
    call.on('upgrade', (_, socket) => {
      socket.destroy();
      reject(new Error('the server wants another protocol'));
    });
    call.end(body);
  });
}
