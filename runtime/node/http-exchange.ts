import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  constants,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2';
import { pipeline } from 'node:stream/promises';
import type { HttpAnswer, HttpHandler, HttpRequest } from '../http.ts';

/** Shared by the exchanges of one listener. */
export interface DrainState {
  phase: 'serving' | 'draining';
}

export interface ExchangeOptions {
  readonly handler: HttpHandler;
  /** A bug of the handler; the client got 500. */
  readonly onError?: (error: unknown) => void;
}

/** Serves one HTTP/1.1 request after the other. Never throws, whatever the client does. */
export function serveHttp1(
  options: ExchangeOptions,
  drain: DrainState,
  { secure }: { readonly secure: boolean },
): (message: IncomingMessage, response: ServerResponse) => void {
  return (message, response) => {
    const { method = '', url: path = '', headers } = message;
    const hasBody =
      headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) !== 0;
    const request = { method, path, host: headers.host ?? '', headers, secure };
    withAnswer(hasBody ? BODY_REFUSED : answerSafely(request, options), (answer) => {
      sendHttp1(answer, response, {
        connection: hasBody || drain.phase === 'draining' ? 'close' : 'keep-alive',
      });
    });
  };
}

/** Serves one HTTP/2 stream. Never throws, whatever the client does. */
export function serveHttp2(
  options: ExchangeOptions,
): (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, flags: number) => void {
  return (stream, headers, flags) => {
    // A reset by the client is an error event, and no news to us.
    stream.on('error', () => undefined);
    const hasBody = (flags & constants.NGHTTP2_FLAG_END_STREAM) === 0;
    const request: HttpRequest = {
      method: headers[':method'] ?? '',
      path: headers[':path'] ?? '',
      host: headers[':authority'] ?? headers['host'] ?? '',
      headers,
      secure: true,
    };
    withAnswer(hasBody ? BODY_REFUSED : answerSafely(request, options), (answer) => {
      // Tells the client not to send the rest, after it has the answer (RFC 9113 §8.1).
      if (hasBody) stream.once('finish', () => stream.close(constants.NGHTTP2_NO_ERROR));
      sendHttp2(answer, stream);
    });
  };
}

const BODY_REFUSED: HttpAnswer = {
  status: 413,
  headers: [['content-type', 'text/plain;charset=utf-8']],
  body: 'Request bodies are not accepted.\n',
};

const HANDLER_FAILED: HttpAnswer = {
  status: 500,
  headers: [['content-length', '0']],
  body: undefined,
};

/** Calls `send` in the same turn when it can. */
function withAnswer(
  answer: HttpAnswer | Promise<HttpAnswer>,
  send: (answer: HttpAnswer) => void,
): void {
  if (answer instanceof Promise) void answer.then(send);
  else send(answer);
}

/** The returned promise never rejects. */
function answerSafely(
  request: HttpRequest,
  { handler, onError }: ExchangeOptions,
): HttpAnswer | Promise<HttpAnswer> {
  const failed = (error: unknown): HttpAnswer => {
    onError?.(error);
    return HANDLER_FAILED;
  };
  try {
    const answer = handler(request);
    return answer instanceof Promise ? answer.catch(failed) : answer;
  } catch (error) {
    return failed(error);
  }
}

function sendHttp1(
  { status, headers, body }: HttpAnswer,
  response: ServerResponse,
  { connection }: { readonly connection: 'keep-alive' | 'close' },
): void {
  if (response.destroyed) return;
  const flat = headers.flat();
  if (connection === 'close') flat.push('connection', 'close');
  response.writeHead(status, flat);
  if (body === undefined) response.end();
  else if (typeof body === 'string' || body instanceof Uint8Array) response.end(body);
  else pipe(body, response);
}

function sendHttp2({ status, headers, body }: HttpAnswer, stream: ServerHttp2Stream): void {
  if (stream.destroyed || stream.closed) return;
  const head: OutgoingHttpHeaders = Object.fromEntries(headers);
  head[':status'] = status;
  stream.respond(head, { endStream: body === undefined });
  if (body === undefined) return;
  if (typeof body === 'string' || body instanceof Uint8Array) stream.end(body);
  else pipe(body, stream);
}

/**
 * As fast as the client reads. When the source fails or the client leaves, both are destroyed: a
 * body that is too short must look like an error, never like the end.
 */
function pipe(body: AsyncIterable<Uint8Array>, target: ServerResponse | ServerHttp2Stream): void {
  void pipeline(body, target).catch(() => undefined);
}
