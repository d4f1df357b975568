import type { Digest } from '../../runtime/content/digest.ts';
import { COOKIE_SECRET_BYTES } from '../../runtime/dns/cookie.ts';
import { type DnsDatagram, type DnsReply, writeReply } from '../../runtime/dns/reply.ts';
import type { Log } from '../../runtime/log.ts';
import { type AnswerContext, answerQuery, type DnsClient, hasValidCookie } from '../dns/answer.ts';
import { foreignNames } from '../dns/borrow.ts';
import type { ServerIdentity } from '../dns/chaos.ts';
import type { CheckFast } from '../dns/compiled/check.ts';
import { FastPath } from '../dns/compiled/fast-path.ts';
import { createCookies } from '../dns/cookie/cookies.ts';
import { ecdsaSign, type SignPort } from '../dns/dnssec/ecdsa.ts';
import { Signatures } from '../dns/dnssec/signatures.ts';
import { type ExplainOutcome, explainAnswer } from '../dns/explain.ts';
import type { ForeignBook } from '../dns/foreign/foreign-book.ts';
import { compileDirectory } from '../dns/geo/directory.ts';
import { firstLocated, type Locate, locateNothing } from '../dns/geo/geography.ts';
import { openGeoTable } from '../dns/geo-table/table.ts';
import type { DnsLimit, DnsLimitCounters } from '../dns/limit/limit.ts';
import { type DnsSnapshot } from '../dns/snapshot.ts';
import { TransferBook } from '../dns/transfer/book.ts';
import { Transfers } from '../dns/transfer/transfers.ts';
import { compileAhead, compileZones, noCompiledPlans } from '../dns/zone/compile-zones.ts';
import type { GeoBytes } from './messages.ts';
import {
  type AppliedReport,
  type DnsPlaneSnapshot,
  type Health,
  NOTHING_APPLIED,
  type PlaneQuestion,
} from './plane.ts';

/** A nameserver without sockets: what it answers from and how. */
export interface DnsEngine {
  apply(snapshot: DnsPlaneSnapshot, databases: readonly GeoBytes[]): Promise<AppliedReport>;
  setHealth(health: Health): void;
  /** Without transfers and signatures of requests, which a resolver has no use for. */
  answer(query: Uint8Array, client: DnsClient, nowMs: number): Uint8Array | undefined;
  /** All that comes over a socket; a long answer is made as it is read, and asks for the time. */
  serve(query: Uint8Array, client: DnsClient, nowMs: () => number): DnsReply | undefined;
  /** The same for a query that lies in a datagram, the answer into its room; 0: say nothing. */
  serveDatagram(datagram: DnsDatagram, nowMs: () => number): number;
  explain(question: PlaneQuestion): ExplainOutcome;
  /** Undefined: its answers are not limited. */
  limited(): DnsLimitCounters | undefined;
  /** Waits a little for what is to be learned before the first answer; `run` must be under way. */
  warm(): Promise<void>;
  /** Learns what answers need of other people's names, until the signal is aborted. */
  run(signal: AbortSignal): Promise<void>;
}

export function createDnsEngine({
  nodeName,
  log,
  limit,
  sign = ecdsaSign,
  checkFast,
  foreign,
  identity,
  pause,
}: {
  readonly nodeName: string;
  readonly log: Log;
  /** Left out: every query is answered, however many there are. */
  readonly limit?: DnsLimit;
  /** What makes the signatures of signed zones. */
  readonly sign?: SignPort;
  /** Left out: what the fast path answers is taken for right. */
  readonly checkFast?: CheckFast;
  /** Left out: an ALIAS to a name that is not served here is never answered. */
  readonly foreign?: ForeignBook;
  /** Left out: class CHAOS is refused. */
  readonly identity?: ServerIdentity | undefined;
  /** Lets others have their turn while many zones are compiled; left out: nobody else is there. */
  readonly pause?: () => Promise<void>;
}): DnsEngine {
  const signatures = new Signatures(sign);
  let current: DnsSnapshot = {
    nameserver: nodeName,
    zones: new Map(),
    nodes: new Map(),
    health: new Map(),
    locate: locateNothing,
  };
  let opened: ReadonlyMap<Digest, Locate> = new Map();
  const book = new TransferBook();
  const transfers = new Transfers();

  const compiled = noCompiledPlans();
  let fast = new FastPath(current);
  const isOverloaded = (client: DnsClient, atMs: number): boolean =>
    limit?.isOverloaded(client, atMs) === true;

  function contextOf(client: DnsClient, nowMs: number): AnswerContext {
    if (fast.snapshot !== current) fast = new FastPath(current);
    return { snapshot: current, client, nowMs, signatures, isOverloaded };
  }

  /** One for all datagrams: making it would cost as much as many an answer. */
  const lent = { ...contextOf({ address: '', transport: 'udp' }, 0) };

  /** Undefined: to be served as any other message. */
  function serveFast(datagram: DnsDatagram, nowMs: number): number | undefined {
    const { query, queryBytes, peer, reply } = datagram;
    if (fast.snapshot !== current) fast = new FastPath(current);
    lent.snapshot = current;
    lent.client = peer;
    lent.nowMs = nowMs;
    const length = fast.answerInto(query, queryBytes, lent, reply);
    if (length === 0) return undefined;
    checkFast?.(query.subarray(0, queryBytes), reply.subarray(0, length), lent);
    if (limit === undefined || limit.passes(peer, length, nowMs)) return length;
    const [whole, made] = [query.subarray(0, queryBytes), reply.subarray(0, length)];
    const hasCookie = (): boolean => hasValidCookie(whole, lent);
    const flood = { query: whole, reply: made, client: peer, snapshot: current, nowMs };
    return writeReply(limit.admitFlood({ ...flood, hasValidCookie: hasCookie }), reply);
  }

  function answerFast(query: Uint8Array, context: AnswerContext): Uint8Array | undefined {
    const reply = fast.answer(query, context);
    if (reply !== undefined) checkFast?.(query, reply, context);
    return reply;
  }

  function admit(
    query: Uint8Array,
    reply: Uint8Array | undefined,
    context: AnswerContext,
  ): Uint8Array | undefined {
    if (limit === undefined || reply === undefined) return reply;
    const { snapshot, client, nowMs } = context;
    const isSpared = (): boolean => hasValidCookie(query, context);
    return limit.admit({ query, reply, client, snapshot, nowMs, hasValidCookie: isSpared });
  }

  function answerSlowly(query: Uint8Array, context: AnswerContext): Uint8Array | undefined {
    return admit(query, answerQuery(query, context), context);
  }

  function answer(query: Uint8Array, client: DnsClient, nowMs: number): Uint8Array | undefined {
    const context = contextOf(client, nowMs);
    const reply = answerFast(query, context);
    return reply === undefined ? answerSlowly(query, context) : admit(query, reply, context);
  }

  /** What the fast path leaves; it is not asked again, for it counts how often it is. */
  function serveSlowly(
    query: Uint8Array,
    client: DnsClient,
    nowMs: () => number,
  ): DnsReply | undefined {
    const answerPlain = (bare: Uint8Array): Uint8Array | undefined =>
      answerSlowly(bare, contextOf(client, nowMs()));
    return transfers.answer(query, { book, snapshot: current, client, nowMs, answerPlain });
  }

  return {
    async apply(snapshot, databases) {
      opened = openDatabases(databases, opened, log);
      if (pause !== undefined) await compileAhead(snapshot.zones, compiled, pause);
      // Everything from here on happens in one turn: no answer sees a half of it (INV-23).
      const { zones, outcomes } = compileZones(snapshot.zones, current.zones, compiled);
      foreign?.want(foreignNames(zones));
      current = {
        nameserver: nodeName,
        zones,
        nodes: compileDirectory(snapshot.nodes, firstLocated([...opened.values()])),
        health: new Map(Object.entries(snapshot.health)),
        locate: firstLocated([...opened.values()]),
        cookies: createCookies(cookieSecrets(snapshot)),
        lookUpForeign: foreign?.lookUp,
        identity,
      };
      book.replace(snapshot.zones, zones);
      return { ...NOTHING_APPLIED, zones: outcomes, databases: [...opened.keys()] };
    },
    setHealth(health) {
      current = { ...current, health: new Map(Object.entries(health)) };
    },
    answer,
    serve(query, client, nowMs) {
      const context = contextOf(client, nowMs());
      const reply = answerFast(query, context);
      if (reply !== undefined) return admit(query, reply, context);
      return serveSlowly(query, client, nowMs);
    },
    serveDatagram(datagram, nowMs) {
      const length = serveFast(datagram, nowMs());
      if (length !== undefined) return length;
      // Not lent: what is made from here on may be kept.
      const query = Buffer.from(datagram.query.subarray(0, datagram.queryBytes));
      const { address, transport } = datagram.peer;
      return writeReply(serveSlowly(query, { address, transport }, nowMs), datagram.reply);
    },
    explain: (question) => explainAnswer({ snapshot: current, ...question }),
    limited: () => limit?.counters(),
    warm: async () => foreign?.warm(WARM_MS),
    run: async (signal) => foreign?.run(signal),
  };
}

/** A worker that starts is not missed for so long: the others serve, or resolvers ask another node. */
const WARM_MS = 2_000;

/** Of another length they are of a newer dom's making, and nothing to fail for. */
function cookieSecrets({ cookieSecrets: secrets = [] }: DnsPlaneSnapshot): readonly Uint8Array[] {
  return secrets.filter(({ length }) => length === COOKIE_SECRET_BYTES);
}

/** One that cannot be read is left out: a worse route beats no answer. */
function openDatabases(
  databases: readonly GeoBytes[],
  opened: ReadonlyMap<Digest, Locate>,
  log: Log,
): ReadonlyMap<Digest, Locate> {
  const next = new Map<Digest, Locate>();
  for (const { digest, bytes } of databases) {
    const known = opened.get(digest);
    if (known !== undefined) {
      next.set(digest, known);
      continue;
    }
    try {
      next.set(digest, openGeoTable({ source: digest, bytes }));
    } catch (error) {
      log.error({ digest, error: String(error) }, 'a geography database could not be opened');
    }
  }
  return next;
}
