/**
 * The coverage-guided fuzzer, as a process of its own: coverage is counted for a whole thread.
 *
 *   node agent/dns/fuzz/main.ts [--target NAME,…] [--runs N | --seconds N] [--seed N]
 *
 * One line a target: what was run and covered; then the inputs that reached new code, for the
 * corpus, or `find` lines, each with an input that was answered wrongly. Exit 1 for a find.
 */
import process from 'node:process';
import { parseArgs } from 'node:util';
import { systemClock } from '../../../runtime/node/clock.ts';
import { readCorpus } from './corpus.fixture.ts';
import { isFuzzed, startCoverage } from './coverage.fixture.ts';
import { fuzzGuided } from './guided.fixture.ts';
import { lock } from './lock.fixture.ts';

const { values } = parseArgs({
  options: {
    target: { type: 'string' },
    runs: { type: 'string', default: '0' },
    seconds: { type: 'string', default: '0' },
    seed: { type: 'string', default: '1' },
  },
});
const coverage = startCoverage((url) => isFuzzed(url) || url.includes('/lock.fixture.'));
const clock = systemClock();
// Loaded only now: what was compiled before counts by functions, not by blocks.
const { TARGETS } = await import('./targets.fixture.ts');
const wanted = values.target?.split(',') ?? TARGETS.map(({ name }) => name);
const known = [...TARGETS, lock(Buffer.of(0x42, 0x13, 0x99))];
const names = new Set(known.map(({ name }) => name));
const unknown = wanted.find((name) => !names.has(name));
if (unknown !== undefined)
  throw new RangeError(`--target ${unknown}: there are ${[...names].join(', ')}`);

for (const target of known.filter(({ name }) => wanted.includes(name))) {
  const untilMs = clock.monotonicMs() + 1000 * Number(values.seconds);
  const before = coverage.total();
  const seeds = [...target.seeds, ...readCorpus(target.name)];
  const { runs, kept, finds } = fuzzGuided({
    target: { ...target, seeds },
    coverage,
    seed: Number(values.seed),
    goesOn: (count) => count < Number(values.runs) || clock.monotonicMs() < untilMs,
  });
  const covered = coverage.total() - before;
  console.log(
    `${target.name}: ${runs} runs, ${covered} characters of code more, ${kept.length} kept`,
  );
  for (const input of kept) console.log(`${target.name} kept ${input.toString('hex')}`);
  for (const { input, error } of finds) {
    console.log(`${target.name} find ${input.toString('hex')} # ${String(error)}`);
    process.exitCode = 1;
  }
}
coverage.stop();
