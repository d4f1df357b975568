import type { NameKey } from '../message/name.ts';

/** One record's data, ready to be written. */
export interface RecordData {
  /** In order: bytes as they are, and names that may be compressed (RFC 3597 §4). */
  readonly parts: readonly (Uint8Array | NameKey)[];
  /** Presentation format, for people. */
  readonly text: string;
}

/** All records of one type at one name (RFC 2181 §5). The owner is known by whoever holds it. */
export interface Rrset {
  readonly type: number;
  readonly ttlS: number;
  readonly records: readonly RecordData[];
  /** Names whose addresses help whoever reads this: of NS, MX and SRV. */
  readonly targets: readonly NameKey[];
}

/** Each once: a record that is written in two ways is one (RFC 2181 §5). */
export function distinctRecords(records: readonly RecordData[]): readonly RecordData[] {
  if (records.length < 2) return records;
  const seen = new Set<string>();
  return records.filter(({ parts }) => {
    const wire = parts.map(wireText).join('');
    return !seen.has(wire) && seen.add(wire);
  });
}

function wireText(part: Uint8Array | NameKey): string {
  return typeof part === 'string' ? `${part}\0` : Buffer.from(part).toString('latin1');
}
