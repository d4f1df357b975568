import { condition, type Resource } from '../../../api/object.ts';
import type { Operation } from '../../../runtime/store/writer.ts';
import { type Facts, nameOfKey, shownKey } from '../facts.ts';

/** What of a commit is not Ready, or not gone. */
export interface Unready {
  readonly key: string;
  /** Undefined: it is missing. */
  readonly object: Resource | undefined;
  /** Which, and why, for a person. */
  readonly text: string;
}

/** What a commit waits for, in the order of keys. */
export function unreadyIn({
  undo,
  inventory,
  live,
  repository,
}: Pick<Facts, 'undo' | 'inventory' | 'live' | 'repository'>): readonly Unready[] {
  return [...undo.keys()].toSorted().flatMap((key) => {
    const object = live(key);
    const found = (text: string): readonly Unready[] => [{ key, object, text }];
    if (object === undefined) {
      // Somebody has deleted it, which makes no good commit of a bad one.
      const comesBack = inventory.has(key) && repository.spec.driftPolicy === 'correct';
      return comesBack ? found(`${shownKey(key)} (it is missing)`) : [];
    }
    if (inventory.has(key)) {
      const why = whyUnready(key, object);
      return why === undefined ? [] : found(`${shownKey(key)} (${why})`);
    }
    const { deletionTimestamp, finalizers = [] } = object.metadata;
    if (deletionTimestamp === undefined) return [];
    return found(`${shownKey(key)}, which is being deleted and held by ${finalizers.join(', ')}`);
  });
}

/**
 * For the write that gives a commit up: it conflicts when that is Ready by now, and this dom has yet to
 * see it. One is enough, for with one that is not Ready the commit is not.
 */
export function stillUnready({ key, object }: Unready): Operation {
  return object === undefined
    ? { kind: 'expectNone', name: nameOfKey(key) }
    : { kind: 'expect', base: object };
}

/** Kinds that say by a condition whether they are well. A Node may well be away. */
const AWAITED: ReadonlySet<string> = new Set(['Certificate', 'Issuer', 'Site', 'Zone']);

function whyUnready(key: string, object: Resource): string | undefined {
  if (!AWAITED.has(nameOfKey(key).kind)) return undefined;
  const ready = condition(object, 'Ready');
  const seen = ready?.observedGeneration ?? object.status?.observedGeneration ?? 0;
  const isOld = ready === undefined || seen < object.metadata.generation;
  if (!isOld && ready.status === 'True') return undefined;
  return isOld ? 'not looked at yet' : ready.message;
}
