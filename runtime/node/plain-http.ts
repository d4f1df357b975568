import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Identity } from '../authority.ts';
import type { Log } from '../log.ts';

export interface PlainRequest {
  readonly method: string;
  /** Without its query. */
  readonly path: string;
  /** From the client certificate; undefined: none was shown. */
  readonly identity: Identity | undefined;
}

export interface PlainResponse {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/** Small answers to machines that watch dom: no bodies in, short texts out. */
export type PlainHandler = (request: PlainRequest) => Promise<PlainResponse>;

/**
 * `GET /healthz` for everyone: 200 while dom serves, else 503. `GET /metrics` for whoever shows a
 * client certificate.
 */
export function operationsHandler(ports: {
  readonly isServing: () => boolean;
  readonly renderMetrics: () => Promise<PlainResponse['body']>;
}): PlainHandler {
  return async ({ method, path, identity }) => {
    if (method !== 'GET') return text(405, 'only GET is served here\n');
    if (path === '/healthz')
      return ports.isServing() ? text(200, 'ok\n') : text(503, 'not ready\n');
    if (path !== '/metrics') return text(404, 'there are /healthz and /metrics\n');
    if (identity === undefined) return text(401, 'show a client certificate\n');
    return { status: 200, contentType: METRICS_TYPE, body: await ports.renderMetrics() };
  };
}

/** Runs one request to its end; never throws. The connection closes after it. */
export function answerPlainly(
  handler: PlainHandler,
  exchange: {
    readonly request: IncomingMessage;
    readonly response: ServerResponse;
    readonly identity: Identity | undefined;
    readonly log: Log;
  },
): void {
  const { request, response, identity, log } = exchange;
  request.resume();
  const [path = ''] = (request.url ?? '').split('?');
  handler({ method: request.method ?? '', path, identity }).then(
    (answer) => send(response, answer),
    (error: unknown) => {
      log.error({ path, error: String(error) }, 'request failed');
      send(response, text(500, 'dom failed to answer; its log says why\n'));
    },
  );
}

/** Prometheus's text format, version 0.0.4. */
const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

function text(status: number, body: string): PlainResponse {
  return { status, contentType: 'text/plain; charset=utf-8', body };
}

function send(response: ServerResponse, { status, contentType, body }: PlainResponse): void {
  response.writeHead(status, {
    'content-type': contentType,
    'content-length': Buffer.byteLength(body),
    // One request a connection: nothing idle is left to be bounded.
    connection: 'close',
  });
  response.end(body);
}
