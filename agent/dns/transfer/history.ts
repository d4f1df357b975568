import type { NameKey } from '../message/name.ts';
import type { Rrset } from '../zone/rrset.ts';
import type { TransferRecord } from './message-writer.ts';
import { recordsOf, setsAt, soaRecords, type TransferVersion } from './version.ts';

/** From one version of a zone to the next (RFC 1995 §4). */
export interface ZoneChange {
  readonly fromSerial: number;
  /** The SOA of each version. */
  readonly from: readonly TransferRecord[];
  readonly to: readonly TransferRecord[];
  readonly removed: readonly TransferRecord[];
  readonly added: readonly TransferRecord[];
}

/** Versions that a secondary may be behind and still get only what changed. */
export const CHANGES_MAX = 100;
/** Records of changes that are kept of any zone; of larger ones, as many as the zone has itself. */
export const CHANGED_RECORDS_MIN = 1000;

/**
 * What changed between the versions of a zone that this nameserver has served, oldest first, in
 * memory only: after a restart secondaries get the whole zone once.
 *
 * Bounded: what is longer than the zone itself is of no use to anyone (RFC 1995 §5).
 */
export class ZoneHistory {
  readonly #changes: ZoneChange[] = [];

  /** To be told of every version, in order. */
  replaced(before: TransferVersion, after: TransferVersion): void {
    // Of addresses that come from elsewhere nobody knows what a secondary has.
    if (before.borrowers.length > 0 || after.borrowers.length > 0) {
      this.#changes.length = 0;
      return;
    }
    this.#changes.push(changeOf(before, after));
    const recordsMax = Math.max(CHANGED_RECORDS_MIN, after.zone.nodes.size);
    while (this.#changes.length > CHANGES_MAX || this.#count() > recordsMax) this.#changes.shift();
  }

  /** The changes that lead from a serial to the newest version; undefined: not known (any more). */
  since(serial: number): readonly ZoneChange[] | undefined {
    const index = this.#changes.findIndex(({ fromSerial }) => fromSerial === serial);
    return index === -1 ? undefined : this.#changes.slice(index);
  }

  #count(): number {
    return this.#changes.reduce((sum, each) => sum + each.removed.length + each.added.length, 0);
  }
}

/** RFC 1982 §3.2: whether `one` is newer than `other`, or the same. */
export function isAtLeast(one: number, other: number): boolean {
  return ((one - other) | 0) >= 0;
}

function changeOf(before: TransferVersion, after: TransferVersion): ZoneChange {
  const removed: TransferRecord[] = [];
  const added: TransferRecord[] = [];
  const compare = (owner: NameKey): void => {
    const [old, next] = [setsAt(before, owner), setsAt(after, owner)];
    removed.push(...missing(owner, old, next));
    added.push(...missing(owner, next, old));
  };
  for (const owner of before.zone.nodes.keys()) compare(owner);
  for (const owner of after.zone.nodes.keys()) if (!before.zone.nodes.has(owner)) compare(owner);
  const fromSerial = before.zone.serial;
  return { fromSerial, from: soaRecords(before), to: soaRecords(after), removed, added };
}

/** The records of `sets` that `others` have not; another TTL makes another record. */
function missing(
  owner: NameKey,
  sets: readonly Rrset[],
  others: readonly Rrset[],
): readonly TransferRecord[] {
  return sets.flatMap((rrset) => {
    const other = others.find(({ type }) => type === rrset.type);
    if (other === undefined || other.ttlS !== rrset.ttlS) return recordsOf(owner, rrset);
    if (other === rrset) return [];
    const known = new Set(other.records.map(identityOf));
    return recordsOf(owner, rrset).filter(({ data }) => !known.has(identityOf(data)));
  });
}

/** The bytes of a record's data, its names uncompressed. */
function identityOf({ parts }: TransferRecord['data']): string {
  return parts
    .map((part) => (typeof part === 'string' ? `${part}\0` : Buffer.from(part).toString('latin1')))
    .join('');
}
