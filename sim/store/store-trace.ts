import type { Change } from '../../runtime/store/store.ts';
import type { Commit } from '../check/check.ts';
import type { StoreAnswer, StoreCall, StoreEvent } from '../check/store-event.ts';
import type { Trace } from '../engine/trace.ts';
import { commitWords, shortKey } from './commit-words.ts';

/**
 * Tells the trace what the store and its callers know of one another: a commit follows from all that
 * its sender knew, and whoever reads a revision knows of the commit that made it.
 */
export class StoreTrace {
  readonly #trace: Trace;
  /** By transaction: what its sender knew. */
  readonly #sent = new WeakMap<object, readonly number[]>();
  /** By revision: the line that tells of it. */
  readonly #revisions = new Map<bigint, number>();

  constructor(trace: Trace) {
    this.#trace = trace;
  }

  /** A commit has taken effect. */
  committed({ transaction, revision, before, process }: Commit): void {
    const keys = transaction.writes.map(({ kind, key }) => (kind === 'put' ? key : `-${key}`));
    const line = this.#trace.add('store', `${revision} by ${process}: ${keys.join(' ')}`, {
      kind: 'commits',
      causes: this.#sent.get(transaction) ?? [],
      told: () => {
        const { what, changes } = commitWords(transaction, before);
        return {
          what: `${revision} by ${process}: ${what}`,
          fields: { revision, process, keys, changes },
        };
      },
    });
    this.#made(revision, line);
  }

  stored(event: StoreEvent): void {
    switch (event.kind) {
      case 'revision':
        return event.by === 'lease' ? this.#expired(event) : undefined;
      case 'called':
        return this.#called(event.call);
      case 'answered':
        return this.#answered(event.call, event.answer);
      case 'delivered':
        return this.#delivered(hostOf(event.watch.process), event.event);
      case 'resumed':
        return this.#note(event.watch.process, `watches again what is under ${event.watch.prefix}`);
      case 'refused':
      case 'compacted':
      case 'watching':
      case 'unwatched':
        return undefined;
    }
  }

  #made(revision: bigint, line: number): void {
    if (this.#trace.keeps) this.#revisions.set(revision, line);
  }

  #expired({ revision, changes }: Extract<StoreEvent, { kind: 'revision' }>): void {
    const what = `${revision}: a lease has ended: ${changes.map(wordsOf).join(' ')}`;
    this.#made(revision, this.#trace.add('store', what, { kind: 'commits' }));
  }

  #called({ process, request }: StoreCall): void {
    if (request.kind === 'commit' && this.#trace.keeps)
      this.#sent.set(request.transaction, this.#trace.known(hostOf(process)));
  }

  #answered({ process, request }: StoreCall, answer: StoreAnswer): void {
    const host = hostOf(process);
    if (answer.kind === 'item') return this.#learns(host, answer.item?.modRevision);
    if (answer.kind === 'page') return this.#learns(host, answer.page.revision);
    const writes = request.kind === 'commit' ? request.transaction.writes : [];
    const keys = writes.map(({ key }) => shortKey(key)).join(' ');
    if (answer.kind === 'outcome') {
      this.#learns(host, answer.outcome.revision);
      if (answer.outcome.outcome === 'conflict')
        this.#note(process, `its commit is refused: ${keys}`);
    } else if (request.kind === 'commit') {
      this.#note(process, `its commit fails: ${keys}: ${String(answer.error)}`);
    }
  }

  #delivered(host: string, event: Extract<StoreEvent, { kind: 'delivered' }>['event']): void {
    const { kind } = event;
    if (kind === 'progress') return this.#learns(host, event.revision);
    if (kind === 'expired') {
      const what = `all before ${event.compactRevision} is forgotten: it must list again`;
      this.#trace.add(host, what, { kind: 'watches' });
      return;
    }
    const { revision, changes } = event;
    const made = this.#revisions.get(revision);
    this.#trace.add(host, `${revision}: ${changes.map(wordsOf).join(' ')}`, {
      kind: 'watches',
      ...(made === undefined ? {} : { causes: [made] }),
    });
  }

  #note(process: string, what: string): void {
    this.#trace.add(hostOf(process), what, { kind: 'watches' });
  }

  #learns(host: string, revision: bigint | undefined): void {
    const line = revision === undefined ? undefined : this.#revisions.get(revision);
    if (line !== undefined) this.#trace.learns(host, [line]);
  }
}

function wordsOf(change: Change): string {
  return change.kind === 'put' ? shortKey(change.item.key) : `-${shortKey(change.key)}`;
}

/** "dom-1" of "dom-1#2". */
function hostOf(process: string): string {
  return process.replace(/#\d+$/, '');
}
