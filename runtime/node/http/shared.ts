import type { AnswerMemo, HttpAnswer, HttpHandler, HttpRequest } from '../../http.ts';
import { ALLOWED_METHODS, isAllowedMethod } from '../../http-methods.ts';
import type { ChunkPool } from './output.ts';

/** What the connections of one listener share. */
export interface SharedParts {
  readonly handler: HttpHandler;
  /** A bug of the handler; the client got 500. */
  readonly onError?: ((error: unknown) => void) | undefined;
  readonly onRefused?: ((request: HttpRequest, answer: HttpAnswer) => void) | undefined;
  readonly limits: ConnectionLimits;
  readonly chunks: ChunkPool;
  readonly time: CoarseTime;
  readonly drain: DrainState;
  readonly budget: SendBudget;
}

/** How long a request may be on its way while the client hears that it has to leave. */
export const LEAVING_MS = 1000;

export interface DrainState {
  phase: 'serving' | 'draining';
}

export interface ConnectionLimits {
  readonly headerBytesMax: number;
  readonly headerFieldsMax: number;
  readonly headersMs: number;
  readonly keepAliveMs: number;
  readonly idleMs: number;
  readonly streamsMax: number;
}

/** One client, in one protocol. */
export interface Connection {
  /** No request is being answered: it may be cut when others need its place. */
  readonly isIdle: boolean;
  /** Looks whether the client has taken too long. */
  sweep(): void;
  /** Tells the client to leave; ends once what is in flight is done. */
  leave(): void;
}

/** Time as of the last tick: reading the clock for every request would cost more than it tells. */
export class CoarseTime {
  /** Never goes back. */
  nowMs = 0;
  #text = '';
  #date: Buffer = Buffer.alloc(0);
  #dateLine: Buffer = Buffer.alloc(0);

  tick(monotonicMs: number, wallMs: number): void {
    this.nowMs = monotonicMs;
    const text = new Date(wallMs).toUTCString();
    if (text === this.#text) return;
    this.#text = text;
    this.#date = Buffer.from(text, 'latin1');
    this.#dateLine = Buffer.from(`date: ${text}\r\n\r\n`, 'latin1');
  }

  /** As `Date` has it, 29 octets (RFC 9110 §5.6.7). */
  get date(): Buffer {
    return this.#date;
  }

  /** `Date` as the last header of HTTP/1.1, with the empty line behind it. */
  get lastLine(): Buffer {
    return this.#dateLine;
  }
}

/** Memory for bodies on their way, so that many slow readers get less each (issue 6, point 8). */
export class SendBudget {
  #sending = 0;

  begin(): void {
    this.#sending += 1;
  }

  end(): void {
    this.#sending -= 1;
  }

  /** How much of its body one answer may have under way at once. */
  get pieceBytes(): number {
    const share = Math.floor(BUDGET_BYTES / Math.max(1, this.#sending));
    return Math.max(PIECE_BYTES_MIN, Math.min(PIECE_BYTES_MAX, share));
  }

  /** The same for all answers of a connection together. */
  get connectionBytes(): number {
    return 4 * this.pieceBytes;
  }
}

const BUDGET_BYTES = 32 * 1024 * 1024;
const PIECE_BYTES_MIN = 16 * 1024;
const PIECE_BYTES_MAX = 256 * 1024;

/** To a request with a body: a form sent here is told that nobody takes it, whatever its size. */
export function refuseBody(
  request: HttpRequest,
  { onRefused, onError }: Pick<SharedParts, 'onRefused' | 'onError'>,
): HttpAnswer {
  const answer = isAllowedMethod(request.method) ? BODY_REFUSED : METHOD_REFUSED;
  try {
    onRefused?.(request, answer);
  } catch (error) {
    onError?.(error);
  }
  return answer;
}

const PLAIN_TEXT = ['content-type', 'text/plain;charset=utf-8'] as const;

const BODY_REFUSED: HttpAnswer = {
  status: 413,
  headers: [PLAIN_TEXT],
  body: 'Request bodies are not accepted.\n',
};

/** RFC 9110 §15.5.6. */
const METHOD_REFUSED: HttpAnswer = {
  status: 405,
  headers: [PLAIN_TEXT, ['allow', ALLOWED_METHODS]],
  body: `Only ${ALLOWED_METHODS}.\n`,
};

const HANDLER_FAILED: HttpAnswer = {
  status: 500,
  headers: [['content-length', '0']],
  body: undefined,
};

/** The returned promise never rejects. */
export function answerSafely(
  request: HttpRequest,
  { handler, onError }: Pick<SharedParts, 'handler' | 'onError'>,
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

/** The encoded head: kept one, or made anew. An answer that cannot be encoded is one more bug. */
export function encodedHead(
  answer: HttpAnswer,
  protocol: keyof AnswerMemo,
  encode: (answer: HttpAnswer) => Uint8Array,
): Uint8Array {
  const known = answer.memo?.[protocol];
  if (known !== undefined) return known;
  const made = encode(answer);
  if (answer.memo !== undefined) answer.memo[protocol] = made;
  return made;
}

/** With `content-length` where the answer leaves it out and it is known (RFC 9110 §8.6). */
export function withLength({ status, headers, body }: HttpAnswer): HttpAnswer['headers'] {
  if (status === 204 || status === 304) return headers;
  if (headers.some(([name]) => name === 'content-length')) return headers;
  if (body === undefined) return [...headers, ['content-length', '0']];
  if (typeof body === 'string')
    return [...headers, ['content-length', String(Buffer.byteLength(body))]];
  return body instanceof Uint8Array
    ? [...headers, ['content-length', String(body.length)]]
    : headers;
}

/** Nobody is there to read it: what it holds open is closed. */
export function discard({ body }: HttpAnswer): void {
  if (body === undefined || typeof body === 'string' || body instanceof Uint8Array) return;
  const pieces = body[Symbol.asyncIterator]();
  // A generator that was never begun would not even look at what it has to clean up.
  void pieces
    .next()
    .then(() => pieces.return?.())
    .catch(() => undefined);
}
