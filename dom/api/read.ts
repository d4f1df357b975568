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
import { historyPrefix, kindPrefix, objectKey } from '../../runtime/keys.ts';
import { decodeObject, listAll } from '../../runtime/mirror.ts';
import { RequestError } from '../../runtime/request-error.ts';
import {
  CompactedError,
  type KeyValue,
  LIST_LIMIT_MAX,
  type Page,
  type Store,
} from '../../runtime/store.ts';
import type { HistoryEntry } from '../../runtime/writer.ts';
import { notFound, requestedKind, requestedName } from './names.ts';
import { shown, shownSpec } from './secrets.ts';

/**
 * Characters of all objects in one answer; as UTF-8 up to three times as many bytes, and b8sctl
 * takes no message over 16 MiB.
 */
const ANSWER_LENGTH_MAX = 4 * 1024 * 1024;

/** One object, as it is now or was at a revision. */
export async function getObject(store: Store, request: GetRequest): Promise<GetResponse> {
  const name = requestedName(request.reference);
  const key = objectKey(name);
  if (request.revision === 0n) {
    const item = await store.get(key);
    if (item === undefined) throw notFound(name);
    return { objectJson: JSON.stringify(shown(decodeObject(item))) };
  }
  const page = await listPage(store, key, { revision: request.revision, limit: 1 });
  const item = page.items.find((each) => each.key === key);
  if (item === undefined) throw notFound(name);
  return { objectJson: JSON.stringify(shown(decodeObject(item))) };
}

/** One page of a kind's objects, sorted by namespace and name, all pages of one revision. */
export async function listObjects(store: Store, request: ListRequest): Promise<ListResponse> {
  const selector = requestedSelector(request.labelSelector);
  const limit = request.limit === 0 ? LIST_LIMIT_MAX : Math.min(request.limit, LIST_LIMIT_MAX);
  const page = await listPage(store, requestedPrefix(request), {
    limit,
    ...(request.revision !== 0n && { revision: request.revision }),
    ...(request.continue !== '' && { afterKey: request.continue }),
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

/** How many of the items, from the first, one answer can hold; at least one. */
function countThatFit(items: readonly KeyValue[]): number {
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

async function listPage(
  store: Store,
  prefix: string,
  options: Parameters<Store['list']>[1],
): Promise<Page> {
  try {
    return await store.list(prefix, options);
  } catch (cause) {
    if (cause instanceof RangeError)
      throw new RequestError('OUT_OF_RANGE', cause.message, { cause });
    if (!(cause instanceof CompactedError)) throw cause;
    throw new RequestError(
      'OUT_OF_RANGE',
      `revision ${options?.revision} has been compacted away: ask for a newer one, or see rollout history`,
      { cause },
    );
  }
}
