import { createHash } from 'node:crypto';
import { HEAD_AT } from './format.ts';

/** What a table's head says of all that follows it: SHA-256. */
export function hashOf(table: Uint8Array): Uint8Array {
  return createHash('sha256').update(table.subarray(HEAD_AT)).digest();
}
