import type { NameKey } from './name.ts';

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

/** An rrset in an answer. The owner may differ from where it was found, because of wildcards. */
export interface Entry {
  readonly owner: NameKey;
  readonly rrset: Rrset;
}
