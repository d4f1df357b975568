import { didYouMean } from '../../api/nearest.ts';
import type { Resource } from '../../api/object.ts';
import { type Api, ApiError, type Moment, type ObjectReference } from '../../runtime/api-client.ts';
import { type Cli, CommandError, errorText, MANAGER } from '../cli.ts';
import { quotedName } from '../render/output.ts';

/** How often a change is tried again because the object changed meanwhile. */
const MODIFY_TRIES_MAX = 5;

/** Reads one object; a missing one is told in kubectl's words. */
export async function fetchObject(
  api: Api,
  reference: ObjectReference,
  at?: Moment,
): Promise<Resource> {
  try {
    return await named(reference, () => api.get(reference, at));
  } catch (error) {
    throw at === undefined && isNotFound(error) ? await withHint(api, reference, error) : error;
  }
}

/** Lists longer than this are not searched for a name that is near. */
const NAMES_MAX = 2000;

/** The same error with the name that was probably meant, if there is one. */
async function withHint(api: Api, { kind, namespace, name }: ObjectReference, cause: unknown) {
  const listed = await api.list({ kind, namespace }).catch(() => undefined);
  const names = (listed?.objects ?? []).slice(0, NAMES_MAX).map(({ metadata }) => metadata.name);
  const hint = didYouMean(name, names);
  return new ApiError('NotFound', `${quotedName(kind, name)} not found${hint}`, { cause });
}

/** Runs a call about one object, so that `NotFound` names it as kubectl does. */
export async function named<Result>(
  reference: ObjectReference,
  call: () => Promise<Result>,
): Promise<Result> {
  try {
    return await call();
  } catch (cause) {
    if (!(cause instanceof ApiError) || cause.reason !== 'NotFound') throw cause;
    const name = quotedName(reference.kind, reference.name);
    throw new ApiError('NotFound', `${name} not found`, { cause });
  }
}

/** An object that was read, or undefined when there is none. */
export async function findObject(
  api: Api,
  reference: ObjectReference,
): Promise<Resource | undefined> {
  try {
    return await api.get(reference);
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

export function isNotFound(error: unknown): boolean {
  return error instanceof ApiError && error.reason === 'NotFound';
}

/**
 * Reads, changes and writes one object, again when someone else was faster. `change` returns the
 * object itself to say that nothing is to be done. `before` may throw, and nothing is written.
 */
export async function modify(
  api: Api,
  reference: ObjectReference,
  change: (object: Resource) => Resource,
  before: (change: { readonly live: Resource; readonly wanted: Resource }) => Promise<void> = none,
): Promise<{ readonly outcome: 'changed' | 'unchanged'; readonly object: Resource }> {
  for (let tries = 1; ; tries += 1) {
    const current = await fetchObject(api, reference);
    const wanted = change(current);
    if (wanted === current) return { outcome: 'unchanged', object: current };
    await before({ live: current, wanted });
    try {
      return { outcome: 'changed', object: await api.update(wanted, { manager: MANAGER }) };
    } catch (error) {
      const changedMeanwhile = error instanceof ApiError && error.reason === 'Aborted';
      if (!changedMeanwhile || tries === MODIFY_TRIES_MAX) throw error;
    }
  }
}

async function none(): Promise<void> {}

/** Does the same to each item, tells of the failures, and ends with exit code 1 if there was one. */
export async function forEachOrFail<Item>(
  cli: Cli,
  items: readonly Item[],
  act: (item: Item) => Promise<void>,
): Promise<void> {
  let failures = 0;
  for (const item of items) {
    cli.signal.throwIfAborted();
    try {
      await act(item);
    } catch (error) {
      if (cli.signal.aborted || isFatal(error)) throw error;
      failures += 1;
      cli.terminal.error(`${errorText(error)}\n`);
    }
  }
  if (failures > 0) throw new CommandError('');
}

/** What would fail in the same way for every further object. */
export function isFatal(error: unknown): boolean {
  return error instanceof ApiError && ['Unavailable', 'Unauthorized'].includes(error.reason);
}
