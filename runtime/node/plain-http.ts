import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Log } from '../log.ts';
import type { Identity } from '../tls/authority.ts';
import { bodyPieces } from './body-pieces.ts';

export interface PlainRequest {
  readonly method: string;
  /** Without its query. */
  readonly path: string;
  /** The header `Range` as sent; undefined: there is none. */
  readonly range?: string | undefined;
  /** From the client certificate; undefined: none was shown. */
  readonly identity: Identity | undefined;
  /** By its name in lower case; undefined: there is none. Of several, the first. */
  header(name: string): string | undefined;
  /**
   * What was sent with it, as it came. A handler that does not ask leaves it unread. `too large`: it
   * is longer than that; `cut`: not all of it came, or not in time.
   */
  body(limits: BodyLimits): Promise<Buffer | 'too large' | 'cut'>;
  /**
   * The same in pieces as they come, no faster than they are taken; to be asked for once. Throws a
   * CutBodyError where not all came, or nothing for so long.
   */
  pieces(limits: { readonly idleMs: number }): AsyncIterable<Uint8Array>;
}

export interface BodyLimits {
  readonly bytesMax: number;
  readonly timeoutMs: number;
}

export interface PlainResponse {
  readonly status: number;
  readonly contentType: string;
  /** Names in lower case; left out: none beside those that follow from the rest. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array | StreamedBody;
  /** The body was sent, or never will be; only `sent` means that its memory may be used again. */
  readonly onEnd?: (outcome: 'sent' | 'cut') => void;
  /** `open`: the client may ask for more on its connection. Left out: it is closed. */
  readonly connection?: 'open';
}

export interface StreamedBody {
  /** Of all chunks together. */
  readonly sizeBytes: number;
  readonly chunks: AsyncIterable<Uint8Array>;
}

/** Answers to machines that watch dom, to Git hosts that call it, and blobs for nodes. */
export type PlainHandler = (request: PlainRequest) => Promise<PlainResponse>;

/**
 * `GET /healthz` for everyone: 200 while dom serves, else 503. `GET /metrics` for whoever shows a
 * client certificate.
 */
export function operationsHandler(ports: {
  readonly isServing: () => boolean;
  readonly renderMetrics: () => Promise<string>;
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

/** Runs one request to its end; never throws. */
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
  const [path = ''] = (request.url ?? '').split('?');
  const { range } = request.headers;
  const failed = (error: unknown): void => {
    log.error({ path, error: String(error) }, 'request failed');
    // What has begun cannot become another answer: the client sees that it is cut short.
    if (response.headersSent) response.destroy();
    else void send(response, { ...text(500, FAILED), ...(identity && { connection: 'open' }) });
  };
  const header = (name: string): string | undefined => [request.headers[name]].flat()[0];
  const body = (limits: BodyLimits): Promise<Buffer | 'too large' | 'cut'> =>
    readBody(request, limits);
  const pieces = ({ idleMs }: { readonly idleMs: number }): AsyncIterable<Uint8Array> =>
    bodyPieces(request, idleMs);
  handler({ method: request.method ?? '', path, range, identity, header, body, pieces })
    .then((answer) => send(response, answer))
    .catch(failed)
    .finally(() => request.resume());
}

const FAILED = 'dom failed to answer; its log says why\n';

async function readBody(
  request: IncomingMessage,
  { bytesMax, timeoutMs }: BodyLimits,
): Promise<Buffer | 'too large' | 'cut'> {
  if (Number(request.headers['content-length'] ?? 0) > bytesMax) return 'too large';
  const pieces: Buffer[] = [];
  let readBytes = 0;
  const { promise, resolve } = Promise.withResolvers<Buffer | 'too large' | 'cut'>();
  const onData = (piece: Buffer): void => {
    readBytes += piece.length;
    if (readBytes > bytesMax) resolve('too large');
    else pieces.push(piece);
  };
  const timer = setTimeout(() => resolve('cut'), timeoutMs);
  request.on('data', onData);
  request.once('end', () => resolve(Buffer.concat(pieces)));
  request.once('error', () => resolve('cut'));
  request.once('close', () => resolve('cut'));
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    request.off('data', onData);
  }
}

/** Prometheus's text format, version 0.0.4. */
const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

function text(status: number, body: string): PlainResponse {
  return { status, contentType: 'text/plain; charset=utf-8', body };
}

async function send(response: ServerResponse, answer: PlainResponse): Promise<void> {
  const { status, contentType, body, headers = {}, connection, onEnd } = answer;
  if (response.destroyed) onEnd?.('cut');
  else response.once('close', () => onEnd?.(response.writableFinished ? 'sent' : 'cut'));
  response.writeHead(status, {
    ...headers,
    'content-type': contentType,
    'content-length': lengthOf(body),
    // One request a connection: nothing idle is left to be bounded.
    ...(connection === undefined && { connection: 'close' }),
  });
  if (typeof body === 'string' || body instanceof Uint8Array) {
    response.end(body);
    return;
  }
  for await (const chunk of body.chunks) {
    if (!response.write(chunk)) await drained(response);
    // Nobody reads any more.
    if (response.destroyed) return;
  }
  response.end();
}

function lengthOf(body: PlainResponse['body']): number {
  if (typeof body === 'string') return Buffer.byteLength(body);
  return body instanceof Uint8Array ? body.byteLength : body.sizeBytes;
}

/** Also when the client is gone. */
function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.off('drain', done);
      response.off('close', done);
      resolve();
    };
    response.once('drain', done);
    response.once('close', done);
    if (response.destroyed) done();
  });
}
