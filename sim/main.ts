/** Replays one seed, or hunts through many: see `node sim/main.ts --help`. */
import { type ChildProcess, fork } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { Command, InvalidArgumentError, Option } from 'commander';
import type { TraceLine } from './engine/trace.ts';
import { kindsNamed } from './faults/fault-words.ts';
import { LINE_KINDS } from './load/line.ts';
import { CRASH_SCENES, runCrashPoints } from './run/crash-points.ts';
import { fixedSettings, nameOf } from './run/fixed.ts';
import { geo } from './run/geo.fixture.ts';
import { NODE_FLAGS } from './run/node-flags.ts';
import { type Outcome, outcomeOf, type Runner, runAll } from './run/outcome.ts';
import { type Rehearsal, rehearse } from './run/rehearse.ts';
import { Report } from './run/report.ts';
import {
  aimedSetting,
  type Changes,
  changeSetting,
  drawSetting,
  PROFILES,
  type Profile,
  type Setting,
  SITE_STYLES,
  settingArgs,
} from './run/setting.ts';
import { shrink } from './run/shrink.ts';
import { checkOut } from './skew/checkout.fixture.ts';
import { renderHtml } from './timeline/html.ts';
import { addTimelineOptions, type TimelineOptions, textOptionsOf } from './timeline/options.ts';
import { storyOf } from './timeline/story.ts';
import { renderText } from './timeline/text.ts';
import { renderWhy, violationOf } from './timeline/why.ts';

interface Options extends Changes, TimelineOptions {
  readonly seed?: number;
  readonly aim?: string;
  readonly seeds?: readonly [number, number];
  readonly fixed?: true;
  readonly minutes?: number;
  readonly profile: Profile;
  readonly crashPoints?: number;
  readonly crashAt?: number;
  readonly lagMs: number;
  readonly jobs: number;
  readonly hash?: true;
  readonly hashes?: true;
  readonly shrink?: true;
  readonly rarePaths?: true;
  readonly worker?: true;
}

/** A hunt with so many failures has found enough. */
const FAILURES_MAX = 10;
/** What making a failure smaller may take. */
const SHRINK_MS_MAX = 120_000;
/** How often a long hunt tells how far it is. */
const PROGRESS_MS = 30_000;

await addTimelineOptions(new Command('sim'))
  .description('The cluster under virtual time, with faults; every run is drawn from its seed.')
  .option('--seed <n>', 'replay one seed and print what happens', whole)
  .option('--aim <name>', 'tell a story of sim/aims/ instead of what the seed draws')
  .option('--seeds <a..b>', 'run these seeds on all cores, and print the ones that fail', range)
  .option('--fixed', 'run the seeds that every change must hold in')
  .option('--minutes <m>', 'stop the hunt after this time', Number)
  .addOption(
    new Option(
      '--profile <name>',
      '`short`: up to five nodes; `full`: up to thirty; `long`: half an hour',
    )
      .choices(PROFILES)
      .default('full'),
  )
  .option('--faults <kinds>', 'let only these happen, e.g. `net,sub-crash`, or `none`', faultList)
  .option('--doms <n>', 'so many doms instead of what the seed draws', whole)
  .option('--subs <n>', 'so many nodes', whole)
  .option('--users <n>', 'so many people who change things', whole)
  .option('--operations <n>', 'so many changes by each of them', whole)
  .option(
    '--left-out <list>',
    'leave these changes and machines out, e.g. `1.3,ca.2,git.1,tokyo`',
    list,
  )
  .option('--ca <0>', 'leave out the ACME CA that the seed draws', none)
  .option('--git <0>', 'leave out the Git remote that the seed draws', none)
  .addOption(new Option('--sites <style>', 'what Sites ask for').choices(SITE_STYLES))
  .addOption(new Option('--line <kind>', 'how people reach dom').choices(LINE_KINDS))
  .option('--contenders <n>', 'so many people who all change one object', whole)
  .option('--clients <n>', 'so many resolvers and browsers', whole)
  .option('--storm-ms <ms>', 'so long faults happen', whole)
  .option(
    '--crash-points <every>',
    'crash after each side effect of calm runs, or every nth; with --seed or --aim, of that run',
    whole,
  )
  .option('--older <commit>', 'let hosts run that version of b8s at times', checkOut)
  .option('--crash-at <effect>', 'crash after that side effect', whole)
  .option('--lag-ms <ms>', 'and see nothing new for so long after the restart', whole, 0)
  .option('--jobs <n>', 'processes of a hunt', whole, availableParallelism())
  .option('--shrink', 'make the first failure smaller, and print what is left of it')
  .option('--rare-paths', 'print which rare paths were reached, and fail if one was not')
  .option('--hash', 'with --seed: print nothing but the hash of the trace')
  .option('--hashes', 'with --seeds: print the hash of each')
  .option('--worker', 'run what the parent process sends')
  .action(async (options: Options) => {
    if (options.worker) work();
    else if (options.fixed || options.seeds || options.crashPoints) await hunt(options);
    else await replay(options);
  })
  .parseAsync();

async function replay(options: Options): Promise<void> {
  const startMs = performance.now();
  const setting = settingOf(options.seed ?? 1, options);
  // What ends this process ends it without another word.
  process.once('uncaughtExceptionMonitor', () =>
    console.error(`the run ended; replay: make sim ${settingArgs(setting)}`),
  );
  const rehearsal = await run(setting, options.hash ? 'hash' : 'lines');
  if (rehearsal.kind === 'held' && options.hash) return console.log(rehearsal.result.hash);
  const message = rehearsal.kind === 'failed' ? rehearsal.message : undefined;
  await printTimeline(rehearsal.lines, { setting, message, options });
  if (rehearsal.kind === 'held')
    return console.log(
      `seed ${setting.seed} holds: ${describe(rehearsal, performance.now() - startMs)}`,
    );
  console.error(rehearsal.message);
  if (options.shrink) await printSmaller(setting, outcomeOf(rehearsal), runnerHere());
  // Ends once all is printed, also into a pipe.
  process.exitCode = 1;
}

async function printTimeline(
  lines: readonly TraceLine[],
  told: {
    readonly setting: Setting;
    readonly message: string | undefined;
    readonly options: Options;
  },
): Promise<void> {
  const { setting, message, options } = told;
  const { columns } = process.stdout;
  const number = options.why === true ? violationOf(lines) : options.why;
  if (options.html !== undefined) {
    const { pageParts } = await import('./timeline/page.fixture.ts');
    const run = { story: storyOf(setting, message), lines };
    writeFileSync(options.html, renderHtml(run, pageParts()));
    console.log(`the timeline is in ${options.html}`);
  }
  if (number !== undefined) process.stdout.write(renderWhy(lines, number, { columnsMax: columns }));
  else if (options.html === undefined)
    process.stdout.write(renderText(lines, textOptionsOf(options, { columns })));
}

async function hunt(options: Options): Promise<void> {
  const startMs = performance.now();
  const deadlineMs = startMs + (options.minutes ?? Infinity) * 60_000;
  const report = new Report();
  const workers = Array.from({ length: options.jobs }, startWorker);
  const running = {
    runners: workers,
    onOutcome: (setting: Setting, outcome: Outcome) => {
      report.add(setting, outcome);
      if (outcome.kind === 'failed') console.log(outcome.message);
      else if (options.hashes) console.log(`${nameOf(setting)} ${outcome.hash}`);
    },
    goesOn: () =>
      report.failed.length < FAILURES_MAX && performance.now() < deadlineMs && !isStopped,
  };
  // What was found so far is told even when somebody has waited long enough.
  let isStopped = false;
  process.once('SIGINT', () => {
    isStopped = true;
    console.error('stopping after the runs that go on; again to stop at once');
  });
  const soFar = (): string => report.summary((performance.now() - startMs) / 1000);
  const progress = setInterval(() => console.error(soFar()), PROGRESS_MS);
  if (options.fixed) await runAll(fixedSettings(), running);
  if (options.seeds !== undefined) await runAll(settings(options.seeds, options), running);
  if (options.crashPoints !== undefined)
    await runCrashPoints({
      ...{ ...running, every: options.crashPoints },
      scenes:
        options.seed === undefined && options.aim === undefined
          ? CRASH_SCENES
          : [settingOf(options.seed ?? 1, options)],
    });
  clearInterval(progress);
  for (const worker of workers) worker.end();
  console.log(soFar());
  if (options.rarePaths) console.log(report.rarePaths());
  const [failure] = report.failed;
  if (options.shrink && failure !== undefined)
    await printSmaller(failure.setting, failure.outcome, runnerHere());
  const isMissed = options.rarePaths && report.unreached.length > 0;
  process.exitCode = failure !== undefined || isMissed ? 1 : 0;
}

async function printSmaller(setting: Setting, outcome: Outcome, runner: Runner): Promise<void> {
  const deadlineMs = performance.now() + SHRINK_MS_MAX;
  console.log('making it smaller');
  const smallest = await shrink(setting, outcome, {
    runner,
    onSmaller: (each) => console.log(`  make sim ${settingArgs(each)}`),
    goesOn: () => performance.now() < deadlineMs,
  });
  console.log(`smallest: make sim ${settingArgs(smallest)}`);
}

function* settings([first, last]: readonly [number, number], options: Options): Generator<Setting> {
  for (let seed = first; seed <= last; seed += 1) yield settingOf(seed, options);
}

function settingOf(seed: number, options: Options): Setting {
  const { doms, subs, users, operations, clients, stormMs, leftOut, faults, profile } = options;
  const { crashAt: effect, lagMs, aim, older, ca, git, sites, line, contenders } = options;
  const crash = effect === undefined ? undefined : { effect, lagMs };
  const sizes = { doms, subs, users, operations, clients, stormMs, contenders };
  const changes = { ...sizes, leftOut, faults, crash, older, ca, git, sites, line };
  const drawn = aim === undefined ? drawSetting(seed, profile) : aimedSetting(seed, aim);
  return changeSetting(drawn, changes);
}

/** A function, for the command above is parsed before any constant below it is there. */
function runnerHere(): Runner {
  return { run: async (setting) => outcomeOf(await run(setting, 'hash')) };
}

function run(setting: Setting, keep: 'lines' | 'hash'): Promise<Rehearsal> {
  const onUnhandled = (note: (reason: unknown) => void): (() => void) => {
    process.on('unhandledRejection', note);
    return () => process.off('unhandledRejection', note);
  };
  return rehearse(setting, { keep, geo, onUnhandled });
}

/** In a child: runs one setting after another, as they come. Ends when its parent does. */
function work(): void {
  const runner = runnerHere();
  // Ctrl-C reaches all processes of a terminal: the parent decides what becomes of it.
  process.on('SIGINT', () => undefined);
  process.on('message', (setting: Setting) => {
    runner.run(setting).then(
      (outcome) => process.send?.(outcome),
      (error: unknown) => {
        console.error(error);
        process.exit(1);
      },
    );
  });
}

function startChild(): ChildProcess {
  return fork(import.meta.filename, ['--worker'], {
    execArgv: [...NODE_FLAGS, ...process.execArgv],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
}

interface Worker extends Runner {
  end(): void;
}

/** A process that runs out of memory, or crashes, has failed its run; the next has another one. */
function startWorker(): Worker {
  let child = startChild();
  return {
    run: (setting) =>
      new Promise((resolve) => {
        const ended = (code: number | null, signal: string | null): void => {
          child.off('message', answered);
          child = startChild();
          const how = `the process that ran ${nameOf(setting)} ended with ${signal ?? code}`;
          resolve({
            kind: 'failed',
            message: `${how}; replay: make sim ${settingArgs(setting)}`,
            virtualMs: 0,
          });
        };
        const answered = (outcome: unknown): void => {
          child.off('exit', ended);
          resolve(outcome as Outcome);
        };
        child.once('exit', ended);
        child.once('message', answered);
        child.send(setting);
      }),
    end: () => child.disconnect(),
  };
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

function none(text: string): 0 {
  if (text !== '0') throw new InvalidArgumentError('only 0: seeds draw what there is');
  return 0;
}

function faultList(text: string): readonly string[] {
  const words = list(text);
  try {
    kindsNamed(words);
  } catch (error) {
    throw error instanceof RangeError ? new InvalidArgumentError(error.message) : error;
  }
  return words;
}
