import { chase } from './chase.ts';
import { RecordType } from './codes.ts';
import {
  addressRecord,
  type GeoResolution,
  geoRecords,
  resolveGeo,
  type Vantage,
} from './geo-answer.ts';
import type { NameKey } from './name.ts';
import type { RecordData } from './rrset.ts';
import type { DnsSnapshot } from './snapshot.ts';
import type { Borrowed } from './zone.ts';

/** The addresses of a name that other people's servers answer for. */
export interface ForeignAddresses {
  /** Empty: there is no such name, or no address of this family. */
  readonly addresses: readonly Uint8Array[];
  readonly ttlS: number;
  /** `stale`: its time is over, but nobody could be asked since. */
  readonly age: 'fresh' | 'stale';
}

/** What is known by now; undefined: nothing yet. Never waits. */
export type LookUpForeign = (name: NameKey, family: 'A' | 'AAAA') => ForeignAddresses | undefined;

/** What a name that borrows its addresses (an ALIAS record) is answered with. */
export type BorrowOutcome =
  | {
      readonly kind: 'addresses';
      /** Empty: the other name has none of this family. */
      readonly records: readonly RecordData[];
      /** The least of all that the answer was made from. */
      readonly ttlS: number;
      readonly geo: GeoResolution | undefined;
      readonly age: ForeignAddresses['age'];
    }
  /** Nobody has told us yet. */
  | { readonly kind: 'not-yet-known' }
  /** It leads back to itself. */
  | { readonly kind: 'circle' };

/** Names that borrow from names that borrow are followed this far. */
const LOANS_MAX = 8;

/** `type` is A or AAAA. Names in zones served here are answered from there, by their own rules. */
export function borrowAddresses(
  snapshot: DnsSnapshot,
  { borrowed, type }: { readonly borrowed: Borrowed; readonly type: number },
  vantage: Vantage,
): BorrowOutcome {
  let { target, ttlS } = borrowed;
  for (let loans = 0; loans < LOANS_MAX; loans += 1) {
    const chased = chase(snapshot.zones, { name: target, type });
    const { name = target, aliases = [], end } = chased ?? {};
    ttlS = Math.min(ttlS, ...aliases.map(({ rrset }) => rrset.ttlS));
    const found = end?.found;
    switch (found?.kind) {
      case 'borrowed':
        ({ target } = found.borrowed);
        ttlS = Math.min(ttlS, found.borrowed.ttlS);
        continue;
      case 'geo': {
        const geo = resolveGeo(snapshot, { ...found, type }, vantage);
        return known(geoRecords(geo), Math.min(ttlS, geo.ttlS), geo);
      }
      case 'records':
        return known(found.entry.rrset.records, Math.min(ttlS, found.entry.rrset.ttlS));
      case 'nodata':
      case 'nxdomain':
        return known([], ttlS);
      case 'referral':
      case undefined:
        // A chain that bites its tail ends at a name of ours, and nobody else knows more of it.
        if (found === undefined && aliases.some(({ owner }) => owner === name)) {
          return { kind: 'circle' };
        }
        return foreign(snapshot, { name, type, ttlS });
    }
  }
  return { kind: 'circle' };
}

function known(records: readonly RecordData[], ttlS: number, geo?: GeoResolution): BorrowOutcome {
  return { kind: 'addresses', records, ttlS, geo, age: 'fresh' };
}

function foreign(
  { lookUpForeign }: DnsSnapshot,
  { name, type, ttlS }: { readonly name: NameKey; readonly type: number; readonly ttlS: number },
): BorrowOutcome {
  const answer = lookUpForeign?.(name, type === RecordType.A ? 'A' : 'AAAA');
  if (answer === undefined) return { kind: 'not-yet-known' };
  const records = answer.addresses.map(addressRecord);
  return {
    ...answer,
    kind: 'addresses',
    records,
    ttlS: Math.min(ttlS, answer.ttlS),
    geo: undefined,
  };
}
