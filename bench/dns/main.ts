import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Contest, chosenServers, contest } from '../contest.ts';
import { percentile, whole } from '../figures.ts';
import { readOptions } from '../options.ts';
import { ask } from './ask.ts';
import { load } from './dnsperf.ts';
import { writeMmdb } from './mmdb.ts';
import { ensurePackages } from './packages.ts';
import { SERVER_NAMES, type ServerName } from './recipes.ts';
import { type Server, startServer } from './servers.ts';
import { names, prefixes, queryFile } from './world.ts';

/** See docs/performance.md. Beside it: functions.ts (without sockets) and zones.ts (many zones). */
const USAGE = `node bench/dns/main.ts [OPTION …]: the same names and geography served by each, pinned to one core,
dnsperf on the other, rounds interleaved.

  --servers LIST   of ${SERVER_NAMES.join(',')} (all)
  --seconds N      for each load of each server in each round (3)
  --rounds N       medians are of so many (3)
  --queries N      different ones that are asked (50000)
  --subnets N      of clients that they come from (5000)
  --help           this text`;
const values = readOptions(USAGE, {
  seconds: { type: 'string', default: '3' },
  rounds: { type: 'string', default: '3' },
  servers: { type: 'string', default: SERVER_NAMES.join(',') },
  queries: { type: 'string', default: '50000' },
  subnets: { type: 'string', default: '5000' },
});
const FIRST_PORT = 15_300;
const WARM_UP_SECONDS = 1;
/** Answers that are compared before anything is measured. */
const SAMPLES = 50;

interface Round {
  readonly udpPerS: number;
  readonly tcpPerS: number;
  /** The server's CPU time for a query, microseconds; what other work on its core leaves alone. */
  readonly udpCpuUs: number;
  readonly tcpCpuUs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const seconds = Number(values.seconds);
const servers = chosenServers(values.servers, SERVER_NAMES);
await ensurePackages(servers);
await contest<Server>(measureAll);

async function measureAll({ folder, signal, started }: Contest<Server>): Promise<void> {
  const database = join(folder, 'clients.mmdb');
  await writeFile(database, writeMmdb(prefixes()));
  const queries = join(folder, 'queries');
  const mix = { queries: Number(values.queries), subnets: Number(values.subnets) };
  await writeFile(queries, queryFile(mix));
  for (const [index, name] of servers.entries()) {
    const given = { folder, database, port: FIRST_PORT + index, signal };
    started.push(await startServer(name, given));
  }
  await compareAnswers(started);
  for (const { port } of started) {
    await load({
      port,
      queries,
      transport: 'udp',
      seconds: WARM_UP_SECONDS,
      signal,
    });
  }
  const rounds = new Map<ServerName, Round[]>(servers.map((name) => [name, []]));
  for (let round = 1; round <= Number(values.rounds); round += 1) {
    for (const server of started) {
      const measured = await measure(server, queries, signal);
      rounds.get(server.name)?.push(measured);
      console.log(`round ${round} ${server.name.padEnd(6)} ${sentence(measured)}`);
    }
  }
  await printTable(started, rounds);
}

/** A server that answers something else, or nothing, would be faster than it ought to be. */
async function compareAnswers(started: readonly Server[]): Promise<void> {
  const geo = started.filter(({ name }) => name !== 'nsd');
  let differing = 0;
  for (let sample = 0; sample < SAMPLES; sample += 1) {
    const asked = { name: names[sample] ?? '', type: 'A', subnet: `${11 + sample}.7.8.0` } as const;
    const answers = await Promise.all(geo.map(({ port }) => ask({ ...asked, port })));
    const texts = answers.map((answer) => answer.join(' '));
    if (new Set(texts).size === 1 && texts[0] !== '') continue;
    differing += 1;
    const all = geo.map(({ name }, index) => `${name} "${texts[index] ?? ''}"`).join(', ');
    console.log(`different answers to ${asked.name} for ${asked.subnet}: ${all}`);
  }
  console.log(`${SAMPLES - differing} of ${SAMPLES} geo answers are the same from all`);
}

async function measure(server: Server, queries: string, signal: AbortSignal): Promise<Round> {
  const shared = { port: server.port, queries, seconds, signal };
  const fullLoad = async (transport: 'udp' | 'tcp'): Promise<readonly [number, number]> => {
    const beforeMs = await server.cpuMs();
    const { perSecond, answered } = await load({ ...shared, transport });
    return [perSecond, (1000 * ((await server.cpuMs()) - beforeMs)) / Math.max(1, answered)];
  };
  const [udpPerS, udpCpuUs] = await fullLoad('udp');
  const half = await load({ ...shared, transport: 'udp', perSecondMax: udpPerS / 2 });
  const [tcpPerS, tcpCpuUs] = await fullLoad('tcp');
  return { udpPerS, udpCpuUs, tcpPerS, tcpCpuUs, p50Ms: half.p50Ms, p99Ms: half.p99Ms };
}

function sentence({ udpPerS, udpCpuUs, tcpPerS, tcpCpuUs, p50Ms, p99Ms }: Round): string {
  const udp = `${whole(udpPerS)}/s UDP (${udpCpuUs.toFixed(1)} us CPU each)`;
  const tcp = `${whole(tcpPerS)}/s TCP (${tcpCpuUs.toFixed(1)} us)`;
  return `${udp}, ${tcp}, p50 ${p50Ms.toFixed(3)} ms, p99 ${p99Ms.toFixed(3)} ms at half load`;
}

/** Medians; ratios to the best server that knows geography, and to NSD, which does not. */
async function printTable(
  started: readonly Server[],
  rounds: ReadonlyMap<ServerName, readonly Round[]>,
): Promise<void> {
  const median = (name: ServerName, of: keyof Round): number =>
    percentile(rounds.get(name)?.map((round) => round[of]) ?? [], 0.5);
  const geo = servers.filter((name) => name !== 'b8s' && name !== 'nsd');
  const best = (of: keyof Round): number => Math.max(0, ...geo.map((name) => median(name, of)));
  console.log(
    '\n| server | UDP/s | of best geo | of NSD | CPU | p50 | p99 | TCP/s | of best geo | CPU | RSS |',
  );
  console.log('|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|');
  for (const server of started) {
    const of = (what: keyof Round): number => median(server.name, what);
    const [udp, tcp] = [of('udpPerS'), of('tcpPerS')];
    const cells = [
      whole(udp),
      ratio(udp, best('udpPerS')),
      ratio(udp, median('nsd', 'udpPerS')),
      `${of('udpCpuUs').toFixed(1)} us`,
      `${of('p50Ms').toFixed(3)} ms`,
      `${of('p99Ms').toFixed(3)} ms`,
      whole(tcp),
      ratio(tcp, best('tcpPerS')),
      `${of('tcpCpuUs').toFixed(1)} us`,
      `${(await server.rssMb()).toFixed(0)} MB`,
    ];
    console.log(`| ${server.name} | ${cells.join(' | ')} |`);
  }
}

function ratio(value: number, other: number): string {
  return other === 0 ? '' : (value / other).toFixed(2);
}
