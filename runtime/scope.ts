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
 * The scopes that end with a signal, which itself knows of one listener only: it would search all
 * of them for each that comes or goes, and a control loop has as many as there are names.
 */
const followers = new WeakMap<AbortSignal, Set<AbortController>>();

/**
 * As `AbortSignal.any([parent, own])`, but without the bookkeeping for garbage collection that this
 * costs: `end` must be called. A reconcile, a frame and a piece of a blob have one each.
 */
export function scopeOf(parent: AbortSignal): Scope {
  const own = new AbortController();
  if (parent.aborted) own.abort(parent.reason);
  else followersOf(parent).add(own);
  const abort = (reason: Error): void => {
    followers.get(parent)?.delete(own);
    own.abort(reason);
  };
  return { signal: own.signal, abort, end: () => abort(ENDED) };
}

function followersOf(parent: AbortSignal): Set<AbortController> {
  const known = followers.get(parent);
  if (known !== undefined) return known;
  const made = new Set<AbortController>();
  followers.set(parent, made);
  const abortAll = (): void => {
    for (const own of made) own.abort(parent.reason);
    made.clear();
  };
  parent.addEventListener('abort', abortAll, { once: true });
  return made;
}
