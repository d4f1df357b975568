import type { HttpHeaders } from '../http.ts';
import { STATIC_NAMES, STATIC_STATUSES } from './static-table.ts';

/**
 * A header block (RFC 7541) that means the same on every connection and at every time, so that it
 * can be made once: it names entries of the static table alone, and asks nobody to keep anything.
 *
 * Errors: throws a `TypeError` where a name or value could not be sent (RFC 9113 §8.2.1).
 */
export function encodeBlock(status: number, headers: HttpHeaders): Buffer {
  let bytesMax = 8;
  for (const [name, value] of headers) bytesMax += name.length + value.length + LENGTHS_BYTES_MAX;
  const block = Buffer.allocUnsafeSlow(bytesMax);
  let at = writeStatus(block, status);
  for (const [name, value] of headers) {
    if (!NAME.test(name) || !VALUE.test(value))
      throw new TypeError(`header ${name} cannot be sent`);
    at = writeField(block, at, name, value);
  }
  return block.subarray(0, at);
}

/** What `date` has before its 29 characters: a literal that is not indexed, index 33. */
export const DATE_PREFIX: readonly number[] = [0x0f, 33 - 15, 29];
/** Tells the peer that its own limit of the dynamic table suits: none of it is used. */
export const EMPTY_TABLE = 0x20;

const LENGTHS_BYTES_MAX = 10;
const NAME = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/u;
const VALUE = /^[\t -~\u0080-\u00ff]*$/u;

function writeStatus(block: Buffer, status: number): number {
  const index = STATIC_STATUSES.get(status);
  if (index !== undefined) {
    block[0] = 0x80 | index;
    return 1;
  }
  return writeField(block, 0, ':status', String(status));
}

function writeField(block: Buffer, start: number, name: string, value: string): number {
  const index = STATIC_NAMES.get(name) ?? 0;
  let at = writeInteger(block, start, 4, index);
  if (index === 0) at = writeString(block, at, name);
  return writeString(block, at, value);
}

function writeString(block: Buffer, start: number, text: string): number {
  const at = writeInteger(block, start, 7, text.length);
  return at + block.write(text, at, 'latin1');
}

/** RFC 7541 §5.1, the bits before the prefix being 0. */
function writeInteger(block: Buffer, start: number, prefixBits: number, value: number): number {
  const mask = (1 << prefixBits) - 1;
  let at = start;
  if (value < mask) {
    block[at] = value;
    return at + 1;
  }
  block[at] = mask;
  at += 1;
  let left = value - mask;
  for (; left >= 0x80; left >>>= 7) {
    block[at] = (left & 0x7f) | 0x80;
    at += 1;
  }
  block[at] = left;
  return at + 1;
}
