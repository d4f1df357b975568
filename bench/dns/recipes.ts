import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { HOST } from './ask.ts';
import { countries, edges, names, ORIGIN, STATIC_TTL_S, TTL_S, TXT } from './world.ts';

export type ServerName = 'b8s' | 'nsd' | 'knot' | 'gdnsd' | 'pdns';
export const SERVER_NAMES: readonly ServerName[] = ['b8s', 'nsd', 'knot', 'gdnsd', 'pdns'];

export interface Given {
  readonly folder: string;
  readonly port: number;
  /** Path of the geography database. */
  readonly database: string;
  /** Threads of b8s that answer; left out: one. */
  readonly workers?: number;
}

/** Writes what a server needs into the folder; returns its command line. */
type Recipe = (given: Given) => Promise<readonly string[]>;

/** The same names, edges and places for each, as its own documentation would have it. */
export const RECIPES: Readonly<Record<ServerName, Recipe>> = {
  b8s: (given) => Promise.resolve(b8sCommand(given)),
  nsd: prepareNsd,
  knot: prepareKnot,
  gdnsd: prepareGdnsd,
  pdns: preparePdns,
};

function b8sCommand({ port, database, workers = 1 }: Given): readonly string[] {
  const script = join(import.meta.dirname, 'b8s-server.ts');
  // As bin/sub starts it.
  const flags = ['--max-semi-space-size=4', '--disable-warning=ExperimentalWarning'];
  const command = ['env', 'MALLOC_ARENA_MAX=2', process.execPath, ...flags, script];
  return [...command, `${port}`, database, `${workers}`];
}

const SOA = `ns1 hostmaster 1 3600 600 604800 300`;

/** A zone file; `addressesOf` says what stands at each name. */
function zoneFile(addressesOf: (index: number) => readonly string[]): string {
  const head = [`$ORIGIN ${ORIGIN}.`, `$TTL ${STATIC_TTL_S}`, `@ 3600 SOA ${SOA}`, '@ NS ns1'];
  const lines = names.flatMap((name, index) => [
    `${name}. TXT "${TXT}"`,
    ...addressesOf(index).map((record) => `${name}. ${TTL_S} ${record}`),
  ]);
  return `${[...head, 'ns1 A 127.0.0.1', ...lines].join('\n')}\n`;
}

function staticZone(): string {
  return zoneFile((index) => {
    const edge = edges[index % edges.length];
    return [`A ${edge?.ipv4 ?? ''}`, `AAAA ${edge?.ipv6 ?? ''}`];
  });
}

/** NSD knows no geography: whoever asks gets the same. The ceiling for the others. */
async function prepareNsd({ folder, port }: Given): Promise<readonly string[]> {
  await writeFile(join(folder, 'zone'), staticZone());
  const config = join(folder, 'nsd.conf');
  await writeFile(
    config,
    `server:
  ip-address: ${HOST}@${port}
  server-count: 1
  username: ""
  database: ""
  zonesdir: ${folder}
  pidfile: ${folder}/pid
  xfrdfile: ${folder}/xfrd
  zonelistfile: ${folder}/zones
  rrl-ratelimit: 0
  tcp-count: 200
remote-control:
  control-enable: no
zone:
  name: ${ORIGIN}
  zonefile: zone
`,
  );
  return ['nsd', '-d', '-c', config];
}

async function prepareKnot({ folder, port, database }: Given): Promise<readonly string[]> {
  await writeFile(
    join(folder, 'zone'),
    zoneFile(() => []),
  );
  const entries = [...countries.map(({ code, nearest }) => [code, nearest] as const)];
  const body = entries.map(
    ([code, { ipv4, ipv6 }]) => `  - geo: "${code}"\n    A: ${ipv4}\n    AAAA: ${ipv6}\n`,
  );
  await writeFile(
    join(folder, 'geo.conf'),
    names.map((name) => `${name}.:\n${body.join('')}`).join(''),
  );
  const config = join(folder, 'knot.conf');
  await writeFile(
    config,
    `server:
  rundir: ${folder}
  listen: ${HOST}@${port}
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
  edns-client-subnet: on
  tcp-max-clients: 200
database:
  storage: ${folder}
mod-geoip:
  - id: geo
    config-file: ${folder}/geo.conf
    ttl: ${TTL_S}
    mode: geodb
    geodb-file: ${database}
    geodb-key: [ country/iso_code ]
zone:
  - domain: ${ORIGIN}
    storage: ${folder}
    file: zone
    module: mod-geoip/geo
`,
  );
  return ['knotd', '-c', config];
}

async function prepareGdnsd({ folder, port, database }: Given): Promise<readonly string[]> {
  await mkdir(join(folder, 'zones'), { recursive: true });
  await mkdir(join(folder, 'geoip'), { recursive: true });
  await writeFile(
    join(folder, 'zones', ORIGIN),
    zoneFile(() => ['DYNA geoip!www']),
  );
  const centers = edges.map(
    ({ name, latitude, longitude }) => `${name} => [${latitude}, ${longitude}]`,
  );
  const addresses = edges.map(
    ({ name, ipv4, ipv6 }) => `${name} => { addrs_v4 => ${ipv4}, addrs_v6 => ${ipv6} }`,
  );
  await writeFile(
    join(folder, 'config'),
    `options => {
  listen => ${HOST}:${port}
  run_dir => ${folder}/run
  state_dir => ${folder}/state
  udp_threads => 1
  tcp_threads => 1
  max_edns_response => 1232
  zones_default_ttl => ${STATIC_TTL_S}
}
plugins => {
  geoip => {
    maps => {
      world => {
        geoip2_db => ${database}
        datacenters => [${edges.map(({ name }) => name).join(', ')}]
        auto_dc_coords => { ${centers.join(', ')} }
        auto_dc_limit => 1
      }
    }
    resources => {
      www => { map => world, service_types => up, dcmap => { ${addresses.join(', ')} } }
    }
  }
}
`,
  );
  return ['gdnsd', '-c', folder, 'start'];
}

async function preparePdns({ folder, port, database }: Given): Promise<readonly string[]> {
  const answers = countries.map(({ code, nearest }) => {
    const records = [`a: ${nearest.ipv4}`, `aaaa: ${nearest.ipv6}`, `txt: "${TXT}"`];
    const lines = records.map((record) => `        - ${record}\n`).join('');
    return `      ${code.toLowerCase()}.at.${ORIGIN}:\n${lines}`;
  });
  const services = names.map((name) => `      ${name}: '%cc.at.${ORIGIN}'\n`);
  await writeFile(
    join(folder, 'geo.yaml'),
    `domains:
  - domain: ${ORIGIN}
    ttl: ${TTL_S}
    records:
      ${ORIGIN}:
        - soa: ns1.${ORIGIN} hostmaster.${ORIGIN} 1 3600 600 604800 300
        - ns: ns1.${ORIGIN}
      ns1.${ORIGIN}:
        - a: ${HOST}
${answers.join('')}    services:
${services.join('')}`,
  );
  await writeFile(
    join(folder, 'pdns.conf'),
    `launch=geoip
geoip-database-files=mmdb:${database}
geoip-zones-file=${folder}/geo.yaml
local-address=${HOST}
local-port=${port}
socket-dir=${folder}
daemon=no
guardian=no
edns-subnet-processing=yes
receiver-threads=1
distributor-threads=1
reuseport=no
max-tcp-connections=200
version-string=anonymous
security-poll-suffix=
`,
  );
  return ['pdns_server', `--config-dir=${folder}`];
}
