import type { LogLine, ReadLogsResponse } from '../../proto/gen/b8s/v1/api.ts';
import { lineTimeMs } from '../../runtime/access-log/read-line.ts';

/** Characters of lines that are kept for one reader. */
export const KEPT_LENGTH_MAX = 16 * 1024 * 1024;
/** Lines that came and were not read yet; those that come then are dropped. */
export const LIVE_LINES_MAX = 5_000;
export const LIVE_LENGTH_MAX = 4 * 1024 * 1024;
const NOTES_MAX = 100;
/** Of one response. */
const RESPONSE_LINES_MAX = 500;
const RESPONSE_LENGTH_MAX = 256 * 1024;
/** A node is believed to send lines, but none is this long. */
const LINE_LENGTH_MAX = 64 * 1024;

interface Timed extends LogLine {
  readonly atMs: number;
}

/** Of all lines of all nodes the newest, in the order of their time. */
export class LastLines {
  readonly #linesMax: number;
  #lines: Timed[] = [];
  #length = 0;
  #dropped = 0;

  constructor(linesMax: number) {
    this.#linesMax = linesMax;
  }

  add(node: string, lines: readonly string[], dropped: number): void {
    this.#dropped += dropped;
    for (const line of timed(node, lines)) {
      this.#lines.push(line);
      this.#length += line.line.length;
    }
    if (this.#lines.length > 2 * this.#linesMax || this.#length > 2 * KEPT_LENGTH_MAX) this.#trim();
  }

  take(): readonly ReadLogsResponse[] {
    this.#trim();
    return responses({ lines: this.#lines, dropped: this.#dropped, notes: [] });
  }

  #trim(): void {
    this.#lines.sort(byTime);
    const beyond = Math.max(0, this.#lines.length - this.#linesMax);
    this.#lines.splice(0, beyond);
    this.#length = this.#lines.reduce((sum, { line }) => sum + line.length, 0);
    while (this.#length > KEPT_LENGTH_MAX) {
      this.#length -= this.#lines.shift()?.line.length ?? 0;
      this.#dropped += 1;
    }
  }
}

/** What came and was not read yet. */
export class LiveLines {
  #lines: Timed[] = [];
  #length = 0;
  #dropped = 0;
  #notes: string[] = [];
  #wake = (): void => undefined;

  add(node: string, lines: readonly string[], dropped: number): void {
    this.#dropped += dropped;
    for (const line of timed(node, lines)) {
      const isFull = this.#lines.length >= LIVE_LINES_MAX || this.#length >= LIVE_LENGTH_MAX;
      if (isFull) this.#dropped += 1;
      else this.#keep(line);
    }
    this.#wake();
  }

  note(note: string): void {
    if (this.#notes.length < NOTES_MAX) this.#notes.push(note);
    this.#wake();
  }

  /** Resolves when there is something, or the signal is aborted. */
  async some(signal: AbortSignal): Promise<void> {
    while (!signal.aborted && this.#isEmpty()) {
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          signal.removeEventListener('abort', wake);
          resolve();
        };
        this.#wake = wake;
        signal.addEventListener('abort', wake, { once: true });
      });
    }
  }

  take(): readonly ReadLogsResponse[] {
    if (this.#isEmpty()) return [];
    const taken = { lines: this.#lines.sort(byTime), dropped: this.#dropped, notes: this.#notes };
    this.#lines = [];
    this.#notes = [];
    this.#length = 0;
    this.#dropped = 0;
    return responses(taken);
  }

  #keep(line: Timed): void {
    this.#lines.push(line);
    this.#length += line.line.length;
  }

  #isEmpty(): boolean {
    return this.#lines.length === 0 && this.#dropped === 0 && this.#notes.length === 0;
  }
}

/** One whose time nobody can read has that of the line before. */
function timed(node: string, lines: readonly string[]): readonly Timed[] {
  let atMs = 0;
  return lines.map((text) => {
    const line = text.slice(0, LINE_LENGTH_MAX);
    atMs = lineTimeMs(line) ?? atMs;
    return { node, line, atMs };
  });
}

/** Stable: lines of one node and moment stay as they came. */
function byTime(one: Timed, other: Timed): number {
  return one.atMs - other.atMs;
}

function responses({
  lines,
  dropped,
  notes,
}: {
  readonly lines: readonly Timed[];
  readonly dropped: number;
  readonly notes: readonly string[];
}): readonly ReadLogsResponse[] {
  const chunks: LogLine[][] = [];
  let length = RESPONSE_LENGTH_MAX;
  for (const { node, line } of lines) {
    const last = chunks.at(-1);
    const isFull = last === undefined || last.length >= RESPONSE_LINES_MAX;
    if (isFull || length + line.length > RESPONSE_LENGTH_MAX) {
      chunks.push([]);
      length = 0;
    }
    chunks.at(-1)?.push({ node, line });
    length += line.length;
  }
  const told = chunks.map((each) => ({ lines: each, dropped: 0n, notes: [] }));
  const isSilent = dropped === 0 && notes.length === 0;
  return isSilent ? told : [...told, { lines: [], dropped: BigInt(dropped), notes }];
}
