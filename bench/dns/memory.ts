import { readFileSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import {
  type Cluster,
  type NodeOptions,
  readText,
  startCluster,
} from '../../e2e/support/cluster.ts';
import { freePorts } from '../../e2e/support/ports.ts';
import { program, until } from '../../e2e/support/processes.ts';
import { percentile } from '../figures.ts';

/*
 * node bench/dns/memory.ts [--bin bin,dist/bin] [--no-geo] [--starts 3] [--rest-s 14]: what a sub
 * holds at rest as a nameserver alone and as an edge alone, and dom with those two nodes. Each of
 * the folders with programs in turn, as many starts of each; medians. dom runs from the first one.
 */
const { values } = parseArgs({
  options: {
    bin: { type: 'string', default: 'bin' },
    geo: { type: 'boolean', default: true },
    starts: { type: 'string', default: '3' },
    'rest-s': { type: 'string', default: '14' },
  },
  allowNegative: true,
});
const LOOPBACK_AREA = 78;
/** Fetched, verified, and compiled to tables. */
const GEO_MS_MAX = 120_000;
const FIELDS = ['Rss', 'Pss', 'Anonymous'] as const;

const bins = values.bin.split(',').map((bin) => resolve(bin));
const folder = await mkdtemp(join(tmpdir(), 'b8s-bench-'));
let cluster: Cluster | undefined;
// What it started ends with it.
process.once('SIGINT', () => process.exit(130));
process.once('SIGTERM', () => process.exit(143));
try {
  const [port = 0, dnsPort = 0, httpPort = 0, httpsPort = 0] = await freePorts(4);
  const nodes = (['nameserver', 'edge'] as const).map(
    (role, index): NodeOptions => ({
      ...{ name: role, roles: [role], address: `127.${LOOPBACK_AREA}.0.${11 + index}` },
      ...{ latitude: 51.5, longitude: 0, dnsPort, httpPort, httpsPort },
    }),
  );
  const running = await startCluster({
    stateDir: folder,
    dom: { address: '127.0.0.1', port },
    ...{ bin: bins[0] ?? '', nodes },
    ...(values.geo ? {} : { geo: 'none' }),
  });
  cluster = running;
  await declare(running);
  if (values.geo) await geographyReady(running);
  for (const sub of running.subs.values()) await sub.stop();
  console.log(`${values.geo ? 'with DB-IP' : 'without geography'}, MB at rest:`);
  for (const { name } of nodes) await compare(name, running.subDir(name));
  console.log(`${'dom'.padEnd(44)}${line([memoryOf(running.dom.pid ?? 0)])}`);
} finally {
  await cluster?.stop();
  await rm(folder, { recursive: true, force: true });
}
process.exit(0);

async function declare(running: Cluster): Promise<void> {
  const apiVersion = 'b8s.dev/v1';
  const objects = [
    { apiVersion, kind: 'Zone', metadata: { name: 'bench' }, spec: { origin: 'bench.test' } },
    { apiVersion, kind: 'Site', metadata: { name: 'www' }, spec: { hosts: ['www.bench.test'] } },
  ];
  const input = objects.map((object) => JSON.stringify(object)).join('\n---\n');
  await running.b8sctlOk(['apply', '-f', '-'], { input });
}

/** Once both tables are there, a restart finds them. */
async function geographyReady(running: Cluster): Promise<void> {
  const tables = join(running.subDir('nameserver'), 'geo');
  const both = async (): Promise<boolean> => (await readdir(tables)).length === 2;
  await until('the geography is compiled', both, { timeoutMs: GEO_MS_MAX, everyMs: 500 });
}

/** Interleaved, so that whatever else the machine does meets all of them. */
async function compare(name: string, state: string): Promise<void> {
  const samples = bins.map((): Memory[] => []);
  for (let start = 0; start < Number(values.starts); start += 1) {
    for (const [index, bin] of bins.entries()) {
      samples[index]?.push(await startOnce(join(bin, 'sub'), state, name));
    }
  }
  for (const [index, bin] of bins.entries()) {
    console.log(`${`${name}, ${bin}`.padEnd(44)}${line(samples[index] ?? [])}`);
  }
}

async function startOnce(command: string, state: string, name: string): Promise<Memory> {
  const logFile = join(folder, 'log', `${name}-measured.log`);
  const args = ['run', '--state', state];
  const sub = program({ name, command, args, logFile });
  sub.start();
  try {
    const open = async (): Promise<boolean> =>
      readText(logFile).includes('session with dom is open');
    await until(`${name} has a session`, open, { timeoutMs: 30_000 });
    await pause(Number(values['rest-s']) * 1000);
    return memoryOf(sub.pid ?? 0);
  } finally {
    await sub.stop();
    await rm(logFile, { force: true });
  }
}

type Memory = Readonly<Record<(typeof FIELDS)[number], number>>;

/** In MB, by the kernel (proc(5)). `Pss` shares what is shared, such as Node's own program. */
function memoryOf(pid: number): Memory {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const of = (field: string): number =>
    Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0) / 1024;
  return { Rss: of('Rss'), Pss: of('Pss'), Anonymous: of('Anonymous') };
}

function line(samples: readonly Memory[]): string {
  const medians = FIELDS.map((field) => {
    const megabytes = samples.map((sample) => sample[field]);
    return `${field} ${percentile(megabytes, 0.5).toFixed(0)}`;
  });
  return medians.join(', ');
}
