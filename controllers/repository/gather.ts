import { isDeepStrictEqual } from 'node:util';
import { condition, type Resource } from '../../api/object.ts';
import type { Repository } from '../../api/repository.ts';
import type { DeclaredObject } from '../../runtime/api-client.ts';
import type { RepositoryRecord } from '../../runtime/repository-records.ts';
import { secretContext } from '../../runtime/secret/secrets.ts';
import { qualifiedName } from '../../runtime/store/keys.ts';
import type { Stored } from '../../runtime/store/records.ts';
import type { World } from '../../runtime/store/world.ts';
import type { Sealer } from '../../runtime/tls/authority.ts';
import { type CommitSet, type Facts, nameOfKey, type RemoteView, type Verdict } from './facts.ts';
import type { Keepers } from './keepers.ts';

interface Known {
  readonly repository: Repository;
  readonly remote: RemoteView;
  readonly keepers: Keepers;
  readonly verdict: Verdict | undefined;
  readonly trouble: string | undefined;
  /** What a commit declares for a Repository; undefined: it was not read for it. */
  readonly setOf: (name: string, commit: string) => CommitSet | undefined;
}

/** All that is decided from, as of one revision. */
export function factsOf(
  { world, sealer }: { readonly world: World; readonly sealer: Sealer },
  { repository, remote, keepers, verdict, trouble, setOf }: Known,
): Facts {
  const { uid } = repository.metadata;
  const own = qualifiedName(repository.metadata);
  return {
    ...{ repository, remote, verdict, trouble },
    record: recordOf(world, repository).value,
    inventory: ofRepository(world.records('repositoryObject'), uid),
    undo: ofRepository(world.records('repositoryUndo'), uid),
    blockedBy: blockedBy(world, repository),
    live: (key) => liveOf(world, key),
    same: (kept, desired) => sameDeclared(sealer, kept, desired),
    keepers: (key) => keepers.ofKey(key).filter((name) => name !== own),
    claimant: (key) => claimant(world, { repository, remote, setOf }, key),
    gives: (name, key) => gives(world, { repository, remote, setOf }, { name, key }),
    behind: (commit) => behind(world, { repository, setOf }, commit),
  };
}

/** What is known of a Repository; of a new one, its name. */
export function recordOf(world: World, { metadata }: Repository): Stored<RepositoryRecord> {
  const found = world.record('repository', metadata.uid);
  return found ?? { value: { name: qualifiedName(metadata) }, modRevision: 0n };
}

function ofRepository<Value>(
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

function liveOf(world: World, key: string): Resource | undefined {
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

function claimant(
  world: World,
  { repository, remote, setOf }: Pick<Known, 'repository' | 'remote' | 'setOf'>,
  key: string,
): string | undefined {
  const commit = remote.set?.commit;
  if (commit === undefined) return undefined;
  return besides(world, repository)
    .map(({ metadata }) => qualifiedName(metadata))
    .find((name) => setOf(name, commit)?.desired.some((each) => each.key === key) === true);
}

function gives(
  world: World,
  { repository, remote, setOf }: Pick<Known, 'repository' | 'remote' | 'setOf'>,
  { name, key }: { readonly name: string; readonly key: string },
): boolean {
  const isBeside = besides(world, repository).some(
    ({ metadata }) => qualifiedName(metadata) === name,
  );
  const set = remote.set === undefined ? undefined : setOf(name, remote.set.commit);
  if (!isBeside || set === undefined || set.desired.length === 0) return false;
  return set.desired.every((each) => each.key !== key);
}

/** Others that follow the same remote. */
export function besides(world: World, { metadata, spec }: Repository): readonly Repository[] {
  return world.list('Repository').filter((each) => {
    if (each.metadata.uid === metadata.uid || each.spec.suspend) return false;
    return each.spec.url === spec.url && isDeepStrictEqual(each.spec.ref, spec.ref);
  });
}

/** Whether two declarations say the same. Each time a value is sealed it looks another way. */
function sameDeclared(sealer: Sealer, kept: DeclaredObject, desired: DeclaredObject): boolean {
  const isSameHead = isDeepStrictEqual(plain(kept.metadata), plain(desired.metadata));
  if (!isSameHead) return false;
  if (kept.kind !== 'Secret') return isDeepStrictEqual(plain(kept.spec), plain(desired.spec));
  return isDeepStrictEqual(opened(sealer, kept), dataOf(desired));
}

function opened(sealer: Sealer, secret: DeclaredObject): Readonly<Record<string, unknown>> {
  const { namespace = '', name } = secret.metadata;
  const open = ([key, sealed]: readonly [string, string]): readonly [string, unknown] => {
    try {
      return [key, sealer.open(sealed, secretContext({ namespace, name, key }))];
    } catch {
      // Sealed with a key that is lost: it is declared anew.
      return [key, undefined];
    }
  };
  return Object.fromEntries(Object.entries(dataOf(secret)).map(open));
}

function dataOf({ spec }: DeclaredObject): Readonly<Record<string, string>> {
  return (spec as { readonly data?: Readonly<Record<string, string>> } | undefined)?.data ?? {};
}

/** As JSON keeps it, without what is undefined. */
function plain(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
}
