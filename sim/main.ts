/** Replays one seed, or hunts through many: see `node sim/main.ts --help`. */
import { Command, InvalidArgumentError } from 'commander';
import { renderLine } from './engine/trace.ts';
import { geo } from './run/geo.fixture.ts';
import { type Rehearsal, rehearse } from './run/rehearse.ts';
import {
  type Changes,
  changeSetting,
  drawSetting,
  type Profile,
  type Setting,
} from './run/setting.ts';

interface Options extends Changes {
  readonly seed?: number;
  readonly seeds?: readonly [number, number];
  readonly minutes?: number;
  readonly profile: Profile;
  readonly hash?: true;
}

/** A hunt with so many failures has found enough. */
const FAILURES_MAX = 10;

await new Command('sim')
  .description('The cluster under virtual time, with faults; every run is drawn from its seed.')
  .option('--seed <n>', 'replay one seed and print what happens', whole)
  .option('--seeds <a..b>', 'run these seeds, and print the ones that fail', range)
  .option('--minutes <m>', 'stop the hunt after this time', Number)
  .option('--profile <name>', '`short`: up to five nodes; `full`: up to thirty', 'full')
  .option('--faults <kinds>', 'let only these happen, e.g. `loss,sub-crash`, or `none`', faultList)
  .option('--subs <n>', 'so many nodes instead of what the seed draws', whole)
  .option('--doms <n>', 'so many doms', whole)
  .option('--operations <n>', 'so many changes by each user', whole)
  .option('--left-out <list>', 'leave these changes out, as `user.number`', list)
  .option('--hash', 'with --seed: print nothing but the hash of the trace')
  .action((options: Options) => (options.seeds === undefined ? replay(options) : hunt(options)))
  .parseAsync();

async function replay(options: Options): Promise<void> {
  const startMs = performance.now();
  const setting = settingOf(options.seed ?? 1, options);
  const rehearsal = await run(setting, options.hash ? 'hash' : 'lines');
  if (rehearsal.kind === 'held' && options.hash) return console.log(rehearsal.result.hash);
  for (const line of rehearsal.lines) console.log(renderLine(line));
  if (rehearsal.kind === 'held')
    return console.log(
      `seed ${setting.seed} holds: ${describe(rehearsal, performance.now() - startMs)}`,
    );
  console.error(rehearsal.message);
  process.exit(1);
}

async function hunt(options: Options): Promise<void> {
  const [first, last] = options.seeds ?? [1, 1];
  const startMs = performance.now();
  const deadlineMs = startMs + (options.minutes ?? Infinity) * 60_000;
  const failed: number[] = [];
  let [ran, virtualMs, steps] = [0, 0, 0];
  const goesOn = (): boolean => failed.length < FAILURES_MAX && performance.now() < deadlineMs;
  for (let seed = first; seed <= last && goesOn(); seed += 1) {
    ran += 1;
    const rehearsal = await run(settingOf(seed, options), 'hash');
    if (rehearsal.kind === 'held') {
      virtualMs += rehearsal.result.virtualMs;
      steps += rehearsal.result.steps;
      continue;
    }
    failed.push(seed);
    console.log(rehearsal.message);
  }
  const tookS = (performance.now() - startMs) / 1000;
  console.log(
    `${ran} seeds in ${tookS.toFixed(1)} s: ${(ran / tookS).toFixed(1)} seeds/s, ` +
      `${(virtualMs / 1000 / tookS).toFixed(0)} virtual seconds and ` +
      `${(steps / tookS).toFixed(0)} events per second; ` +
      (failed.length === 0 ? 'all hold' : `${failed.length} fail: ${failed.join(' ')}`),
  );
  process.exit(failed.length === 0 ? 0 : 1);
}

function settingOf(seed: number, options: Options): Setting {
  return changeSetting(drawSetting(seed, options.profile), options);
}

function run(setting: Setting, keep: 'lines' | 'hash'): Promise<Rehearsal> {
  const onUnhandled = (note: (reason: unknown) => void): (() => void) => {
    process.on('unhandledRejection', note);
    return () => process.off('unhandledRejection', note);
  };
  return rehearse(setting, { keep, geo, onUnhandled });
}

function describe({ result }: Extract<Rehearsal, { kind: 'held' }>, tookMs: number): string {
  const { hash, steps, virtualMs, convergedAfterMs } = result;
  return (
    `${steps} steps, ${virtualMs / 1000} virtual seconds in ${Math.round(tookMs)} ms, ` +
    `as wished ${convergedAfterMs / 1000} s after the faults, trace ${hash}`
  );
}

function whole(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('a whole number, e.g. 7');
  return Number(text);
}

function range(text: string): readonly [number, number] {
  const [, first, last] = /^(\d+)\.\.(\d+)$/.exec(text) ?? [];
  if (first === undefined || last === undefined)
    throw new InvalidArgumentError('two seeds, e.g. 1..500');
  return [Number(first), Number(last)];
}

function list(text: string): readonly string[] {
  return text.split(',').filter((each) => each !== '');
}

function faultList(text: string): readonly string[] {
  return text === 'none' ? [] : list(text);
}
