import type { KindName } from '../../api/kinds.ts';
import type { Resource } from '../../api/object.ts';
import { validateChange, validateObject } from '../../api/validate.ts';
import type { Clock } from '../../runtime/clock.ts';
import { type Random, uuid } from '../../runtime/random.ts';
import { RequestError } from '../../runtime/request-error.ts';
import type { ObjectName } from '../../runtime/store/keys.ts';
import { type Store, UncertainError } from '../../runtime/store/store.ts';
import { type Author, nameOf, type Operation, type Writer } from '../../runtime/store/writer.ts';
import type { Sealer } from '../../runtime/tls/authority.ts';
import { reserveHosts, type WillFree } from './hosts.ts';
import { invalid, readObject } from './names.ts';
import { shown } from './secrets.ts';

/** Writes that lost a race are decided anew this often before the caller is told. */
const ATTEMPTS_MAX = 8;

export interface WritePorts {
  readonly store: Store;
  readonly writer: Writer;
  readonly clock: Clock;
  readonly random: Random;
  readonly sealer: Sealer;
}

/** What one write comes to: the object as it will be, and the steps that make it so. */
export interface Draft<Result> {
  readonly operations: readonly Operation[];
  readonly result: Result;
}

/** Reads, decides and writes; again from the start when something changed in between. */
export async function commitDraft<Result extends object>(
  { writer, store }: WritePorts,
  author: Author,
  { dryRun }: { dryRun: boolean },
  draft: () => Promise<Draft<Result>>,
): Promise<Result> {
  for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt += 1) {
    const { operations, result } = await draft();
    if (dryRun || operations.length === 0) return result;
    const outcome = await commitOnce(writer, operations, author);
    if (outcome === 'again') continue;
    return 'objectJson' in result ? await withVersion(store, result) : result;
  }
  throw new RequestError('ABORTED', 'others keep changing the same object: try again');
}

/**
 * `again`: something changed meanwhile, or nobody knows whether the write took effect. Deciding
 * anew is right in both cases: what took effect is found to be so already.
 */
async function commitOnce(
  writer: Writer,
  operations: readonly Operation[],
  author: Author,
): Promise<'done' | 'again'> {
  try {
    const { outcome } = await writer.commit(operations, author);
    return outcome === 'conflict' ? 'again' : 'done';
  } catch (error) {
    if (error instanceof UncertainError) return 'again';
    throw error;
  }
}

/** The answer shows the object as it was stored, where it still is. */
async function withVersion<Result extends object>(store: Store, result: Result): Promise<Result> {
  const { objectJson } = result as Result & { readonly objectJson: string };
  // It is written: a failure to read it again must not look as if it were not.
  const name = nameOf(JSON.parse(objectJson) as Resource);
  const stored = await readObject(store, name).catch(() => undefined);
  return stored === undefined ? result : { ...result, objectJson: JSON.stringify(shown(stored)) };
}

interface Merged {
  readonly spec: unknown;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly managedFields: NonNullable<Resource['metadata']['managedFields']>;
}

/** The whole object that a merge comes to: checked again, with defaults filled in. */
export function complete(applied: Resource, live: Resource | undefined, merged: Merged): Resource {
  const { labels, annotations, managedFields } = merged;
  const {
    labels: _l,
    annotations: _a,
    managedFields: _m,
    ...identity
  } = live?.metadata ?? applied.metadata;
  const metadata = {
    ...identity,
    ...(Object.keys(labels).length > 0 && { labels }),
    ...(Object.keys(annotations).length > 0 && { annotations }),
    managedFields,
  };
  const { apiVersion, kind } = applied;
  const whole = { apiVersion, kind, metadata, spec: merged.spec };
  const validation = validateObject(whole);
  if (validation.kind === 'invalid') throw invalid(validation.violations);
  const next = { ...whole, spec: validation.object.spec };
  return live?.status === undefined ? next : { ...next, status: live.status };
}

/** `uid`: of an object that is made. `willFree`: whether a host of another Site counts as free. */
export async function writeSteps(
  { store, random }: WritePorts,
  live: Resource | undefined,
  next: Resource,
  { uid = uuid(random), willFree }: { readonly uid?: string; readonly willFree?: WillFree } = {},
): Promise<readonly Operation[]> {
  if (live === undefined) {
    const { name, namespace, labels, annotations, managedFields } = next.metadata;
    const metadata = {
      name,
      uid,
      ...(namespace !== undefined && { namespace }),
      ...(labels !== undefined && { labels }),
      ...(annotations !== undefined && { annotations }),
      ...(managedFields !== undefined && { managedFields }),
    };
    const object = { kind: next.kind as KindName, metadata, spec: next.spec };
    return [
      { kind: 'create', object },
      ...(await reserveHosts(store, undefined, { object: next, uid }, willFree)),
    ];
  }
  const violations = validateChange(live, next);
  if (violations.length > 0) throw invalid(violations);
  const after = { object: next, uid: live.metadata.uid };
  return [
    { kind: 'replace', base: live, next },
    ...(await reserveHosts(store, live, after, willFree)),
  ];
}

export function refuseDeleted(live: Resource | undefined, name: ObjectName): void {
  if (live?.metadata.deletionTimestamp === undefined) return;
  throw new RequestError(
    'FAILED_PRECONDITION',
    `${name.kind} "${name.name}" is being deleted: wait until it is gone`,
  );
}
