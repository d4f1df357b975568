import type { ListOptions, Transaction } from './store.ts';
import {
  LIST_LIMIT_MAX,
  TRANSACTION_BYTES_MAX,
  TRANSACTION_GUARDS_MAX,
  TRANSACTION_WRITES_MAX,
  VALUE_BYTES_MAX,
} from './store.ts';

/** Throws the `RangeError` of the store's contract; every adapter calls it, so that all agree. */
export function checkTransaction({ guards, writes }: Transaction): void {
  if (guards.length > TRANSACTION_GUARDS_MAX) {
    throw new RangeError(`${guards.length} guards: at most ${TRANSACTION_GUARDS_MAX}`);
  }
  if (writes.length > TRANSACTION_WRITES_MAX) {
    throw new RangeError(`${writes.length} writes: at most ${TRANSACTION_WRITES_MAX}`);
  }
  for (const guard of guards) checkKey(guard.key);
  const keys = new Set<string>();
  let totalBytes = 0;
  for (const write of writes) {
    checkKey(write.key);
    if (keys.has(write.key)) throw new RangeError(`key "${write.key}" is written twice`);
    keys.add(write.key);
    totalBytes += Buffer.byteLength(write.key);
    if (write.kind === 'put') totalBytes += checkValue(write.key, write.value);
  }
  if (totalBytes > TRANSACTION_BYTES_MAX) {
    throw new RangeError(`a transaction of ${totalBytes} bytes: at most ${TRANSACTION_BYTES_MAX}`);
  }
}

export function checkKey(key: string): void {
  if (key === '') throw new RangeError('a key must not be empty');
  if (key.includes('\0') || !key.isWellFormed()) {
    throw new RangeError(`key ${JSON.stringify(key)} is not text`);
  }
}

/** Returns the effective limit. */
export function checkList({ limit = LIST_LIMIT_MAX, revision }: ListOptions): number {
  if (!Number.isInteger(limit) || limit < 1 || limit > LIST_LIMIT_MAX) {
    throw new RangeError(`list limit ${limit}: from 1 to ${LIST_LIMIT_MAX}`);
  }
  if (revision !== undefined && revision < 1n) {
    throw new RangeError(`list at revision ${revision}: the first is 1`);
  }
  return limit;
}

export function checkTtl(ttlMs: number): void {
  if (!Number.isSafeInteger(ttlMs) || ttlMs < 1) {
    throw new RangeError(`a lease of ${ttlMs} ms: a whole number of at least 1`);
  }
}

/** The error for a read at, or a compaction up to, a revision that does not exist yet. */
export function futureRevisionError(revision: bigint, head: bigint): RangeError {
  return new RangeError(`revision ${revision} is still to come: the newest is ${head}`);
}

function checkValue(key: string, value: string): number {
  const sizeBytes = Buffer.byteLength(value);
  if (sizeBytes > VALUE_BYTES_MAX) {
    throw new RangeError(
      `the value of "${key}" has ${sizeBytes} bytes: at most ${VALUE_BYTES_MAX}`,
    );
  }
  if (!value.isWellFormed()) throw new RangeError(`the value of "${key}" is not text`);
  return sizeBytes;
}
