import type { Resource } from '../../api/object.ts';
import type { WatchRequest, WatchResponse } from '../../proto/gen/b8s/v1/api.ts';
import { RequestError } from '../../runtime/request-error.ts';
import type { Mirror } from '../../runtime/store/mirror.ts';
import { requestedKind } from './names.ts';
import { requestedSelector, selects } from './read.ts';
import { shown } from './secrets.ts';

/** Events kept for a watcher that is slower than the world; then it must begin again (INV-39). */
export const WATCH_QUEUE_MAX = 10_000;
/** …and characters of theirs. */
export const WATCH_QUEUE_LENGTH_MAX = 16 * 1024 * 1024;

/**
 * Every object that the request selects and that changed after its revision as `added`, then
 * `synced`, then each change as it comes.
 * An object that stops being selected is `deleted` for this watcher. Ends when `signal` is aborted.
 */
export async function* watchObjects(
  mirror: Mirror,
  request: WatchRequest,
  signal: AbortSignal,
): AsyncIterable<WatchResponse> {
  const { name: kind } = requestedKind(request.kind);
  const selector = requestedSelector(request.labelSelector);
  const wanted = (object: Resource): boolean =>
    (request.namespace === '' ||
      (object.metadata.namespace ?? request.namespace) === request.namespace) &&
    (request.name === '' || object.metadata.name === request.name) &&
    selects(selector, object);

  // What the caller wrote before it asked must show.
  await mirror.current(signal);

  const queue = new WatchQueue();
  const unsubscribe = mirror.subscribe((changes, at) => {
    for (const change of changes) {
      if (change.kind !== 'object' || change.object.kind !== kind) continue;
      const is = !change.deleted && wanted(change.object);
      const was = change.before !== undefined && wanted(change.before);
      if (is || was)
        queue.push(response(is ? (was ? 'modified' : 'added') : 'deleted', change.object, at));
    }
  });
  const stop = (): void => queue.wake();
  signal.addEventListener('abort', stop, { once: true });
  try {
    const at = mirror.revision;
    const isNews = ({ metadata }: Resource): boolean =>
      BigInt(metadata.resourceVersion) > request.afterRevision;
    for (const object of mirror.list(kind).filter(wanted).filter(isNews))
      yield response('added', object, at);
    yield { type: 'synced', objectJson: '', revision: at };
    while (!signal.aborted) {
      const next = queue.shift();
      if (next !== undefined) yield next;
      else await queue.changed();
    }
  } finally {
    unsubscribe();
    signal.removeEventListener('abort', stop);
  }
}

/** What a watcher has not read yet. Once that is too much it keeps nothing more for it. */
class WatchQueue {
  #waiting: WatchResponse[] = [];
  #length = 0;
  #pace: 'well' | 'too slow' = 'well';
  wake = (): void => undefined;

  push(next: WatchResponse): void {
    if (this.#pace === 'too slow') return;
    this.#waiting.push(next);
    this.#length += next.objectJson.length;
    if (this.#waiting.length > WATCH_QUEUE_MAX || this.#length > WATCH_QUEUE_LENGTH_MAX) {
      this.#pace = 'too slow';
      this.#waiting = [];
    }
    this.wake();
  }

  /** Throws RESOURCE_EXHAUSTED when something was lost. */
  shift(): WatchResponse | undefined {
    if (this.#pace === 'too slow')
      throw new RequestError('RESOURCE_EXHAUSTED', 'this watch fell too far behind: begin again');
    const next = this.#waiting.shift();
    this.#length -= next?.objectJson.length ?? 0;
    return next;
  }

  async changed(): Promise<void> {
    await new Promise<void>((resolve) => (this.wake = resolve));
  }
}

function response(type: string, object: Resource, revision: bigint): WatchResponse {
  return { type, objectJson: JSON.stringify(shown(object)), revision };
}
