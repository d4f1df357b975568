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
  MemberExchange,
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
  /** Most are told of little, and some of it happens all the time. */
  readonly #told = new Map<keyof Check, readonly Check[]>();
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
    for (const check of this.#toldOf('committed')) check.committed?.(commit);
  }

  stored(event: StoreEvent): void {
    for (const check of this.#toldOf('stored')) check.stored?.(event);
  }

  sent(frame: SentFrame): void {
    for (const check of this.#toldOf('sent')) check.sent?.(frame);
  }

  called(call: Call): void {
    for (const check of this.#toldOf('called')) check.called?.(call);
  }

  asked(exchange: DnsExchange): void {
    for (const check of this.#toldOf('asked')) check.asked?.(exchange);
  }

  requested(exchange: HttpExchange): void {
    for (const check of this.#toldOf('requested')) check.requested?.(exchange);
  }

  knocked(exchange: MemberExchange): void {
    for (const check of this.#toldOf('knocked')) check.knocked?.(exchange);
  }

  drained(node: string, what: 'can be stopped' | 'taken back'): void {
    for (const check of this.#toldOf('drained')) check.drained?.(node, what);
  }

  previewed(exchange: HttpExchange): void {
    for (const check of this.#toldOf('previewed')) check.previewed?.(exchange);
  }

  moved(position: NodePosition): void {
    for (const check of this.#toldOf('moved')) check.moved?.(position);
  }

  applied(applied: AppliedSnapshot): void {
    for (const check of this.#toldOf('applied')) check.applied?.(applied);
  }

  probed(edge: ProbedEdge): void {
    for (const check of this.#toldOf('probed')) check.probed?.(edge);
  }

  judged(nameserver: string, health: Health): void {
    for (const check of this.#toldOf('judged')) check.judged?.(nameserver, health);
  }

  published(site: string, release: Published): void {
    for (const check of this.#toldOf('published')) check.published?.(site, release);
  }

  assured(digest: string, askedMs: number): void {
    for (const check of this.#toldOf('assured')) check.assured?.(digest, askedMs);
  }

  removed(host: string, path: string): void {
    for (const check of this.#toldOf('removed')) check.removed?.(host, path);
  }

  confided(secret: Secret): void {
    for (const check of this.#toldOf('confided')) check.confided?.(secret);
  }

  ordered(order: PlacedOrder): void {
    for (const check of this.#toldOf('ordered')) check.ordered?.(order);
  }

  askedCa(request: CaRequest): void {
    for (const check of this.#toldOf('askedCa')) check.askedCa?.(request);
  }

  refusedByCa(request: CaRequest, refusal: CaRefusal): void {
    for (const check of this.#toldOf('refusedByCa')) check.refusedByCa?.(request, refusal);
  }

  letGo(uid: string): void {
    for (const check of this.#toldOf('letGo')) check.letGo?.(uid);
  }

  operated(operation: ApiOperation): void {
    for (const check of this.#toldOf('operated')) check.operated?.(operation);
  }

  redeemed(token: string): void {
    for (const check of this.#toldOf('redeemed')) check.redeemed?.(token);
  }

  installed(node: string): void {
    for (const check of this.#toldOf('installed')) check.installed?.(node);
  }

  logged(host: string, line: LoggedLine): void {
    for (const check of this.#toldOf('logged')) check.logged?.(host, line);
  }

  traced(text: string): void {
    for (const check of this.#toldOf('traced')) check.traced?.(text);
  }

  touched(node: string): void {
    for (const check of this.#toldOf('touched')) check.touched?.(node);
  }

  stepped(): void {
    for (const check of this.#toldOf('stepped')) check.stepped?.();
  }

  async settled(): Promise<void> {
    for (const check of this.#toldOf('settled')) await check.settled?.();
  }

  async rested(): Promise<void> {
    for (const check of this.#toldOf('rested')) await check.rested?.();
  }

  storeReplaced(): void {
    this.#all = this.#all.filter((check) => check.storeReplaced !== undefined);
    this.#told.clear();
    for (const check of this.#toldOf('storeReplaced')) check.storeReplaced?.();
  }

  #toldOf(what: keyof Check): readonly Check[] {
    const known = this.#told.get(what);
    if (known !== undefined) return known;
    const told = this.#all.filter((check) => check[what] !== undefined);
    this.#told.set(what, told);
    return told;
  }

  async lingered(): Promise<void> {
    for (const check of this.#toldOf('lingered')) await check.lingered?.();
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
