import { borrowAddresses } from '../borrow.ts';
import type { Vantage } from '../geo/geo-answer.ts';
import { RecordType } from '../message/codes.ts';
import type { NameKey } from '../message/name.ts';
import type { DnsSnapshot } from '../snapshot.ts';
import type { Rrset } from '../zone/rrset.ts';
import type { CompiledZone } from '../zone/zone.ts';
import type { TransferVersion } from './version.ts';

/** A zone is not handed out for this long while nobody has told us what a name of it borrows. */
export const UNKNOWN_MS_MAX = 300_000;

const FAMILIES = [RecordType.A, RecordType.AAAA] as const;
/** A secondary cannot route, so nobody's place counts. */
const NOWHERE: Vantage = { address: new Uint8Array(4), knownBits: 0 };

/** What a name with an ALIAS has as far as is known now; nothing of what nobody has told us. */
export function borrowedSets(
  owner: NameKey,
  zone: CompiledZone,
  snapshot: DnsSnapshot,
): readonly Rrset[] {
  const borrowed = zone.nodes.get(owner)?.borrowed;
  if (borrowed === undefined) return [];
  return FAMILIES.flatMap((type): Rrset[] => {
    const outcome = borrowAddresses(snapshot, { borrowed, type }, NOWHERE);
    if (outcome.kind !== 'addresses' || outcome.records.length === 0) return [];
    return [{ type, ttlS: outcome.ttlS, records: outcome.records, targets: [] }];
  });
}

/**
 * Zones with names whose addresses are not known yet, as after a start. A secondary that got one
 * without them would have it so until the next version: it is told to come again. For a while only,
 * for one name that nobody knows must not keep all others from changing.
 */
export class UnknownBorrowed {
  readonly #sinceMs: Map<NameKey, number> = new Map();

  /** Whether to wait for what the zone borrows. */
  isAwaited(version: TransferVersion, snapshot: DnsSnapshot, nowMs: number): boolean {
    const { zone } = version;
    if (!hasUnknown(version, snapshot)) {
      this.#sinceMs.delete(zone.origin);
      return false;
    }
    const sinceMs = this.#sinceMs.get(zone.origin) ?? nowMs;
    this.#sinceMs.set(zone.origin, sinceMs);
    return nowMs - sinceMs < UNKNOWN_MS_MAX;
  }
}

function hasUnknown({ zone, borrowers }: TransferVersion, snapshot: DnsSnapshot): boolean {
  return borrowers.some((owner) => {
    const borrowed = zone.nodes.get(owner)?.borrowed;
    if (borrowed === undefined) return false;
    const outcomes = FAMILIES.map((type) => borrowAddresses(snapshot, { borrowed, type }, NOWHERE));
    return outcomes.some(({ kind }) => kind === 'not-yet-known');
  });
}
