import { isDeepStrictEqual } from 'node:util';
import type { Resource } from '../../../api/object.ts';
import { HISTORY_PREFIX, historyPrefix } from '../../../runtime/store/keys.ts';
import { type HistoryEntry, nameOf } from '../../../runtime/store/writer.ts';
import type { Check, CheckPorts, Commit } from '../check.ts';
import type { ObjectChange, ObjectChanges } from './object-changes.ts';

/** Kinds that are history themselves. */
const UNRECORDED: ReadonlySet<string> = new Set(['Event']);

/**
 * INV-37: each commit that creates an object, changes its spec, or deletes it (or marks it for
 * deletion) puts exactly one record into that object's history, which says what was done, to which
 * uid and generation, by whom, and to what spec. Nothing else puts one, and what is written stays.
 * That no record holds a secret is for the check of secrets to see.
 */
export function auditsCheck(
  { violated }: Pick<CheckPorts, 'violated'>,
  changes: ObjectChanges,
): Check {
  return {
    committed(commit) {
      const fault = faultOfKept(commit) ?? faultOfRecords(commit, changes.of(commit));
      if (fault !== undefined) violated(37, `commit ${commit.revision} ${fault}`);
    },
  };
}

function faultOfKept({ transaction, before }: Commit): string | undefined {
  const touched = transaction.writes.find(
    ({ kind, key }) =>
      key.startsWith(HISTORY_PREFIX) && (kind === 'delete' || before.get(key) !== undefined),
  );
  return touched === undefined ? undefined : `changes the past at ${touched.key}`;
}

function faultOfRecords(
  { transaction }: Commit,
  changes: readonly ObjectChange[],
): string | undefined {
  const records = new Map(
    transaction.writes.flatMap((write) =>
      write.kind === 'put' && write.key.startsWith(HISTORY_PREFIX)
        ? [[write.key, JSON.parse(write.value) as HistoryEntry] as const]
        : [],
    ),
  );
  for (const change of changes) {
    const object = change.after ?? change.before;
    const done = whatWasDone(change);
    if (object === undefined || done === undefined) continue;
    const prefix = historyPrefix(nameOf(object));
    const own = [...records.keys()].filter((key) => isOf(key, prefix));
    const [first] = own;
    if (own.length !== 1 || first === undefined)
      return `has ${change.key} ${done}, and ${own.length} records of that`;
    const fault = faultOfRecord(records.get(first), object, done);
    if (fault !== undefined) return `has ${change.key} ${done}, and a record that ${fault}`;
    records.delete(first);
  }
  const [stray] = records.keys();
  return stray === undefined ? undefined : `records at ${stray} what did not happen`;
}

/** Keys of one name: what comes after the prefix is one part. */
function isOf(key: string, prefix: string): boolean {
  return key.startsWith(prefix) && !key.slice(prefix.length).includes('/');
}

function whatWasDone({ before, after }: ObjectChange): HistoryEntry['change'] | undefined {
  const kind = (after ?? before)?.kind ?? '';
  if (UNRECORDED.has(kind)) return undefined;
  if (before === undefined) return after === undefined ? undefined : 'created';
  // What was marked for deletion has its record since then.
  if (isMarked(before)) return undefined;
  if (after === undefined || isMarked(after)) return 'deleted';
  return isDeepStrictEqual(before.spec, after.spec) ? undefined : 'configured';
}

function isMarked({ metadata }: Resource): boolean {
  return metadata.deletionTimestamp !== undefined;
}

function faultOfRecord(
  record: HistoryEntry | undefined,
  { metadata, spec }: Resource,
  done: HistoryEntry['change'],
): string | undefined {
  if (record === undefined) return 'cannot be read';
  if (record.change !== done) return `says ${record.change}`;
  if (record.uid !== metadata.uid) return `is of uid ${record.uid}`;
  if (record.generation !== metadata.generation) return `is of generation ${record.generation}`;
  if (record.author.manager === '' || record.author.user === '') return 'does not say by whom';
  return isDeepStrictEqual(record.spec, spec) ? undefined : 'shows another spec';
}
