import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ask, HOST } from './ask.ts';
import { countries, edges, names, ORIGIN, STATIC_TTL_S, TTL_S, TXT } from './world.ts';

/** The core that each server has to itself; the client has the other. */
export const SERVER_CORE = '0';

export interface Server {
  readonly name: ServerName;
  readonly port: number;
  /** Resident memory of all its processes; what they share counts once. */
  rssMb(): Promise<number>;
  /** CPU time of all its processes since their start. */
  cpuMs(): Promise<number>;
  stop(): Promise<void>;
}

export type ServerName = 'b8s' | 'nsd' | 'knot' | 'gdnsd' | 'pdns';
export const SERVER_NAMES: readonly ServerName[] = ['b8s', 'nsd', 'knot', 'gdnsd', 'pdns'];

interface Recipe {
  /** Writes what it needs into its folder; returns its command line. */
  readonly prepare: (given: Given) => Promise<readonly string[]>;
}

interface Given {
  readonly folder: string;
  readonly port: number;
  /** Path of the geography database. */
  readonly database: string;
}

const RECIPES: Readonly<Record<ServerName, Recipe>> = {
  b8s: { prepare: ({ port, database }) => Promise.resolve(b8sCommand(port, database)) },
  nsd: { prepare: prepareNsd },
  knot: { prepare: prepareKnot },
  gdnsd: { prepare: prepareGdnsd },
  pdns: { prepare: preparePdns },
};

/** Somewhere. */
const ANY_SUBNET = '8.8.8.0';
const READY_MS_MAX = 30_000;
const STOP_MS_MAX = 5000;

/** Starts a server pinned to its core; resolves once it answers. */
export async function startServer(
  name: ServerName,
  given: Omit<Given, 'folder'> & { readonly folder: string; readonly signal: AbortSignal },
): Promise<Server> {
  const folder = join(given.folder, name);
  await mkdir(folder, { recursive: true });
  const command = await RECIPES[name].prepare({ ...given, folder });
  const options: SpawnOptions = { stdio: ['ignore', 'ignore', 'pipe'], detached: true };
  const child = spawn('taskset', ['-c', SERVER_CORE, ...command], options);
  let said = '';
  child.stderr?.on('data', (piece: Buffer) => {
    said = (said + piece.toString()).slice(-2000);
  });
  const stop = (): Promise<void> => stopChild(child);
  try {
    await untilItAnswers({ ...given, child });
  } catch (cause) {
    await stop();
    throw new Error(`start ${name} (${command.join(' ')}): ${said}`, { cause });
  }
  const leader = child.pid ?? 0;
  return {
    ...{ name, port: given.port, stop },
    rssMb: () => rssMbOf(leader),
    cpuMs: () => cpuMsOf(leader),
  };
}

async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  // Its own process group: a server may have processes of its own.
  process.kill(-(child.pid ?? 0), 'SIGTERM');
  const timer = setTimeout(() => process.kill(-(child.pid ?? 0), 'SIGKILL'), STOP_MS_MAX);
  await exited;
  clearTimeout(timer);
}

async function untilItAnswers(given: {
  readonly port: number;
  readonly child: ChildProcess;
  readonly signal: AbortSignal;
}): Promise<void> {
  const endMs = performance.now() + READY_MS_MAX;
  for (;;) {
    given.signal.throwIfAborted();
    if (given.child.exitCode !== null) throw new Error(`it ended with ${given.child.exitCode}`);
    const asked = { name: names[0] ?? ORIGIN, type: 'TXT', subnet: ANY_SUBNET } as const;
    const answer = await ask({ ...asked, port: given.port });
    if (answer.length > 0) return;
    if (performance.now() > endMs) throw new Error(`no answer after ${READY_MS_MAX} ms`);
  }
}

/** The processes of a group. */
async function membersOf(leader: number): Promise<readonly number[]> {
  const pids = (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry)).map(Number);
  const groups = await Promise.all(pids.map(async (pid) => Number((await statOf(pid))[2])));
  return pids.filter((_, index) => groups[index] === leader);
}

/** From the process's state on (proc(5)); empty: it has ended. */
async function statOf(pid: number): Promise<readonly string[]> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

async function rssMbOf(leader: number): Promise<number> {
  let sizeKb = 0;
  for (const pid of await membersOf(leader)) {
    const memory = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => '');
    sizeKb += Number(/^Pss:\s+(\d+)/m.exec(memory)?.[1] ?? 0);
  }
  return sizeKb / 1024;
}

async function cpuMsOf(leader: number): Promise<number> {
  let ticks = 0;
  for (const pid of await membersOf(leader)) {
    const [, , , , , , , , , , , user = 0, system = 0] = await statOf(pid);
    ticks += Number(user) + Number(system);
  }
  return MS_PER_TICK * ticks;
}

/** USER_HZ is 100 on every Linux that Node runs on. */
const MS_PER_TICK = 10;

function b8sCommand(port: number, database: string): readonly string[] {
  const script = join(import.meta.dirname, 'b8s-server.ts');
  // As bin/sub starts it.
  const flags = ['--max-semi-space-size=4', '--disable-warning=ExperimentalWarning'];
  return ['env', 'MALLOC_ARENA_MAX=2', process.execPath, ...flags, script, `${port}`, database];
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
