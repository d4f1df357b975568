import { condition } from '../../../api/object.ts';
import type { Repository } from '../../../api/repository.ts';
import type { RepositoryRecord } from '../../../runtime/repository-records.ts';
import { HISTORY_PREFIX } from '../../../runtime/store/keys.ts';
import type { HistoryEntry } from '../../../runtime/store/writer.ts';
import type { Check, CheckPorts, Commit } from '../check.ts';
import type { ObjectChange, ObjectChanges } from '../objects/object-changes.ts';
import type { StoreHistory } from '../store-history.ts';
import type { Pushed } from './repositories.ts';
import { INVENTORIES, keyOfObject, RECORDS, RepositoryFacts, UNDOS } from './repository-facts.ts';

export interface RepositoryChangesParts {
  readonly changes: ObjectChanges;
  readonly history: StoreHistory;
  readonly pushed: () => Pushed | undefined;
}

/**
 * What Repositories do, at each commit of the store.
 *
 * INV-42: a commit that was rolled back is not brought in again before another one was, or somebody
 * asked for it by force; whoever has crashed meanwhile.
 * INV-43: what a Repository removes is in no tree that it follows by then, and that tree was read and
 * declares something; no other Repository keeps it, or is declared to have it by that tree, whether it
 * has seen that or not; it goes with the record of it, so it goes once; and of one commit never more go
 * unasked than `massDeletionPercent`.
 * INV-41: a Repository that is said to be Ready is no place where a commit is half brought in; and a
 * commit is good only when each Site that it has changed has been Ready, as it is.
 * INV-45: of one commit each object is written at most once, and once more when it is put back; what
 * somebody has changed is put back at most once for each such change.
 */
export function repositoryChangesCheck(
  { violated, reached }: Pick<CheckPorts, 'violated' | 'reached'>,
  parts: RepositoryChangesParts,
): Check {
  const { changes, history } = parts;
  const facts = new RepositoryFacts(history);
  /** By uid of the Repository: the commit that was rolled back, and by which process of dom. */
  const bad = new Map<string, { readonly commit: string; readonly by: string }>();
  /** By uid, key, attempt and direction: how often it was written. */
  const written = new Map<string, number>();
  /** By uid: what its attempt has changed. */
  const touched = new Map<string, Set<string>>();
  /** By uid and key: who wrote last. */
  const writers = new Map<string, string>();
  /** By uid: what its attempt has removed, and how much there was at first. */
  const removed = new Map<string, { readonly held: number; gone: number }>();

  function noteRecord(
    uid: string,
    now: RepositoryRecord,
    { before, process, revision }: RecordChange,
  ): void {
    const { attempt } = now;
    if (now.bad !== undefined && now.bad.commit !== before?.bad?.commit) {
      bad.set(uid, { commit: now.bad.commit, by: process });
      reached('commit rolled back');
    }
    const isGood = before?.attempt?.phase === 'waiting' && attempt === undefined;
    if (isGood && now.applied?.commit === before.attempt.commit) lookAtGood(uid, now, revision);
    if (attempt === undefined) touched.delete(uid);
    if (attempt === undefined || attempt.sinceMs === before?.attempt?.sinceMs) return;
    const known = bad.get(uid);
    if (known?.commit === attempt.commit && now.forced !== attempt.commit)
      violated(42, `${now.name} tries ${attempt.commit} again, which it has rolled back`);
    if (before?.attempt !== undefined) reached('commit superseded');
    bad.delete(uid);
    const repository = facts.all(revision).find(({ metadata }) => metadata.uid === uid);
    if (repository !== undefined)
      removed.set(uid, { held: oldOf(repository, revision).length, gone: 0 });
  }

  function noteUndo(path: string): void {
    const id = path.slice(UNDOS.length);
    const cut = id.indexOf('/');
    const uid = id.slice(0, cut);
    touched.set(uid, (touched.get(uid) ?? new Set()).add(id.slice(cut + 1)));
  }

  function lookAtGood(uid: string, { name }: RepositoryRecord, at: bigint): void {
    const repository = facts.all(at).find(({ metadata }) => metadata.uid === uid);
    const kept = repository === undefined ? undefined : facts.inventory(repository, at);
    // One that somebody has deleted, and that is only reported, is missed by nobody.
    const isMissed = (key: string): boolean =>
      facts.live(key, at) !== undefined || repository?.spec.driftPolicy === 'correct';
    for (const key of touched.get(uid) ?? [])
      if (key.startsWith('Site/') && kept?.has(key) && isMissed(key) && !facts.wasReady(key, at))
        violated(41, `commit ${at} of the store: ${name} is content, and ${key} was never Ready`);
  }

  function lookAtRemoval(change: ObjectChange, commit: Commit, repository: Repository): void {
    const at = commit.revision - 1n;
    const { uid, name } = repository.metadata;
    const object = change.before;
    if (object === undefined) return;
    const key = keyOfObject(object);
    const record = facts.record(repository, at);
    const attempt = record?.attempt;
    const what = `commit ${commit.revision} of the store: ${name} removes ${key}`;
    const goes = (prefix: string): boolean =>
      commit.transaction.writes.some(
        (write) => write.kind === 'delete' && write.key === `${prefix}${uid}/${key}`,
      );
    if (!goes(INVENTORIES)) return violated(43, `${what}, which it does not keep`);
    if (attempt === undefined) return violated(43, `${what}, and brings nothing in`);
    if (attempt.phase === 'undoing') {
      const { found } = facts.undo(repository, at).get(key) ?? {};
      if (found !== 'nothing') violated(43, `${what}, which was there before the commit`);
      return;
    }
    const remote = parts.pushed();
    const tree = remote?.declared(attempt.commit, repository.spec.path);
    if (tree === undefined) return violated(43, `${what}, by a tree that declares nothing`);
    if (tree.has(key)) violated(43, `${what}, which ${attempt.commit} declares`);
    const taker = takerOf(key, repository, at);
    if (taker !== undefined) violated(43, `${what}, ${taker}`);
    countRemoval(key, what, { at, repository, attempt });
  }

  /** What it keeps, but for what only an undecided commit has brought. */
  function oldOf(repository: Repository, at: bigint): readonly string[] {
    const undo = facts.undo(repository, at);
    const keys = [...facts.inventory(repository, at).keys()];
    return keys.filter((key) => undo.get(key)?.found !== 'nothing');
  }

  function countRemoval(
    key: string,
    what: string,
    {
      at,
      repository,
      attempt,
    }: {
      readonly at: bigint;
      readonly repository: Repository;
      readonly attempt: NonNullable<RepositoryRecord['attempt']>;
    },
  ): void {
    const known = removed.get(repository.metadata.uid);
    if (known === undefined || !oldOf(repository, at).includes(key)) return;
    known.gone += 1;
    const { allowMassDeletion, massDeletionPercent } = repository.spec;
    const isAsked = allowMassDeletion || facts.record(repository, at)?.confirmed === attempt.commit;
    if (!isAsked && 100 * known.gone > massDeletionPercent * known.held)
      violated(43, `${what}, ${known.gone} of ${known.held}, and nobody has confirmed that`);
  }

  /** Why it is another Repository's, or about to be: also of a new one, and of one that is suspended. */
  function takerOf(key: string, deleter: Repository, at: bigint): string | undefined {
    const attempt = facts.record(deleter, at)?.attempt;
    for (const other of facts.all(at)) {
      if (other.metadata.uid === deleter.metadata.uid) continue;
      const { name } = other.metadata;
      if (facts.inventory(other, at).has(key)) return `which ${name} keeps`;
      if (attempt === undefined) continue;
      if (parts.pushed()?.declared(attempt.commit, other.spec.path)?.has(key) === true)
        return `which ${name} is about to take over`;
    }
    return undefined;
  }

  function lookAtWrite(
    change: ObjectChange,
    entry: HistoryEntry,
    repository: Repository,
    at: bigint,
  ): void {
    const object = change.after;
    if (object === undefined) return;
    const { uid, name } = repository.metadata;
    const key = keyOfObject(object);
    const { command = '' } = entry.author;
    const before = writers.get(`${uid} ${key}`);
    if (command.startsWith('put back what')) {
      reached('drift corrected');
      if (before === entry.author.manager)
        violated(45, `${name} puts ${key} back, and wrote it last itself`);
      return;
    }
    const attempt = facts.record(repository, at)?.attempt;
    const id = `${uid} ${key} ${attempt?.sinceMs} ${command.split(' ')[0]}`;
    const times = (written.get(id) ?? 0) + 1;
    written.set(id, times);
    if (times > 1) violated(45, `${name} writes ${key} a second time: ${command}`);
  }

  return {
    committed(commit) {
      if (parts.pushed() === undefined) return;
      const { transaction, before, process, revision } = commit;
      for (const write of transaction.writes) {
        if (write.kind === 'put' && write.key.startsWith(UNDOS)) noteUndo(write.key);
        if (write.kind !== 'put' || !write.key.startsWith(RECORDS)) continue;
        const item = before.get(write.key);
        const was = item === undefined ? undefined : (JSON.parse(item.value) as RepositoryRecord);
        const now = JSON.parse(write.value) as RepositoryRecord;
        noteRecord(write.key.slice(RECORDS.length), now, { before: was, process, revision });
      }
      for (const repository of facts.all(revision))
        if (isReady(repository) && facts.record(repository, revision)?.attempt !== undefined)
          violated(41, `${repository.metadata.name} is Ready, and a commit is being brought in`);
      const entries = entriesOf(commit);
      for (const change of changes.of(commit)) {
        const object = change.after ?? change.before;
        const entry = entries.find((each) => each.uid === object?.metadata.uid);
        if (object === undefined || entry === undefined) continue;
        const repository = facts.byManager(entry.author.manager, revision - 1n);
        if (repository !== undefined) {
          if (entry.change === 'deleted') lookAtRemoval(change, commit, repository);
          else lookAtWrite(change, entry, repository, revision - 1n);
        }
        for (const each of facts.all(revision - 1n))
          writers.set(`${each.metadata.uid} ${keyOfObject(object)}`, entry.author.manager);
      }
    },
  };
}

function isReady(repository: Repository): boolean {
  return condition(repository, 'Ready')?.status === 'True';
}

interface RecordChange {
  readonly before: RepositoryRecord | undefined;
  readonly process: string;
  readonly revision: bigint;
}

/** What was done to which object, and by whom. */
function entriesOf({ transaction }: Commit): readonly HistoryEntry[] {
  return transaction.writes.flatMap((write) =>
    write.kind === 'put' && write.key.startsWith(HISTORY_PREFIX)
      ? [JSON.parse(write.value) as HistoryEntry]
      : [],
  );
}
