import type { GeoName } from '../../../proto/gen/b8s/v1/plan.ts';
import { parsePeerAddress } from '../address.ts';
import { type AnswerContext, answerQuery } from '../answer.ts';
import { chase } from '../chase.ts';
import { HEADER_BYTES } from '../message.ts';
import { type NameKey, ROOT, readName } from '../name.ts';
import { resolve, type Vantage } from '../resolve.ts';
import type { DnsSnapshot } from '../snapshot.ts';
import { AnswerTable, type Known } from './answer-table.ts';
import { type AddressWords, type Choice, type Decision, GeoDecisions } from './geo-decisions.ts';
import { MissingAnswers } from './missing-answers.ts';
import { newPlainQuery, type PlainQuery, readPlainQuery, SUBNET_BYTES } from './plain-query.ts';
import { compose, composedBytes, formOf, type Template, templateOf } from './template.ts';

/** How many queries it answered from parts, for tests and benchmarks. */
export interface FastPathCounters {
  readonly composed: number;
}

/** Types that answers are kept of: those that are asked for in bulk. */
const TYPES: ReadonlySet<number> = new Set([1, 2, 5, 6, 12, 15, 16, 28, 33, 35, 52, 64, 65, 257]);
/** RFC 1035 §4.1.1: other codes tell of trouble that may be over by the next query. */
const LASTING_RCODES: ReadonlySet<number> = new Set([0, 3]);
/** Peers whose address is kept as words. */
const PEERS_MAX = 4096;

/**
 * Answers the queries that nearly all are, from parts that the general path (`answerQuery`) made
 * before: as many names, types and choices of edges as were asked for, within a bound. All else it
 * leaves to the general path, whose bytes it gives in any case: each form of each answer was
 * compared with them when it was first asked for. Belongs to one snapshot, and goes with it
 * (INV-23).
 */
export class FastPath {
  readonly snapshot: DnsSnapshot;
  readonly #query: PlainQuery = newPlainQuery();
  readonly #client: AddressWords = { w0: 0, w1: 0, w2: 0, w3: 0, bits: 32 };
  readonly #answers: AnswerTable = new AnswerTable();
  readonly #missing: MissingAnswers;
  readonly #decisions: GeoDecisions = new GeoDecisions();
  /** By all that a geo name says but its own name and TTL. */
  readonly #groups: Map<string, number> = new Map();
  readonly #choices: Map<string, Choice> = new Map();
  readonly #peers: Map<string, AddressWords> = new Map();
  #composed = 0;

  constructor(snapshot: DnsSnapshot) {
    this.snapshot = snapshot;
    this.#missing = new MissingAnswers(snapshot);
  }

  /** Undefined: ask the general path. The context's snapshot is the one that this was made for. */
  answer(message: Uint8Array, context: AnswerContext): Uint8Array | undefined {
    const query = this.#query;
    if (context.client.transport === 'tls' || !readPlainQuery(message, query)) return undefined;
    if (!TYPES.has(query.type)) return undefined;
    const known = this.#answers.find(message, query);
    return known === undefined ? this.#meet(message, context) : this.#tell(known, message, context);
  }

  counters(): FastPathCounters {
    return { composed: this.#composed };
  }

  #tell(known: Known, message: Uint8Array, context: AnswerContext): Uint8Array | undefined {
    switch (known.kind) {
      case 'fixed':
        return this.#compose(known.template, message, context, 0);
      case 'geo':
        return this.#answerGeo(known, message, context);
      case 'general':
        return undefined;
    }
  }

  /** The answer from its parts, if they are known to make what the general path would. */
  #compose(
    template: Template,
    message: Uint8Array,
    context: AnswerContext,
    scopeBits: number,
  ): Uint8Array | undefined {
    const query = this.#query;
    const { transport } = context.client;
    const isOfSize = transport !== 'udp' || composedBytes(template, query) <= query.udpSizeBytesMax;
    if (!isOfSize || transport === 'tls') return undefined;
    const form = formOf(query, transport);
    if ((template.proven & form) !== 0) {
      this.#composed += 1;
      return compose(template, message, query, scopeBits);
    }
    if ((template.refuted & form) !== 0) return undefined;
    const reply = answerQuery(message, context);
    if (reply === undefined) return undefined;
    const isSame = compose(template, message, query, scopeBits).equals(reply);
    if (isSame) template.proven |= form;
    else template.refuted |= form;
    return reply;
  }

  /** The first query for a name and type, or one for a name that does not exist. */
  #meet(message: Uint8Array, context: AnswerContext): Uint8Array | undefined {
    const query = this.#query;
    const bytes = Buffer.from(message.buffer, message.byteOffset, message.byteLength);
    const name = readName(bytes, HEADER_BYTES)?.key ?? ROOT;
    const missing = this.#missing.find(name, query);
    if (missing !== undefined) {
      const { template } = missing;
      return template && this.#compose(template, message, context, 0);
    }
    const known = this.#answers.admits(query) ? this.#learn(name, message, context) : undefined;
    if (known === undefined) return undefined;
    this.#answers.keep(message, query, known);
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
    const unsigned = Uint8Array.from(message);
    if (this.#query.hasOpt) unsigned[this.#query.questionEnd + 7] = 0;
    const reply = answerQuery(unsigned, { ...context, client });
    if (reply === undefined || !LASTING_RCODES.has((reply[3] ?? 0) & 0xf)) return undefined;
    return templateOf(reply, this.#query);
  }

  #answerGeo(
    known: Extract<Known, { kind: 'geo' }>,
    message: Uint8Array,
    context: AnswerContext,
  ): Uint8Array | undefined {
    const address = this.#addressOf(message, context.client.address);
    const knownBits = this.#query.subnetBits === 0 ? address.bits : this.#query.subnetBits;
    // The groups of A and AAAA are two.
    const group = 2 * known.group + (this.#query.type === 1 ? 0 : 1);
    const key = { group, address, knownBits };
    let decision = this.#decisions.find(key);
    if (decision === undefined) {
      decision = this.#decide(message, { address: addressBytes(address), knownBits });
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
    return this.#compose(template, message, context, scopeBits);
  }

  #decide(message: Uint8Array, vantage: Vantage): Decision {
    const bytes = Buffer.from(message.buffer, message.byteOffset, message.byteLength);
    const name = readName(bytes, HEADER_BYTES)?.key ?? ROOT;
    const { reply, geo } = resolve(this.snapshot, { name, type: this.#query.type }, vantage);
    const { routing } = geo ?? {};
    const chosen = routing?.chosen.map((candidate) => candidate.name);
    const key = JSON.stringify([routing?.order, routing?.pool, chosen]);
    if (this.#choices.size > this.snapshot.nodes.size ** 2 + CHOICES_MIN) this.#choices.clear();
    const choice = this.#choices.get(key) ?? { key };
    this.#choices.set(key, choice);
    return { choice, scopeBits: reply.scopeBits };
  }

  #groupOf(geoName: GeoName): number {
    const key = JSON.stringify({ ...geoName, name: '', ttlS: 0 });
    const group = this.#groups.get(key) ?? this.#groups.size;
    this.#groups.set(key, group);
    return group;
  }

  /** Of the subnet that a resolver speaks for, or else of the resolver itself (RFC 7871 §7.2.1). */
  #addressOf(message: Uint8Array, peer: string): AddressWords {
    const { subnetAt, subnetBits, addressBytes: length, optBytes, questionEnd } = this.#query;
    if (subnetBits === 0) return this.#peerWords(peer);
    const at = subnetAt + SUBNET_BYTES;
    const end = questionEnd + optBytes;
    const client = this.#client;
    client.bits = 8 * length;
    client.w0 = wordAt(message, at, end);
    if (length === 4) {
      client.w1 = client.w2 = client.w3 = 0;
    } else {
      client.w1 = wordAt(message, at + 4, end);
      client.w2 = wordAt(message, at + 8, end);
      client.w3 = wordAt(message, at + 12, end);
    }
    return client;
  }

  #peerWords(peer: string): AddressWords {
    const kept = this.#peers.get(peer);
    if (kept !== undefined) return kept;
    const bytes = parsePeerAddress(peer) ?? new Uint8Array(4);
    const [w0 = 0, w1 = 0, w2 = 0, w3 = 0] = [0, 4, 8, 12].map((at) =>
      wordAt(bytes, at, bytes.length),
    );
    const words = { w0, w1, w2, w3, bits: 8 * bytes.length };
    if (this.#peers.size >= PEERS_MAX) this.#peers.clear();
    this.#peers.set(peer, words);
    return words;
  }
}

/** So many ways to answer are kept even of few nodes. */
const CHOICES_MIN = 1024;

/** Four bytes, zeros from `end` on, as an unsigned number. */
function wordAt(bytes: Uint8Array, at: number, end: number): number {
  const b0 = at < end ? (bytes[at] ?? 0) : 0;
  const b1 = at + 1 < end ? (bytes[at + 1] ?? 0) : 0;
  const b2 = at + 2 < end ? (bytes[at + 2] ?? 0) : 0;
  const b3 = at + 3 < end ? (bytes[at + 3] ?? 0) : 0;
  return ((b0 << 24) | (b1 << 16) | (b2 << 8) | b3) >>> 0;
}

function addressBytes({ w0, w1, w2, w3, bits }: AddressWords): Uint8Array {
  const bytes = Buffer.alloc(16);
  for (const [index, value] of [w0, w1, w2, w3].entries()) bytes.writeUInt32BE(value, 4 * index);
  return Uint8Array.from(bytes.subarray(0, bits / 8));
}
