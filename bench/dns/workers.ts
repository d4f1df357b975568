import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { contest } from '../contest.ts';
import { percentile, whole } from '../figures.ts';
import { readOptions } from '../options.ts';
import { load } from './dnsperf.ts';
import { writeMmdb } from './mmdb.ts';
import { ensurePackages } from './packages.ts';
import { type Server, startServer } from './servers.ts';
import { prefixes, queryFile } from './world.ts';

const USAGE = `node bench/dns/workers.ts [OPTION …]: b8s with one DNS worker, and with two on the same port, in turn on
two cores that dnsperf shares. How many queries are answered says little then; what one costs, and
how they are spread over the workers, is what it has to say.

  --seconds N      of each load (3)
  --rounds N       medians are of so many (5)
  --help           this text`;
const values = readOptions(USAGE, {
  seconds: { type: 'string', default: '3' },
  rounds: { type: 'string', default: '5' },
});
const FIRST_PORT = 15_320;
const CORES = '0,1';
const COUNTS = [1, 2] as const;
/** Threads with less of the process's CPU time than this answer nothing. */
const SHARE_MIN = 0.02;

interface Round {
  readonly perS: number;
  readonly cpuUs: number;
  /** Of the CPU time, that of each thread that has more than next to nothing; the greatest first. */
  readonly shares: readonly number[];
}

await ensurePackages(['b8s']);
await contest<Server>(async ({ folder, signal, started }) => {
  const database = join(folder, 'clients.mmdb');
  await writeFile(database, writeMmdb(prefixes()));
  const queries = join(folder, 'queries');
  await writeFile(queries, queryFile({ queries: 50_000, subnets: 5_000 }));
  const rounds = new Map<number, Round[]>();
  for (const workers of COUNTS) {
    const port = FIRST_PORT + workers;
    started.push(
      await startServer('b8s', { folder, database, port, signal, workers, cores: CORES }),
    );
    rounds.set(workers, []);
  }
  const seconds = Number(values.seconds);
  // The first is for warming up.
  for (let round = 0; round <= Number(values.rounds); round += 1) {
    for (const [index, server] of started.entries()) {
      const before = await threadsMs(server);
      const shared = { port: server.port, queries, seconds, signal, cores: CORES };
      const { perSecond, answered } = await load({ ...shared, transport: 'udp' });
      const after = await threadsMs(server);
      const spent = [...after].map(([id, ms]) => ms - (before.get(id) ?? 0));
      const allMs = spent.reduce((sum, ms) => sum + ms, 0);
      const shares = spent.map((ms) => ms / allMs).filter((share) => share > SHARE_MIN);
      const measured = {
        ...{ perS: perSecond, cpuUs: (1000 * allMs) / Math.max(1, answered) },
        shares: shares.toSorted((a, b) => b - a),
      };
      if (round > 0) rounds.get(COUNTS[index] ?? 1)?.push(measured);
    }
  }
  console.log('| workers | UDP/s beside dnsperf | CPU for one | of the CPU time, by thread |');
  console.log('|---:|---:|---:|---|');
  for (const [workers, all] of rounds) {
    const median = (of: (round: Round) => number): number => percentile(all.map(of), 0.5);
    const last = all
      .at(-1)
      ?.shares.map((share) => `${Math.round(100 * share)} %`)
      .join(', ');
    const cpuUs = median((round) => round.cpuUs).toFixed(2);
    console.log(`| ${workers} | ${whole(median((round) => round.perS))} | ${cpuUs} us | ${last} |`);
  }
});

/** CPU time of each thread since its start, by thread id; USER_HZ is 100. */
async function threadsMs({ child }: Server): Promise<ReadonlyMap<string, number>> {
  const folder = `/proc/${child.pid ?? 0}/task`;
  const times = new Map<string, number>();
  for (const id of await readdir(folder)) {
    const stat = await readFile(join(folder, id, 'stat'), 'utf8').catch(() => '');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    times.set(id, 10 * (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)));
  }
  return times;
}
