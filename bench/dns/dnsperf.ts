import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { percentile } from '../figures.ts';
import { HOST } from './ask.ts';

/** The client's core. */
const CLIENT_CORE = '1';
/** Queries that are under way at once when as many are asked as are answered. */
const OUTSTANDING = 200;
/** Sockets that ask. */
const CLIENTS = 8;

export interface LoadOptions {
  readonly port: number;
  /** Path of what `queryFile` made. */
  readonly queries: string;
  readonly transport: 'udp' | 'tcp';
  readonly seconds: number;
  /** Of the client, as taskset names them; left out: its own. */
  readonly cores?: string;
  /** Left out: as many as are answered. */
  readonly perSecondMax?: number;
  readonly signal: AbortSignal;
}

export interface LoadOutcome {
  readonly perSecond: number;
  readonly answered: number;
  /** Of each answer, where asked for. */
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Asks for some seconds; with `perSecondMax` the latency of each answer is noted. */
export async function load(options: LoadOptions): Promise<LoadOutcome> {
  const { port, queries, transport, seconds, perSecondMax, signal } = options;
  const paced = perSecondMax === undefined ? [] : ['-Q', perSecondMax.toFixed(0), '-v'];
  const args = ['-s', HOST, '-p', `${port}`, '-B', '-d', queries, '-m', transport];
  const sizes = ['-l', `${seconds}`, '-c', `${CLIENTS}`, '-q', `${OUTSTANDING}`, '-t', '2'];
  // To a file: with a pipe it would wait for whoever reads it, and that would count as latency.
  const said = `${queries}.said`;
  const file = await open(said, 'w');
  const child = spawn(
    'taskset',
    ['-c', options.cores ?? CLIENT_CORE, 'dnsperf', ...args, ...sizes, ...paced],
    {
      stdio: ['ignore', file.fd, 'ignore'],
    },
  );
  const stop = (): void => void child.kill();
  signal.addEventListener('abort', stop);
  try {
    await once(child, 'exit');
  } finally {
    await file.close();
  }
  signal.removeEventListener('abort', stop);
  signal.throwIfAborted();
  const latenciesMs: number[] = [];
  let perSecond = 0;
  let answered = 0;
  for await (const line of createInterface({ input: createReadStream(said) })) {
    // `> NOERROR 0.000123`, with or without the name and type in between.
    if (line.startsWith('>')) latenciesMs.push(1000 * Number(line.slice(line.lastIndexOf(' '))));
    perSecond = Number(/Queries per second:\s+([\d.]+)/.exec(line)?.[1] ?? perSecond);
    answered = Number(/Queries completed:\s+(\d+)/.exec(line)?.[1] ?? answered);
  }
  const [p50Ms = 0, p99Ms = 0] = [0.5, 0.99].map((share) => percentile(latenciesMs, share));
  return { perSecond, answered, p50Ms, p99Ms };
}
