import type { AcmeCountRecord } from '../../runtime/acme/records.ts';
import type { Revision } from '../../runtime/store/store.ts';
import type { World } from '../../runtime/store/world.ts';
import type { Operation } from '../../runtime/store/writer.ts';

/**
 * Orders that are being counted, or were just now, and that the mirror does not show yet: of several
 * that begin at once, each must know of the others (INV-30).
 */
export class UnseenCounts {
  readonly #world: Pick<World, 'record' | 'records' | 'revision'>;
  /** By the record's id; `revision`: of the write; undefined: it is under way, or in doubt. */
  readonly #unseen = new Map<
    string,
    { readonly value: AcmeCountRecord; readonly revision: Revision | undefined }
  >();

  constructor(world: Pick<World, 'record' | 'records' | 'revision'>) {
    this.#world = world;
  }

  /** All that count, by now. */
  all(): readonly AcmeCountRecord[] {
    for (const [id, { revision }] of this.#unseen) {
      const isPast = revision !== undefined && this.#world.revision >= revision;
      if (isPast || this.#world.record('acmeCount', id) !== undefined) this.#unseen.delete(id);
    }
    const seen = this.#world.records('acmeCount').map(([, { value }]) => value);
    return [...seen, ...[...this.#unseen.values()].map(({ value }) => value)];
  }

  /** From before the write on. `end` is told what became of it; never: nobody knows. */
  begin(operations: readonly Operation[]): { end(revision: Revision | undefined): void } {
    const begun = operations.flatMap((each) => {
      const isNew = each.kind === 'record' && each.record === 'acmeCount' && each.value;
      return isNew ? [[each.id, each.value] as const] : [];
    });
    for (const [id, value] of begun) this.#unseen.set(id, { value, revision: undefined });
    return {
      end: (revision) => {
        for (const [id, value] of begun)
          if (revision === undefined) this.#unseen.delete(id);
          else this.#unseen.set(id, { value, revision });
      },
    };
  }
}
