import { geoFacts } from '../geo/geo-record.ts';
import type { Whereabouts } from '../geo/geography.ts';
import type { Mmdb } from './mmdb.ts';
import { NumberMap } from './number-map.ts';

/** As many as a table's places have 16 bits for. */
const REGIONS_MAX = 65_535;
/** So many that the product with `LEAVES_MAX` is a whole number still. */
export const PLACES_MAX: number = 2 ** 26;
const UNKNOWN = '\0\0';
const INITIAL_PLACES = 1024;
/** A power of two. */
const RECENT = 4096;

/**
 * Numbers the distinct places that a database's records tell of. There are hundreds of thousands,
 * so they are kept in columns and found by a hash table of numbers: as objects and keys they would
 * take ten times the memory.
 */
export class PlaceTable {
  readonly #mmdb: Pick<Mmdb, 'record' | 'nodeCount'>;
  /** Many pointers lead to records that differ only in what is of no use here. */
  readonly #byPointer = new NumberMap(hashPointer);
  /** Country → continent → number. */
  readonly #regionNumbers = new Map<string | undefined, Map<string | undefined, number>>();
  /** By number: country and continent. */
  readonly #regionNames: string[] = [];
  /** What was asked for lately, at places that its lowest bits tell: two of three come again. */
  readonly #recentPointers: Uint32Array = new Uint32Array(RECENT);
  readonly #recentPlaces: Uint32Array = new Uint32Array(RECENT);
  /** By place; not a number: the coordinates are unknown. */
  #latitudes: Float64Array = new Float64Array(INITIAL_PLACES);
  #longitudes: Float64Array = new Float64Array(INITIAL_PLACES);
  #regions: Uint16Array = new Uint16Array(INITIAL_PLACES);
  /** Place plus one, at the hash of it or behind; 0: free. At most half of it is used. */
  #slots: Uint32Array = new Uint32Array(2 * INITIAL_PLACES);
  #size = 0;

  constructor(mmdb: Pick<Mmdb, 'record' | 'nodeCount'>) {
    this.#mmdb = mmdb;
    this.#number(undefined);
  }

  /** Their count, the unknown place among them. */
  get size(): number {
    return this.#size;
  }

  /** 0: nothing is known, or the record is damaged: the client still gets an answer. */
  placeOf(pointer: number): number {
    if (pointer === this.#mmdb.nodeCount) return 0;
    const recent = (pointer ^ (pointer >>> 12)) & (RECENT - 1);
    if (this.#recentPointers[recent] === pointer) return this.#recentPlaces[recent] ?? 0;
    let place = this.#byPointer.get(pointer);
    if (place < 0) {
      place = this.#number(this.#factsAt(pointer));
      this.#byPointer.set(pointer, place);
    }
    this.#recentPointers[recent] = pointer;
    this.#recentPlaces[recent] = place;
    return place;
  }

  /** Columns, in the order of `order` (table number → place). */
  columns(order: Uint32Array): PlaceColumns {
    const latitudes = new Float64Array(order.length);
    const longitudes = new Float64Array(order.length);
    const regions = new Uint16Array(order.length);
    for (let number = 0; number < order.length; number += 1) {
      const place = order[number] ?? 0;
      latitudes[number] = this.#latitudes[place] ?? 0;
      longitudes[number] = this.#longitudes[place] ?? 0;
      regions[number] = this.#regions[place] ?? 0;
    }
    const regionNames = Uint8Array.from(Buffer.from(this.#regionNames.join(''), 'latin1'));
    const rest = { regions, regionNames };
    const isExact = [latitudes, longitudes].every((column) =>
      column.every((value) => Object.is(Math.fround(value), value)),
    );
    if (!isExact) return { coordinateBytes: 8, latitudes, longitudes, ...rest };
    const narrow = (column: Float64Array): Float32Array => Float32Array.from(column);
    return {
      ...{ coordinateBytes: 4, latitudes: narrow(latitudes), longitudes: narrow(longitudes) },
      ...rest,
    };
  }

  #factsAt(pointer: number): Whereabouts | undefined {
    try {
      return geoFacts(this.#mmdb.record(pointer));
    } catch {
      return undefined;
    }
  }

  #number(facts: Whereabouts | undefined): number {
    const latitude = facts?.latitude ?? Number.NaN;
    const longitude = facts?.longitude ?? Number.NaN;
    const region = this.#regionOf(facts);
    const mask = this.#slots.length - 1;
    let slot = hash(latitude, longitude, region) & mask;
    for (; ; slot = (slot + 1) & mask) {
      const place = (this.#slots[slot] ?? 0) - 1;
      if (place < 0) break;
      if (
        this.#regions[place] === region &&
        Object.is(this.#latitudes[place], latitude) &&
        Object.is(this.#longitudes[place], longitude)
      ) {
        return place;
      }
    }
    const place = this.#size;
    if (place === PLACES_MAX) throw new RangeError('it has too many places');
    this.#latitudes[place] = latitude;
    this.#longitudes[place] = longitude;
    this.#regions[place] = region;
    this.#slots[slot] = place + 1;
    this.#size += 1;
    if (this.#size === this.#regions.length) this.#grow();
    return place;
  }

  #regionOf(facts: Whereabouts | undefined): number {
    const country = facts?.country;
    let ofCountry = this.#regionNumbers.get(country);
    if (ofCountry === undefined) {
      ofCountry = new Map();
      this.#regionNumbers.set(country, ofCountry);
    }
    const known = ofCountry.get(facts?.continent);
    if (known !== undefined) return known;
    const region = this.#regionNames.length;
    if (region > REGIONS_MAX) throw new RangeError('it has too many countries');
    this.#regionNames.push(`${country ?? UNKNOWN}${facts?.continent ?? UNKNOWN}`);
    ofCountry.set(facts?.continent, region);
    return region;
  }

  #grow(): void {
    const count = 2 * this.#size;
    const [latitudes, longitudes] = [new Float64Array(count), new Float64Array(count)];
    const regions = new Uint16Array(count);
    latitudes.set(this.#latitudes);
    longitudes.set(this.#longitudes);
    regions.set(this.#regions);
    const slots = new Uint32Array(2 * count);
    const mask = slots.length - 1;
    for (let place = 0; place < this.#size; place += 1) {
      let slot = hash(latitudes[place] ?? 0, longitudes[place] ?? 0, regions[place] ?? 0) & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = place + 1;
    }
    this.#latitudes = latitudes;
    this.#longitudes = longitudes;
    this.#regions = regions;
    this.#slots = slots;
  }
}

export interface PlaceColumns {
  readonly coordinateBytes: 4 | 8;
  readonly latitudes: Float32Array | Float64Array;
  readonly longitudes: Float32Array | Float64Array;
  readonly regions: Uint16Array;
  /** 4 letters each: country and continent. */
  readonly regionNames: Uint8Array;
}

/**
 * Records are mostly met in the order in which they lie, some dozens of bytes apart: so their slots
 * are neighbours, too. Wherever they lie closer, they spread.
 */
function hashPointer(pointer: number): number {
  return (pointer >>> 4) + Math.imul(pointer & 15, 0x9e3779b1);
}

/** Places lie close together; every digit must count. */
function hash(latitude: number, longitude: number, region: number): number {
  let state = Math.imul(Math.round((latitude + 90) * 1e7), 0x9e3779b1) ^ region;
  state = Math.imul(state ^ (state >>> 15), 0x85ebca6b);
  state ^= Math.imul(Math.round((longitude + 180) * 1e7), 0xc2b2ae35);
  state = Math.imul(state ^ (state >>> 13), 0x27d4eb2f);
  return (state ^ (state >>> 16)) >>> 0;
}
