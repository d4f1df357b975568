import type { Socket } from 'node:net';
import type { HttpAnswer, HttpRequest } from '../../http.ts';
import { encodeAnswerHead } from '../../http1/answer-head.ts';
import {
  type HeaderLines,
  parseRequestHead,
  type Refusal,
  type RequestHead,
} from '../../http1/request-head.ts';
import { Output } from './output.ts';
import {
  answerSafely,
  type Connection,
  discard,
  encodedHead,
  LEAVING_MS,
  refuseBody,
  type SharedParts,
  withLength,
} from './shared.ts';

/** Small enough to be copied beside its head, and sent with it in one write. */
const WHOLE_BYTES_MAX = 64 * 1024;
/** Answers to requests that came at once; more wait until these have left. */
const PENDING_BYTES_MAX = 256 * 1024;
/** Read and thrown away after the last answer, so that it is not lost with a reset. */
const LINGER_BYTES_MAX = 1024 * 1024;
const LINGER_MS = 2000;

/**
 * Serves HTTP/1.1 on one socket, one request after the other (RFC 9112). Never throws, whatever
 * the client does, and holds at most a head of a request, an answer's head and a piece of its body.
 */
export class Http1Connection implements Connection {
  readonly #socket: Socket;
  readonly #parts: SharedParts;
  readonly #secure: boolean;
  readonly #address: string | undefined;
  #lines: HeaderLines | undefined;
  readonly #output: Output;
  /** `head`: waits for a request; `answering`: has one; `full`: waits until answers have left. */
  #phase: 'head' | 'answering' | 'full' | 'closing' | 'closed' = 'head';
  #sinceMs: number;
  #rest: Buffer | undefined;
  #requests = 0;
  #lingerBytes = 0;
  #hasEnded = false;
  #onSent: (() => void) | undefined;

  constructor(socket: Socket, parts: SharedParts, { secure }: { readonly secure: boolean }) {
    this.#socket = socket;
    this.#parts = parts;
    this.#secure = secure;
    this.#address = socket.remoteAddress;
    this.#sinceMs = parts.time.nowMs;
    this.#output = new Output(socket, parts.chunks, () => this.#sent());
    socket.on('data', (piece: Buffer) => this.#read(piece));
    socket.on('end', () => this.#ended());
    // A reset by the client is no news to us.
    socket.on('error', () => undefined);
    socket.on('close', () => this.#closed());
  }

  get isIdle(): boolean {
    return this.#phase === 'head';
  }

  sweep(): void {
    const { limits, time } = this.#parts;
    const waitedMs = time.nowMs - this.#sinceMs;
    switch (this.#phase) {
      case 'head':
        if (this.#rest !== undefined) {
          if (waitedMs > limits.headersMs) this.#refuse(TOO_SLOW);
        } else if (this.#requests === 0) {
          const isLeaving = this.#parts.drain.phase === 'draining';
          if (waitedMs > (isLeaving ? LEAVING_MS : limits.headersMs)) this.#socket.destroy();
        } else if (waitedMs > limits.keepAliveMs) this.#close();
        return;
      case 'answering':
      case 'full':
        if (waitedMs > limits.idleMs) this.#socket.destroy();
        return;
      case 'closing':
        // Nothing that moves is cut: the last answer may be long.
        if (waitedMs > (this.#output.pendingBytes > 0 ? limits.idleMs : LINGER_MS)) {
          this.#socket.destroy();
        }
        return;
      case 'closed':
        return;
    }
  }

  leave(): void {
    // The first request of a new connection is on its way, and nobody would ask again for it.
    if (this.#requests === 0) return;
    if (this.#phase === 'head' && this.#rest === undefined) this.#close();
  }

  #read(piece: Buffer): void {
    if (this.#phase === 'closing') {
      this.#lingerBytes += piece.length;
      if (this.#lingerBytes > LINGER_BYTES_MAX) this.#socket.destroy();
      return;
    }
    const bytes = this.#rest === undefined ? piece : Buffer.concat([this.#rest, piece]);
    if (this.#phase === 'head') return this.#advance(bytes, this.#rest?.length);
    // It has sent the next request before it has its answer, and can wait with what comes then.
    this.#rest = bytes;
    this.#socket.pause();
  }

  /** Answers what is there, in order; the first one that takes time holds up the others. */
  #advance(bytes: Buffer, seenBytes = 0): void {
    let at = 0;
    while (this.#phase === 'head' && at < bytes.length) {
      const head = parseRequestHead(bytes, at, {
        secure: this.#secure,
        address: this.#address,
        copiedBytesMax: WHOLE_BYTES_MAX,
        limits: this.#parts.limits,
        before: this.#lines,
        // Of the first request: who sends byte by byte is not read anew each time.
        seenBytes: at === 0 ? seenBytes : 0,
      });
      if (head === undefined) break;
      if ('why' in head) return this.#refuse(head);
      this.#lines = head.lines;
      at = head.end;
      this.#answer(head);
      if (this.#phase === 'head' && this.#output.pendingBytes > PENDING_BYTES_MAX) this.#fill();
    }
    const hadRest = this.#rest !== undefined;
    this.#rest = at < bytes.length ? bytes.subarray(at) : undefined;
    // Slow headers are measured from their first byte on.
    if (at > 0 || !hadRest) this.#sinceMs = this.#parts.time.nowMs;
    this.#output.flush();
    if (this.#hasEnded && this.#phase === 'head') this.#close();
  }

  #fill(): void {
    this.#phase = 'full';
    this.#onSent = () => {
      if (this.#output.pendingBytes === 0) this.#next();
    };
  }

  #answer(head: RequestHead): void {
    this.#requests += 1;
    if (head.lines.hasBody) return this.#send(head, refuseBody(head.request, this.#parts));
    const answer = answerSafely(head.request, this.#parts);
    if (!(answer instanceof Promise)) return this.#send(head, answer);
    this.#phase = 'answering';
    this.#sinceMs = this.#parts.time.nowMs;
    void answer.then((late) => {
      if (this.#phase !== 'answering') return discard(late);
      this.#phase = 'head';
      this.#send(head, late);
      this.#output.flush();
      if (this.#isWaiting()) this.#next();
    });
  }

  #isWaiting(): boolean {
    return this.#phase === 'head';
  }

  /** Goes on with what has come meanwhile. */
  #next(): void {
    this.#phase = 'head';
    this.#onSent = undefined;
    this.#sinceMs = this.#parts.time.nowMs;
    const rest = this.#rest;
    this.#rest = undefined;
    if (rest !== undefined) this.#advance(rest);
    else if (this.#hasEnded || this.#parts.drain.phase === 'draining') this.#close();
    if (this.#isWaiting() && this.#socket.isPaused()) this.#socket.resume();
  }

  #send(head: RequestHead, answer: HttpAnswer): void {
    const { request } = head;
    const { isPersistent, hasBody } = head.lines;
    const body = request.method === 'HEAD' ? undefined : answer.body;
    const isLast = hasBody || !isPersistent || this.#parts.drain.phase === 'draining';
    const isUnmeasured = body !== undefined && !isMeasured(answer);
    try {
      this.#writeHead(answer, request, { isLast: isLast || isUnmeasured });
    } catch (error) {
      this.#parts.onError?.(error);
      discard(answer);
      return this.#refuse(HANDLER_FAILED);
    }
    if (body === undefined) return this.#sentWhole(isLast);
    const bytes = typeof body === 'string' ? Buffer.from(body) : body;
    if (bytes instanceof Uint8Array && bytes.length <= WHOLE_BYTES_MAX) {
      this.#output.write(bytes);
      return this.#sentWhole(isLast);
    }
    this.#phase = 'answering';
    void this.#stream(bytes, { isLast: isLast || isUnmeasured });
  }

  #sentWhole(isLast: boolean): void {
    if (isLast) this.#close();
  }

  #writeHead(
    answer: HttpAnswer,
    request: HttpRequest,
    { isLast }: { readonly isLast: boolean },
  ): void {
    const encode = (given: HttpAnswer): Uint8Array =>
      Buffer.from(
        encodeAnswerHead(
          given.status,
          request.method === 'HEAD' ? given.headers : withLength(given),
        ),
        'latin1',
      );
    this.#output.write(encodedHead(answer, 'http1', encode));
    if (isLast) this.#output.write(CLOSE);
    this.#output.write(this.#parts.time.lastLine);
  }

  /** As fast as the client reads. Begins at once with what is in memory, beside its head. */
  async #stream(
    body: Uint8Array | AsyncIterable<Uint8Array>,
    { isLast }: { readonly isLast: boolean },
  ): Promise<void> {
    const { budget } = this.#parts;
    budget.begin();
    try {
      if (body instanceof Uint8Array) await this.#streamBytes(body);
      else await this.#streamPieces(body);
    } catch {
      // A body that is too short must look like an error, never like the end.
      this.#socket.destroy();
    } finally {
      budget.end();
    }
    if (this.#socket.destroyed) return;
    if (isLast || this.#parts.drain.phase === 'draining') this.#close();
    else this.#next();
  }

  async #streamBytes(body: Uint8Array): Promise<void> {
    for (let at = 0; at < body.length && !this.#socket.destroyed; ) {
      const piece = body.subarray(at, at + this.#parts.budget.pieceBytes);
      at += piece.length;
      await this.#sendPiece(piece);
    }
  }

  /** A piece is asked for once the one before has left. */
  async #streamPieces(body: AsyncIterable<Uint8Array>): Promise<void> {
    const pieces = body[Symbol.asyncIterator]();
    const { budget } = this.#parts;
    try {
      while (!this.#socket.destroyed) {
        const { done, value } = await pieces.next(budget.pieceBytes);
        if (done === true) return;
        await this.#sendPiece(value);
      }
    } finally {
      await pieces.return?.();
    }
  }

  #sendPiece(piece: Uint8Array): Promise<void> {
    this.#output.write(piece);
    this.#output.flush();
    return new Promise((resolve) => {
      this.#onSent = () => {
        if (this.#output.pendingBytes > 0 && !this.#socket.destroyed) return;
        this.#sinceMs = this.#parts.time.nowMs;
        resolve();
      };
      this.#onSent();
    });
  }

  #sent(): void {
    if (this.#phase === 'closing' || this.#phase === 'full') {
      this.#sinceMs = this.#parts.time.nowMs;
    }
    this.#onSent?.();
  }

  #refuse({ status, why }: Pick<Refusal, 'why'> & { readonly status: number }): void {
    const headers = [
      ['content-type', 'text/plain;charset=utf-8'],
      ['content-length', String(why.length + 1)],
    ] as const;
    this.#output.writeLatin1(encodeAnswerHead(status, headers));
    this.#output.write(CLOSE);
    this.#output.write(END_OF_LINES);
    this.#output.writeLatin1(`${why}\n`);
    this.#close();
  }

  /** After what was written. What still comes is read for a while, lest it resets the answer. */
  #close(): void {
    if (this.#phase === 'closing' || this.#phase === 'closed') return;
    this.#phase = 'closing';
    this.#rest = undefined;
    this.#sinceMs = this.#parts.time.nowMs;
    this.#output.flush();
    this.#socket.end();
    this.#socket.resume();
  }

  #ended(): void {
    this.#hasEnded = true;
    if (this.#phase === 'head') this.#close();
  }

  #closed(): void {
    this.#phase = 'closed';
    this.#output.close();
    this.#onSent?.();
  }
}

const TOO_SLOW = { status: 408, why: 'The request took too long to come.' } as const;
const HANDLER_FAILED = { status: 500, why: 'The answer could not be sent.' } as const;
const CLOSE = Buffer.from('connection: close\r\n');
const END_OF_LINES = Buffer.from('\r\n');

/** Whether its length is known beforehand. */
function isMeasured({ headers, body }: HttpAnswer): boolean {
  if (typeof body === 'string' || body instanceof Uint8Array) return true;
  return headers.some(([name]) => name === 'content-length');
}
