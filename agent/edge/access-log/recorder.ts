import { type AccessEntry, formatLine } from '../../../runtime/access-log/line.ts';
import type { Clock } from '../../../runtime/clock.ts';
import type { HttpRequest } from '../../../runtime/http.ts';
import type { Random } from '../../../runtime/random.ts';
import type { EdgeAccessLog, EdgeSite } from '../snapshot.ts';
import { notedAddress } from './client-address.ts';

/** Lines of one site that one worker has written since it last handed some over. */
export interface SiteLines {
  /** Of the Site. */
  readonly uid: string;
  /** Each with its end. */
  readonly text: string;
  /** Requests that would have been noted, had there been room. */
  readonly dropped: number;
}

/** In characters, of all of them. */
export function lengthOf(lines: readonly SiteLines[]): number {
  return lines.reduce((sum, { text }) => sum + text.length, 0);
}

export interface RecorderParts {
  readonly clock: Pick<Clock, 'nowMs' | 'monotonicMs' | 'sleep'>;
  /** Draws who is noted where not all are. */
  readonly random: Pick<Random, 'next'>;
  /** Takes the lines; what it took it says by `taken`. */
  readonly hand: (lines: readonly SiteLines[]) => void;
}

/** Lines wait so long for others, for one message costs as much as many lines. */
export const HAND_MS = 100;
/** …or until they are so many characters. */
export const HAND_LENGTH = 64 * 1024;
/** Characters of one worker that nobody has written down yet; what comes then is dropped. */
export const UNTAKEN_LENGTH_MAX = 4 * 1024 * 1024;

/** What is known of a request once its answer is over. */
export interface Noted {
  readonly status: number;
  /** Of the body. */
  readonly bytes: number;
  readonly ending: 'whole' | 'cut';
  /** By the monotonic clock. */
  readonly startMs: number;
}

/** Who is told of each answer of one site. */
export interface SiteNotes {
  /** By the monotonic clock: when an answer begins. */
  nowMs(): number;
  /** Never waits, and never throws. */
  note(request: HttpRequest, noted: Noted): void;
}

interface Waiting {
  text: string;
  dropped: number;
}

/**
 * Writes what is noted of requests, in the worker that answers them.
 *
 * Guarantees: nobody waits for it, and it holds a bounded number of characters: when whoever writes
 * to disk is behind, lines are dropped, and how many is told.
 */
export class AccessRecorder {
  readonly #parts: RecorderParts;
  readonly #node: string;
  readonly #waiting = new Map<string, Waiting>();
  #waitingLength = 0;
  #untakenLength = 0;
  #phase: 'idle' | 'gathering' = 'idle';

  constructor(node: string, parts: RecorderParts) {
    this.#node = node;
    this.#parts = parts;
  }

  /** Undefined: nothing is noted of this site. */
  notesOf({ uid, namespace, name, options }: EdgeSite): SiteNotes | undefined {
    const settings = options?.accessLog;
    if (settings === undefined) return undefined;
    const site = `${namespace}/${name}`;
    return {
      nowMs: () => this.#parts.clock.monotonicMs(),
      note: (request, noted) => {
        if (!this.#isDrawn(settings, noted.status)) return;
        this.#write(uid, () => this.#lineOf(request, { site, settings, ...noted }));
      },
    };
  }

  /** So many characters of lines are written down, or given up. */
  taken(length: number): void {
    this.#untakenLength = Math.max(0, this.#untakenLength - length);
  }

  /** Hands over what waits. */
  flush(): void {
    if (this.#waiting.size === 0) return;
    const lines = [...this.#waiting].map(([uid, waiting]) => ({ uid, ...waiting }));
    this.#waiting.clear();
    this.#untakenLength += this.#waitingLength;
    this.#waitingLength = 0;
    this.#parts.hand(lines);
  }

  #isDrawn({ percent }: EdgeAccessLog, status: number): boolean {
    return percent >= 100 || status >= 500 || this.#parts.random.next() * 100 < percent;
  }

  #lineOf(
    { method, path, host, protocol = 'HTTP/1.1', headers, address }: HttpRequest,
    answered: Noted & { readonly site: string; readonly settings: EdgeAccessLog },
  ): string {
    const { site, settings, status, bytes, ending, startMs } = answered;
    const { clock } = this.#parts;
    const entry: AccessEntry = {
      ...{ atMs: clock.nowMs(), node: this.#node, site },
      client: notedAddress(address, settings.clientAddress),
      ...{ host, method, path, protocol, status, bytes, ending },
      durationMs: Math.max(0, clock.monotonicMs() - startMs),
      referer: single(headers['referer']),
      userAgent: single(headers['user-agent']),
    };
    return formatLine(entry, settings.format);
  }

  #write(uid: string, line: () => string): void {
    let waiting = this.#waiting.get(uid);
    if (waiting === undefined) {
      waiting = { text: '', dropped: 0 };
      this.#waiting.set(uid, waiting);
    }
    if (this.#untakenLength + this.#waitingLength >= UNTAKEN_LENGTH_MAX) waiting.dropped += 1;
    else {
      const written = line();
      waiting.text += written;
      this.#waitingLength += written.length;
    }
    if (this.#waitingLength >= HAND_LENGTH) this.flush();
    else this.#flushSoon();
  }

  #flushSoon(): void {
    if (this.#phase === 'gathering') return;
    this.#phase = 'gathering';
    // Where the clock has stopped, so has the process.
    void this.#flushLater().catch(() => undefined);
  }

  async #flushLater(): Promise<void> {
    await this.#parts.clock.sleep(HAND_MS);
    this.#phase = 'idle';
    this.flush();
  }
}

function single(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : value?.join(', ');
}
