import type { Query } from './generate.ts';
import { decodeMessage, type Message } from './wire.ts';

/*
 * What a query says by its bytes: they may have been changed after they were made.
 */

export function opcodeOf({ bytes }: Query): number {
  return bytes.length < 4 ? 0 : (bytes.readUInt16BE(2) >> 11) & 0xf;
}

export function typeOf({ bytes }: Query): number | undefined {
  const end = questionEnd(bytes);
  return end === undefined ? undefined : bytes.readUInt16BE(end - 4);
}

export function classOf({ bytes }: Query): number | undefined {
  const end = questionEnd(bytes);
  return end === undefined ? undefined : bytes.readUInt16BE(end - 2);
}

/** Whether it has an OPT record with this option. */
export function asksWith(query: Query, option: number): boolean {
  return decoded(query)?.edns?.options.has(option) === true;
}

/** One question, no answers, and all counts true; whatever follows can be read to the last byte. */
export function isWhole({ bytes }: Query): boolean {
  if (bytes.length < 12 || bytes.readUInt16BE(4) !== 1 || bytes.readUInt32BE(6) !== 0) return false;
  return questionEnd(bytes) !== undefined && decoded({ bytes }) !== undefined;
}

export function decoded({ bytes }: Pick<Query, 'bytes'>): Message | undefined {
  try {
    return decodeMessage(bytes);
  } catch {
    return undefined;
  }
}

/** Of the first question, if it is all there; names in questions have no pointers. */
function questionEnd(bytes: Buffer): number | undefined {
  for (let at = 12; at < bytes.length; ) {
    const length = bytes[at] ?? 0;
    if (length > 63) return undefined;
    at += 1 + length;
    if (length === 0) return at + 4 <= bytes.length ? at + 4 : undefined;
  }
  return undefined;
}
