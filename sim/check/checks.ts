import type { Health } from '../../agent/plane/plane.ts';
import type { Log, LogFields } from '../../runtime/log.ts';
import type { Published } from '../load/content.ts';
import type {
  AppliedSnapshot,
  Call,
  CaRefusal,
  CaRequest,
  Check,
  CheckPorts,
  Commit,
  DnsExchange,
  HttpExchange,
  LoggedLine,
  NodePosition,
  PlacedOrder,
  ProbedEdge,
  Secret,
  SentFrame,
} from './check.ts';
import type { ApiOperation } from './store/api-history.ts';
import type { StoreEvent } from './store-event.ts';

/** Something that must never happen has happened; the message begins with its number. */
export class InvariantError extends Error {
  override readonly name = 'InvariantError';
}

/**
 * All that watches a run. Whatever sees something tells it here, and here it is told to every
 * check; the first violation is kept, and thrown by `assertHeld`.
 */
export class Checks implements Required<Check> {
  /** Rare paths that this run has reached; see `sometimes.ts`. */
  readonly reached = new Set<string>();
  readonly #replay: string;
  readonly #onViolation: (message: string) => void;
  #all: readonly Check[];
  #stepped: readonly Check[] = [];
  #touched: readonly Check[] = [];
  #storing: readonly Check[] = [];
  #violation: InvariantError | undefined;

  /** `replay`: the command that shows this run again. */
  constructor(
    make: (ports: CheckPorts) => readonly Check[],
    {
      replay,
      nowMs,
      onViolation,
    }: {
      readonly replay: string;
      readonly nowMs: () => number;
      /** Told of the first one. */
      readonly onViolation: (message: string) => void;
    },
  ) {
    this.#replay = replay;
    this.#onViolation = onViolation;
    this.#all = make({
      violated: (number, what) => this.violated(number, what),
      reached: (path) => void this.reached.add(path),
      nowMs,
    });
    this.#sort();
  }

  /** `number` as in the list of invariants. */
  violated(number: number, what: string): void {
    if (this.#violation !== undefined) return;
    this.#violation = new InvariantError(`INV-${number}: ${what}; replay: ${this.#replay}`);
    this.#onViolation(`INV-${number}: ${what}`);
  }

  get violation(): InvariantError | undefined {
    return this.#violation;
  }

  assertHeld(): void {
    if (this.#violation !== undefined) throw this.#violation;
  }

  committed(commit: Commit): void {
    for (const check of this.#all) check.committed?.(commit);
  }

  stored(event: StoreEvent): void {
    for (const check of this.#storing) check.stored?.(event);
  }

  sent(frame: SentFrame): void {
    for (const check of this.#all) check.sent?.(frame);
  }

  called(call: Call): void {
    for (const check of this.#all) check.called?.(call);
  }

  asked(exchange: DnsExchange): void {
    for (const check of this.#all) check.asked?.(exchange);
  }

  requested(exchange: HttpExchange): void {
    for (const check of this.#all) check.requested?.(exchange);
  }

  previewed(exchange: HttpExchange): void {
    for (const check of this.#all) check.previewed?.(exchange);
  }

  moved(position: NodePosition): void {
    for (const check of this.#all) check.moved?.(position);
  }

  applied(applied: AppliedSnapshot): void {
    for (const check of this.#all) check.applied?.(applied);
  }

  probed(edge: ProbedEdge): void {
    for (const check of this.#all) check.probed?.(edge);
  }

  judged(nameserver: string, health: Health): void {
    for (const check of this.#all) check.judged?.(nameserver, health);
  }

  published(site: string, release: Published): void {
    for (const check of this.#all) check.published?.(site, release);
  }

  assured(digest: string, askedMs: number): void {
    for (const check of this.#all) check.assured?.(digest, askedMs);
  }

  removed(host: string, path: string): void {
    for (const check of this.#all) check.removed?.(host, path);
  }

  confided(secret: Secret): void {
    for (const check of this.#all) check.confided?.(secret);
  }

  ordered(order: PlacedOrder): void {
    for (const check of this.#all) check.ordered?.(order);
  }

  askedCa(request: CaRequest): void {
    for (const check of this.#all) check.askedCa?.(request);
  }

  refusedByCa(request: CaRequest, refusal: CaRefusal): void {
    for (const check of this.#all) check.refusedByCa?.(request, refusal);
  }

  letGo(uid: string): void {
    for (const check of this.#all) check.letGo?.(uid);
  }

  operated(operation: ApiOperation): void {
    for (const check of this.#all) check.operated?.(operation);
  }

  redeemed(token: string): void {
    for (const check of this.#all) check.redeemed?.(token);
  }

  installed(node: string): void {
    for (const check of this.#all) check.installed?.(node);
  }

  logged(host: string, line: LoggedLine): void {
    for (const check of this.#all) check.logged?.(host, line);
  }

  traced(text: string): void {
    for (const check of this.#all) check.traced?.(text);
  }

  touched(node: string): void {
    for (const check of this.#touched) check.touched?.(node);
  }

  stepped(): void {
    for (const check of this.#stepped) check.stepped?.();
  }

  async settled(): Promise<void> {
    for (const check of this.#all) await check.settled?.();
  }

  async rested(): Promise<void> {
    for (const check of this.#all) await check.rested?.();
  }

  storeReplaced(): void {
    this.#all = this.#all.filter((check) => check.storeReplaced !== undefined);
    this.#sort();
    for (const check of this.#all) check.storeReplaced?.();
  }

  #sort(): void {
    this.#stepped = this.#all.filter((check) => check.stepped !== undefined);
    this.#touched = this.#all.filter((check) => check.touched !== undefined);
    this.#storing = this.#all.filter((check) => check.stored !== undefined);
  }

  async lingered(): Promise<void> {
    for (const check of this.#all) await check.lingered?.();
  }

  /** The same log, overheard. */
  overhear(host: string, log: Log, bound: LogFields = {}): Log {
    const at =
      (level: LoggedLine['level']): Log[typeof level] =>
      (fields, message) => {
        log[level](fields, message);
        this.logged(host, { level, message, fields: { ...bound, ...fields } });
      };
    return {
      debug: at('debug'),
      info: at('info'),
      warn: at('warn'),
      error: at('error'),
      child: (fields) => this.overhear(host, log.child(fields), { ...bound, ...fields }),
    };
  }
}
