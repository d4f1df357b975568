/** Runs the simulation with one deliberate bug at a time: see `node sim/mutants/main.ts --help`. */
import { type ChildProcess, fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import type { Outcome, Runner } from '../run/outcome.ts';
import { MUTANTS, mutantNamed } from './all.ts';
import type { Mutant } from './mutant.ts';
import { rowOf, tryMutant, type Verdict } from './trial.ts';

interface Options {
  readonly only?: readonly string[];
  readonly seeds: number;
  readonly crashPointsEvery: number;
  readonly seconds: number;
  readonly jobs: number;
}

/** A world that gives no answer for so long never will. */
const RUN_MS_MAX = 120_000;

const children = new Set<ChildProcess>();

await new Command('mutants')
  .description('Small deliberate bugs: each must be caught by an invariant of the simulation.')
  .option('--only <names>', 'these mutants, e.g. `stale-plan-taken,no-backoff`', (text) =>
    text.split(','),
  )
  .option('--seeds <n>', 'after the fixed runs, the short seeds up to this one', whole, 400)
  .option('--crash-points-every <n>', 'then every nth crash point', whole, 31)
  .option('--seconds <s>', 'spend no more time on one', whole, 300)
  .option('--jobs <n>', 'so many at once', whole, availableParallelism())
  .action(run)
  .parseAsync();

async function run(options: Options): Promise<void> {
  process.once('SIGINT', () => {
    for (const child of children) child.kill();
    process.exit(130);
  });
  const mutants = options.only?.map(mutantNamed) ?? MUTANTS;
  const verdicts = new Map<Mutant, Verdict>();
  const queue = mutants.values();
  const work = async (): Promise<void> => {
    for (const mutant of queue) {
      const startMs = performance.now();
      const verdict = await trial(mutant, options);
      verdicts.set(mutant, verdict);
      console.log(rowOf(mutant, verdict, performance.now() - startMs));
    }
  };
  await Promise.all(Array.from({ length: options.jobs }, work));
  const living = mutants.filter((mutant) => verdicts.get(mutant)?.kind !== 'caught');
  const broken = await holdWithout([...verdicts.values()]);
  console.log(`${mutants.length - living.length} of ${mutants.length} caught`);
  for (const { name, story, expects } of living)
    console.log(`  ${name} lives: ${story} (INV-${expects.join(', INV-')})`);
  for (const message of broken) console.log(`  fails without any mutant: ${message}`);
  process.exitCode = living.length + broken.length === 0 ? 0 : 1;
}

async function trial({ name }: Mutant, options: Options): Promise<Verdict> {
  const deadlineMs = performance.now() + options.seconds * 1000;
  const child = startChild(name);
  try {
    const goesOn = (): boolean => performance.now() < deadlineMs;
    return await tryMutant({ ...options, runner: runnerOf(child), goesOn });
  } catch (error) {
    return { kind: 'lives', why: error instanceof Error ? error.message : String(error), runs: 0 };
  } finally {
    children.delete(child);
    child.kill();
  }
}

/** A run that fails anyway has caught nobody. Gives the messages of those. */
async function holdWithout(verdicts: readonly Verdict[]): Promise<readonly string[]> {
  const caught = verdicts.filter((verdict) => verdict.kind === 'caught');
  const settings = new Map(caught.map(({ setting }) => [JSON.stringify(setting), setting]));
  const child = startChild(undefined);
  const messages: string[] = [];
  for (const setting of settings.values()) {
    const outcome = await runnerOf(child).run(setting);
    if (outcome.kind === 'failed') messages.push(outcome.message);
  }
  child.disconnect();
  return messages;
}

/** A worker of the simulation's command, with the mutant in its code. */
function startChild(mutant: string | undefined): ChildProcess {
  const register = join(import.meta.dirname, 'register.ts');
  const child = fork(join(import.meta.dirname, '../main.ts'), ['--worker'], {
    execArgv: mutant === undefined ? [] : ['--import', register],
    env: { ...process.env, MUTANT: mutant },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  children.add(child);
  return child;
}

function runnerOf(child: ChildProcess): Runner {
  return {
    run: (setting) =>
      new Promise((resolve, reject) => {
        const over = (why: string): void => {
          clearTimeout(timer);
          child.off('exit', ended);
          child.off('message', answered);
          reject(new Error(why));
        };
        const ended = (code: number | null): void => over(`its process ended with ${code}`);
        const answered = (outcome: unknown): void => {
          clearTimeout(timer);
          child.off('exit', ended);
          resolve(outcome as Outcome);
        };
        const timer = setTimeout(() => over(`seed ${setting.seed} hangs`), RUN_MS_MAX);
        child.once('exit', ended);
        child.once('message', answered);
        child.send(setting);
      }),
  };
}

function whole(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('a whole number, e.g. 40');
  return Number(text);
}
