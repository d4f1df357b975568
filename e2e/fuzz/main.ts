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
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { readCorpus } from '../../agent/dns/fuzz/corpus.fixture.ts';
import { mutate } from '../../agent/dns/fuzz/mutate.fixture.ts';
import { serverTarget } from '../../agent/dns/fuzz/server.fixture.ts';
import { QUERY_SEEDS, QUERY_WORDS, TARGETS } from '../../agent/dns/fuzz/targets.fixture.ts';
import { seededRandom } from '../../agent/dns/seeded.fixture.ts';
import { harmlessId, isQuery } from './batch.ts';
import { fuzzTcp } from './tcp.ts';
import { fuzzUdp } from './udp.ts';

const BATCH = 200;
/** After these the server has all that it ever needs. */
const WARM_UP_BATCHES = 50;
/** Beyond what it has then: room for the garbage of a burst, none for a leak. */
const GROWTH_BYTES_MAX = 64 * 1024 * 1024;
const PAGE_BYTES = 4096;

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
  await fuzzSockets(performance.now() + 1000 * seconds);
} catch (error) {
  console.error(`${error instanceof Error ? error.message : String(error)}\nseed ${seed}`);
  process.exit(1);
}
const [exitCode] = await guidedEnded;
process.exit(exitCode ?? 1);

async function fuzzSockets(untilMs: number): Promise<void> {
  const server = start('e2e/fuzz/server.ts');
  const troubles: string[] = [];
  server.once('exit', (code, signal) => troubles.push(`the server ended: ${code ?? signal}`));
  createInterface({ input: streamOf(server.stderr) }).on('line', (line) => troubles.push(line));
  const port = await portOf(server);
  const random = seededRandom(seed);
  const below = (limit: number): number => Math.floor(random() * limit);
  const corpus = [
    ...[...QUERY_SEEDS, ...serverTarget.seeds],
    ...['answer', 'server'].flatMap(readCorpus),
  ];
  const words = [...QUERY_WORDS, ...serverTarget.words];
  let batches = 0;
  let smallBytes = 0;
  for (; performance.now() < untilMs; batches += 1) {
    const inputs = Array.from({ length: BATCH }, () =>
      harmlessId(mutate({ corpus, words, bytesMax: 4000 }, below)),
    );
    if (batches % 2 === 0) await fuzzUdp({ port, inputs });
    // What is no query ends a connection: one in many batches is enough of that.
    else await fuzzTcp({ port, inputs: below(8) === 0 ? inputs : inputs.filter(isQuery), below });
    if (troubles.length > 0) throw new Error(troubles.join('\n'));
    const bytes = rssBytes(server);
    if (batches <= WARM_UP_BATCHES) smallBytes = Math.max(smallBytes, bytes);
    if (bytes > smallBytes + GROWTH_BYTES_MAX)
      throw new Error(`the server has grown from ${smallBytes} to ${bytes} bytes`);
  }
  const mebibytes = Math.round(rssBytes(server) / 2 ** 20);
  console.log(
    `sockets: ${batches * BATCH} queries in ${batches} batches, ${mebibytes} MiB resident`,
  );
  server.removeAllListeners('exit');
}

function start(path: string, ...words: readonly string[]): ChildProcess {
  const file = join(import.meta.dirname, '..', '..', path);
  const child = spawn(process.execPath, [file, ...words], { stdio: ['ignore', 'pipe', 'pipe'] });
  children.push(child);
  return child;
}

async function portOf(server: ChildProcess): Promise<number> {
  const lines = createInterface({ input: streamOf(server.stdout) });
  const [line] = (await once(lines, 'line', { signal: AbortSignal.timeout(20_000) })) as [string];
  return Number(line.replace('port ', ''));
}

function streamOf(stream: ChildProcess['stdout']): NodeJS.ReadableStream {
  if (stream === null) throw new TypeError('a child without pipes');
  return stream;
}

function rssBytes({ pid }: ChildProcess): number {
  const [, pages = '0'] = readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ');
  return PAGE_BYTES * Number(pages);
}
