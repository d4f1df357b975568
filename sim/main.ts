/** Replays one seed, or hunts through many: see `node sim/main.ts --help`. */
import { Command } from 'commander';
import { guarded } from './engine/guard.ts';
import { renderLine } from './engine/trace.ts';
import { type RunResult, World } from './run/world.ts';

interface Options {
  readonly seed: string;
  readonly seeds: string;
  readonly minutes: string;
  readonly hash?: true;
}

/** A hunt with so many failures has found enough. */
const FAILURES_MAX = 10;

await new Command('sim')
  .description('The cluster under virtual time, with faults; every run is drawn from its seed.')
  .option('--seed <n>', 'replay one seed and print what happens', '')
  .option('--seeds <a..b>', 'run these seeds, and print the ones that fail', '')
  .option('--minutes <m>', 'stop the hunt after this time', '')
  .option('--hash', 'with --seed: print nothing but the hash of the trace')
  .action((options: Options) => (options.seeds === '' ? replay(options) : hunt(options)))
  .parseAsync();

async function replay({ seed, hash }: Options): Promise<void> {
  const world = new World(Number(seed), { keep: 'lines' });
  const startMs = performance.now();
  try {
    const result = await rehearse(world, Number(seed));
    if (hash) return console.log(result.hash);
    for (const line of world.lines()) console.log(renderLine(line));
    console.log(`seed ${seed} holds: ${describe(result, performance.now() - startMs)}`);
  } catch (error) {
    for (const line of world.lines()) console.log(renderLine(line));
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  }
}

async function hunt({ seeds, minutes }: Options): Promise<void> {
  const [first = 1, last = first] = seeds.split('..').map(Number);
  const startMs = performance.now();
  const deadlineMs = minutes === '' ? Infinity : startMs + Number(minutes) * 60_000;
  const failed: number[] = [];
  let [ran, virtualMs] = [0, 0];
  const goesOn = (): boolean => failed.length < FAILURES_MAX && performance.now() < deadlineMs;
  for (let seed = first; seed <= last && goesOn(); seed += 1) {
    ran += 1;
    try {
      virtualMs += (await rehearse(new World(seed, { keep: 'hash' }), seed)).virtualMs;
    } catch (error) {
      failed.push(seed);
      console.log(error instanceof Error ? error.message : error);
    }
  }
  const tookS = (performance.now() - startMs) / 1000;
  console.log(
    `${ran} seeds in ${tookS.toFixed(1)} s: ${(ran / tookS).toFixed(1)} seeds/s, ` +
      `${(virtualMs / 1000 / tookS).toFixed(0)} virtual seconds per second; ` +
      (failed.length === 0 ? 'all hold' : `${failed.length} fail: ${failed.join(' ')}`),
  );
  process.exit(failed.length === 0 ? 0 : 1);
}

/** Runs a world; a rejection that nobody handles would have ended a real process. */
async function rehearse(world: World, seed: number): Promise<RunResult> {
  const unhandled: unknown[] = [];
  const note = (error: unknown): unknown => unhandled.push(error);
  process.on('unhandledRejection', note);
  try {
    const result = await guarded(() => world.run());
    if (unhandled.length === 0) return result;
    const [first] = unhandled;
    const stack = first instanceof Error ? first.stack : String(first);
    throw new Error(`INV-4: nobody handles ${stack}; replay: make sim SEED=${seed}`);
  } finally {
    process.off('unhandledRejection', note);
  }
}

function describe({ hash, steps, virtualMs, convergedAfterMs }: RunResult, tookMs: number): string {
  return (
    `${steps} steps, ${virtualMs / 1000} virtual seconds in ${Math.round(tookMs)} ms, ` +
    `as wished ${convergedAfterMs / 1000} s after the faults, trace ${hash}`
  );
}
