import type { CommitOutcome, KeyValue, Store, Transaction } from '../../runtime/store.ts';

export type OnCommitted = (
  transaction: Transaction,
  revision: bigint,
  /** By key written: what was there before. Of keys under a lease it may have been gone already. */
  before: ReadonlyMap<string, KeyValue | undefined>,
) => void;

/** The store itself, which tells of every commit that took effect. */
export function observedStore(store: Store, onCommitted: OnCommitted): Store {
  const last = new Map<string, KeyValue>();

  function note({ writes }: Transaction, revision: bigint): void {
    for (const write of writes) {
      const { key } = write;
      if (write.kind === 'delete') {
        last.delete(key);
        continue;
      }
      const createRevision = last.get(key)?.createRevision ?? revision;
      last.set(key, { key, value: write.value, createRevision, modRevision: revision });
    }
  }

  async function commit(transaction: Transaction): Promise<CommitOutcome> {
    const outcome = await store.commit(transaction);
    if (outcome.outcome === 'committed') {
      const before = new Map(transaction.writes.map(({ key }) => [key, last.get(key)]));
      note(transaction, outcome.revision);
      onCommitted(transaction, outcome.revision, before);
    }
    return outcome;
  }

  return new Proxy(store, {
    get: (target, key) => {
      if (key === 'commit') return commit;
      const member: unknown = Reflect.get(target, key);
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
}
