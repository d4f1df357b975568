import { RecordType } from '../message/codes.ts';
import type { NameKey } from '../message/name.ts';
import type { Rrset } from '../zone/rrset.ts';
import type { CompiledZone, ZoneNode } from '../zone/zone.ts';
import type { TransferRecord } from './message-writer.ts';

/** One version of a zone as those see it who take it whole. */
export interface TransferVersion {
  readonly zone: CompiledZone;
  /** What its geo names are for them: rrsets of A and AAAA. */
  readonly addresses: ReadonlyMap<NameKey, readonly Rrset[]>;
  /** Names with an ALIAS: what they have depends on more than the serial. */
  readonly borrowers: readonly NameKey[];
}

export function transferVersion(
  zone: CompiledZone,
  addresses: TransferVersion['addresses'],
): TransferVersion {
  const borrowers: NameKey[] = [];
  for (const [owner, { borrowed }] of zone.nodes) if (borrowed !== undefined) borrowers.push(owner);
  return { zone, addresses, borrowers };
}

/** What a name that borrows its addresses (ALIAS) has now; the rrsets are of A and AAAA. */
export type BorrowedAddresses = (owner: NameKey) => readonly Rrset[];

export function soaRecords({ zone }: TransferVersion): readonly TransferRecord[] {
  return recordsOf(zone.origin, zone.soa);
}

/** Every record but the SOA, name by name, glue among them (RFC 5936 §2.2, §3). */
export function* versionRecords(
  version: TransferVersion,
  borrowed: BorrowedAddresses,
): Generator<TransferRecord> {
  for (const [owner, node] of version.zone.nodes) {
    for (const rrset of setsOf(version, owner, node)) yield* recordsOf(owner, rrset);
    if (node.borrowed === undefined) continue;
    for (const rrset of borrowed(owner)) yield* recordsOf(owner, rrset);
  }
}

/** The rrsets at a name that are the same for as long as the serial is. */
export function setsAt(version: TransferVersion, owner: NameKey): readonly Rrset[] {
  const node = version.zone.nodes.get(owner);
  return node === undefined ? [] : setsOf(version, owner, node);
}

export function recordsOf(owner: NameKey, rrset: Rrset): readonly TransferRecord[] {
  const { type, ttlS } = rrset;
  return rrset.records.map((data) => ({ owner, type, ttlS, data }));
}

function setsOf(
  { addresses }: TransferVersion,
  owner: NameKey,
  { rrsets, geo }: ZoneNode,
): readonly Rrset[] {
  const own = [...rrsets.values()].filter(({ type }) => type !== RecordType.SOA);
  return geo === undefined ? own : [...own, ...(addresses.get(owner) ?? [])];
}
