import { CompactedError, UncertainError } from '../../../runtime/store/store.ts';
import type { Failure } from './protocol.ts';

/** Turns an error into plain data, with SQLite's codes put into words. */
export function failureOf(error: unknown, file: string): Failure {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error) };
  const words = 'errcode' in error ? SQLITE_WORDS.get(Number(error.errcode) & 0xff) : undefined;
  const message =
    words === undefined ? error.message : `store file ${file} ${words} (${error.message})`;
  return { name: FAILURE_NAMES.find((name) => name === error.name) ?? 'Error', message };
}

export function errorOf({ name, message }: Failure): Error {
  switch (name) {
    case 'CompactedError':
      return new CompactedError(message);
    case 'UncertainError':
      return new UncertainError(message);
    case 'RangeError':
      return new RangeError(message);
    case 'Error':
      return new Error(message);
    default:
      return name satisfies never;
  }
}

const FAILURE_NAMES: readonly Failure['name'][] = [
  'CompactedError',
  'UncertainError',
  'RangeError',
];

/** Primary result codes, https://www.sqlite.org/rescode.html */
const SQLITE_WORDS: ReadonlyMap<number, string> = new Map([
  [5, 'is in use by another process: only one dom may have it open'],
  [8, 'cannot be written to'],
  [10, 'could not be read or written'],
  [11, 'is corrupt: restore it from a backup'],
  [13, 'has no room: the disk is full'],
  [14, 'cannot be opened: does its folder exist, and may this user write to it?'],
  [26, 'is not a store, or corrupt: restore it from a backup'],
]);
