/** A signal for one piece of work, which ends with the work or with what the work belongs to. */
export interface Scope {
  readonly signal: AbortSignal;
  /** Aborts it, with a reason for those who still wait. */
  abort(reason: Error): void;
  /** The work is done: whatever still waits is let go. */
  end(): void;
}

/** One for all: an error of its own with its stack costs more than most of the work does. */
const ENDED = new Error('the work is done');

/**
 * As `AbortSignal.any([parent, own])`, but without the bookkeeping for garbage collection that this
 * costs: `end` must be called. A reconcile, a frame and a piece of a blob have one each.
 */
export function scopeOf(parent: AbortSignal): Scope {
  const own = new AbortController();
  const follow = (): void => own.abort(parent.reason);
  if (parent.aborted) follow();
  else parent.addEventListener('abort', follow, { once: true });
  const abort = (reason: Error): void => {
    parent.removeEventListener('abort', follow);
    own.abort(reason);
  };
  return { signal: own.signal, abort, end: () => abort(ENDED) };
}
