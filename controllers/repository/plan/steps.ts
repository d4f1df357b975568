import { isDeepStrictEqual } from 'node:util';
import { formatViolation } from '../../../api/manifest.ts';
import type { Repository } from '../../../api/repository.ts';
import type { Clock } from '../../../runtime/clock.ts';
import type { Beside, DeclareRequest, Declarer, Effect } from '../../../runtime/declarer.ts';
import { shortCommit } from '../../../runtime/git/git.ts';
import { printable } from '../../../runtime/printable.ts';
import type {
  RepositoryObjectRecord,
  RepositoryUndoRecord,
} from '../../../runtime/repository-records.ts';
import { RequestError } from '../../../runtime/request-error.ts';
import { qualifiedName } from '../../../runtime/store/keys.ts';
import type { Stored } from '../../../runtime/store/records.ts';
import type { World } from '../../../runtime/store/world.ts';
import { type Author, type Operation, owning, type Writer } from '../../../runtime/store/writer.ts';
import {
  type CommitSet,
  type Desired,
  type Facts,
  managerOf,
  nameOfKey,
  REPOSITORY_MANAGER,
  shownKey,
} from '../facts.ts';
import { isAnothers } from './anothers.ts';
import { changeDigest } from './change-digest.ts';
import { type Change, orderChanges, wantedHosts } from './order.ts';
import type { Apply, Removal, SetChange } from './plan.ts';

export const AUTHOR: Author = { manager: 'repository-controller', user: 'dom' };

/** Work of one reconcile, after which others have their turn. */
const TURN_MS = 3_000;

export interface StepPorts {
  readonly world: World;
  readonly writer: Writer;
  readonly clock: Clock;
  readonly declarer: Declarer;
}

/** `more`: the turn was over before the work was. */
export type Progress = 'done' | 'more';

export interface Checked {
  /** What dom says against it, with file and line. */
  readonly problems: readonly string[];
  /** By key, what becomes of each object that would be written. */
  readonly effects: ReadonlyMap<string, Effect>;
  /** See `changeDigest`. */
  readonly digest: string;
}

/** What dom says to the changes of a commit; nothing is written. */
export async function checkChanges(
  ports: { readonly declarer: Pick<Declarer, 'check'> },
  facts: Facts,
  { set, changes, force }: { set: CommitSet; changes: readonly SetChange[]; force: boolean },
): Promise<Checked> {
  const problems: string[] = [];
  const effects = new Map<string, Effect>();
  const byUid = new Map(changes.map((each) => [facts.live(each.key)?.metadata.uid, each]));
  const willFree = (host: string, siteUid: string): boolean => {
    // The order of changes sees to it that whoever has it gives it up before.
    const holder = byUid.get(siteUid);
    return holder !== undefined && !wantedHosts(holder).includes(host);
  };
  for (const change of changes) {
    if (change.object === undefined) continue;
    const request = requestFor(facts, change.desired, { commit: set.commit, force });
    try {
      effects.set(change.key, await ports.declarer.check(request, { willFree }));
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      problems.push(problemText(error, change.desired));
    }
  }
  return { problems, effects, digest: changeDigest(changes, effects, facts) };
}

/** Applies and removes in the given order, each with the record of it in the same transaction. */
export async function applyChanges(
  ports: StepPorts,
  facts: Facts,
  { changes, commit, force }: { changes: readonly SetChange[]; commit: string; force: boolean },
): Promise<Progress> {
  const startMs = ports.clock.monotonicMs();
  for (const change of changes) {
    if (ports.clock.monotonicMs() - startMs > TURN_MS) return 'more';
    if (change.object === undefined) await removeOne(ports, facts, { removal: change, commit });
    else await applyOne(ports, facts, { apply: change, commit, force });
  }
  return 'done';
}

async function applyOne(
  ports: StepPorts,
  facts: Facts,
  { apply, commit, force }: { apply: Apply; commit: string; force: boolean },
): Promise<void> {
  const { desired, key } = apply;
  const kept = facts.inventory.get(key);
  const id = idOf(facts.repository, key);
  const beside: Beside = ({ uid, spec, wasThere }) => {
    const value: RepositoryObjectRecord = {
      ...{ uid, file: desired.file },
      object: { ...desired.object, spec },
      ...(desired.release && { release: desired.release }),
    };
    const isSame = kept !== undefined && isDeepStrictEqual(plain(kept.value), plain(value));
    return [
      ...undoOnce(facts, key, wasThere),
      ...(isSame ? [] : [putObject(id, value, kept)]),
      ...releaseOnce(ports.world, value),
    ];
  };
  try {
    await ports.declarer.apply(requestFor(facts, desired, { commit, force }), beside);
  } catch (error) {
    // Said with its place, and tried again until the time of the commit is over.
    if (error instanceof RequestError && error.code !== 'ABORTED')
      throw new StepFailure(problemText(error, desired), { cause: error });
    throw error;
  }
}

/** A step that may go well later; the message is for a person. */
export class StepFailure extends Error {
  override readonly name = 'StepFailure';
}

async function removeOne(
  ports: StepPorts,
  facts: Facts,
  { removal, commit }: { removal: Removal; commit: string },
): Promise<void> {
  const { key } = removal;
  const kept = facts.inventory.get(key);
  if (kept === undefined) return;
  const beside = [...undoOnce(facts, key, true), dropObject(idOf(facts.repository, key), kept)];
  if (removal.how === 'let go') return await commitAlone(ports, beside);
  await ports.declarer.remove({
    ...{ name: nameOfKey(key), uid: kept.value.uid, beside },
    manager: managerOf(facts.repository),
    command: commandOf(facts, commit),
  });
}

interface Restoration extends Change {
  readonly undo: Stored<RepositoryUndoRecord>;
}

/** Puts back what an attempt has changed, each with the record of it in the same transaction. */
export async function restore(ports: StepPorts, facts: Facts, commit: string): Promise<Progress> {
  const changes = [...facts.undo].map(([key, undo]): Restoration => {
    return {
      key,
      undo,
      object: undo.value.found === 'kept' ? undo.value.before.object : undefined,
    };
  });
  const ordered = orderChanges(changes, facts.live);
  const startMs = ports.clock.monotonicMs();
  // Whatever came one after the other goes back one after the other, so there is an order.
  for (const change of ordered.kind === 'ordered' ? ordered.changes : changes) {
    if (ports.clock.monotonicMs() - startMs > TURN_MS) return 'more';
    await restoreOne(ports, facts, { change, commit });
  }
  return 'done';
}

async function restoreOne(
  ports: StepPorts,
  facts: Facts,
  { change, commit }: { change: Restoration; commit: string },
): Promise<void> {
  const { key, undo } = change;
  const { repository } = facts;
  const id = idOf(repository, key);
  const kept = facts.inventory.get(key);
  const forget: Operation = {
    ...{ kind: 'record', record: 'repositoryUndo', id, value: undefined },
    modRevision: undo.modRevision,
  };
  const command = `roll back ${shortCommit(commit)} of ${qualifiedName(repository.metadata)}`;
  if (undo.value.found === 'kept') {
    // Another Repository has taken it over meanwhile, and keeps it.
    if (kept === undefined && facts.keepers(key).length > 0)
      return await commitAlone(ports, [forget]);
    const { before } = undo.value;
    const request: DeclareRequest = {
      ...{ object: before.object, manager: managerOf(repository), command, values: 'sealed' },
      mayTakeOver: (manager) => !isAnothers(facts, key, manager),
    };
    await ports.declarer.apply(request, ({ uid }) => [
      forget,
      putObject(id, { ...before, uid }, kept),
      ...releaseOnce(ports.world, { ...before, uid }),
    ]);
    return;
  }
  const beside = [forget, ...(kept === undefined ? [] : [dropObject(id, kept)])];
  if (undo.value.found === 'foreign' || kept === undefined) return await commitAlone(ports, beside);
  const manager = managerOf(repository);
  await ports.declarer.remove({
    ...{ name: nameOfKey(key), uid: kept.value.uid, manager, command, beside },
  });
}

/** Puts back fields that others changed, from what was declared last. */
export async function correct(
  ports: StepPorts,
  facts: Facts,
  keys: readonly string[],
): Promise<Corrected> {
  const { repository, inventory } = facts;
  let corrected: Corrected = 'nothing';
  for (const key of keys) {
    const kept = inventory.get(key);
    if (kept === undefined) continue;
    const id = idOf(repository, key);
    const request = correctionOf(facts, key, kept.value);
    const outcome = await ports.declarer.apply(request, ({ uid }) => [
      ...(uid === kept.value.uid ? [] : [putObject(id, { ...kept.value, uid }, kept)]),
      ...releaseOnce(ports.world, { ...kept.value, uid }),
    ]);
    if (outcome !== 'unchanged') corrected = 'something';
  }
  return corrected;
}

export function correctionOf(
  facts: Facts,
  key: string,
  { object }: RepositoryObjectRecord,
): DeclareRequest {
  const { repository } = facts;
  return {
    ...{ object, manager: managerOf(repository), values: 'sealed' },
    command: `put back what ${qualifiedName(repository.metadata)} declares`,
    mayTakeOver: (manager) => !isAnothers(facts, key, manager),
  };
}

/** Whether anything had to be put back: a mirror may lag behind who did so before. */
export type Corrected = 'something' | 'nothing';

function requestFor(
  facts: Facts,
  { key, object }: Desired,
  { commit, force }: { readonly commit: string; readonly force: boolean },
): DeclareRequest {
  // What somebody else declared is not taken from them unasked; what is ours, is.
  const isOurs = facts.inventory.has(key);
  return {
    ...{ object, manager: managerOf(facts.repository), values: 'plain' },
    command: commandOf(facts, commit),
    mayTakeOver: (manager) =>
      manager.startsWith(REPOSITORY_MANAGER) ? !isAnothers(facts, key, manager) : isOurs || force,
  };
}

const AUTHOR_LENGTH_MAX = 100;

/** What history says: `commit 1c0d8a… of default/infra by Ada <ada@example.com>: Mend the blog`. */
function commandOf({ repository, remote: { set } }: Facts, commit: string): string {
  const what = `commit ${commit} of ${qualifiedName(repository.metadata)}`;
  if (set?.commit !== commit) return what;
  const { author = '' } = set;
  const by = author === '' ? '' : ` by ${author.slice(0, AUTHOR_LENGTH_MAX)}`;
  return printable(set.subject === '' ? `${what}${by}` : `${what}${by}: ${set.subject}`);
}

/** What the attempt found, noted before the first change of it. */
function undoOnce(facts: Facts, key: string, wasThere: boolean): readonly Operation[] {
  if (facts.undo.has(key)) return [];
  const kept = facts.inventory.get(key);
  const value: RepositoryUndoRecord =
    kept !== undefined
      ? { found: 'kept', before: kept.value }
      : { found: wasThere ? 'foreign' : 'nothing' };
  const id = idOf(facts.repository, key);
  return [{ kind: 'record', record: 'repositoryUndo', id, value, modRevision: 0n }];
}

/**
 * A release goes with its Site, so it comes with the Site. One that is there is the Site's own from
 * this very write on: it may be about to go with another one that named it.
 */
function releaseOnce(
  world: World,
  { uid, object, release }: Pick<RepositoryObjectRecord, 'uid' | 'object' | 'release'>,
): readonly Operation[] {
  if (release === undefined) return [];
  const { namespace, name: site } = object.metadata;
  const { digest: name, files, sizeBytes } = release;
  if (namespace === undefined) return [];
  const found = world.get('Release', { namespace, name });
  // It may have gone with the Site just now, which is not seen here at once.
  if (found !== undefined) return [owning(found, { kind: 'Site', name: site, uid })];
  const spec = { site, files, sizeBytes };
  return [{ kind: 'create', object: { kind: 'Release', metadata: { name, namespace }, spec } }];
}

function putObject(
  id: string,
  value: RepositoryObjectRecord,
  kept: Stored<RepositoryObjectRecord> | undefined,
): Operation {
  const modRevision = kept?.modRevision ?? 0n;
  return { kind: 'record', record: 'repositoryObject', id, value, modRevision };
}

function dropObject(id: string, { modRevision }: Stored<RepositoryObjectRecord>): Operation {
  return { kind: 'record', record: 'repositoryObject', id, value: undefined, modRevision };
}

async function commitAlone({ writer }: StepPorts, operations: readonly Operation[]): Promise<void> {
  const { outcome } = await writer.commit(operations, AUTHOR);
  if (outcome === 'conflict') throw new RequestError('ABORTED', 'changed meanwhile');
}

export function idOf({ metadata }: Repository, key: string): string {
  return `${metadata.uid}/${key}`;
}

function problemText(error: RequestError, { key, file, locate }: Desired): string {
  const { violations = [], clashes = [] } = error.details ?? {};
  const head = shownKey(key);
  const document = { kind: 'object', raw: undefined, source: file, locate } as const;
  if (violations.length > 0)
    return `${head}: ${violations.map((each) => formatViolation(each, document)).join('; ')}`;
  if (clashes.length === 0) return `${head}: ${error.message} (${file}:${locate('')})`;
  const fields = clashes.map(
    ({ path, manager }) => `${path} is set by ${manager} (${file}:${locate(path)})`,
  );
  return `${head}: ${fields.join(', ')}; leave it out, or take it over with b8sctl reconcile --force`;
}

/** As JSON keeps it, without what is undefined. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}
