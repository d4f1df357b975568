import { WORLD_PREFIX } from '../../runtime/store/keys.ts';
import type { Revision } from '../../runtime/store/store.ts';
import type { StoreEvent } from './store-event.ts';

/** How far a process of dom has seen the world, as far as this event tells; undefined: it does not. */
export function seenBy(
  event: StoreEvent,
): { readonly process: string; readonly revision: Revision } | undefined {
  if (event.kind === 'watching' && event.watch.prefix === WORLD_PREFIX)
    return { process: event.watch.process, revision: event.watch.afterRevision };
  if (event.kind !== 'delivered' || event.watch.prefix !== WORLD_PREFIX) return undefined;
  if (event.event.kind === 'expired') return undefined;
  return { process: event.watch.process, revision: event.event.revision };
}

/** Something that processes of dom learn of one after another. */
export class News {
  readonly revision: Revision;
  /** By process: when it was told. */
  readonly #knownMs = new Map<string, number>();

  constructor(revision: Revision) {
    this.revision = revision;
  }

  /** That process has seen so much by now. */
  tell(process: string, revision: Revision, nowMs: number): void {
    if (revision >= this.revision && !this.#knownMs.has(process)) this.#knownMs.set(process, nowMs);
  }

  /** Since when that process knows of it; undefined: it does not, or nobody can tell. */
  knownMs(process: string): number | undefined {
    return this.#knownMs.get(process);
  }
}
