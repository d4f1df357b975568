import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startCluster, threeNodes } from '../../e2e/support/cluster.ts';
import { freePorts } from '../../e2e/support/ports.ts';
import { run } from '../../e2e/support/processes.ts';
import { percentile } from '../figures.ts';
import { readOptions } from '../options.ts';
import { debianKubectl } from './kubectl.ts';

const USAGE = `node bench/cli/main.ts [--rounds 20]

How long the bundled b8sctl takes for "version --client", and for "get nodes" against a dom on this
machine, beside kubectl's "version --client" and a Node that does nothing. In each round all run
once, one after the other. Dom and one node run meanwhile, idle.`;

/** What is aimed at, in milliseconds. */
const AIMS_MS: Readonly<Record<string, number>> = {
  'b8sctl version --client': 120,
  'b8sctl get nodes': 250,
};
const LOOPBACK_AREA = 79;
const ROOT = join(import.meta.dirname, '../..');

const { rounds } = readOptions(USAGE, { rounds: { type: 'string', default: '20' } });
const folder = await mkdtemp(join(tmpdir(), 'b8s-bench-'));
try {
  await measure();
} finally {
  await rm(folder, { recursive: true, force: true });
}
process.exit(0);

async function measure(): Promise<void> {
  const built = join(folder, 'built');
  await ok(process.execPath, [join(ROOT, 'bin/build/main.ts'), '--no-geo', '--out', built]);
  const bin = join(built, 'bin');
  const kubectl = await debianKubectl(folder);
  // The launchers take this Node.
  process.env['B8S_NODE'] = process.execPath;
  const [port = 0, dns = 0, http = 0, https = 0] = await freePorts(4);
  const nodes = threeNodes(LOOPBACK_AREA, { dns, http, https }).slice(0, 1);
  const dom = { address: '127.0.0.1', port };
  const cluster = await startCluster({
    stateDir: join(folder, 'to'),
    bin,
    dom,
    nodes,
    geo: 'none',
  });
  try {
    const b8sctl = join(bin, 'b8sctl');
    await compare([
      { name: 'node, which does nothing', command: process.execPath, args: ['-e', '0'] },
      ...(kubectl === undefined
        ? []
        : [
            {
              ...{ name: 'kubectl version --client', command: kubectl },
              args: ['version', '--client'],
            },
          ]),
      {
        ...{ name: 'b8sctl version --client', command: b8sctl },
        args: ['version', '--client'],
      },
      {
        ...{ name: 'b8sctl get nodes', command: b8sctl },
        args: ['--config', cluster.configFile, 'get', 'nodes'],
      },
    ]);
  } finally {
    await cluster.stop();
  }
}

interface Contestant {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
}

/** The first round is for caches: it is not counted. */
async function compare(contestants: readonly Contestant[]): Promise<void> {
  const tookMs = new Map<string, number[]>(contestants.map(({ name }) => [name, []]));
  for (let round = 0; round <= Number(rounds); round += 1) {
    for (const { name, command, args } of contestants) {
      const startMs = performance.now();
      await ok(command, args);
      const ms = performance.now() - startMs;
      if (round > 0) tookMs.get(name)?.push(ms);
      else console.log(`${name.padEnd(26)} the first time ${ms.toFixed(0).padStart(5)} ms`);
    }
  }
  console.log(`${rounds} rounds`);
  for (const [name, samples] of tookMs) {
    const [half, most] = [0.5, 0.9].map((share) => percentile(samples, share).toFixed(0));
    const aimMs = AIMS_MS[name];
    const aim = aimMs === undefined ? '' : `, aim ${aimMs} ms`;
    console.log(
      `${name.padEnd(26)} p50 ${half?.padStart(5)} ms, p90 ${most?.padStart(5)} ms, least ${Math.min(...samples).toFixed(0)} ms${aim}`,
    );
  }
}

async function ok(command: string, args: readonly string[]): Promise<void> {
  const { exitCode, stderr } = await run(command, args, { env: { HOME: folder } });
  if (exitCode !== 0) throw new Error(`${command} ${args.join(' ')}: exit ${exitCode}: ${stderr}`);
}
