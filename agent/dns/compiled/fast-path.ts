import type { GeoName } from '../../../proto/gen/b8s/v1/plan.ts';
import { type AnswerContext, answerQuery } from '../answer.ts';
import { chase } from '../chase.ts';
import { clientBytes } from '../geo/address.ts';
import type { NameKey } from '../message/name.ts';
import { resolve, type Vantage } from '../resolve.ts';
import type { DnsSnapshot } from '../snapshot.ts';
import { addressBytes, readWords } from './address-words.ts';
import { AnswerTable, type Known } from './answer-table.ts';
import {
  type AddressWords,
  type Choice,
  type Decision,
  type DecisionKey,
  GeoDecisions,
} from './geo-decisions.ts';
import { MissingAnswers } from './missing-answers.ts';
import {
  nameOf,
  newPlainQuery,
  type PlainQuery,
  readPlainQuery,
  SERVER_COOKIE_BYTES,
  SUBNET_BYTES,
} from './plain-query.ts';
import {
  compose,
  composedBytes,
  formOf,
  type Particulars,
  type Template,
  templateOf,
} from './template.ts';

/** How many queries it answered from parts, for tests and benchmarks. */
export interface FastPathCounters {
  readonly composed: number;
}

/** A choice, and the decisions for it: as many as there are lengths of a prefix. */
interface ScopedChoice {
  readonly choice: Choice;
  readonly byScope: Map<number, Decision>;
}

/** Types that answers are kept of: those that are asked for in bulk. */
const TYPES: ReadonlySet<number> = new Set([1, 2, 5, 6, 12, 15, 16, 28, 33, 35, 52, 64, 65, 257]);
/** RFC 1035 §4.1.1: other codes tell of trouble that may be over by the next query. */
const LASTING_RCODES: ReadonlySet<number> = new Set([0, 3]);

/**
 * Answers the queries that nearly all are, from parts that the general path (`answerQuery`) made
 * before: as many names, types and choices of edges as were asked for, within a bound. All else it
 * leaves to the general path, whose bytes it gives in any case: each form of each answer was
 * compared with them when it was first asked for. Belongs to one snapshot, and goes with it
 * (INV-23).
 */
export class FastPath {
  readonly snapshot: DnsSnapshot;
  readonly #query: PlainQuery;
  readonly #client: AddressWords = { w0: 0, w1: 0, w2: 0, w3: 0, bits: 32 };
  readonly #decisionKey: DecisionKey = { group: 0, address: this.#client, knownBits: 0 };
  readonly #answers: AnswerTable = new AnswerTable();
  readonly #missing: MissingAnswers;
  readonly #decisions: GeoDecisions = new GeoDecisions();
  /** By all that a geo name says but its own name and TTL. */
  readonly #groups: Map<string, number> = new Map();
  readonly #choices: Map<string, ScopedChoice> = new Map();
  /** Of the query that is being answered. */
  readonly #particulars: Particulars = {
    scopeBits: 0,
    serverCookie: new Uint8Array(SERVER_COOKIE_BYTES),
  };
  readonly #cookiePlace: { message: Uint8Array; at: number; serverBytes: number } = {
    message: new Uint8Array(0),
    at: 0,
    serverBytes: 0,
  };
  #composed = 0;

  constructor(snapshot: DnsSnapshot) {
    this.snapshot = snapshot;
    this.#query = newPlainQuery(snapshot.cookies === undefined ? 'ignored' : 'given');
    this.#missing = new MissingAnswers(snapshot);
  }

  /** Undefined: ask the general path. The context's snapshot is the one that this was made for. */
  answer(message: Uint8Array, context: AnswerContext): Uint8Array | undefined {
    const template = this.#find(message, message.length, context);
    if (template === undefined) return undefined;
    const out = Buffer.allocUnsafe(composedBytes(template, this.#query));
    compose(template, message, this.#query, this.#particulars, out);
    this.#composed += 1;
    return out;
  }

  /**
   * The same for the first `length` bytes of `message`, into `out`, which has room for any answer
   * over UDP: how long the answer is; 0: ask the general path. Makes nothing that would have to be
   * collected.
   */
  answerInto(message: Uint8Array, length: number, context: AnswerContext, out: Uint8Array): number {
    const template = this.#find(message, length, context);
    if (template === undefined || composedBytes(template, this.#query) > out.length) return 0;
    this.#composed += 1;
    return compose(template, message, this.#query, this.#particulars, out);
  }

  counters(): FastPathCounters {
    return { composed: this.#composed };
  }

  /** What the answer is made of; undefined: only the general path can tell. */
  #find(message: Uint8Array, length: number, context: AnswerContext): Template | undefined {
    const query = this.#query;
    if (context.client.transport === 'tls' || !readPlainQuery(message, length, query)) {
      return undefined;
    }
    if (!TYPES.has(query.type)) return undefined;
    if (query.cookieAt > 0 && !this.#readCookie(message, context)) return undefined;
    this.#particulars.scopeBits = 0;
    const known = this.#answers.find(query);
    return known === undefined ? this.#meet(message, context) : this.#tell(known, message, context);
  }

  /** False: whoever asks so is to come again (RFC 7873 §5.2.3). */
  #readCookie(message: Uint8Array, { client, nowMs, isOverloaded }: AnswerContext): boolean {
    const place = this.#cookiePlace;
    place.message = message;
    place.at = this.#query.cookieAt;
    place.serverBytes = this.#query.serverCookieBytes;
    const { serverCookie } = this.#particulars;
    const { cookies } = this.snapshot;
    const standing = cookies?.judgeInto(place, clientBytes(client), nowMs, serverCookie);
    if (standing === 'valid' || client.transport !== 'udp') return true;
    return isOverloaded?.(client, nowMs) !== true;
  }

  #tell(known: Known, message: Uint8Array, context: AnswerContext): Template | undefined {
    switch (known.kind) {
      case 'fixed':
        return this.#prove(known.template, message, context);
      case 'geo':
        return this.#tellGeo(known, message, context);
      case 'general':
        return undefined;
    }
  }

  /** The template, if its parts are known to make what the general path would. */
  #prove(template: Template, message: Uint8Array, context: AnswerContext): Template | undefined {
    const query = this.#query;
    const { transport } = context.client;
    const isOfSize = transport !== 'udp' || composedBytes(template, query) <= query.udpSizeBytesMax;
    if (!isOfSize || transport === 'tls') return undefined;
    const form = formOf(query, transport);
    if ((template.proven & form) !== 0) return template;
    if ((template.refuted & form) !== 0) return undefined;
    const reply = answerQuery(message.subarray(0, query.length), context);
    const composed = Buffer.alloc(composedBytes(template, query));
    compose(template, message, query, this.#particulars, composed);
    if (reply === undefined || !composed.equals(reply)) {
      template.refuted |= form;
      return undefined;
    }
    template.proven |= form;
    return template;
  }

  /** The first query for a name and type, or one for a name that does not exist. */
  #meet(message: Uint8Array, context: AnswerContext): Template | undefined {
    const query = this.#query;
    const name = nameOf(query);
    const missing = this.#missing.find(name, query);
    if (missing !== undefined) {
      const { template } = missing;
      return template && this.#prove(template, message, context);
    }
    const known = this.#answers.admits(query) ? this.#learn(name, message, context) : undefined;
    if (known === undefined) return undefined;
    this.#answers.keep(query, known);
    return this.#tell(known, message, context);
  }

  /** Undefined: not one of our names, of which there are too many to be kept. */
  #learn(name: NameKey, message: Uint8Array, context: AnswerContext): Known | undefined {
    const chased = chase(this.snapshot.zones, { name, type: this.#query.type });
    if (chased === undefined) return undefined;
    const found = chased.end?.found;
    if (found?.kind === 'borrowed') return { kind: 'general' };
    if (found?.kind === 'geo') {
      const group = this.#groupOf(found.geoName);
      const isDirect = chased.aliases.length === 0;
      const key = `${group} ${found.geoName.ttlS} ${this.#query.type}`;
      const shared = isDirect ? this.#answers.sharedBy(key) : undefined;
      return { kind: 'geo', group, own: new Map(), shared };
    }
    const template = this.#template(message, context);
    return template === undefined ? { kind: 'general' } : { kind: 'fixed', template };
  }

  /**
   * From the answer over TCP, for nothing was left out of it, to one who wants no signatures, for
   * those end.
   */
  #template(message: Uint8Array, context: AnswerContext): Template | undefined {
    const client = { ...context.client, transport: 'tcp' } as const;
    const unsigned = Uint8Array.from(message.subarray(0, this.#query.length));
    if (this.#query.hasOpt) unsigned[this.#query.questionEnd + 7] = 0;
    const reply = answerQuery(unsigned, { ...context, client });
    if (reply === undefined || !LASTING_RCODES.has((reply[3] ?? 0) & 0xf)) return undefined;
    return templateOf(reply, this.#query);
  }

  #tellGeo(
    known: Extract<Known, { kind: 'geo' }>,
    message: Uint8Array,
    context: AnswerContext,
  ): Template | undefined {
    const address = this.#addressOf(message, context);
    const knownBits = this.#query.subnetBits === 0 ? address.bits : this.#query.subnetBits;
    const key = this.#decisionKey;
    // The groups of A and AAAA are two.
    key.group = 2 * known.group + (this.#query.type === 1 ? 0 : 1);
    key.knownBits = knownBits;
    let decision = this.#decisions.find(key);
    if (decision === undefined) {
      decision = this.#decide({ address: addressBytes(address), knownBits });
      this.#decisions.keep(key, decision);
    }
    const { choice, scopeBits } = decision;
    let template = known.shared?.get(choice) ?? known.own.get(choice);
    if (template === undefined) {
      template = this.#template(message, context);
      if (template === undefined) return undefined;
      this.#answers.grow();
      // Addresses alone name nothing but the question: they are the same bytes after any.
      const isAddresses = template.counts[1] === 0 && template.counts[2] === 0;
      (isAddresses && known.shared ? known.shared : known.own).set(choice, template);
    }
    this.#particulars.scopeBits = scopeBits;
    return this.#prove(template, message, context);
  }

  #decide(vantage: Vantage): Decision {
    const question = { name: nameOf(this.#query), type: this.#query.type };
    const { reply, geo } = resolve(this.snapshot, question, vantage);
    const { routing } = geo ?? {};
    const chosen = routing?.chosen.map((candidate) => candidate.name);
    const key = JSON.stringify([routing?.order, routing?.pool, chosen]);
    if (this.#choices.size > this.snapshot.nodes.size ** 2 + CHOICES_MIN) this.#choices.clear();
    const made = this.#choices.get(key) ?? { choice: { key }, byScope: new Map() };
    this.#choices.set(key, made);
    const { choice, byScope } = made;
    const decision = byScope.get(reply.scopeBits) ?? { choice, scopeBits: reply.scopeBits };
    byScope.set(reply.scopeBits, decision);
    return decision;
  }

  #groupOf(geoName: GeoName): number {
    const key = JSON.stringify({ ...geoName, name: '', ttlS: 0 });
    const group = this.#groups.get(key) ?? this.#groups.size;
    this.#groups.set(key, group);
    return group;
  }

  /** Of the subnet that a resolver speaks for, or else of the resolver itself (RFC 7871 §7.2.1). */
  #addressOf(message: Uint8Array, { client }: AnswerContext): AddressWords {
    const { subnetAt, subnetBits, subnetEnd, addressBytes: length } = this.#query;
    if (subnetBits > 0) {
      readWords(message, subnetAt + SUBNET_BYTES, subnetEnd, this.#client);
      this.#client.bits = 8 * length;
    } else {
      const bytes = clientBytes(client);
      readWords(bytes, 0, bytes.length, this.#client);
      this.#client.bits = 8 * bytes.length;
    }
    return this.#client;
  }
}

/** So many ways to answer are kept even of few nodes. */
const CHOICES_MIN = 1024;
