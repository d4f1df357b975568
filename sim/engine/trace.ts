import { createHash } from 'node:crypto';
import type { Log, LogFields } from '../../runtime/log.ts';

export interface TraceLine {
  /** Virtual milliseconds since the start. */
  readonly atMs: number;
  readonly host: string;
  readonly what: string;
}

/**
 * All that happened in a world, folded into one SHA-256: the same seed gives the same one (INV-40).
 * Frames and blobs are in it by their digests only, for plans hold private keys (INV-33).
 */
export class Trace {
  readonly #nowMs: () => number;
  readonly #hash = createHash('sha256');
  readonly #kept: TraceLine[] | undefined;
  lineCount = 0;

  constructor(nowMs: () => number, { keep }: { readonly keep: 'lines' | 'hash' }) {
    this.#nowMs = nowMs;
    this.#kept = keep === 'lines' ? [] : undefined;
  }

  add(host: string, what: string): void {
    const atMs = this.#nowMs();
    this.lineCount += 1;
    this.#hash.update(`${atMs} ${host} ${what}\n`);
    this.#kept?.push({ atMs, host, what });
  }

  /** Bytes that crossed the network, by their digest. */
  frame(host: string, what: string, bytes: Uint8Array): void {
    const digest = createHash('sha256').update(bytes).digest('hex').slice(0, 16);
    this.add(host, `${what} ${bytes.length} bytes ${digest}`);
  }

  /** Where a host's log lines go. */
  log(host: string, bound: LogFields = {}): Log {
    const at =
      (level: string) =>
      (fields: LogFields, message: string): void =>
        this.add(host, `${level} ${message} ${JSON.stringify({ ...bound, ...fields }, plain)}`);
    return {
      debug: at('debug'),
      info: at('info'),
      warn: at('warn'),
      error: at('error'),
      child: (fields) => this.log(host, { ...bound, ...fields }),
    };
  }

  /** Of everything so far, hex. */
  digest(): string {
    return this.#hash.copy().digest('hex');
  }

  lines(): readonly TraceLine[] {
    return this.#kept ?? [];
  }
}

/** Revisions are bigint, which JSON does not know. */
function plain(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}

/** ` 12.345s london    info a new plan is held {…}` */
export function renderLine({ atMs, host, what }: TraceLine): string {
  return `${(atMs / 1000).toFixed(3).padStart(8)}s ${host.padEnd(8)} ${what}`;
}
