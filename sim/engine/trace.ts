import { createHash } from 'node:crypto';
import type { Log, LogFields } from '../../runtime/log.ts';
import { Knowledge } from './knowledge.ts';

/**
 * What a line tells of. `decides`: a log line of production code; `applies`: a node serves another
 * plan from now on; `serves`: what it answers to the public, from which nothing on it follows;
 * `user`: what a person does; `world`: the play itself.
 */
export const LINE_KINDS = [
  ...(['starts', 'crashes', 'pauses', 'wakes', 'sends', 'receives', 'commits'] as const),
  ...(['watches', 'decides', 'applies', 'serves', 'fault', 'user', 'world', 'violation'] as const),
] as const;
export type LineKind = (typeof LINE_KINDS)[number];
export type LineLevel = 'debug' | 'info' | 'warn' | 'error';

/** Something that happened. Lines are numbered by their place, from 0. */
export interface TraceLine {
  /** Virtual milliseconds since the start. */
  readonly atMs: number;
  /** With `atMs` a hybrid logical clock: greater than that of everything this line follows from. */
  readonly tick: number;
  readonly host: string;
  readonly kind: LineKind;
  readonly what: string;
  /** Of `decides`. */
  readonly level?: LineLevel;
  readonly fields?: LogFields;
  /**
   * Lines that this one follows from, besides the last one of its own host: of something that was
   * sent, or written, the first one is where.
   */
  readonly causes: readonly number[];
}

/** In UTF-16 units. */
const UNHASHED_MAX = 16_384;

/** What a line may say besides its bare fact. */
export interface LineDetails {
  /** Left out: `world`. */
  readonly kind?: LineKind;
  readonly level?: LineLevel;
  readonly fields?: LogFields;
  /** As `TraceLine.causes`. */
  readonly causes?: readonly number[];
  /**
   * What a person is told instead of the bare fact. Only asked where lines are kept, and no part of
   * the hash: it must follow from the fact.
   */
  readonly told?: () => { readonly what: string; readonly fields?: LogFields };
}

/**
 * All that happened in a world, folded into one SHA-256: the same seed gives the same one (INV-40),
 * whether lines are kept or not. Frames and blobs are in it by their digests only, for plans hold
 * private keys (INV-33).
 */
export class Trace {
  readonly #nowMs: () => number;
  readonly #hash = createHash('sha256');
  /** What is still to be hashed: a call for each line costs more than the line. */
  #unhashed = '';
  readonly #kept: TraceLine[] | undefined;
  readonly #knowledge = new Knowledge();
  lineCount = 0;
  /** Told of each text that goes into it: nothing there may be a secret (INV-33). */
  onText: ((text: string) => void) | undefined;

  constructor(nowMs: () => number, { keep }: { readonly keep: 'lines' | 'hash' }) {
    this.#nowMs = nowMs;
    this.#kept = keep === 'lines' ? [] : undefined;
  }

  /** Whether there are lines, and not the hash alone. */
  get keeps(): boolean {
    return this.#kept !== undefined;
  }

  /** Returns the number of the line. */
  add(host: string, fact: string, details: LineDetails = {}): number {
    const { kind = 'world', level, fields } = details;
    const atMs = this.#nowMs();
    const json = fields === undefined ? '' : ` ${JSON.stringify(fields, plain)}`;
    this.#unhashed += `${atMs} ${host} ${kind} ${level ?? ''} ${fact}${json}\n`;
    if (this.#unhashed.length > UNHASHED_MAX) this.#flush();
    this.lineCount += 1;
    this.onText?.(`${fact}${json}`);
    if (this.#kept === undefined) return this.lineCount - 1;
    const told = details.told?.() ?? { what: fact, fields };
    if (details.told !== undefined)
      this.onText?.(`${told.what} ${JSON.stringify(told.fields ?? {}, plain)}`);
    const line = this.#kept.length;
    const { tick, causes } = this.#knowledge.extend({
      ...{ line, host, kind, atMs, causes: details.causes ?? [] },
    });
    this.#kept.push({
      ...{ atMs, tick, host, kind, what: told.what, causes },
      ...(level === undefined ? {} : { level }),
      ...(told.fields === undefined ? {} : { fields: plainOf(told.fields) }),
    });
    // Nobody hears of a fault, but what hosts do next may well follow from it.
    if (kind === 'fault') for (const each of this.#hostsIn(fact)) this.learns(each, [line]);
    return line;
  }

  /** What a host has seen by now: lines, to be handed to `learns` where its message arrives. */
  known(host: string): readonly number[] {
    return this.keeps ? this.#knowledge.of(host) : [];
  }

  /** From now on all that happens on this host follows from these lines too. */
  learns(host: string, lines: readonly number[]): void {
    if (this.keeps) this.#knowledge.learn(host, lines);
  }

  /**
   * An invariant is broken: by what happened just now, and by what has happened on the hosts that
   * the message names.
   */
  violated(message: string): void {
    const known = this.#hostsIn(message).flatMap((host) => this.known(host));
    const causes = new Set([this.lineCount - 1, ...known]);
    this.add('world', message, { kind: 'violation', causes: [...causes] });
  }

  /** Bytes that crossed the network, which go into the hash and nowhere else. */
  frame(host: string, what: string, bytes: Uint8Array, details: LineDetails = {}): number {
    this.#unhashed += Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
    return this.add(host, `${what} ${bytes.length} bytes`, details);
  }

  /** Where a host's log lines go. */
  log(host: string, bound: LogFields = {}): Log {
    const at =
      (level: LineLevel) =>
      (fields: LogFields, message: string): void =>
        void this.add(host, message, { kind: 'decides', level, fields: { ...bound, ...fields } });
    return {
      debug: at('debug'),
      info: at('info'),
      warn: at('warn'),
      error: at('error'),
      child: (fields) => this.log(host, { ...bound, ...fields }),
    };
  }

  #hostsIn(text: string): readonly string[] {
    const names = new Set(text.split(/[^\w-]+/));
    return this.#knowledge.hosts().filter((host) => names.has(host));
  }

  /** Of everything so far, hex. */
  digest(): string {
    this.#flush();
    return this.#hash.copy().digest('hex');
  }

  #flush(): void {
    this.#hash.update(this.#unhashed);
    this.#unhashed = '';
  }

  lines(): readonly TraceLine[] {
    return this.#kept ?? [];
  }
}

/** Revisions are bigint, which JSON does not know. */
function plain(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}

/** A copy as JSON has it: whoever logged it may change it afterwards. */
function plainOf(fields: LogFields): LogFields {
  return JSON.parse(JSON.stringify(fields, plain)) as LogFields;
}
