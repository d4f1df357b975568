import type { KindName } from '../../api/kinds.ts';
import { API_VERSION, type Resource } from '../../api/object.ts';
import { RequestError } from '../../runtime/request-error.ts';
import { historyKindPrefix, historyPrefix, type ObjectName } from '../../runtime/store/keys.ts';
import type { KeyValue, Revision, Store } from '../../runtime/store/store.ts';
import type { HistoryEntry } from '../../runtime/store/writer.ts';

/** A point in the past. */
export type Moment =
  | { readonly kind: 'revision'; readonly revision: Revision }
  | { readonly kind: 'time'; readonly timeMs: number };

/** Records of history that one question may read: more take too long. */
export const RECORDS_MAX = 200_000;

/** Of which objects: of a kind, in a namespace of it, or one name. */
export interface PastScope {
  readonly kind: KindName;
  readonly namespace?: string | undefined;
  readonly name?: string;
}

/**
 * What was declared at that moment, from history, which outlives the compaction of the store:
 * objects without status, sorted by namespace and name. `afterName` (`namespace/name`): only those
 * that come later.
 */
export async function declaredAt(
  store: Store,
  scope: PastScope,
  moment: Moment,
  afterName?: string,
): Promise<readonly Resource[]> {
  const found = new Map<string, Told>();
  const prefix = prefixOf(scope);
  const kind = historyKindPrefix(scope.kind);
  let afterKey = prefix;
  let revision: Revision | undefined;
  for (let read = 0; ; ) {
    const page = await store.list(prefix, {
      afterKey,
      ...(revision !== undefined && { revision }),
    });
    read += page.items.length;
    for (const item of page.items) tell(found, item, { kind, moment });
    afterKey = page.items.at(-1)?.key ?? afterKey;
    ({ revision } = page);
    if (!page.more) break;
    if (read > RECORDS_MAX) throw tooMuch(scope);
  }
  // All is read for each page: names do not sort as the keys of their records do.
  return [...found.keys()]
    .filter((name) => afterName === undefined || name > afterName)
    .toSorted()
    .flatMap((name) => objectOf(scope.kind, name, found.get(name)));
}

/** The latest record of a name up to the moment, and when the object that it is of was created. */
interface Told {
  readonly entry: HistoryEntry;
  readonly revision: Revision;
  readonly createdMs: number;
}

function tell(
  found: Map<string, Told>,
  item: KeyValue,
  { kind, moment }: { readonly kind: string; readonly moment: Moment },
): void {
  const entry = JSON.parse(item.value) as HistoryEntry;
  const isLater =
    moment.kind === 'time' ? entry.timeMs > moment.timeMs : item.modRevision > moment.revision;
  if (isLater) return;
  const name = item.key.slice(kind.length, item.key.lastIndexOf('/'));
  const before = found.get(name);
  // Times are of a clock that may go back; revisions never do.
  if (before !== undefined && before.revision > item.modRevision) return;
  const createdMs = before?.entry.uid === entry.uid ? before.createdMs : entry.timeMs;
  found.set(name, { entry, revision: item.modRevision, createdMs });
}

function objectOf(kind: KindName, qualified: string, told: Told | undefined): readonly Resource[] {
  if (told === undefined || told.entry.change === 'deleted') return [];
  const { entry, revision, createdMs } = told;
  const { uid, generation, labels, annotations, spec } = entry;
  const [name = '', namespace] = qualified.split('/').toReversed();
  const metadata = {
    name,
    ...(namespace !== undefined && { namespace }),
    ...(labels !== undefined && { labels }),
    ...(annotations !== undefined && { annotations }),
    ...{ uid, generation, resourceVersion: String(revision) },
    creationTimestamp: new Date(createdMs).toISOString(),
  };
  return [{ apiVersion: API_VERSION, kind, metadata, spec }];
}

function prefixOf({ kind, namespace, name }: PastScope): string {
  if (name !== undefined) return historyPrefix({ kind, namespace, name } satisfies ObjectName);
  const prefix = historyKindPrefix(kind);
  return namespace === undefined ? prefix : `${prefix}${namespace}/`;
}

function tooMuch({ kind }: PastScope): RequestError {
  const fact = `the history of all ${kind} objects is over ${RECORDS_MAX} records`;
  return new RequestError('RESOURCE_EXHAUSTED', `${fact}: ask for one namespace, or by name`);
}
