import type { DatabaseSync } from 'node:sqlite';
import type { RevisionChanges } from '../../../runtime/store/change-log.ts';
import { compareKeys } from '../../../runtime/store/key-order.ts';
import { futureRevisionError } from '../../../runtime/store/limits.ts';
import type { Change, KeyValue, Page, Revision } from '../../../runtime/store/store.ts';
import { CompactedError } from '../../../runtime/store/store.ts';
import type { HistoryAsk, HistoryPage, ListAsk } from './protocol.ts';
import type { Marks } from './rows.ts';
import { rangeEnd, toBigint, toKeyValue } from './rows.ts';

export interface Reader {
  get(key: string): KeyValue | undefined;
  list(ask: ListAsk): Page;
  history(ask: HistoryAsk): HistoryPage;
}

/** A page ends early rather than hold more text than this: the thread must not stall for long. */
const PAGE_LENGTH_MAX = 16 * 1024 * 1024;
/** A stretch of history holds about as many changes at most… */
const HISTORY_CHANGES_MAX = 500;
const HISTORY_LENGTH_MAX = 4 * 1024 * 1024;
/** …and looks at as many revisions, so that a quiet prefix costs no long scan. */
const HISTORY_REVISIONS_MAX = 5_000n;

/** The half of the store that reads. Every read is of one moment: nothing runs in between. */
export function reader(database: DatabaseSync, marks: Marks): Reader {
  const selectKey = database.prepare(`
    SELECT key, value, log.create_revision, mod_revision
    FROM current JOIN log USING (key)
    WHERE key = ? AND log.revision = mod_revision`);
  const selectCurrent = database.prepare(`
    SELECT current.key, value, current.create_revision, mod_revision
    FROM current CROSS JOIN log ON log.revision = mod_revision AND log.key = current.key
    WHERE current.key >= ? AND current.key < ? ORDER BY current.key`);
  // Sorted without ORDER BY, which would read all before the first row: GROUP BY walks the index
  // in the order of keys, and CROSS JOIN keeps that order.
  const selectPast = database.prepare(`
    SELECT log.key, value, create_revision, log.revision AS mod_revision
    FROM (
      SELECT key, max(revision) AS revision FROM log INDEXED BY log_by_key
      WHERE key >= ? AND key < ? AND revision <= ? GROUP BY key
    ) AS newest
    CROSS JOIN log ON log.revision = newest.revision AND log.key = newest.key
    WHERE value IS NOT NULL`);
  const selectHistory = database.prepare(`
    SELECT key, value, create_revision, revision AS mod_revision FROM log
    WHERE revision > ? AND revision <= ? AND key >= ? AND key < ? ORDER BY revision, key`);

  function get(key: string): KeyValue | undefined {
    const row = selectKey.get(key);
    return row === undefined ? undefined : toKeyValue(row);
  }

  function list({ prefix, afterKey, limit, revision = marks.head }: ListAsk): Page {
    if (revision > marks.head) throw futureRevisionError(revision, marks.head);
    if (revision < marks.compacted) {
      throw new CompactedError(`list ${prefix} at ${revision}: compacted to ${marks.compacted}`);
    }
    // No key holds NUL, so this is the least key after `afterKey`.
    const start = compareKeys(afterKey, prefix) < 0 ? prefix : `${afterKey}\0`;
    const end = rangeEnd(prefix);
    const rows =
      revision === marks.head
        ? selectCurrent.iterate(start, end)
        : selectPast.iterate(start, end, revision);
    const items: KeyValue[] = [];
    let length = 0;
    for (const row of rows) {
      if (items.length === limit || length > PAGE_LENGTH_MAX)
        return { items, revision, more: true };
      const item = toKeyValue(row);
      length += item.value.length;
      items.push(item);
    }
    return { items, revision, more: false };
  }

  function history({ prefix, afterRevision }: HistoryAsk): HistoryPage {
    // Nothing happens at revision 1, so a watch from 0 misses nothing there.
    if (afterRevision < marks.compacted && marks.compacted > 1n) {
      return { kind: 'expired', compactRevision: marks.compacted };
    }
    const last = minimum(afterRevision + HISTORY_REVISIONS_MAX, marks.head);
    const revisions: { readonly revision: Revision; readonly changes: Change[] }[] = [];
    let changes = 0;
    let length = 0;
    for (const row of selectHistory.iterate(afterRevision, last, prefix, rangeEnd(prefix))) {
      const revision = toBigint(row['mod_revision']);
      let newest = revisions.at(-1);
      if (newest?.revision !== revision) {
        if (changes >= HISTORY_CHANGES_MAX || length > HISTORY_LENGTH_MAX) {
          return { kind: 'changes', revisions, through: newest?.revision ?? afterRevision };
        }
        newest = { revision, changes: [] };
        revisions.push(newest);
      }
      newest.changes.push(toChange(row));
      changes += 1;
      length += typeof row['value'] === 'string' ? row['value'].length : 0;
    }
    return { kind: 'changes', revisions, through: last };
  }

  return { get, list, history };
}

function toChange(row: Readonly<Record<string, unknown>>): RevisionChanges['changes'][number] {
  if (row['value'] !== null) return { kind: 'put', item: toKeyValue(row) };
  return {
    kind: 'delete',
    key: String(row['key']),
    modRevision: toBigint(row['mod_revision']),
  };
}

function minimum(left: bigint, right: bigint): bigint {
  return left < right ? left : right;
}
