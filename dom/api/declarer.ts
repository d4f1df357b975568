import { isDeepStrictEqual } from 'node:util';
import type { Resource } from '../../api/object.ts';
import { validateObject } from '../../api/validate.ts';
import type { Beside, DeclareRequest, Declarer, RemoveRequest } from '../../runtime/declarer.ts';
import type { Log } from '../../runtime/log.ts';
import { uuid } from '../../runtime/random.ts';
import { objectKey } from '../../runtime/store/keys.ts';
import { nameOf, type Operation } from '../../runtime/store/writer.ts';
import { type ApplyInput, type ApplyOutcome, mergeApplied } from '../apply/merge.ts';
import { commitDraft, complete, refuseDeleted, type WritePorts, writeSteps } from './draft.ts';
import { reserveHosts, type WillFree } from './hosts.ts';
import { takeLeftovers } from './leftovers.ts';
import { invalid, readObject } from './names.ts';
import { withoutGoneOwners } from './owners.ts';
import { ownRelease } from './release.ts';
import { changedValues, sealGiven, shown } from './secrets.ts';
import { clash } from './write.ts';

const USER = 'dom';

/** Declares objects for controllers, by the same rules as the API does for people. */
export function createDeclarer(ports: WritePorts & { readonly log: Log }): Declarer {
  return {
    async check(request, { willFree }) {
      const how = { dryRun: true, beside: () => [], willFree };
      const { outcome, before, after } = await apply(ports, request, how);
      return {
        ...{ outcome, before: before && shown(before), after: shown(after) },
        changedValues: changedValues(before, after),
      };
    },
    async apply(request, beside) {
      const { outcome, uid } = await apply(ports, request, { dryRun: false, beside });
      if (outcome !== 'unchanged') audit(ports.log, 'apply', { ...request, uid });
      return outcome;
    },
    async remove(request) {
      const { outcome } = await remove(ports, request);
      if (outcome !== 'gone') audit(ports.log, 'delete', { ...request });
      return outcome;
    },
  };
}

interface Applied {
  readonly outcome: 'created' | 'configured' | 'unchanged';
  readonly uid: string;
  readonly before: Resource | undefined;
  readonly after: Resource;
}

async function apply(
  ports: WritePorts,
  request: DeclareRequest,
  how: { readonly dryRun: boolean; readonly beside: Beside; readonly willFree?: WillFree },
): Promise<Applied> {
  const { manager, command, object, values } = request;
  const validation = validateObject(object);
  if (validation.kind === 'invalid') throw invalid(validation.violations);
  const name = nameOf(validation.object);
  const { willFree } = how;
  return commitDraft<Applied>(ports, { manager, user: USER, command }, how, async () => {
    const live = await readObject(ports.store, name);
    refuseDeleted(live, name);
    const { given } =
      values === 'sealed'
        ? validation
        : sealGiven(ports.sealer, name, { given: validation.given, live });
    const time = new Date(ports.clock.nowMs()).toISOString();
    const input = { ...(live !== undefined && { live }), applied: given, manager, time };
    const merged = merge(request, input);
    if (merged.kind === 'clash') throw clash(name, merged.clashes);
    const next = await withoutGoneOwners(ports.store, complete(validation.object, live, merged));
    const outcome =
      live === undefined ? 'created' : isDeepStrictEqual(next, live) ? 'unchanged' : 'configured';
    const uid = live?.metadata.uid ?? uuid(ports.random);
    const steps =
      outcome === 'unchanged'
        ? []
        : await writeSteps(ports, live, next, { uid, ...(willFree && { willFree }) });
    const beside = how.beside({ uid, spec: given.spec, wasThere: live !== undefined });
    const own = await ownRelease(ports.store, live, { object: next, uid });
    return {
      // What stands beside it may be about that release, too.
      operations: [...steps, ...own.filter((each) => !beside.some(isAbout(each))), ...beside],
      result: { outcome, uid, before: live, after: next },
    };
  });
}

/** Of the same object as that operation. */
function isAbout(operation: Operation): (other: Operation) => boolean {
  const wanted = subjectOf(operation);
  return (other) => wanted !== undefined && subjectOf(other) === wanted;
}

function subjectOf(operation: Operation): string | undefined {
  if ('base' in operation) return objectKey(nameOf(operation.base));
  if (operation.kind !== 'create') return undefined;
  const { kind, metadata } = operation.object;
  return objectKey({ kind, namespace: metadata.namespace, name: metadata.name });
}

function merge(request: DeclareRequest, input: Omit<ApplyInput, 'force'>): ApplyOutcome {
  const gentle = mergeApplied({ ...input, force: false });
  if (gentle.kind === 'merged') return gentle;
  const mayAll = gentle.clashes.every(({ manager }) => request.mayTakeOver(manager));
  return mayAll ? mergeApplied({ ...input, force: true }) : gentle;
}

interface Removed {
  readonly outcome: 'removed' | 'finalizing' | 'gone';
}

async function remove(
  ports: WritePorts,
  { name, uid, manager, command, beside }: RemoveRequest,
): Promise<Removed> {
  const author = { manager, user: USER, command };
  return commitDraft<Removed>(ports, author, { dryRun: false }, async () => {
    const live = await readObject(ports.store, name);
    if (live?.metadata.uid !== uid) return { operations: beside, result: { outcome: 'gone' } };
    const finalizing = (live.metadata.finalizers ?? []).length > 0;
    const hosts = finalizing ? [] : await reserveHosts(ports.store, live, undefined);
    const isMarked = live.metadata.deletionTimestamp !== undefined;
    const leftovers = isMarked ? [] : await takeLeftovers(ports.store, live);
    const operations: Operation[] = [{ kind: 'delete', base: live }, ...hosts, ...leftovers];
    const outcome = finalizing ? 'finalizing' : 'removed';
    return { operations: [...operations, ...beside], result: { outcome } };
  });
}

/** One line for each change, as the API has it (INV-37). */
function audit(
  log: Log,
  verb: 'apply' | 'delete',
  what: { readonly manager: string; readonly command: string; readonly uid: string } & (
    | { readonly object: DeclareRequest['object'] }
    | { readonly name: RemoveRequest['name'] }
  ),
): void {
  const { kind, namespace, name } =
    'object' in what ? { kind: what.object.kind, ...what.object.metadata } : what.name;
  const { manager, command, uid } = what;
  log.info({ user: USER, verb, kind, namespace, name, uid, manager, command }, 'audit');
}
