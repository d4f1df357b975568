/**
 * Fuzzes an edge for as long as is wished: mutated requests over plain TCP and TLS, mutated
 * frames of HTTP/2 and handshakes, against a process of its own, which must stay alive and small, end each
 * connection, and answer the next normal request in each way after every batch.
 *
 *   node e2e/fuzz/http/main.ts [--minutes N] [--seed N]
 *
 * Exit 1 with the input that was answered wrongly, if one was: it becomes one of `seeds.ts`.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { type Below, mutate } from '../../../agent/dns/fuzz/mutate.fixture.ts';
import { seededRandom } from '../../../agent/dns/seeded.fixture.ts';
import { Memory } from '../memory.ts';
import { attack, expectAlive, type Input, WAYS, type Way } from './batch.ts';
import {
  encodeFrame,
  HELLO_SEEDS,
  HTTP1_SEEDS,
  HTTP1_WORDS,
  HTTP2_SEEDS,
  HTTP2_WORDS,
  PREFACE,
} from './seeds.ts';

const BATCH = 96;
/** However slow the machine is. */
const BATCHES_MIN = 2;
const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '1' }, seed: { type: 'string', default: '1' } },
});
const seed = Number(values.seed);
const random = seededRandom(seed);
const below: Below = (limit) => Math.floor(random() * limit);

const server = spawn(process.execPath, ['--expose-gc', join(import.meta.dirname, 'server.ts')], {
  stdio: ['ignore', 'pipe', 'pipe'],
});
process.once('exit', () => server.kill());
process.once('SIGINT', () => process.exit(130));
const troubles: string[] = [];
server.once('exit', (code, signal) => troubles.push(`the server ended: ${code ?? signal}`));
createInterface({ input: server.stderr }).on('line', (line) => troubles.push(line));
const says = createInterface({ input: server.stdout });
const [line] = (await once(says, 'line', { signal: AbortSignal.timeout(30_000) })) as [string];
const [, http = 0, https = 0] = line.split(' ').map(Number);
const memory = new Memory(server.pid, says);
const untilMs = performance.now() + 60_000 * Number(values.minutes);

const INPUTS: Readonly<Record<Way, () => Buffer>> = {
  ...{ plain: http1Input, TLS: http1Input, 'HTTP/2': framesInput },
  handshake: () => mutate({ corpus: HELLO_SEEDS, words: HTTP2_WORDS, bytesMax: 20_000 }, below),
};

let batches = 0;
let inputs: readonly Input[] = [];
try {
  for (; batches < BATCHES_MIN || performance.now() < untilMs; batches += 1) {
    const way = WAYS[batches % (WAYS.length + 1)] ?? 'handshake';
    inputs = Array.from({ length: BATCH }, () => ({ bytes: INPUTS[way](), below: own() }));
    await Promise.all(inputs.map((input) => attack(way, { http, https }, input)));
    await expectAlive({ http, https });
    if (troubles.length > 0) throw new Error(troubles.join('\n'));
    memory.check(batches);
  }
} catch (error) {
  for (const { bytes } of inputs) console.error(bytes.toString('hex'));
  // Last, where it is seen.
  const what = error instanceof Error ? error.message : String(error);
  console.error(`seed ${seed}, batch ${batches}, its inputs above: ${what}`);
  process.exit(1);
}
const [resident, kept] = [memory.residentBytes, memory.keptBytes].map((bytes) => bytes >> 20);
console.log(
  `http: ${batches * BATCH} connections in ${batches} batches, ${resident} MiB resident, ${kept} kept`,
);
process.exit(0);

/** Whatever comes in between, a seed gives the same. */
function own(): Below {
  const random = seededRandom(below(2 ** 32));
  return (limit) => Math.floor(random() * limit);
}

function http1Input(): Buffer {
  const bytesMax = below(10) === 0 ? 40_000 : 8000;
  const one = (): Buffer => mutate({ corpus: HTTP1_SEEDS, words: HTTP1_WORDS, bytesMax }, below);
  return Buffer.concat(Array.from({ length: 1 + below(4) }, one));
}

/** Most often frames of the right length with wrong content, else bytes that may be no frames. */
function framesInput(): Buffer {
  const count = 1 + below(below(8) === 0 ? 400 : 20);
  const corpus = HTTP2_SEEDS.map(({ payload }) => payload);
  const frames = Array.from({ length: count }, () => {
    const frame = HTTP2_SEEDS[below(HTTP2_SEEDS.length)] ?? { type: 0, flags: 0, streamId: 0 };
    const type = below(20) === 0 ? below(256) : frame.type;
    const flags = below(8) === 0 ? below(256) : frame.flags;
    const streamId = below(4) === 0 ? below(12) : frame.streamId;
    const isMutated = below(3) === 0;
    const payload = isMutated
      ? mutate({ corpus, words: HTTP2_WORDS, bytesMax: 20_000 }, below)
      : 'payload' in frame
        ? frame.payload
        : Buffer.alloc(0);
    return encodeFrame({ type, flags, streamId, payload });
  });
  const settings = encodeFrame({ type: 4, flags: 0, streamId: 0, payload: Buffer.alloc(0) });
  const whole = Buffer.concat([PREFACE, settings, ...frames]);
  if (below(4) > 0) return whole;
  return mutate({ corpus: [whole], words: HTTP2_WORDS, bytesMax: 60_000 }, below);
}
