import { isDeepStrictEqual } from 'node:util';
import type { KindName } from '../../api/kinds.ts';
import type { Resource } from '../../api/object.ts';
import { validateChange, validateObject } from '../../api/validate.ts';
import type {
  ApplyRequest,
  ApplyResponse,
  DeleteRequest,
  DeleteResponse,
  UpdateRequest,
  UpdateResponse,
} from '../../proto/gen/b8s/v1/api.ts';
import type { Sealer } from '../../runtime/authority.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { ObjectName } from '../../runtime/keys.ts';
import { type Random, uuid } from '../../runtime/random.ts';
import { RequestError } from '../../runtime/request-error.ts';
import { type Store, UncertainError } from '../../runtime/store.ts';
import { type Author, nameOf, type Operation, type Writer } from '../../runtime/writer.ts';
import { mergeApplied } from '../apply/merge.ts';
import { mergeUpdated } from '../apply/update.ts';
import { reserveHosts } from './hosts.ts';
import { takeLeftovers } from './leftovers.ts';
import { invalid, notFound, readObject, requestedName } from './names.ts';
import { withoutGoneOwners } from './owners.ts';
import { sealGiven, shown } from './secrets.ts';

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
interface Draft<Result> {
  readonly operations: readonly Operation[];
  readonly result: Result;
}

/**
 * Server-side apply: the manager's fields become what it says, the fields that it no longer names
 * go, everyone else's stay. An apply that changes nothing writes nothing.
 */
export async function applyObject(
  ports: WritePorts,
  request: ApplyRequest,
  user: string,
): Promise<ApplyResponse> {
  const raw = parseJson(request.objectJson);
  const validation = validateObject(raw);
  if (validation.kind === 'invalid') throw invalid(validation.violations);
  const name = nameOf(validation.object);
  const manager = managerOf(request.manager);
  const author = { manager, user, command: request.command };
  return commitDraft(ports, author, { dryRun: request.dryRun }, async () => {
    const live = await readObject(ports.store, name);
    refuseDeleted(live, name);
    const sealed = sealGiven(ports.sealer, name, { given: validation.given, live });
    const merged = mergeApplied({
      ...(live !== undefined && { live }),
      applied: sealed.given,
      manager,
      force: request.forceConflicts,
      time: new Date(ports.clock.nowMs()).toISOString(),
    });
    if (merged.kind === 'clash') throw clash(name, merged.clashes);
    const whole = complete(validation.object, live, merged);
    const next = await withoutGoneOwners(ports.store, whole);
    const outcome =
      live === undefined ? 'created' : isDeepStrictEqual(next, live) ? 'unchanged' : 'configured';
    const operations = outcome === 'unchanged' ? [] : await writeSteps(ports, live, next);
    const result = {
      outcome,
      objectJson: JSON.stringify(shown(next)),
      previousJson: live === undefined ? '' : JSON.stringify(shown(live)),
      warnings: sealed.warnings,
    };
    return { operations, result };
  });
}

/** Replaces spec, labels and annotations of the very version that the caller read. */
export async function updateObject(
  ports: WritePorts,
  request: UpdateRequest,
  user: string,
): Promise<UpdateResponse> {
  const validation = validateObject(parseJson(request.objectJson));
  if (validation.kind === 'invalid') throw invalid(validation.violations);
  const { object, given } = validation;
  const name = nameOf(object);
  const manager = managerOf(request.manager);
  const author = { manager, user, command: request.command };
  return commitDraft(ports, author, { dryRun: request.dryRun }, async () => {
    const live = await readObject(ports.store, name);
    if (live === undefined) throw notFound(name);
    refuseDeleted(live, name);
    if (live.metadata.resourceVersion !== object.metadata.resourceVersion)
      throw new RequestError(
        'ABORTED',
        `${name.kind} "${name.name}" has been changed meanwhile: read it again and repeat`,
      );
    const time = new Date(ports.clock.nowMs()).toISOString();
    const sealed = sealGiven(ports.sealer, name, { given, live });
    const updated = mergeUpdated({ live, updated: sealed.given, manager, time });
    const next = complete(object, live, updated);
    const operations = await writeSteps(ports, live, next);
    return { operations, result: { objectJson: JSON.stringify(shown(next)) } };
  });
}

export async function deleteObject(
  ports: WritePorts,
  request: DeleteRequest,
  user: string,
): Promise<DeleteResponse> {
  const name = requestedName(request.reference);
  const author = { manager: 'b8sctl', user, command: request.command };
  let tried: { readonly uid: string; readonly response: DeleteResponse } | undefined;
  return commitDraft(ports, author, { dryRun: request.dryRun }, async () => {
    const live = await readObject(ports.store, name);
    const uid = live?.metadata.uid;
    // Our own deletion may have taken effect without an answer, and others come under the name.
    if (tried !== undefined && uid !== tried.uid) return { operations: [], result: tried.response };
    if (live === undefined) throw notFound(name);
    if (request.uid !== '' && request.uid !== uid)
      throw new RequestError(
        'FAILED_PRECONDITION',
        `${name.kind} "${name.name}" is another object by now (uid ${uid})`,
      );
    const finalizing = (live.metadata.finalizers ?? []).length > 0;
    const hosts = finalizing ? [] : await reserveHosts(ports.store, live, undefined);
    // What is pushed once it is marked is for the next one.
    const isMarked = live.metadata.deletionTimestamp !== undefined;
    const leftovers = isMarked ? [] : await takeLeftovers(ports.store, live);
    const operations: Operation[] = [{ kind: 'delete', base: live }, ...hosts, ...leftovers];
    const response = { objectJson: JSON.stringify(shown(live)), finalizing };
    tried = { uid: live.metadata.uid, response };
    return { operations, result: response };
  });
}

/** Reads, decides and writes; again from the start when something changed in between. */
async function commitDraft<Result extends object>(
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
function complete(applied: Resource, live: Resource | undefined, merged: Merged): Resource {
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

async function writeSteps(
  { store, random }: WritePorts,
  live: Resource | undefined,
  next: Resource,
): Promise<readonly Operation[]> {
  if (live === undefined) {
    const uid = uuid(random);
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
      ...(await reserveHosts(store, undefined, { object: next, uid })),
    ];
  }
  const violations = validateChange(live, next);
  if (violations.length > 0) throw invalid(violations);
  const { uid } = live.metadata;
  return [
    { kind: 'replace', base: live, next },
    ...(await reserveHosts(store, live, { object: next, uid })),
  ];
}

function refuseDeleted(live: Resource | undefined, name: ObjectName): void {
  if (live?.metadata.deletionTimestamp === undefined) return;
  throw new RequestError(
    'FAILED_PRECONDITION',
    `${name.kind} "${name.name}" is being deleted: wait until it is gone`,
  );
}

function managerOf(manager: string): string {
  if (/^[a-z0-9][a-z0-9.-]{0,62}$/.test(manager)) return manager;
  throw new RequestError(
    'INVALID_ARGUMENT',
    `"${manager}" is no field manager: use 1 to 63 lower-case letters, digits, dots and dashes`,
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new RequestError('INVALID_ARGUMENT', 'the object is not JSON', { cause });
  }
}

function clash(
  name: ObjectName,
  clashes: readonly { path: string; manager: string }[],
): RequestError {
  const fields = clashes.map(({ path, manager }) => `${path} is set by "${manager}"`).join(', ');
  return new RequestError(
    'FAILED_PRECONDITION',
    `${name.kind} "${name.name}": ${fields}; use --force-conflicts to take them over`,
    { clashes },
  );
}
