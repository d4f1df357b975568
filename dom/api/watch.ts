import type { Resource } from '../../api/object.ts';
import type { WatchRequest, WatchResponse } from '../../proto/gen/b8s/v1/api.ts';
import { kindPrefix } from '../../runtime/keys.ts';
import type { Mirror } from '../../runtime/mirror.ts';
import { RequestError } from '../../runtime/request-error.ts';
import type { Store } from '../../runtime/store.ts';
import { requestedKind } from './names.ts';
import { requestedSelector, selects } from './read.ts';

/** Events kept for a watcher that is slower than the world; then it must begin again (INV-39). */
export const WATCH_QUEUE_MAX = 10_000;

/**
 * Every object that the request selects as `added`, then `synced`, then each change as it comes.
 * An object that stops being selected is `deleted` for this watcher. Ends when `signal` is aborted.
 */
export async function* watchObjects(
  ports: { readonly store: Store; readonly mirror: Mirror },
  request: WatchRequest,
  signal: AbortSignal,
): AsyncIterable<WatchResponse> {
  const { mirror, store } = ports;
  const { name: kind } = requestedKind(request.kind);
  const selector = requestedSelector(request.labelSelector);
  const wanted = (object: Resource): boolean =>
    (request.namespace === '' ||
      (object.metadata.namespace ?? request.namespace) === request.namespace) &&
    (request.name === '' || object.metadata.name === request.name) &&
    selects(selector, object);

  // What the caller wrote before it asked must show.
  const { revision } = await store.list(kindPrefix(kind), { limit: 1 });
  await mirror.reached(revision, signal);

  const queue: WatchResponse[] = [];
  const pace = { tooSlow: false };
  let wake = (): void => undefined;
  const unsubscribe = mirror.subscribe((changes, at) => {
    for (const change of changes) {
      if (change.kind !== 'object' || change.object.kind !== kind) continue;
      const is = !change.deleted && wanted(change.object);
      const was = change.before !== undefined && wanted(change.before);
      if (queue.length >= WATCH_QUEUE_MAX) pace.tooSlow = true;
      else if (is || was)
        queue.push(response(is ? (was ? 'modified' : 'added') : 'deleted', change.object, at));
    }
    wake();
  });
  const stop = (): void => wake();
  signal.addEventListener('abort', stop, { once: true });
  try {
    for (const object of mirror.list(kind).filter(wanted))
      yield response('added', object, mirror.revision);
    yield { type: 'synced', objectJson: '', revision: mirror.revision };
    while (!signal.aborted) {
      if (pace.tooSlow)
        throw new RequestError('RESOURCE_EXHAUSTED', 'this watch fell too far behind: begin again');
      const next = queue.shift();
      if (next !== undefined) yield next;
      else await new Promise<void>((resolve) => (wake = resolve));
    }
  } finally {
    unsubscribe();
    signal.removeEventListener('abort', stop);
  }
}

function response(type: string, object: Resource, revision: bigint): WatchResponse {
  return { type, objectJson: JSON.stringify(object), revision };
}
