import type { Log } from '../../../runtime/log.ts';
import type { Random } from '../../../runtime/random.ts';
import type { DnsClient } from '../answer.ts';
import { clientBytes } from '../geo/address.ts';
import type { DnsSnapshot } from '../snapshot.ts';
import { type AnswerIdentity, identityOf, kindOf } from './answer-kind.ts';
import { BURST_MS, Buckets } from './buckets.ts';
import { cutReply } from './cut.ts';
import { HASH_KEY_BYTES, KeyedHash } from './keyed-hash.ts';
import { PREFIX_BYTES_MAX, writePrefix } from './prefix.ts';

export interface DnsLimitSettings {
  /** Units of 256 bytes a second, for one kind of answer to one client prefix. */
  readonly answersPerS: number;
  /** The same for all errors to one client prefix together. */
  readonly errorsPerS: number;
  /** Every so many-th answer above the rate is sent cut, the others are not sent; 0: none is. */
  readonly slip: number;
  /** Buckets that are kept, 16 bytes each. */
  readonly bucketsMax: number;
}

/**
 * For each worker. A resolver asks once per TTL and cache; one that sends client subnets, once per
 * TTL and network. With a TTL of 30 s, 1,000 a second are 30,000 networks behind one /24 of a
 * resolver, for one name and one nameserver; should there be more, they come by TCP.
 */
export const DNS_LIMIT: DnsLimitSettings = {
  answersPerS: 1000,
  errorsPerS: 100,
  slip: 2,
  bucketsMax: 65_536,
};

/** The usual limits at another rate; undefined for 0: no limits. */
export function limitAt(answersPerS: number): DnsLimitSettings | undefined {
  if (answersPerS <= 0) return undefined;
  const errorsPerS = Math.max(1, (answersPerS * DNS_LIMIT.errorsPerS) / DNS_LIMIT.answersPerS);
  return { ...DNS_LIMIT, answersPerS, errorsPerS };
}

/** What one answer costs: a large one is worth more to whoever forges addresses. */
export const UNIT_BYTES = 256;

export interface LimitedAnswer {
  readonly query: Uint8Array;
  /** What is to be sent unless a limit says otherwise. */
  readonly reply: Uint8Array;
  readonly client: DnsClient;
  readonly snapshot: DnsSnapshot;
  readonly nowMs: number;
  /** Asked only for an answer above the rate: the client has shown that it is where it says. */
  readonly hasValidCookie: () => boolean;
}

/** Of one worker, since it started. */
export interface DnsLimitCounters {
  /** Answers that were not sent. */
  readonly dropped: number;
  /** Answers that were sent without content, so that the client comes by TCP. */
  readonly cut: number;
  /** Answers above the rate that were sent because of a valid cookie. */
  readonly spared: number;
}

export function sumOfLimits(
  one: DnsLimitCounters | undefined,
  other: DnsLimitCounters | undefined,
): DnsLimitCounters | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return {
    dropped: one.dropped + other.dropped,
    cut: one.cut + other.cut,
    spared: one.spared + other.spared,
  };
}

/**
 * Response rate limiting: makes this nameserver useless for floods of answers to forged addresses
 * (Vixie and Schryver, ISC-TN-2012-1, as in BIND, NSD and Knot). Bounded memory, no timers.
 *
 * Guarantees
 * - Nothing is held back from a prefix that gets fewer than `errorsPerS` units in all, nor from a
 *   stream transport, a valid cookie, or this machine itself, whose addresses nobody can forge from
 *   outside (RFC 1122 §3.2.1.3 g).
 * - In any t seconds a prefix gets at most (t + 1) * `answersPerS` + `errorsPerS` units of one kind
 *   and owner, and above that cut answers: header, question and OPT. Errors are as short as that.
 */
export interface DnsLimit {
  /** What to send: the reply, the reply cut, or nothing. */
  admit(answer: LimitedAnswer): Uint8Array | undefined;
  /**
   * The first half of `admit`, for those who cannot afford to ask for the whole each time: counts
   * an answer of so many bytes, and says whether it may go. If not, `admitFlood` tells what may.
   */
  passes(client: DnsClient, replyBytes: number, nowMs: number): boolean;
  /** The second half: what to send of an answer that did not pass. */
  admitFlood(answer: LimitedAnswer): Uint8Array | undefined;
  /** Whether this client's prefix is above the lowest rate: a reason to ask it for a cookie. */
  isOverloaded(client: DnsClient, nowMs: number): boolean;
  counters(): DnsLimitCounters;
}

export interface DnsLimitParts {
  readonly settings: DnsLimitSettings;
  /** For the key of the table. */
  readonly random: Random;
  readonly log: Log;
}

export function createDnsLimit(parts: DnsLimitParts): DnsLimit {
  return new ResponseRateLimit(parts);
}

/** A flood is worth a line now and then, not one for each datagram. */
const LOG_INTERVAL_MS = 60_000;
/** Room for kind, prefix and owner. */
const KEY_BYTES_MAX = 1 + PREFIX_BYTES_MAX + 256;

const KIND_MARKS = { total: 0, positive: 1, negative: 2, referral: 3, error: 4 } as const;

class ResponseRateLimit implements DnsLimit {
  readonly #settings: DnsLimitSettings;
  readonly #log: Log;
  readonly #hash: KeyedHash;
  readonly #buckets: Buckets;
  readonly #key: Buffer = Buffer.alloc(KEY_BYTES_MAX);
  readonly #counters = { dropped: 0, cut: 0, spared: 0 };
  #toldMs = Number.NEGATIVE_INFINITY;

  constructor({ settings, random, log }: DnsLimitParts) {
    this.#settings = settings;
    this.#log = log;
    this.#hash = new KeyedHash(random.bytes(HASH_KEY_BYTES));
    this.#buckets = new Buckets(settings.bucketsMax);
  }

  admit(answer: LimitedAnswer): Uint8Array | undefined {
    const { client, reply, nowMs } = answer;
    return this.passes(client, reply.length, nowMs) ? reply : this.admitFlood(answer);
  }

  passes(client: DnsClient, replyBytes: number, nowMs: number): boolean {
    if (client.transport !== 'udp') return true;
    const address = clientBytes(client);
    // Most clients never get near any limit: one look is enough for them.
    return isOwnMachine(address) || !this.#floods(address, unitsOf(replyBytes), nowMs);
  }

  admitFlood(answer: LimitedAnswer): Uint8Array | undefined {
    const { client, reply, nowMs } = answer;
    const length = writePrefix(clientBytes(client), this.#key, 1);
    const units = unitsOf(reply.length);
    const bytes = bufferOf(reply);
    const kind = kindOf(bytes);
    this.#hashOwner(identityOf(bufferOf(answer.query), kind, answer.snapshot), length);
    const perS = kind === 'error' ? this.#settings.errorsPerS : this.#settings.answersPerS;
    const taken = this.#buckets.take(this.#charge(units, perS, nowMs));
    if (taken === 'room') return reply;
    if (answer.hasValidCookie()) {
      this.#counters.spared += 1;
      return reply;
    }
    this.#tell(client.address, nowMs);
    if (!this.#slips(taken.refused)) return undefined;
    // An error is short already, and no better by TCP.
    return kind === 'error' ? reply : cutReply(bytes);
  }

  isOverloaded(client: DnsClient, nowMs: number): boolean {
    const address = clientBytes(client);
    return !isOwnMachine(address) && this.#floods(address, 0, nowMs);
  }

  counters(): DnsLimitCounters {
    return { ...this.#counters };
  }

  /** Whether this one is sent, if not whole. */
  #slips(refused: number): boolean {
    const { slip } = this.#settings;
    const slips = slip > 0 && refused % slip === 0;
    this.#counters[slips ? 'cut' : 'dropped'] += 1;
    return slips;
  }

  /** Counts all that goes to the prefix. */
  #floods(address: Uint8Array, units: number, nowMs: number): boolean {
    this.#key[0] = KIND_MARKS.total;
    this.#hash.hash(this.#key, writePrefix(address, this.#key, 1));
    return this.#buckets.flood(this.#charge(units, this.#settings.errorsPerS, nowMs));
  }

  #charge(units: number, perS: number, nowMs: number): Parameters<Buckets['take']>[0] {
    const { low, high } = this.#hash;
    return { low, high, chargeMs: Math.min(BURST_MS, (1000 * units) / perS), nowMs };
  }

  #hashOwner({ kind, owner }: AnswerIdentity, length: number): void {
    this.#key[0] = KIND_MARKS[kind];
    this.#hash.hash(this.#key, length + this.#key.write(owner, length, 'latin1'));
  }

  #tell(address: string, nowMs: number): void {
    // Also after the clock was set back.
    if (Math.abs(nowMs - this.#toldMs) < LOG_INTERVAL_MS) return;
    this.#toldMs = nowMs;
    this.#log.warn(
      { client: address, ...this.#counters },
      'answers are held back: somebody asks much too often, or forges this address',
    );
  }
}

function unitsOf(replyBytes: number): number {
  return Math.ceil(replyBytes / UNIT_BYTES);
}

/** 127.0.0.0/8 and ::1. */
function isOwnMachine(address: Uint8Array): boolean {
  if (address.length === 4) return address[0] === 127;
  for (let at = 0; at < 15; at += 1) if (address[at] !== 0) return false;
  return address[15] === 1;
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes)
    ? bytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
