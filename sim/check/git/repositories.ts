import type { Repository } from '../../../api/repository.ts';
import { compareKeys } from '../../../runtime/store/key-order.ts';
import { NAMESPACE } from '../../load/wish.ts';
import type { Check, CheckPorts } from '../check.ts';
import { contains } from '../store/api-history.ts';
import type { StoreHistory } from '../store-history.ts';
import { INVENTORIES, keyOfObject, RepositoryFacts, storeKeyOf } from './repository-facts.ts';

/** The remote, as whoever pushes to it means it. */
export interface Pushed {
  /** What a Repository of that folder is to make of a commit; undefined: nothing. */
  declared(commit: string, folder: string): ReadonlyMap<string, object> | undefined;
  /** Keys of objects that somebody else has made or changed by hand. */
  readonly touched: ReadonlySet<string>;
  /** By key, with its uid: what has a label that no manifest names. */
  readonly labelled: ReadonlyMap<string, string>;
}

/**
 * At rest, in a world where dom follows Git.
 *
 * INV-41: what a Repository keeps is all of one commit, and of no other: of the last one that was
 * good, or of the one that is still waited for; half of one where somebody else has meanwhile declared
 * the rest, for as long as he does. Each object is there, and says what the commit says;
 * what no commit in force declares is gone, unless people made it, or one Repository left it to another
 * that did not take it in the end: that one is nobody's. What one has taken over by a commit that
 * the other refuses is as the one says, though both keep it. Nothing is left to be undone but of an
 * attempt.
 * INV-44: with `correct` that is so of every field that the commit names, whoever changed it. What it
 * does not name is as whoever set it left it.
 */
export function repositoriesCheck(
  { violated }: Pick<CheckPorts, 'violated'>,
  {
    history,
    pushed,
  }: { readonly history: StoreHistory; readonly pushed: () => Pushed | undefined },
): Check {
  const facts = new RepositoryFacts(history);
  /** Keys that a Repository has let go of while there was another one. */
  const left = new Set<string>();
  return {
    committed({ revision, transaction: { writes } }) {
      const gone = new Set(writes.filter(({ kind }) => kind === 'delete').map(({ key }) => key));
      for (const { kind, key } of writes) {
        if (!key.startsWith(INVENTORIES)) continue;
        const object = key.slice(key.indexOf('/', INVENTORIES.length) + 1);
        const isLeft = kind === 'delete' && !gone.has(storeKeyOf(object));
        if (isLeft && facts.all(revision).length > 1) left.add(object);
        else left.delete(object);
      }
    },
    rested() {
      const remote = pushed();
      if (remote === undefined) return;
      const kept = new Set<string>();
      for (const repository of facts.all(history.head))
        for (const key of lookAt(repository, remote)) kept.add(key);
      lookForLeftovers(kept, remote);
      for (const [key, uid] of remote.labelled) {
        const { metadata } = facts.live(key, history.head) ?? {};
        if (metadata?.uid === uid && metadata.labels?.['team'] !== 'web')
          violated(44, `${key} has another label than somebody gave it, which no manifest names`);
      }
    },
  };

  /** Gives the keys of what it keeps. */
  function lookAt(repository: Repository, remote: Pushed): readonly string[] {
    const { name } = repository.metadata;
    const { spec } = repository;
    const at = history.head;
    const { attempt } = facts.record(repository, at) ?? {};
    const inventory = facts.inventory(repository, at);
    const commit = facts.commit(repository, at);
    const wanted = commit === undefined ? new Map() : remote.declared(commit, spec.path);
    if (attempt === undefined && facts.undo(repository, at).size > 0)
      violated(41, `Repository ${name} has something to undo, and no attempt`);
    // What a commit handed over is the other one's, also when the rest of it was rolled back.
    const elsewhere = new Set(
      facts
        .all(at)
        .filter(({ metadata }) => metadata.uid !== repository.metadata.uid)
        .flatMap((other) => [...facts.inventory(other, at).keys()]),
    );
    const isOwn = (key: string): boolean => inventory.has(key) || !elsewhere.has(key);
    const is = [...inventory.keys()].toSorted(compareKeys).join(' ');
    const ought = [...(wanted?.keys() ?? [])].filter(isOwn).toSorted(compareKeys).join(' ');
    const isBarred =
      attempt?.phase === 'applying' &&
      [...(wanted?.keys() ?? [])].some((key) => !inventory.has(key) && remote.touched.has(key));
    if (wanted === undefined || (is !== ought && !isBarred))
      violated(41, `Repository ${name} keeps ${is}; commit ${commit} declares ${ought}`);
    if (spec.suspend) return [...inventory.keys()];
    for (const [key, declared] of wanted ?? []) {
      if (!isOwn(key) || (isBarred && !inventory.has(key))) continue;
      if (isTaken(key, repository, remote)) continue;
      const live = facts.live(key, at);
      const isOthers = remote.touched.has(key);
      const release = releaseOf(declared);
      if (live !== undefined && release !== undefined && facts.live(release, at) === undefined)
        violated(41, `${key} is there, and ${release}, which it names, is gone`);
      if (isOthers && spec.driftPolicy === 'report') continue;
      if (live === undefined || !contains(live.spec, declared))
        violated(
          isOthers ? 44 : 41,
          `${key} is ${JSON.stringify(live?.spec)}, and commit ${commit} of ${name} says ${JSON.stringify(declared)}`,
        );
    }
    return [...inventory.keys()];
  }

  /** By another Repository, of a commit that hands it over, and that this one refuses. */
  function isTaken(key: string, from: Repository, remote: Pushed): boolean {
    const at = history.head;
    const since = facts.keptSince(from, key, at) ?? 0n;
    return facts.all(at).some((other) => {
      const commit = facts.commit(other, at);
      const isLater = (facts.keptSince(other, key, at) ?? 0n) > since;
      if (!isLater || commit === undefined) return false;
      // Also where it leaves nothing at all to the other, which then refuses it.
      return remote.declared(commit, from.spec.path)?.has(key) !== true;
    });
  }

  function lookForLeftovers(kept: ReadonlySet<string>, { touched }: Pushed): void {
    for (const kind of ['Issuer', 'Site'] as const)
      for (const object of facts.list(kind, history.head)) {
        const key = keyOfObject(object);
        const isOfGit = object.metadata.managedFields?.some(({ manager }) =>
          manager.startsWith('repository/'),
        );
        if (isOfGit === true && ![kept, touched, left].some((each) => each.has(key)))
          violated(41, `${key} came from Git, and no commit in force declares it`);
      }
  }
}

/** The key of the Release that a Site names; without it dom clears its files away. */
function releaseOf(declared: object): string | undefined {
  const { content } = declared as { readonly content?: { readonly release?: string } };
  return content?.release === undefined ? undefined : `Release/${NAMESPACE}/${content.release}`;
}
