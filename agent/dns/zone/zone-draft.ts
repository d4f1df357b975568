import type { GeoName } from '../../../proto/gen/b8s/v1/plan.ts';
import { RecordType } from '../message/codes.ts';
import { isWildcard, isWithin, type NameKey, nameText, parentOf } from '../message/name.ts';
import { NameTable, type PlacedName } from './name-table.ts';
import type { Borrowed } from './zone.ts';

interface NameDraft {
  readonly types: number[];
  /** Of their record sets. */
  readonly places: number[];
  /** See `PlacedName`; -1: no record set is at the name or below it. */
  witness: number;
}

/** A zone while it is compiled: which names it has, and what is at each. */
export class ZoneDraft {
  readonly geoNames: Map<NameKey, GeoName> = new Map();
  readonly borrowed: Map<NameKey, Borrowed> = new Map();
  readonly #origin: NameKey;
  readonly #names: Map<NameKey, NameDraft> = new Map();

  constructor(origin: NameKey) {
    this.#origin = origin;
    this.#names.set(origin, emptyDraft());
  }

  /** `place`: where the bytes of the plan have it. `twice`: the name has one of this type. */
  addRecordSet(key: NameKey, type: number, place: number): 'added' | 'twice' {
    const { types, places } = this.#at(key, place);
    if (types.includes(type)) return 'twice';
    types.push(type);
    places.push(place);
    return 'added';
  }

  addBorrowed(key: NameKey, borrowed: Borrowed, place: number): void {
    this.#at(key, place);
    if (this.borrowed.has(key)) throw new RangeError(`${nameText(key)}: more than one ALIAS`);
    this.borrowed.set(key, borrowed);
  }

  /** Once all record sets are there. */
  addGeoName(key: NameKey, geoName: GeoName): void {
    this.#at(key, -1);
    if (this.geoNames.has(key)) throw new RangeError(`${geoName.name}: more than one geo name`);
    this.geoNames.set(key, geoName);
  }

  /** Throws a RangeError that says what cannot be served. */
  finish(): {
    readonly table: NameTable;
    readonly bare: ReadonlySet<NameKey>;
    readonly delegates: 'nothing' | 'some';
  } {
    const placed: PlacedName[] = [];
    const bare = new Set<NameKey>();
    let delegates: 'nothing' | 'some' = 'nothing';
    for (const [key, { types, places, witness }] of this.#names) {
      this.#assertConsistent(key, types);
      if (key !== this.#origin && types.includes(RecordType.NS)) delegates = 'some';
      if (witness < 0) bare.add(key);
      else placed.push({ key, witness, places });
    }
    return { table: new NameTable(placed), bare, delegates };
  }

  /** The draft at a name, which makes every name between it and the origin exist, too. */
  #at(key: NameKey, place: number): NameDraft {
    if (!isWithin(key, this.#origin)) {
      throw new RangeError(`${nameText(key)} is outside the zone`);
    }
    const draft = this.#names.get(key) ?? emptyDraft();
    for (let name = key; ; name = parentOf(name)) {
      const known = this.#names.get(name);
      // What has a witness got one for all above it.
      if (known !== undefined && (known.witness >= 0 || place < 0)) break;
      const fresh = known ?? (name === key ? draft : emptyDraft());
      fresh.witness = place;
      this.#names.set(name, fresh);
      if (name === this.#origin) break;
    }
    return draft;
  }

  #assertConsistent(key: NameKey, types: readonly number[]): void {
    const hasGeo = this.geoNames.has(key);
    const hasBorrowed = this.borrowed.has(key);
    const isCompany = types.length > 1 || key === this.#origin || hasGeo || hasBorrowed;
    if (types.includes(RecordType.CNAME) && isCompany) {
      throw new RangeError(`${nameText(key)}: CNAME beside other data (RFC 1034 §3.6.2)`);
    }
    const hasAddresses = types.includes(RecordType.A) || types.includes(RecordType.AAAA) || hasGeo;
    if (hasBorrowed && hasAddresses) {
      throw new RangeError(`${nameText(key)}: ALIAS beside addresses of its own`);
    }
    if (isWildcard(key) && types.includes(RecordType.NS)) {
      throw new RangeError(`${nameText(key)}: a wildcard cannot be delegated (RFC 4592 §4.2)`);
    }
  }
}

function emptyDraft(): NameDraft {
  return { types: [], places: [], witness: -1 };
}
