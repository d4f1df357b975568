import { condition } from '../../../api/object.ts';
import type { Repository } from '../../../api/repository.ts';
import type { RepositoryRecord } from '../../../runtime/repository-records.ts';
import { kindPrefix, recordKey } from '../../../runtime/store/keys.ts';
import { decodeObject } from '../../../runtime/store/mirror.ts';
import type { Store } from '../../../runtime/store/store.ts';
import type { SimulatedGit } from '../../git/simulated-git.ts';

/** A Repository that says so goes no further by itself. */
const FINAL: ReadonlySet<string> = new Set([
  ...['Applied', 'BadCommit', 'Invalid', 'MassDeletion', 'NotReady', 'NothingDeclared'],
  ...['Refused', 'Suspended'],
]);

/** Which Repositories of a world with a Git remote are still under way, in words. */
export async function pendingOnRepositories(
  { head }: Pick<SimulatedGit, 'head'>,
  store: Pick<Store, 'list'>,
): Promise<readonly string[]> {
  const { items } = await store.list(kindPrefix('Repository'));
  const records = new Map(
    (await store.list(recordKey('repository', ''))).items.map(({ key, value }) => {
      const uid = key.slice(recordKey('repository', '').length);
      return [uid, JSON.parse(value) as RepositoryRecord];
    }),
  );
  return items.flatMap((item) => {
    const repository = decodeObject(item) as Repository;
    const { name, uid, generation } = repository.metadata;
    const ready = condition(repository, 'Ready');
    const told = `Repository ${name}, which is ${ready?.reason}: ${ready?.message}`;
    if (ready === undefined || !FINAL.has(ready.reason)) return [told];
    if (ready.observedGeneration !== generation) return [`Repository ${name} to be looked at`];
    const { attempt, pinned } = records.get(uid) ?? {};
    const target = pinned?.head === head ? pinned?.commit : head;
    const seen = attempt?.commit ?? repository.status?.attemptedCommit;
    const isSeen = seen === target || attempt !== undefined || ready.reason === 'Suspended';
    return isSeen ? [] : [`Repository ${name} to see ${target}; ${told}`];
  });
}
