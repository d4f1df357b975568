import { type LabelRequirement, matchesLabels, parseLabelSelector } from '../../api/labels.ts';
import { DEFAULT_NAMESPACE, type Resource } from '../../api/object.ts';
import type {
  GetRequest,
  GetResponse,
  HistoryRequest,
  HistoryResponse,
  ListRequest,
  ListResponse,
} from '../../proto/gen/b8s/v1/api.ts';
import { RequestError } from '../../runtime/request-error.ts';
import {
  historyPrefix,
  kindPrefix,
  type ObjectName,
  objectKey,
  qualifiedName,
} from '../../runtime/store/keys.ts';
import { decodeObject, listAll } from '../../runtime/store/mirror.ts';
import {
  CompactedError,
  type KeyValue,
  LIST_LIMIT_MAX,
  type Page,
  type Store,
} from '../../runtime/store/store.ts';
import type { HistoryEntry } from '../../runtime/store/writer.ts';
import { notFound, readObject, requestedKind, requestedName } from './names.ts';
import { declaredAt, type Moment } from './past.ts';
import { shown, shownSpec } from './secrets.ts';

/**
 * Characters of all objects in one answer; as UTF-8 up to three times as many bytes, and b8sctl
 * takes no message over 16 MiB.
 */
const ANSWER_LENGTH_MAX = 4 * 1024 * 1024;

/** One object, as it is now, or was at a revision or a time. */
export async function getObject(store: Store, request: GetRequest): Promise<GetResponse> {
  const name = requestedName(request.reference);
  const object = await readAt(store, name, request);
  if (object === undefined) throw notFound(name);
  return { objectJson: JSON.stringify(shown(object)) };
}

async function readAt(
  store: Store,
  name: ObjectName,
  request: GetRequest,
): Promise<Resource | undefined> {
  const { revision } = request;
  const moment = requestedTime(request);
  if (moment !== undefined) return (await declaredAt(store, name, moment))[0];
  if (revision === 0n) return await readObject(store, name);
  const key = objectKey(name);
  const page = await uncompacted(listPage(store, key, { revision, limit: 1 }));
  if (page === undefined) return (await declaredAt(store, name, { kind: 'revision', revision }))[0];
  const item = page.items.find((each) => each.key === key);
  return item === undefined ? undefined : decodeObject(item);
}

/** One page of a kind's objects, sorted by namespace and name, all pages of one revision. */
export async function listObjects(store: Store, request: ListRequest): Promise<ListResponse> {
  const selector = requestedSelector(request.labelSelector);
  const limit = request.limit === 0 ? LIST_LIMIT_MAX : Math.min(request.limit, LIST_LIMIT_MAX);
  const { revision } = request;
  const moment = requestedTime(request);
  if (moment !== undefined) return await listPast(store, request, { moment, selector, limit });
  const page = await uncompacted(
    listPage(store, requestedPrefix(request), {
      limit,
      ...(revision !== 0n && { revision }),
      ...(request.continue !== '' && { afterKey: request.continue }),
    }),
  );
  if (page === undefined)
    return await listPast(store, request, {
      moment: { kind: 'revision', revision },
      selector,
      limit,
    });
  const items = page.items.slice(0, countThatFit(page.items));
  const objects = items.map(decodeObject).filter((object) => selects(selector, object));
  const more = page.more || items.length < page.items.length;
  return {
    objectsJson: objects.map((object) => JSON.stringify(shown(object))),
    revision: page.revision,
    continue: more ? (items.at(-1)?.key ?? '') : '',
  };
}

/** One page of what was declared at a moment, as history has it. */
async function listPast(
  store: Store,
  request: ListRequest,
  { moment, selector, limit }: PastPage,
): Promise<ListResponse> {
  const { kind, name } = requestedKind(request.kind);
  const isAll = kind.scope === 'cluster' || request.namespace === '';
  const scope = { kind: name, namespace: isAll ? undefined : request.namespace };
  // The page before may have been read from the store, compacted since: it ended with a key.
  const prefix = kindPrefix(name);
  const after = request.continue.replace(prefix, '');
  const afterName = after === '' ? undefined : after;
  const past = await declaredAt(store, scope, moment, afterName);
  const limited = past.slice(0, limit);
  const texts = limited.map((object) => ({ value: JSON.stringify(shown(object)) }));
  const count = countThatFit(texts);
  const last = count < past.length ? limited[count - 1] : undefined;
  return {
    objectsJson: texts.slice(0, count).flatMap(({ value }, index) => {
      const object = limited[index];
      return object !== undefined && selects(selector, object) ? [value] : [];
    }),
    revision: request.revision,
    continue: last === undefined ? '' : qualifiedName(last.metadata),
  };
}

interface PastPage {
  readonly moment: Moment;
  readonly selector: readonly LabelRequirement[];
  readonly limit: number;
}

/** How many of the items, from the first, one answer can hold; at least one. */
function countThatFit(items: readonly Pick<KeyValue, 'value'>[]): number {
  let length = 0;
  const end = items.findIndex(({ value }) => {
    length += value.length;
    return length > ANSWER_LENGTH_MAX;
  });
  return end === -1 ? items.length : Math.max(1, end);
}

/**
 * What was declared under this name over time, also before it was deleted; oldest first. Of more
 * than one answer can hold, the newest.
 */
export async function readHistory(store: Store, request: HistoryRequest): Promise<HistoryResponse> {
  const name = requestedName(request.reference);
  const { items } = await listAll(store, historyPrefix(name));
  const newest = items.toSorted((a, b) => (a.modRevision > b.modRevision ? -1 : 1));
  const inOrder = newest.slice(0, countThatFit(newest)).toReversed();
  const records = inOrder.map((item) => {
    const entry = JSON.parse(item.value) as HistoryEntry;
    return {
      generation: BigInt(entry.generation),
      revision: item.modRevision,
      timeMs: BigInt(entry.timeMs),
      manager: entry.author.manager,
      command: entry.author.command ?? '',
      specJson: JSON.stringify(shownSpec(name.kind, entry.spec)),
      uid: entry.uid,
      change: entry.change,
      user: entry.author.user,
      labels: entry.labels ?? {},
      annotations: entry.annotations ?? {},
    };
  });
  return { records };
}

/** The conditions on labels that a request states. Throws INVALID_ARGUMENT for bad syntax. */
export function requestedSelector(text: string): readonly LabelRequirement[] {
  const outcome = parseLabelSelector(text);
  if (outcome.kind === 'error') throw new RequestError('INVALID_ARGUMENT', outcome.message);
  return outcome.requirements;
}

export function selects(selector: readonly LabelRequirement[], object: Resource): boolean {
  return matchesLabels(selector, object.metadata.labels ?? {});
}

/** Where in the store the objects of a kind lie, in one namespace or (empty) in all. */
function requestedPrefix(request: { readonly kind: string; readonly namespace: string }): string {
  const { kind, name } = requestedKind(request.kind);
  const prefix = kindPrefix(name);
  if (kind.scope === 'cluster' || request.namespace === '') return prefix;
  return `${prefix}${request.namespace || DEFAULT_NAMESPACE}/`;
}

/** The time that a request asks for; undefined: none. Throws INVALID_ARGUMENT for two moments. */
function requestedTime({
  timeMs,
  revision,
}: Pick<GetRequest, 'timeMs' | 'revision'>): Moment | undefined {
  if (timeMs === undefined) return undefined;
  if (revision === 0n) return { kind: 'time', timeMs: Number(timeMs) };
  throw new RequestError('INVALID_ARGUMENT', 'ask for a revision or a time, not for both');
}

async function listPage(
  store: Store,
  prefix: string,
  options: Parameters<Store['list']>[1],
): Promise<Page> {
  try {
    return await store.list(prefix, options);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new RequestError('OUT_OF_RANGE', cause.message, { cause });
  }
}

/** Undefined: the revision has been compacted away. */
async function uncompacted(page: Promise<Page>): Promise<Page | undefined> {
  try {
    return await page;
  } catch (error) {
    if (error instanceof CompactedError) return undefined;
    throw error;
  }
}
