import { DatabaseSync } from 'node:sqlite';

/**
 * Opens a store's file, or creates it.
 *
 * Durability: write-ahead log with `synchronous=FULL`, so a COMMIT that returned has been fsynced.
 * The exclusive lock is held until the file is closed or the process ends, however it ends.
 * Errors: throws when the file is in use, corrupt, not a store, or written by a newer version.
 */
export function openDatabase(file: string): DatabaseSync {
  const database = new DatabaseSync(file, { readBigInts: true });
  try {
    database.exec(`
      PRAGMA locking_mode = EXCLUSIVE;
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = FULL;
      PRAGMA trusted_schema = OFF;
      PRAGMA cache_size = -${CACHE_KIB};
    `);
    checkFormat(database, file);
    // Takes the lock now rather than at the first commit.
    database.exec(`BEGIN IMMEDIATE; ${SCHEMA} COMMIT;`);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Marks the file as ours ("b8s!"), so that no other program's database is taken for a store. */
const APPLICATION_ID = 0x62387321n;
/** SQLite's own default of 2 MiB makes it read most pages of a big list from the file again. */
const CACHE_KIB = 64 * 1024;
/** Grows with each change of the tables below. */
const SCHEMA_VERSION = 1n;

/**
 * `log` is append-only, but for compaction; `current` points into it, so each value is stored
 * once. A `value` of NULL: the key was deleted at this revision. It has rowids, for without them
 * a value of more than 1 KB would need a page of its own.
 */
const SCHEMA = `
  CREATE TABLE IF NOT EXISTS log (
    revision INTEGER NOT NULL,
    key TEXT NOT NULL,
    value TEXT,
    create_revision INTEGER NOT NULL,
    PRIMARY KEY (revision, key)
  ) STRICT;
  CREATE INDEX IF NOT EXISTS log_by_key ON log (key, revision);
  CREATE TABLE IF NOT EXISTS current (
    key TEXT PRIMARY KEY,
    create_revision INTEGER NOT NULL,
    mod_revision INTEGER NOT NULL,
    lease INTEGER
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS current_by_lease ON current (lease) WHERE lease IS NOT NULL;
  -- AUTOINCREMENT: the name of a lease that has ended is never given again.
  CREATE TABLE IF NOT EXISTS lease (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    ttl_ms INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS mark (name TEXT PRIMARY KEY, revision INTEGER NOT NULL) STRICT;
  INSERT OR IGNORE INTO mark VALUES ('head', 1), ('compacted', 1);
  PRAGMA application_id = ${APPLICATION_ID};
  PRAGMA user_version = ${SCHEMA_VERSION};
`;

function checkFormat(database: DatabaseSync, file: string): void {
  const tables = firstValue(database, 'SELECT count(*) FROM sqlite_schema');
  if (tables === 0n) return;
  const application = firstValue(database, 'PRAGMA application_id');
  if (application !== APPLICATION_ID) {
    throw new Error(`${file} is another program's database, not a b8s store`);
  }
  const version = firstValue(database, 'PRAGMA user_version');
  if (typeof version === 'bigint' && version > SCHEMA_VERSION) {
    throw new Error(
      `store file ${file} has format ${version}, written by a newer b8s; this one knows formats ` +
        `up to ${SCHEMA_VERSION}: upgrade b8s, or restore an older backup`,
    );
  }
  const verdict = firstValue(database, 'PRAGMA quick_check(1)');
  if (verdict !== 'ok') {
    throw new Error(`store file ${file} is corrupt: restore it from a backup (${verdict})`);
  }
}

function firstValue(database: DatabaseSync, sql: string): unknown {
  return Object.values(database.prepare(sql).get() ?? {})[0];
}
