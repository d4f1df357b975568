/**
 * Fuzzes the nameserver for as long as is wished, in two ways at once: mutated queries over real
 * UDP and TCP sockets against a process of its own, which must stay alive and small, and inputs
 * guided by coverage against the parsers and the answering function (`agent/dns/fuzz/main.ts`).
 *
 *   node e2e/fuzz/main.ts [--minutes N] [--seed N]
 *
 * Exit 1 with the inputs that were answered wrongly: they become lines of `agent/dns/fuzz/corpus/`.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import process from 'node:process';
import { createInterface, type Interface } from 'node:readline';
import { parseArgs } from 'node:util';
import { readCorpus } from '../../agent/dns/fuzz/corpus.fixture.ts';
import { mutate } from '../../agent/dns/fuzz/mutate.fixture.ts';
import { serverTarget } from '../../agent/dns/fuzz/server.fixture.ts';
import { QUERY_SEEDS, QUERY_WORDS, TARGETS } from '../../agent/dns/fuzz/targets.fixture.ts';
import { seededRandom } from '../../agent/dns/seeded.fixture.ts';
import { harmlessId, isQuery } from './batch.ts';
import { Memory } from './memory.ts';
import { fuzzTcp } from './tcp.ts';
import { fuzzUdp } from './udp.ts';

const BATCH = 200;
/** However slow the machine is. */
const BATCHES_MIN = 6;
const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '1' }, seed: { type: 'string', default: '1' } },
});
const seed = Number(values.seed);
const seconds = 60 * Number(values.minutes);
const children: ChildProcess[] = [];
process.once('exit', () => children.forEach((child) => child.kill()));
process.once('SIGINT', () => process.exit(130));

const guided = start(
  'agent/dns/fuzz/main.ts',
  '--seconds',
  String(seconds / TARGETS.length),
  '--seed',
  values.seed,
);
const guidedEnded = once(guided, 'exit') as Promise<[number | null]>;
guided.stdout?.pipe(process.stdout);
guided.stderr?.pipe(process.stderr);
try {
  await fuzzSockets(1000 * seconds);
} catch (error) {
  console.error(`${error instanceof Error ? error.message : String(error)}\nseed ${seed}`);
  process.exit(1);
}
const [exitCode] = await guidedEnded;
process.exit(exitCode ?? 1);

async function fuzzSockets(durationMs: number): Promise<void> {
  const server = start('e2e/fuzz/server.ts');
  const troubles: string[] = [];
  server.once('exit', (code, signal) => troubles.push(`the server ended: ${code ?? signal}`));
  createInterface({ input: streamOf(server.stderr) }).on('line', (line) => troubles.push(line));
  const says = createInterface({ input: streamOf(server.stdout) });
  const port = await portOf(says);
  const memory = new Memory(server.pid, says);
  const random = seededRandom(seed);
  const below = (limit: number): number => Math.floor(random() * limit);
  const corpus = [
    ...[...QUERY_SEEDS, ...serverTarget.seeds],
    ...['answer', 'server'].flatMap(readCorpus),
  ];
  const words = [...QUERY_WORDS, ...serverTarget.words];
  const untilMs = performance.now() + durationMs;
  let batches = 0;
  for (; batches < BATCHES_MIN || performance.now() < untilMs; batches += 1) {
    const inputs = Array.from({ length: BATCH }, () =>
      harmlessId(mutate({ corpus, words, bytesMax: 4000 }, below)),
    );
    if (batches % 2 === 0) await fuzzUdp({ port, inputs });
    // What is no query ends a connection: one in many batches is enough of that.
    else await fuzzTcp({ port, inputs: below(8) === 0 ? inputs : inputs.filter(isQuery), below });
    if (troubles.length > 0) throw new Error(troubles.join('\n'));
    memory.check(batches);
  }
  const [resident, kept] = [memory.residentBytes, memory.keptBytes].map(mebibytes);
  console.log(
    `sockets: ${batches * BATCH} queries in ${batches} batches, ${resident} MiB resident, ${kept} kept`,
  );
  server.removeAllListeners('exit');
}

function start(path: string, ...words: readonly string[]): ChildProcess {
  const file = join(import.meta.dirname, '..', '..', path);
  const child = spawn(process.execPath, ['--expose-gc', file, ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  return child;
}

async function portOf(lines: Interface): Promise<number> {
  const [line] = (await once(lines, 'line', { signal: AbortSignal.timeout(20_000) })) as [string];
  return Number(line.replace('port ', ''));
}

function streamOf(stream: ChildProcess['stdout']): NodeJS.ReadableStream {
  if (stream === null) throw new TypeError('a child without pipes');
  return stream;
}

function mebibytes(bytes: number): number {
  return Math.round(bytes / 2 ** 20);
}
