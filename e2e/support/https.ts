import { once } from 'node:events';
import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2';
import { Agent, request } from 'node:https';

export interface Page {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: Buffer;
}

export interface Edge {
  readonly address: string;
  readonly port: number;
}

export interface Browser {
  /** Rejects when the connection fails. */
  get(edge: Edge, path: string, headers?: Readonly<Record<string, string>>): Promise<Page>;
  close(): void;
}

interface BrowserOptions {
  /** False: each request on a connection of its own. */
  readonly keepAlive: boolean;
  /** Without a byte; left out: 10 s. */
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 10_000;
/** As Chromium has them. With Node's 64 KiB a busy machine would wait for windows, not for edges. */
const STREAM_WINDOW_BYTES = 6 * 1024 * 1024;
const CONNECTION_WINDOW_BYTES = 15 * 1024 * 1024;

/** Fetches pages of one host from edges chosen by address, over TLS verified by `ca`. HTTP/1.1. */
export function browser(host: string, ca: string, options: BrowserOptions): Browser {
  const agent = new Agent({ keepAlive: options.keepAlive, maxSockets: 64, ca, servername: host });
  return {
    get: (edge, path, headers = {}) =>
      new Promise((resolve, reject) => {
        const call = request(
          {
            agent,
            host: edge.address,
            port: edge.port,
            path,
            servername: host,
            headers: { host: `${host}:${edge.port}`, ...headers },
            timeout: options.timeoutMs ?? TIMEOUT_MS,
          },
          (response) => {
            const chunks: Buffer[] = [];
            response.on('data', (chunk: Buffer) => chunks.push(chunk));
            response.on('error', reject);
            response.on('end', () =>
              resolve({
                status: response.statusCode ?? 0,
                headers: response.headers,
                body: Buffer.concat(chunks),
              }),
            );
          },
        );
        call.on('timeout', () => call.destroy(new Error('timed out')));
        call.on('error', reject);
        call.end();
      }),
    close: () => agent.destroy(),
  };
}

/** The same over HTTP/2. A kept session that the edge ended is opened anew. */
export function http2Browser(host: string, ca: string, options: BrowserOptions): Browser {
  const sessions = new Map<string, ClientHttp2Session>();

  function open(edge: Edge): ClientHttp2Session {
    const url = `https://${host}:${edge.port}`;
    const settings = { initialWindowSize: STREAM_WINDOW_BYTES };
    const session = connectHttp2(url, { ca, servername: host, host: edge.address, settings });
    session.once('connect', () => session.setLocalWindowSize(CONNECTION_WINDOW_BYTES));
    // Each request tells its own failure.
    session.on('error', () => undefined);
    return session;
  }

  function sessionTo(edge: Edge): ClientHttp2Session {
    if (!options.keepAlive) return open(edge);
    const key = `${edge.address}:${edge.port}`;
    const kept = sessions.get(key);
    if (kept !== undefined && !kept.closed && !kept.destroyed) return kept;
    const session = open(edge);
    sessions.set(key, session);
    return session;
  }

  return {
    async get(edge, path, headers = {}) {
      const session = sessionTo(edge);
      try {
        const timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
        return await fetchOver(session, { ':path': path, ...headers }, timeoutMs);
      } finally {
        if (!options.keepAlive) session.close();
      }
    },
    close: () => {
      for (const session of sessions.values()) session.close();
    },
  };
}

async function fetchOver(
  session: ClientHttp2Session,
  headers: Readonly<Record<string, string>>,
  timeoutMs: number,
): Promise<Page> {
  const stream = session.request({ ...headers });
  stream.setTimeout(timeoutMs, () => stream.destroy(new Error('timed out')));
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  // Together: what rejects the one rejects the other, too, and nobody would have looked at that.
  const [[answer]] = (await Promise.all([once(stream, 'response'), once(stream, 'end')])) as [
    [Record<string, string | number>],
    unknown,
  ];
  const texts = Object.entries(answer).map(([name, value]) => [name, String(value)]);
  return {
    status: Number(answer[':status']),
    headers: Object.fromEntries(texts) as Record<string, string>,
    body: Buffer.concat(chunks),
  };
}
