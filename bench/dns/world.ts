import { distanceKm, type Place } from '../../agent/dns/geo/geography.ts';
import { seededRandom } from '../../agent/dns/seeded.fixture.ts';
import type { MmdbPrefix } from './mmdb.ts';

/** What all servers serve: the same names, the same edges, the same places of clients. */
export const ORIGIN = 'bench.test';
export const NAMES = 1000;
export const TTL_S = 30;
export const STATIC_TTL_S = 600;
export const TXT = 'v=spf1 -all';
const EDGES = 20;
const SEED = 4;

export interface Edge extends Place {
  readonly name: string;
  readonly ipv4: string;
  readonly ipv6: string;
}

export interface Country extends Place {
  /** ISO 3166-1 alpha-2. */
  readonly code: string;
  readonly continent: string;
  /** The one that its clients are led to. */
  readonly nearest: Edge;
}

/** Where edges stand: cities all over the globe. */
const CITIES: readonly (readonly [latitude: number, longitude: number])[] = [
  [52.5, 13.4],
  [51.5, -0.1],
  [40.4, -3.7],
  [41.9, 12.5],
  [59.3, 18.1],
  [50.5, 30.5],
  [55.8, 37.6],
  [40.7, -74],
  [41.9, -87.6],
  [34.1, -118.2],
  [43.7, -79.4],
  [19.4, -99.1],
  [-23.6, -46.6],
  [-34.6, -58.4],
  [30, 31.2],
  [-26.2, 28],
  [19.1, 72.9],
  [1.4, 103.8],
  [35.7, 139.7],
  [-33.9, 151.2],
];
// biome-ignore format: a table
const COUNTRIES: readonly (readonly [code: string, continent: string, latitude: number, longitude: number])[] = [
  ['DE', 'EU', 51, 9], ['GB', 'EU', 54, -2], ['FR', 'EU', 46, 2], ['ES', 'EU', 40, -4],
  ['IT', 'EU', 42.8, 12.8], ['SE', 'EU', 62, 15], ['NO', 'EU', 62, 10], ['FI', 'EU', 64, 26],
  ['PL', 'EU', 52, 20], ['UA', 'EU', 49, 32], ['RU', 'EU', 60, 100], ['PT', 'EU', 39.5, -8],
  ['NL', 'EU', 52.5, 5.8], ['BE', 'EU', 50.8, 4], ['AT', 'EU', 47.3, 13.3], ['CH', 'EU', 47, 8],
  ['CZ', 'EU', 49.8, 15.5], ['GR', 'EU', 39, 22], ['RO', 'EU', 46, 25], ['HU', 'EU', 47, 20],
  ['IE', 'EU', 53, -8], ['DK', 'EU', 56, 10], ['US', 'NA', 38, -97], ['CA', 'NA', 60, -95],
  ['MX', 'NA', 23, -102], ['GT', 'NA', 15.5, -90.3], ['CU', 'NA', 21.5, -80], ['PA', 'NA', 9, -80],
  ['BR', 'SA', -10, -55], ['AR', 'SA', -34, -64], ['CL', 'SA', -30, -71], ['PE', 'SA', -10, -76],
  ['CO', 'SA', 4, -72], ['VE', 'SA', 8, -66], ['UY', 'SA', -33, -56], ['BO', 'SA', -17, -65],
  ['EG', 'AF', 27, 30], ['ZA', 'AF', -29, 24], ['NG', 'AF', 10, 8], ['KE', 'AF', 1, 38],
  ['MA', 'AF', 32, -5], ['ET', 'AF', 8, 38], ['GH', 'AF', 8, -2], ['TZ', 'AF', -6, 35],
  ['IN', 'AS', 20, 77], ['CN', 'AS', 35, 105], ['JP', 'AS', 36, 138], ['KR', 'AS', 37, 127.5],
  ['ID', 'AS', -5, 120], ['TH', 'AS', 15, 100], ['VN', 'AS', 16, 106], ['PH', 'AS', 13, 122],
  ['SG', 'AS', 1.4, 103.8], ['MY', 'AS', 2.5, 112.5], ['PK', 'AS', 30, 70], ['IR', 'AS', 32, 53],
  ['TR', 'AS', 39, 35], ['SA', 'AS', 25, 45], ['AU', 'OC', -27, 133], ['NZ', 'OC', -41, 174],
];

export const edges: readonly Edge[] = CITIES.slice(0, EDGES).map(
  ([latitude, longitude], index) => ({
    ...{ name: `edge-${index}`, latitude, longitude },
    ...{ ipv4: `192.0.2.${index + 1}`, ipv6: `2001:db8::${index + 1}` },
  }),
);

export const countries: readonly Country[] = COUNTRIES.map(
  ([code, continent, latitude, longitude]) => {
    const place = { latitude, longitude };
    const byDistance = edges.toSorted((a, b) => distanceKm(place, a) - distanceKm(place, b));
    return { ...place, code, continent, nearest: byDistance[0] as Edge };
  },
);

export const names: readonly string[] = Array.from(
  { length: NAMES },
  (_, index) => `www${index}.${ORIGIN}`,
);

/** Every /16 that clients have belongs to one country. */
export function prefixes(): readonly MmdbPrefix[] {
  const random = seededRandom(SEED);
  const records = countries.map(({ code, ...rest }) => ({ ...rest, country: code }));
  return firstOctets().flatMap((first) =>
    Array.from({ length: 256 }, (_, second) => ({
      address: ((first << 24) | (second << 16)) >>> 0,
      bits: 16,
      record: records[Math.floor(random() * records.length)] as (typeof records)[number],
    })),
  );
}

/** Public unicast: not 0, 10, 127, 169, 172, 192, 198, 203, nor multicast. */
function firstOctets(): readonly number[] {
  const others = new Set([0, 10, 100, 127, 169, 172, 192, 198, 203]);
  return Array.from({ length: 224 }, (_, first) => first).filter((first) => !others.has(first));
}

export interface QueryMix {
  readonly queries: number;
  /** Client networks of 24 bits, drawn over the globe. */
  readonly subnets: number;
}

/**
 * Queries as dnsperf's `-B` reads them, each after its length: 80 % addresses of the names, 10 %
 * names that do not exist, 5 % AAAA, 5 % TXT, each with the subnet of its client (RFC 7871).
 */
export function queryFile({ queries, subnets }: QueryMix): Buffer {
  const random = seededRandom(SEED + 1);
  const below = (limit: number): number => Math.floor(random() * limit);
  const octets = firstOctets();
  const drawn = Array.from({ length: subnets }, () =>
    Buffer.of(octets[below(octets.length)] ?? 1, below(256), below(256)),
  );
  return Buffer.concat(
    Array.from({ length: queries }, () => {
      const kind = below(100);
      const name =
        kind < 90 && kind >= 80 ? `no${below(1e6)}.${ORIGIN}` : `www${below(NAMES)}.${ORIGIN}`;
      const type = kind < 90 ? 1 : kind < 95 ? 28 : 16;
      return queryOf({ name, type, subnet: drawn[below(subnets)] ?? Buffer.alloc(3) });
    }),
  );
}

/** One query after its length. The client sets the id. */
function queryOf(asked: { name: string; type: number; subnet: Buffer }): Buffer {
  const labels = asked.name
    .split('.')
    .flatMap((label) => [Buffer.of(label.length), Buffer.from(label)]);
  const message = Buffer.concat([
    Buffer.of(0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1),
    ...labels,
    Buffer.of(0, 0, asked.type, 0, 1),
    // OPT with 1232 bytes, then family 1, 24 bits, scope 0.
    Buffer.of(0, 0, 41, 0x04, 0xd0, 0, 0, 0, 0, 0, 11, 0, 8, 0, 7, 0, 1, 24, 0),
    asked.subnet,
  ]);
  return Buffer.concat([Buffer.of(message.length >> 8, message.length & 0xff), message]);
}
