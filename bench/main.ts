import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

/*
 * node bench/main.ts [--full] [dns|geo|edge|store|publish|convergence|gitops|acme|cli|sim ...]: runs the
 * benchmarks, all when none is named, one after the other. docs/performance.md tells how to read what they say.
 */
interface Bench {
  readonly name: string;
  /** Short enough for a coffee break. */
  readonly short: readonly string[];
  /** As in docs/performance.md. */
  readonly full: readonly string[];
}

const { values, positionals } = parseArgs({
  options: { full: { type: 'boolean', default: false } },
  allowPositionals: true,
});
/** A bench that hangs shall not hang the others. */
const BENCH_MS_MAX = 10 * 60 * 1000;

const benches: readonly Bench[] = [
  {
    name: 'geo',
    short: ['--lookups', '50000'],
    full: ['--check', '5000000', '--boundaries', '1'],
  },
  { name: 'dns', short: ['--rounds', '1'], full: ['--seconds', '5', '--rounds', '5'] },
  { name: 'edge', short: [], full: ['--full'] },
  { name: 'store', short: ['1'], full: ['5'] },
  { name: 'publish', short: ['--pushes', '3'], full: ['--full', '--pushes', '20'] },
  {
    name: 'convergence',
    short: ['--sessions', '10,100', '--changes', '10'],
    full: ['--sessions', '10,100,1000', '--changes', '20'],
  },
  {
    name: 'gitops',
    short: ['--pushes', '3', '--manifests', '1000'],
    full: ['--pushes', '10', '--manifests', '1000,10000'],
  },
  { name: 'acme', short: ['--count', '50'], full: ['--count', '1000'] },
  { name: 'cli', short: ['--rounds', '5'], full: ['--rounds', '30'] },
  { name: 'sim', short: ['--rounds', '1'], full: ['--subs', '3,10,30,300'] },
];
const names = benches.map(({ name }) => name);
const unknown = positionals.find((name) => !names.includes(name));
if (unknown !== undefined) throw new Error(`no bench ${unknown}: there are ${names.join(', ')}`);
const outcomes: string[] = [];
for (const { name, short, full } of benches) {
  if (positionals.length > 0 && !positionals.includes(name)) continue;
  console.log(`== ${name}`);
  outcomes.push(`${name}: ${await run(name, values.full ? full : short)}`);
}
console.log(`== summary\n${outcomes.join('\n')}`);
if (outcomes.some((outcome) => !outcome.includes(': done'))) process.exitCode = 1;

async function run(name: string, args: readonly string[]): Promise<string> {
  const startMs = performance.now();
  const file = join(import.meta.dirname, name, 'main.ts');
  const options = { stdio: 'inherit', timeout: BENCH_MS_MAX } as const;
  const [code] = await once(spawn(process.execPath, [file, ...args], options), 'exit');
  const seconds = ((performance.now() - startMs) / 1000).toFixed(0);
  return code === 0
    ? `done in ${seconds} s`
    : `failed with ${code ?? 'a signal'} after ${seconds} s`;
}
