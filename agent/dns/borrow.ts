import { type Chase, chase, type End } from './chase.ts';
import type { ForeignAddresses } from './foreign/addresses.ts';
import {
  addressRecord,
  type GeoResolution,
  geoRecords,
  resolveGeo,
  type Vantage,
} from './geo/geo-answer.ts';
import { RecordType } from './message/codes.ts';
import type { NameKey } from './message/name.ts';
import { type DnsSnapshot } from './snapshot.ts';
import { distinctRecords, type RecordData } from './zone/rrset.ts';
import type { Borrowed, CompiledZone } from './zone/zone.ts';
import { zoneOf } from './zone/zone.ts';

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

interface Loan {
  readonly borrowed: Borrowed;
  /** A or AAAA. */
  readonly type: number;
}

/** Names in zones served here are answered from there, by their own rules. */
export function borrowAddresses(
  snapshot: DnsSnapshot,
  loan: Loan,
  vantage: Vantage,
): BorrowOutcome {
  const { type } = loan;
  const lender = findLender(snapshot.zones, loan);
  if (lender.kind === 'circle') return lender;
  const { ttlS } = lender;
  if (lender.kind === 'elsewhere') return foreign(snapshot, { ...lender, type });
  const { found } = lender;
  switch (found.kind) {
    case 'geo': {
      const geo = resolveGeo(snapshot, { ...found, type }, vantage);
      return known(geoRecords(geo), Math.min(ttlS, geo.ttlS), geo);
    }
    case 'records':
      return known(found.entry.rrset.records, Math.min(ttlS, found.entry.rrset.ttlS));
    case 'nodata':
    case 'nxdomain':
      return known([], ttlS);
  }
}

/** The names that others must be asked for, so that every ALIAS in the zones can be answered. */
export function foreignNames(zones: ReadonlyMap<NameKey, CompiledZone>): ReadonlySet<NameKey> {
  const names = new Set<NameKey>();
  for (const { loans } of zones.values()) {
    for (const borrowed of loans) {
      for (const type of [RecordType.A, RecordType.AAAA]) {
        const lender = findLender(zones, { borrowed, type });
        if (lender.kind === 'elsewhere') names.add(lender.name);
      }
    }
  }
  return names;
}

type Lender =
  | {
      readonly kind: 'here';
      readonly found: Exclude<End, { kind: 'borrowed' | 'referral' }>;
      readonly ttlS: number;
    }
  | { readonly kind: 'elsewhere'; readonly name: NameKey; readonly ttlS: number }
  | { readonly kind: 'circle' };

/** Whose addresses they are in the end. `ttlS`: the least on the way there. */
function findLender(zones: ReadonlyMap<NameKey, CompiledZone>, { borrowed, type }: Loan): Lender {
  let { target, ttlS } = borrowed;
  for (let loans = 0; loans < LOANS_MAX; loans += 1) {
    const { name, aliases, end } = chase(zones, { name: target, type }) ?? nowhere(target);
    ttlS = Math.min(ttlS, ...aliases.map(({ rrset }) => rrset.ttlS));
    const found = end?.found;
    // What is ours, but leads nowhere: a chain that bites its tail, or is too long.
    if (found === undefined && zoneOf(zones, name) !== undefined) return { kind: 'circle' };
    if (found === undefined || found.kind === 'referral') return { kind: 'elsewhere', name, ttlS };
    if (found.kind !== 'borrowed') return { kind: 'here', found, ttlS };
    ({ target } = found.borrowed);
    ttlS = Math.min(ttlS, found.borrowed.ttlS);
  }
  return { kind: 'circle' };
}

function nowhere(name: NameKey): Chase {
  return { name, aliases: [], end: undefined };
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
  const records = distinctRecords(answer.addresses.map(addressRecord));
  return {
    ...answer,
    kind: 'addresses',
    records,
    ttlS: Math.min(ttlS, answer.ttlS),
    geo: undefined,
  };
}
