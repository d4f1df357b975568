import type { ContinentCode } from '../../../api/countries.ts';

/** Mean radius of the Earth (IUGG R1), kilometres. */
export const EARTH_RADIUS_KM = 6371.0088;

/** Degrees, WGS 84: latitude -90 to 90 (north positive), longitude -180 to 180 (east positive). */
export interface Place {
  readonly latitude: number;
  readonly longitude: number;
}

/** Where a client is: at least one of these is known. */
export interface Whereabouts {
  /** Both or neither. */
  readonly latitude?: number | undefined;
  readonly longitude?: number | undefined;
  /** ISO 3166-1 alpha-2, e.g. DE. */
  readonly country?: string | undefined;
  /** Said by the database, or that of the country. */
  readonly continent?: ContinentCode | undefined;
}

/** Where an address is, as some database has it. */
export interface Location extends Whereabouts {
  /** The answer is the same for every address that shares this many bits. */
  readonly prefixBits: number;
  /** Which database said so, for people. */
  readonly source: string;
}

/** 4 bytes (IPv4) or 16 (IPv6), or text. Undefined: unknown place. Never throws. */
export type Locate = (address: Uint8Array | string) => Location | undefined;

/** Great-circle distance (haversine formula), kilometres. */
export function distanceKm(from: Place, to: Place): number {
  const radians = Math.PI / 180;
  const latitudeHalf = ((to.latitude - from.latitude) * radians) / 2;
  const longitudeHalf = ((to.longitude - from.longitude) * radians) / 2;
  const square =
    Math.sin(latitudeHalf) ** 2 +
    Math.cos(from.latitude * radians) *
      Math.cos(to.latitude * radians) *
      Math.sin(longitudeHalf) ** 2;
  // Rounding may lift it above 1 for points opposite each other.
  return 2 * EARTH_RADIUS_KM * Math.asin(Math.min(1, Math.sqrt(square)));
}

/** Undefined: only the country or continent is known, or nothing. */
export function placeOf(location: Partial<Whereabouts> | undefined): Place | undefined {
  const { latitude, longitude } = location ?? {};
  return latitude === undefined || longitude === undefined ? undefined : { latitude, longitude };
}

/** Asks each in turn; the first that knows the place wins. */
export function firstLocated(locates: readonly Locate[]): Locate {
  return (address) => {
    for (const locate of locates) {
      const location = locate(address);
      if (location !== undefined) return location;
    }
    return undefined;
  };
}

export const locateNothing: Locate = () => undefined;
