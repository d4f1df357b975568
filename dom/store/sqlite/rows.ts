import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import { prefixEnd } from '../../../runtime/store/key-order.ts';
import type { KeyValue, Revision } from '../../../runtime/store/store.ts';

/** What both halves of the store know without asking the file. */
export interface Marks {
  head: Revision;
  compacted: Revision;
}

export function loadMarks(database: DatabaseSync): Marks {
  const select = database.prepare('SELECT revision FROM mark WHERE name = ?');
  return {
    head: toBigint(select.get('head')?.['revision']),
    compacted: toBigint(select.get('compacted')?.['revision']),
  };
}

/** The end of a prefix's range; an empty blob, for SQLite sorts every text before every blob. */
export function rangeEnd(prefix: string): SQLInputValue {
  return prefixEnd(prefix) ?? new Uint8Array();
}

/** Reads a row with the columns key, value, create_revision and mod_revision. */
export function toKeyValue(row: Readonly<Record<string, unknown>>): KeyValue {
  return {
    key: toText(row['key']),
    value: toText(row['value']),
    createRevision: toBigint(row['create_revision']),
    modRevision: toBigint(row['mod_revision']),
  };
}

export function toBigint(value: unknown): bigint {
  if (typeof value !== 'bigint')
    throw new TypeError(`an integer was expected, not ${typeof value}`);
  return value;
}

export function toText(value: unknown): string {
  if (typeof value !== 'string') throw new TypeError(`a text was expected, not ${typeof value}`);
  return value;
}
