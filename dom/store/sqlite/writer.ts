import type { DatabaseSync } from 'node:sqlite';
import type { RevisionChanges } from '../../../runtime/store/change-log.ts';
import { compareKeys } from '../../../runtime/store/key-order.ts';
import { futureRevisionError } from '../../../runtime/store/limits.ts';
import type {
  Change,
  CommitOutcome,
  LeaseId,
  Revision,
  Transaction,
  Write,
} from '../../../runtime/store/store.ts';
import type { Marks } from './rows.ts';
import { toBigint, toText } from './rows.ts';

/** All of it is to be called inside a transaction, which the caller begins and commits. */
export interface Writer {
  commit(transaction: Transaction): CommitOutcome;
  grantLease(ttlMs: number): LeaseId;
  /** Deletes the lease's keys too, at one revision. */
  endLease(lease: LeaseId): void;
  /** Only marks: `sweep` does the work. */
  compact(revision: Revision): void;
  /**
   * Removes one stretch of what compaction made superfluous, after a revision that is 0n at first.
   * Returns where to go on, undefined at the end.
   */
  sweep(afterRevision: Revision): Revision | undefined;
  /** Writes the head; returns the changes made since the last call. */
  finish(): readonly RevisionChanges[];
  /** Forgets the changes made since then, for they were rolled back. */
  discard(): void;
}

export interface StoredLease {
  readonly lease: LeaseId;
  readonly ttlMs: number;
}

export function loadLeases(database: DatabaseSync): readonly StoredLease[] {
  const rows = database.prepare('SELECT id, ttl_ms FROM lease ORDER BY id').all();
  return rows.map((row) => ({ lease: String(row['id']), ttlMs: Number(row['ttl_ms']) }));
}

/** As many revisions are swept at a time, so that commits need not wait for long. */
const SWEEP_REVISIONS = 1_000n;

/** The half of the store that writes. It moves `marks.head`; on rollback the caller resets it. */
export function writer(database: DatabaseSync, marks: Marks): Writer {
  const selectKey = database.prepare('SELECT * FROM current WHERE key = ?');
  const selectLease = database.prepare('SELECT 1 FROM lease WHERE id = ?');
  const selectLeaseKeys = database.prepare('SELECT key FROM current WHERE lease = ?');
  const insertLog = database.prepare('INSERT INTO log VALUES (?, ?, ?, ?)');
  const replaceKey = database.prepare('INSERT OR REPLACE INTO current VALUES (?, ?, ?, ?)');
  const deleteKey = database.prepare('DELETE FROM current WHERE key = ?');
  const insertLease = database.prepare('INSERT INTO lease (ttl_ms) VALUES (?)');
  const deleteLease = database.prepare('DELETE FROM lease WHERE id = ?');
  const updateMark = database.prepare('UPDATE mark SET revision = ? WHERE name = ?');
  const selectStretch = database.prepare(`
    SELECT revision FROM log WHERE revision > ? AND revision <= ?
    ORDER BY revision LIMIT 1 OFFSET ${SWEEP_REVISIONS}`);
  const deleteSuperseded = database.prepare(`
    DELETE FROM log WHERE revision > ? AND revision <= ? AND EXISTS (
      SELECT 1 FROM log AS newer
      WHERE newer.key = log.key AND newer.revision > log.revision AND newer.revision <= ?)`);
  const deleteTombstones = database.prepare(
    'DELETE FROM log WHERE revision > ? AND revision <= ? AND value IS NULL',
  );
  let recorded: RevisionChanges[] = [];

  function commit({ guards, writes }: Transaction): CommitOutcome {
    for (const { key, modRevision } of guards) {
      const actual = selectKey.get(key)?.['mod_revision'] ?? 0n;
      if (actual !== modRevision) return { outcome: 'conflict', revision: marks.head };
    }
    for (const write of writes) {
      if (write.kind !== 'put' || write.lease === undefined) continue;
      const id = parseLease(write.lease);
      if (id === undefined || selectLease.get(id) === undefined) {
        throw new LeaseEndedError(`put ${write.key}: lease ${write.lease} has ended`);
      }
    }
    apply(writes);
    return { outcome: 'committed', revision: marks.head };
  }

  /** One revision for all writes; none if nothing changes. */
  function apply(writes: readonly Write[]): void {
    const revision = marks.head + 1n;
    const changes: Change[] = [];
    for (const write of writes.toSorted((left, right) => compareKeys(left.key, right.key))) {
      const { key } = write;
      const before = selectKey.get(key)?.['create_revision'];
      if (write.kind === 'put') {
        const createRevision = before === undefined ? revision : toBigint(before);
        const lease = write.lease === undefined ? null : BigInt(write.lease);
        insertLog.run(revision, key, write.value, createRevision);
        replaceKey.run(key, createRevision, revision, lease);
        const item = { key, value: write.value, createRevision, modRevision: revision };
        changes.push({ kind: 'put', item });
      } else if (before !== undefined) {
        insertLog.run(revision, key, null, toBigint(before));
        deleteKey.run(key);
        changes.push({ kind: 'delete', key, modRevision: revision });
      }
    }
    if (changes.length === 0) return;
    marks.head = revision;
    recorded.push({ revision, changes });
  }

  function grantLease(ttlMs: number): LeaseId {
    return String(insertLease.run(ttlMs).lastInsertRowid);
  }

  function endLease(lease: LeaseId): void {
    const id = parseLease(lease);
    if (id === undefined) return;
    const keys = selectLeaseKeys.all(id).map((row) => toText(row['key']));
    apply(keys.map((key) => ({ kind: 'delete', key })));
    deleteLease.run(id);
  }

  function compact(revision: Revision): void {
    if (revision > marks.head) throw futureRevisionError(revision, marks.head);
    if (revision <= marks.compacted) return;
    marks.compacted = revision;
    updateMark.run(revision, 'compacted');
  }

  function sweep(afterRevision: Revision): Revision | undefined {
    const stretch = selectStretch.get(afterRevision, marks.compacted)?.['revision'];
    const through = stretch === undefined ? marks.compacted : toBigint(stretch);
    // In this order, and from old to new: a tombstone must outlive what it supersedes.
    deleteSuperseded.run(afterRevision, through, marks.compacted);
    deleteTombstones.run(afterRevision, through);
    return stretch === undefined ? undefined : through;
  }

  function finish(): readonly RevisionChanges[] {
    const finished = recorded;
    recorded = [];
    if (finished.length > 0) updateMark.run(marks.head, 'head');
    return finished;
  }

  function discard(): void {
    recorded = [];
  }

  return { commit, grantLease, endLease, compact, sweep, finish, discard };
}

/** Refused before anything was written, so the transaction it shares goes on. */
export class LeaseEndedError extends Error {
  override readonly name = 'LeaseEndedError';
}

/** Undefined: no lease of ours has such a name. */
function parseLease(lease: LeaseId): bigint | undefined {
  return /^\d{1,18}$/.test(lease) ? BigInt(lease) : undefined;
}
