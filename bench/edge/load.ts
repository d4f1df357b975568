import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { percentile } from '../figures.ts';
import { MANY, manyPath } from './site.ts';

/** The client's core; the servers have the other. */
export const CLIENT_CORE = '1';
const CONNECTIONS = 32;
/** Requests that are under way at once in an HTTP/2 connection. */
const STREAMS = 10;

export interface LoadOptions {
  readonly port: number;
  readonly path: string;
  readonly protocol: 'h1' | 'h2';
  readonly seconds: number;
  /** Left out: 32, with 10 requests at once in each over HTTP/2. */
  readonly connections?: number;
  /** `name: value`. */
  readonly headers?: readonly string[];
  readonly signal: AbortSignal;
}

export interface Outcome {
  readonly requests: number;
  readonly perSecond: number;
  /** What the client got of the bodies, with all that is around them. */
  readonly megabytes: number;
}

/** As many requests as are answered: wrk for HTTP/1.1, h2load for HTTP/2. */
export function load(options: LoadOptions): Promise<Outcome> {
  return options.protocol === 'h1' ? loadHttp1(options, []) : loadHttp2(options, [urlOf(options)]);
}

/** As `load`, of the site's many files in any order. `folder` is for what the clients read. */
export async function loadMany(options: LoadOptions, folder: string): Promise<Outcome> {
  if (options.protocol === 'h1') {
    const script = `${folder}/many.lua`;
    const lines = [
      `local paths = {}`,
      `for i = 0, ${MANY.files - 1} do`,
      `  paths[i] = wrk.format("GET", string.format("/many/%d/%d.bin", i % 100, i))`,
      `end`,
      `request = function() return paths[math.random(0, ${MANY.files - 1})] end`,
      `init = function() for i = 0, ${MANY.files - 1} do`,
      `  paths[i] = wrk.format("GET", string.format("/many/%d/%d.bin", i % 100, i))`,
      `end end`,
    ];
    await writeFile(script, lines.join('\n'));
    return loadHttp1(options, ['-s', script]);
  }
  const list = `${folder}/many.txt`;
  const order = Array.from({ length: MANY.files }, (_, index) => (index * 7919) % MANY.files);
  const urls = order.map((index) => urlOf({ ...options, path: manyPath(index) }));
  await writeFile(list, `${urls.join('\n')}\n`);
  return loadHttp2(options, ['-i', list]);
}

/** A connection for each request: wrk resumes none. */
export function loadCold(options: Omit<LoadOptions, 'protocol'>): Promise<Outcome> {
  return load({ ...options, protocol: 'h1', headers: ['Connection: close'] });
}

export interface Latency {
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Of each answer, at so many requests a second. */
export async function latency(
  options: LoadOptions & { readonly perSecond: number; readonly log: string },
): Promise<Latency> {
  const clients = 16;
  const rate = Math.max(1, Math.round(options.perSecond / clients));
  const args = [`--rps=${rate}`, `--log-file=${options.log}`, '-c', `${clients}`];
  if (options.protocol === 'h1') args.push('--h1');
  await writeFile(options.log, '');
  await run('h2load', [...args, '-D', `${options.seconds}`, urlOf(options)], options.signal);
  // Start, status and time of each, the times in microseconds.
  const lines = (await readFile(options.log, 'utf8')).split('\n').slice(0, -1);
  const latenciesMs = lines.map((line) => Number(line.split('\t')[2]) / 1000);
  const [p50Ms = 0, p99Ms = 0] = [0.5, 0.99].map((share) => percentile(latenciesMs, share));
  return { p50Ms, p99Ms };
}

function urlOf({ port, path }: Pick<LoadOptions, 'port' | 'path'>): string {
  return `https://localhost:${port}${path}`;
}

async function loadHttp1(options: LoadOptions, more: readonly string[]): Promise<Outcome> {
  const { seconds, connections = CONNECTIONS, headers = [], signal } = options;
  const args = ['-t', '1', '-c', `${connections}`, '-d', `${seconds}s`, ...more];
  const said = await run('wrk', [...args, ...headers.flatMap(asH), urlOf(options)], signal);
  const failed = /Non-2xx or 3xx responses: (\d+)/.exec(said)?.[1];
  if (failed !== undefined) throw new Error(`${failed} answers of ${options.path} are errors`);
  const requests = Number(/(\d+) requests in/.exec(said)?.[1] ?? 0);
  const perSecond = Number(/Requests\/sec:\s+([\d.]+)/.exec(said)?.[1] ?? 0);
  const [, read = '0', unit = 'B'] = /in [\d.]+\w+, ([\d.]+)(\w+) read/.exec(said) ?? [];
  return { requests, perSecond, megabytes: (Number(read) * (WRK_UNITS[unit] ?? 1)) / 1e6 };
}

const WRK_UNITS: Readonly<Record<string, number>> = { KB: 2 ** 10, MB: 2 ** 20, GB: 2 ** 30 };

async function loadHttp2(options: LoadOptions, what: readonly string[]): Promise<Outcome> {
  const { seconds, connections, headers = [], signal } = options;
  const streams = connections === undefined ? STREAMS : 1;
  const sizes = ['-c', `${connections ?? CONNECTIONS}`, '-m', `${streams}`];
  const args = ['-t', '1', ...sizes, '-D', `${seconds}`];
  const said = await run('h2load', [...args, ...headers.flatMap(asH), ...what], signal);
  const [, failed = '0', errored = '0'] = /(\d+) failed, (\d+) errored/.exec(said) ?? [];
  if (Number(failed) + Number(errored) > 0) throw new Error(`answers of ${options.path} failed`);
  const requests = Number(/(\d+) done/.exec(said)?.[1] ?? 0);
  const bytes = Number(/traffic: \S+ \((\d+)\) total/.exec(said)?.[1] ?? 0);
  return { requests, perSecond: requests / seconds, megabytes: bytes / 1e6 };
}

function asH(header: string): readonly string[] {
  return ['-H', header];
}

async function run(command: string, args: readonly string[], signal: AbortSignal): Promise<string> {
  const child = spawn('taskset', ['-c', CLIENT_CORE, command, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const stop = (): void => void child.kill();
  signal.addEventListener('abort', stop);
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (piece: Buffer) => {
      said += piece.toString();
    });
  const [code] = (await once(child, 'close')) as [number | null];
  signal.removeEventListener('abort', stop);
  signal.throwIfAborted();
  if (code !== 0) throw new Error(`${command} ended with ${code ?? 'a signal'}: ${said}`);
  return said;
}
