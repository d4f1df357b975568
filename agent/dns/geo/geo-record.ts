import { CONTINENT_OF, CONTINENTS, type ContinentCode } from '../../../api/countries.ts';
import type { Whereabouts } from './geography.ts';

/** All the fields of a record, and of what lies within, that `geoFacts` looks at. */
export const GEO_FIELDS: ReadonlySet<string> = new Set([
  ...['location', 'latitude', 'longitude', 'country', 'iso_code', 'country_code'],
  ...['continent', 'code', 'continent_code'],
]);

/**
 * Reads a record as GeoLite2 lays it out (`location.latitude`, `country.iso_code`,
 * `continent.code`) or as DB-IP does (`latitude`, `country_code`). Undefined: it tells nothing of
 * use. A database without continents has that of the country.
 */
export function geoFacts(record: unknown): Whereabouts | undefined {
  const flat = fieldsOf(record);
  const nested = fieldsOf(flat['location']);
  const latitude = flat['latitude'] ?? nested['latitude'];
  const longitude = flat['longitude'] ?? nested['longitude'];
  const country = codeOf(fieldsOf(flat['country'])['iso_code'] ?? flat['country_code']);
  const said = codeOf(fieldsOf(flat['continent'])['code'] ?? flat['continent_code']);
  const continent = isContinent(said) ? said : CONTINENT_OF.get(country ?? '');
  const isPlaced = inRange(latitude, 90) && inRange(longitude, 180);
  if (!isPlaced && country === undefined && continent === undefined) return undefined;
  return {
    // Minus zero is zero: a place is one place.
    latitude: isPlaced ? latitude + 0 : undefined,
    longitude: isPlaced ? longitude + 0 : undefined,
    country,
    continent,
  };
}

type Fields = Readonly<Partial<Record<string, unknown>>>;

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {};
}

function inRange(value: unknown, limit: number): value is number {
  return typeof value === 'number' && Math.abs(value) <= limit;
}

/** ZZ is what some databases call a country that they do not know. */
function codeOf(value: unknown): string | undefined {
  return typeof value === 'string' && /^[A-Z]{2}$/.test(value) && value !== 'ZZ'
    ? value
    : undefined;
}

const CODES: ReadonlySet<string> = new Set(Object.values(CONTINENTS));

function isContinent(code: string | undefined): code is ContinentCode {
  return code !== undefined && CODES.has(code);
}
