import { isDeepStrictEqual } from 'node:util';
import { compareKeys } from '../../../runtime/store/key-order.ts';
import {
  type CommitOutcome,
  CompactedError,
  type Guard,
  LIST_LIMIT_MAX,
  type Revision,
  type Transaction,
  UncertainError,
} from '../../../runtime/store/store.ts';
import type { Check, CheckPorts, Commit } from '../check.ts';
import type { StoreAnswer, StoreCall, StoreEvent } from '../store-event.ts';
import type { StoreHistory } from '../store-history.ts';

/** What the store was like when a call was sent. */
interface Sent {
  readonly head: Revision;
  readonly compacted: Revision;
}

/** What came of a commit that took effect or will never do so. */
type Fate = { readonly kind: 'done'; readonly revision: Revision } | { readonly kind: 'refused' };

/**
 * INV-9: what processes are told of their reads and writes fits one order, that of the revisions,
 * and that order agrees with time: a read shows the state of one moment between its call and its
 * answer, a commit happens at one such moment or not at all. INV-13: of several commits upon one
 * revision exactly one succeeds. In linear time, for the order is known; `linearizable.ts` is for
 * histories where it is not.
 */
export function historiesCheck(
  ports: Pick<CheckPorts, 'violated' | 'reached'>,
  history: StoreHistory,
): Check {
  const histories = new Histories(ports, history);
  return {
    stored: (event) => histories.stored(event),
    committed: (commit) => histories.committed(commit),
  };
}

class Histories {
  readonly #ports: Pick<CheckPorts, 'violated' | 'reached'>;
  readonly #history: StoreHistory;
  readonly #sent = new Map<StoreCall, Sent>();
  readonly #fates = new Map<Transaction, Fate>();
  /** Commits whose caller was told that nobody knows. */
  readonly #uncertain = new Set<Transaction>();
  /** By key and revision: the commit that succeeded upon it. */
  readonly #winners = new Map<string, Revision>();

  constructor(ports: Pick<CheckPorts, 'violated' | 'reached'>, history: StoreHistory) {
    this.#ports = ports;
    this.#history = history;
  }

  stored(event: StoreEvent): void {
    const { head, compacted } = this.#history;
    if (event.kind === 'called') this.#sent.set(event.call, { head, compacted });
    if (event.kind !== 'answered') return;
    const fault = this.#faultOfAnswer(event.call, event.answer);
    if (fault !== undefined) this.#ports.violated(9, `${textOf(event.call)}: ${fault}`);
  }

  committed({ process, revision, transaction }: Commit): void {
    const { violated } = this.#ports;
    const fault = this.#faultOfCommit(transaction, revision);
    if (fault !== undefined) violated(9, `commit ${revision} of ${process}: ${fault}`);
    for (const key of changedUponGuard(transaction)) {
      const winner = this.#winners.get(key);
      if (winner !== undefined)
        violated(13, `commits ${winner} and ${revision} both succeed upon ${key}`);
      this.#winners.set(key, revision);
    }
  }

  #faultOfAnswer(call: StoreCall, answer: StoreAnswer): string | undefined {
    const history = this.#history;
    const since = this.#sent.get(call);
    this.#sent.delete(call);
    if (since === undefined) return 'it was answered twice, or never asked';
    const { request } = call;
    if (request.kind === 'commit') {
      if (answer.kind === 'failed') return this.#faultOfFailure(request.transaction, answer.error);
      return answer.kind === 'outcome'
        ? this.#faultOfOutcome(request.transaction, since, answer.outcome)
        : undefined;
    }
    if (answer.kind === 'item' && request.kind === 'get')
      return faultOfItem(history, request.key, since, answer.item);
    if (answer.kind === 'page' && request.kind === 'list')
      return faultOfPage(history, request, since, answer.page);
    if (answer.kind !== 'failed' || !(answer.error instanceof CompactedError)) return undefined;
    const asked = request.kind === 'list' ? request.options.revision : undefined;
    if (asked === undefined || asked >= history.compacted) return 'nothing it needs is compacted';
    this.#ports.reached('list at a compacted revision');
    return undefined;
  }

  /** An `UncertainError` is true of everything; any other says that nothing was written. */
  #faultOfFailure(transaction: Transaction, error: unknown): string | undefined {
    const isDone = this.#fates.get(transaction)?.kind === 'done';
    if (error instanceof UncertainError) {
      this.#uncertain.add(transaction);
      if (isDone) this.#ports.reached('uncertain commit took effect');
      return undefined;
    }
    this.#fates.set(transaction, { kind: 'refused' });
    return isDone ? 'it failed, but took effect' : undefined;
  }

  #faultOfOutcome(
    transaction: Transaction,
    since: Sent,
    { outcome, revision }: CommitOutcome,
  ): string | undefined {
    const fate = this.#fates.get(transaction);
    if (outcome === 'committed') {
      const isSo = fate?.kind === 'done' && fate.revision === revision && revision >= since.head;
      return isSo ? undefined : `it is said to be revision ${revision}, which it is not`;
    }
    this.#fates.set(transaction, { kind: 'refused' });
    if (fate?.kind === 'done') return 'it is said to be in conflict, but took effect';
    const { head } = this.#history;
    if (revision < since.head || revision > head) return `it conflicts at ${revision}`;
    const isRight = transaction.guards.every((guard) => holds(this.#history, guard, revision));
    return isRight ? `all its guards hold at ${revision}, where it is in conflict` : undefined;
  }

  #faultOfCommit(transaction: Transaction, revision: Revision): string | undefined {
    const fate = this.#fates.get(transaction);
    this.#fates.set(transaction, { kind: 'done', revision });
    if (fate?.kind === 'done') return `it took effect at ${fate.revision} already`;
    if (fate?.kind === 'refused') return 'its sender was told that it had failed';
    if (this.#uncertain.has(transaction))
      this.#ports.reached('uncertain commit took effect after its answer');
    return faultOfEffect(this.#history, transaction, revision);
  }
}

/** What the commit did must be what its transaction says, upon a state where its guards hold. */
function faultOfEffect(
  history: StoreHistory,
  { guards, writes }: Transaction,
  revision: Revision,
): string | undefined {
  const changes = history.changesAt('', revision);
  const hasEffect = writes.some(
    (write) => write.kind === 'put' || history.get(write.key, revision - 1n) !== undefined,
  );
  const base = hasEffect ? revision - 1n : revision;
  const failed = guards.find((guard) => !holds(history, guard, base));
  if (failed !== undefined) return `${failed.key} is not of revision ${failed.modRevision}`;
  if (!hasEffect) return undefined;
  const expected = writes
    .toSorted((a, b) => compareKeys(a.key, b.key))
    .flatMap((write): unknown => {
      const { key } = write;
      const before = history.get(key, base);
      if (write.kind === 'delete')
        return before === undefined ? [] : { kind: 'delete', key, modRevision: revision };
      const createRevision = before?.createRevision ?? revision;
      const item = { key, value: write.value, createRevision, modRevision: revision };
      return { kind: 'put', item };
    });
  return isDeepStrictEqual(changes, expected) ? undefined : 'it did something else than it says';
}

function faultOfItem(
  history: StoreHistory,
  key: string,
  { head }: Sent,
  item: unknown,
): string | undefined {
  const seen = [
    history.get(key, head),
    ...history.versions(key, { after: head, upTo: history.head }).map((version) => version.item),
  ];
  if (seen.some((version) => isDeepStrictEqual(version, item))) return undefined;
  return `what it shows was at no moment from ${head} to ${history.head}`;
}

function faultOfPage(
  history: StoreHistory,
  { prefix, options }: Extract<StoreCall['request'], { kind: 'list' }>,
  { head, compacted }: Sent,
  page: Extract<StoreAnswer, { kind: 'page' }>['page'],
): string | undefined {
  const { revision } = page;
  const { limit = LIST_LIMIT_MAX, afterKey = '' } = options;
  if (options.revision !== undefined && options.revision !== revision)
    return `it shows ${revision} instead of ${options.revision}`;
  if (options.revision === undefined && (revision < head || revision > history.head))
    return `it shows ${revision}, not one from ${head} to ${history.head}`;
  if (revision < compacted) return `it shows ${revision}, though ${compacted} was compacted`;
  const all = history
    .list(prefix, revision)
    .filter(({ key }) => afterKey === '' || compareKeys(key, afterKey) > 0);
  const { items, more } = page;
  if (!isDeepStrictEqual(items, all.slice(0, items.length)))
    return `it is not the state at ${revision}`;
  if (items.length > limit || more !== items.length < all.length || (more && items.length === 0))
    return `${items.length} items of ${all.length}, and ${more ? 'more' : 'no more'}`;
  return undefined;
}

function holds(history: StoreHistory, { key, modRevision }: Guard, revision: Revision): boolean {
  return (history.get(key, revision)?.modRevision ?? 0n) === modRevision;
}

/** `key@revision` of each key that the transaction both expects at a revision and changes. */
function changedUponGuard({ guards, writes }: Transaction): readonly string[] {
  const changed = new Set(writes.map(({ key }) => key));
  const keys = guards
    .filter(({ key, modRevision }) => changed.has(key) && modRevision > 0n)
    .map(({ key, modRevision }) => `${key}@${modRevision}`);
  // One may be guarded twice.
  return [...new Set(keys)];
}

function textOf({ process, request }: StoreCall): string {
  switch (request.kind) {
    case 'get':
      return `${process} gets ${request.key}`;
    case 'list':
      return `${process} lists ${request.prefix}`;
    case 'commit':
      return `${process} commits ${request.transaction.writes.map(({ key }) => key).join(' ')}`;
  }
}
