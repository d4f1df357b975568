import { parseRdata } from '../../../api/rdata/rdata.ts';
import { RecordType } from '../message/codes.ts';
import { type NameKey, ROOT } from '../message/name.ts';
import type { RecordData } from './rrset.ts';

export interface ParsedRecord {
  readonly data: RecordData;
  /** The name that the record leads to and whose addresses its reader will want. */
  readonly target: NameKey | undefined;
}

/**
 * One record from presentation format (RFC 1035 §5.1) to the wire, as `apply` reads it, too, so
 * that what was accepted is what is served. Names in it are absolute with or without a final dot:
 * whoever made the plan has resolved relative ones. Throws a RangeError that says what is wrong.
 */
export function parseRecord(type: number, text: string): ParsedRecord {
  // Each zone has one of its own, with the version's serial.
  if (type === RecordType.SOA) throw new RangeError('type 6 cannot be served');
  const outcome = parseRdata(type, text, { origin: ROOT, dotted: 'relative' });
  if (outcome.kind === 'error') throw new RangeError(outcome.message);
  return { data: { parts: outcome.parts, text: outcome.text }, target: outcome.target };
}
