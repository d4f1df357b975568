import type { LogQuestion, LogReply } from '../../proto/gen/b8s/v1/logs.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { LogNews, LogSource } from '../logs/access-logs.ts';
import { createTrigger } from '../trigger.ts';

/** Open at once in one session; more are refused. */
export const LOG_STREAMS_MAX = 16;
/** One reply: what else is to be said to dom need not wait for more. */
export const REPLY_LENGTH_MAX = 64 * 1024;
/** Lines that come are told so often… */
export const NEWS_MS = 200;
/** …so many at once, which is a thousand a second: nobody reads more, and dom has other nodes. */
export const NEWS_LINES_MAX = 200;
/** Lines that wait to be told; more are dropped, and how many is said. */
export const WAITING_LINES_MAX = 1000;

export interface LogStreamsParts {
  readonly source: LogSource;
  readonly clock: Pick<Clock, 'sleep'>;
  /** Of the session. */
  readonly signal: AbortSignal;
  readonly send: (reply: LogReply) => void;
  /** Resolves when dom takes more. */
  readonly ready: () => Promise<void>;
}

/**
 * What one session tells dom of access logs. Whatever comes is told in small replies, one at a time
 * and no faster than dom takes them, so neither reports nor heartbeats wait for it.
 */
export class LogStreams {
  readonly #parts: LogStreamsParts;
  readonly #open = new Map<bigint, AbortController>();

  constructor(parts: LogStreamsParts) {
    this.#parts = parts;
  }

  /** Answers the question, and goes on if it is to be followed. Never throws. */
  open(question: LogQuestion): void {
    const { id } = question;
    if (this.#open.has(id)) return;
    if (this.#open.size >= LOG_STREAMS_MAX) {
      const error = `${LOG_STREAMS_MAX} readers have its access logs open`;
      void this.#tell([{ ...nothing(id), error }], this.#parts.signal).catch(() => undefined);
      return;
    }
    const stop = new AbortController();
    this.#open.set(id, stop);
    const signal = AbortSignal.any([this.#parts.signal, stop.signal]);
    void this.#answer(question, signal)
      .catch((error: unknown) => this.#tell([{ ...nothing(id), error: messageOf(error) }], signal))
      .catch(() => undefined)
      .finally(() => this.#open.delete(id));
  }

  stop(id: bigint): void {
    this.#open.get(id)?.abort(new Error('nobody reads it any more'));
  }

  async #answer(question: LogQuestion, signal: AbortSignal): Promise<void> {
    const { id, siteUid: uid, linesMax, ageMsMax, follow } = question;
    const waiting = new Waiting();
    const request = { uid, linesMax, ageMsMax: Number(ageMsMax) };
    const onNews = follow ? (news: LogNews) => waiting.add(news) : undefined;
    const opened = await this.#parts.source.open(request, onNews);
    if (opened.kind === 'refused')
      return this.#tell([{ ...nothing(id), error: opened.error }], signal);
    try {
      const old = chunksOf(opened.lines).map((lines) => ({ ...nothing(id), lines }));
      await this.#tell([...old, { ...nothing(id), caughtUp: true }], signal);
      while (follow) {
        await waiting.some(signal);
        await this.#tell(waiting.take(id), signal);
        await this.#parts.clock.sleep(NEWS_MS, signal);
      }
    } finally {
      opened.close();
    }
  }

  async #tell(replies: readonly LogReply[], signal: AbortSignal): Promise<void> {
    for (const reply of replies) {
      await this.#parts.ready();
      signal.throwIfAborted();
      this.#parts.send(reply);
    }
  }
}

/** Lines that came and were not told yet. */
class Waiting {
  readonly #came = createTrigger();
  #lines: string[] = [];
  #dropped = 0;

  add({ lines, dropped }: LogNews): void {
    const room = Math.max(0, WAITING_LINES_MAX - this.#lines.length);
    for (const line of lines.slice(0, room)) this.#lines.push(line);
    this.#dropped += dropped + Math.max(0, lines.length - room);
    this.#came.raise();
  }

  async some(signal: AbortSignal): Promise<void> {
    if (this.#lines.length === 0 && this.#dropped === 0) await this.#came.wait(signal);
  }

  take(id: bigint): readonly LogReply[] {
    const chunks = chunksOf(this.#lines.splice(0, NEWS_LINES_MAX));
    const dropped = BigInt(this.#dropped);
    this.#dropped = 0;
    const [first = [], ...others] = chunks;
    return [
      { ...nothing(id), lines: first, dropped },
      ...others.map((lines) => ({ ...nothing(id), lines })),
    ];
  }
}

function chunksOf(lines: readonly string[]): readonly (readonly string[])[] {
  const chunks: string[][] = [];
  let length = REPLY_LENGTH_MAX;
  for (const line of lines) {
    if (length + line.length > REPLY_LENGTH_MAX) {
      chunks.push([]);
      length = 0;
    }
    chunks.at(-1)?.push(line);
    length += line.length;
  }
  return chunks;
}

function nothing(id: bigint): LogReply {
  return { id, lines: [], dropped: 0n, caughtUp: false, error: '' };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
