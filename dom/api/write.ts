import { isDeepStrictEqual } from 'node:util';
import type { Resource } from '../../api/object.ts';
import { validateObject } from '../../api/validate.ts';
import type {
  ApplyRequest,
  ApplyResponse,
  DeleteRequest,
  DeleteResponse,
  UpdateRequest,
  UpdateResponse,
} from '../../proto/gen/b8s/v1/api.ts';
import { uuid } from '../../runtime/random.ts';
import { RequestError } from '../../runtime/request-error.ts';
import type { ObjectName } from '../../runtime/store/keys.ts';
import { nameOf, type Operation } from '../../runtime/store/writer.ts';
import { mergeApplied } from '../apply/merge.ts';
import { mergeUpdated } from '../apply/update.ts';
import { commitDraft, complete, refuseDeleted, type WritePorts, writeSteps } from './draft.ts';
import { reserveHosts, type WillFree } from './hosts.ts';
import { takeLeftovers } from './leftovers.ts';
import { invalid, notFound, readObject, requestedName } from './names.ts';
import { withoutGoneOwners } from './owners.ts';
import { ownRelease } from './release.ts';
import { changedValues, sealGiven, shown } from './secrets.ts';

export type { WritePorts } from './draft.ts';

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
  const willFree = freedBy(request);
  return commitDraft(ports, author, { dryRun: request.dryRun }, async () => {
    const live = await readObject(ports.store, name);
    refuseDeleted(live, name);
    refuseOther(live, name, request.resourceVersion);
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
    const operations = outcome === 'unchanged' ? [] : await stepsOf(ports, live, next, willFree);
    const result = {
      outcome,
      objectJson: JSON.stringify(shown(next)),
      previousJson: live === undefined ? '' : JSON.stringify(shown(live)),
      warnings: sealed.warnings,
      changedValues: changedValues(live, next),
    };
    return { operations, result };
  });
}

async function stepsOf(
  ports: WritePorts,
  live: Resource | undefined,
  next: Resource,
  willFree?: WillFree,
): Promise<readonly Operation[]> {
  const uid = live?.metadata.uid ?? uuid(ports.random);
  const steps = await writeSteps(ports, live, next, { uid, ...(willFree && { willFree }) });
  return [...steps, ...(await ownRelease(ports.store, live, { object: next, uid }))];
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
    const operations = await stepsOf(ports, live, next);
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
    refuseOther(live, name, request.resourceVersion);
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

/** `version`: the one that the caller has read; "0": none was there. */
function refuseOther(
  live: Resource | undefined,
  name: ObjectName,
  version: string | undefined,
): void {
  if (version === undefined || version === (live?.metadata.resourceVersion ?? '0')) return;
  throw new RequestError(
    'ABORTED',
    `${name.kind} "${name.name}" has been changed meanwhile: read it again and repeat`,
  );
}

/** A write is never told to believe that a host is free. */
function freedBy({ dryRun, freed }: ApplyRequest): WillFree {
  if (!dryRun || freed === undefined) return () => false;
  const hosts = new Set(freed.hosts);
  return (host) => hosts.has(host);
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

export function clash(
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
