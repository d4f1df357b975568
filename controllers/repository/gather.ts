import { isDeepStrictEqual } from 'node:util';
import { condition, type Resource } from '../../api/object.ts';
import { PRUNE, type Repository } from '../../api/repository.ts';
import type { RepositoryRecord } from '../../runtime/repository-records.ts';
import { qualifiedName } from '../../runtime/store/keys.ts';
import type { Stored } from '../../runtime/store/records.ts';
import type { World } from '../../runtime/store/world.ts';
import {
  type CommitSet,
  type Desired,
  type Drifted,
  type Facts,
  keyOf,
  managerOf,
  nameOfKey,
  type RemoteView,
  type Verdict,
} from './facts.ts';
import type { Comparisons } from './plan/comparisons.ts';
import type { Keepers } from './plan/keepers.ts';

interface Known {
  readonly repository: Repository;
  readonly remote: RemoteView;
  readonly keepers: Keepers;
  readonly comparisons: Comparisons;
  readonly verdict: Verdict | undefined;
  readonly trouble: string | undefined;
  /** Left out: of a forecast, which has seen nothing yet. */
  readonly attemptForMs?: number;
  /** What a commit declares for a Repository; undefined: it was not read for it. */
  readonly setOf: (name: string, commit: string) => CommitSet | undefined;
}

/** All that is decided from, as of one revision. */
export function factsOf(
  world: World,
  { repository, remote, keepers, verdict, trouble, attemptForMs = 0, ...known }: Known,
): Facts {
  const setOf = remembered(known.setOf);
  const { comparisons } = known;
  const { uid } = repository.metadata;
  const inventory = ofRepository(world.records('repositoryObject'), uid);
  const own = qualifiedName(repository.metadata);
  const beside = remembered(() => declaredBeside(world, { repository, remote, setOf }));
  return {
    ...{ repository, remote, verdict, trouble, attemptForMs },
    record: recordOf(world, repository).value,
    inventory,
    undo: ofRepository(world.records('repositoryUndo'), uid),
    blockedBy: blockedBy(world, repository),
    live: (key) => liveOf(world, key),
    same: (kept, desired) => comparisons.same(kept, desired),
    drifted: remembered(() => driftedOf(world, { repository, comparisons, inventory })),
    keepers: (key) => keepers.ofKey(key).filter((name) => name !== own),
    claimant: (key) => beside().find(({ keys }) => keys.has(key))?.name,
    gives: (name, key) => beside().some((each) => each.name === name && gives(each, key)),
    behind: (commit) => behind(world, { repository, setOf }, commit),
    unread: remembered((commit) => {
      const goes = going({ repository, remote, inventory }, commit);
      return unread(world, { repository, remote, setOf, goes }, commit);
    }),
  };
}

/** What is known of a Repository; of a new one, its name. */
export function recordOf(world: World, { metadata }: Repository): Stored<RepositoryRecord> {
  const found = world.record('repository', metadata.uid);
  return found ?? { value: { name: qualifiedName(metadata) }, modRevision: 0n };
}

function driftedOf(
  world: World,
  {
    repository,
    comparisons,
    inventory,
  }: Pick<Known, 'repository' | 'comparisons'> & Pick<Facts, 'inventory'>,
): readonly Drifted[] {
  const manager = managerOf(repository);
  return [...inventory].flatMap(([key, { value }]) => {
    const drift = comparisons.drift({ key, declared: value.object, manager }, liveOf(world, key));
    return drift.map((each) => ({ key, drift: each }));
  });
}

/** Of records by uid and key, those of one Repository, by key. */
export function ofRepository<Value>(
  records: readonly (readonly [id: string, stored: Stored<Value>])[],
  uid: string,
): ReadonlyMap<string, Stored<Value>> {
  const prefix = `${uid}/`;
  return new Map(
    records
      .filter(([id]) => id.startsWith(prefix))
      .map(([id, stored]) => [id.slice(prefix.length), stored]),
  );
}

export function liveOf(world: World, key: string): Resource | undefined {
  const { kind, ...name } = nameOfKey(key);
  return world.get(kind, name);
}

function blockedBy(world: World, { metadata, spec }: Repository): string | undefined {
  const { namespace } = metadata;
  for (const name of spec.dependsOn) {
    const other = world.get('Repository', { namespace, name });
    if (other === undefined) return `repository ${name}, which it depends on, is not there`;
    const ready = condition(other, 'Ready');
    const isOld = (ready?.observedGeneration ?? 0) < other.metadata.generation;
    if (isOld || ready?.status !== 'True')
      return `waits for repository ${name}, which is not Ready: ${ready?.message ?? 'nobody has looked'}`;
  }
  return undefined;
}

/**
 * Once a commit was read for it, what goes over to it is known. Two that wait for one another to be
 * done would wait for nothing.
 */
function behind(
  world: World,
  { repository, setOf }: Pick<Known, 'repository' | 'setOf'>,
  commit: string,
): string | undefined {
  const other = besides(world, repository).find(({ metadata, status }) => {
    if (status?.lastAppliedCommit === undefined) return false;
    return setOf(qualifiedName(metadata), commit) === undefined;
  });
  return other === undefined ? undefined : `repository ${qualifiedName(other.metadata)}`;
}

/**
 * What a commit declares for a Repository that refuses it, or is suspended, nobody knows. Nor for one
 * that this very commit makes, or lets follow another folder, in whoever's folder its manifest is.
 */
function unread(
  world: World,
  { repository, remote, setOf, goes }: Pick<Known, 'repository' | 'remote' | 'setOf'> & Going,
  commit: string,
): string | undefined {
  const others = followers(world, repository).filter((each) => !goes(each));
  const sets = others.map((each) => setOf(qualifiedName(each.metadata), commit));
  const dark = sets.findIndex((set) => set === undefined || set.problems.length > 0);
  const other = others[dark];
  if (other !== undefined) return qualifiedName(other.metadata);
  const own = remote.set?.commit === commit ? remote.set : undefined;
  return [own, ...sets]
    .flatMap((set) => set?.desired ?? [])
    .filter(({ object }) => object.kind === 'Repository')
    .find((desired) => isComing(world, repository, desired))
    ?.key.replace(/^Repository\//, '');
}

interface Going {
  readonly goes: (other: Repository) => boolean;
}

/** Whether this very commit deletes another Repository, which then takes nothing over. */
function going(
  { repository, remote, inventory }: Pick<Facts, 'repository' | 'remote' | 'inventory'>,
  commit: string,
): Going['goes'] {
  const { set } = remote;
  if (set?.commit !== commit || repository.spec.prune === 'off') return () => false;
  const declared = new Set(set.desired.map(({ key }) => key));
  return (other) => {
    const { uid, annotations } = other.metadata;
    const isOwn = inventory.get(keyOf(other))?.value.uid === uid;
    return isOwn && !declared.has(keyOf(other)) && annotations?.[PRUNE] !== 'disabled';
  };
}

/** Whether a manifest makes a Repository follow the same remote that does not, or not that folder. */
function isComing(world: World, { spec }: Repository, { key, object }: Desired): boolean {
  const { url, ref, path = '.' } = (object.spec ?? {}) as Partial<Repository['spec']>;
  if (url !== spec.url || !isDeepStrictEqual(ref, spec.ref)) return false;
  const live = world.get('Repository', nameOfKey(key));
  if (live === undefined) return true;
  return live.spec.url !== url || live.spec.path !== path || !isDeepStrictEqual(live.spec.ref, ref);
}

/** Asked once: each of many removed objects asks the same. */
function remembered<Value>(ask: (...about: readonly string[]) => Value): typeof ask {
  const known = new Map<string, Value>();
  return (...about) => {
    const key = about.join(' ');
    const value = known.has(key) ? (known.get(key) as Value) : ask(...about);
    known.set(key, value);
    return value;
  };
}

/** What a commit declares for the others of the same remote, by name. */
interface Declared {
  readonly name: string;
  readonly keys: ReadonlySet<string>;
  readonly isSuspended: boolean;
}

/** Of those that have read the commit that comes, also where they were suspended since. */
function declaredBeside(
  world: World,
  { repository, remote, setOf }: Pick<Known, 'repository' | 'remote' | 'setOf'>,
): readonly Declared[] {
  const commit = remote.set?.commit;
  if (commit === undefined) return [];
  return followers(world, repository).flatMap(({ metadata, spec }) => {
    const name = qualifiedName(metadata);
    const set = setOf(name, commit);
    if (set === undefined) return [];
    const keys = new Set(set.desired.map(({ key }) => key));
    return [{ name, keys, isSuspended: spec.suspend }];
  });
}

/** One that refuses a commit declares nothing, and so gives nothing away; nor does one that stands still. */
function gives({ keys, isSuspended }: Declared, key: string): boolean {
  return !isSuspended && keys.size > 0 && !keys.has(key);
}

/** A commit that another one of the same remote brings in, for which it may wait for this one. */
export function comingBeside(world: World, repository: Repository): string | undefined {
  return besides(world, repository)
    .map((each) => recordOf(world, each).value.attempt)
    .find((attempt) => attempt?.phase === 'applying')?.commit;
}

/** Others that follow the same remote, and look at it. */
export function besides(world: World, repository: Repository): readonly Repository[] {
  return followers(world, repository).filter(({ spec }) => !spec.suspend);
}

/** Others that follow the same remote. What is being deleted takes nothing over any more. */
function followers(world: World, { metadata, spec }: Repository): readonly Repository[] {
  return world.list('Repository').filter((each) => {
    const { uid, deletionTimestamp } = each.metadata;
    if (uid === metadata.uid || deletionTimestamp !== undefined) return false;
    return each.spec.url === spec.url && isDeepStrictEqual(each.spec.ref, spec.ref);
  });
}
