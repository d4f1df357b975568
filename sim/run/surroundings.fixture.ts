import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** What a process finds itself in, and what must change nothing of what it simulates. */
export interface Surroundings {
  readonly name: string;
  readonly env: Readonly<Record<string, string>>;
  /** Of Node and V8. */
  readonly flags: readonly string[];
}

export const HERE: Surroundings = { name: 'here', env: {}, flags: [] };

/** Other time, letters and numbers, and another seed wherever V8 draws by itself. */
export const ABROAD: Surroundings = {
  name: 'abroad',
  env: {
    TZ: 'Pacific/Chatham',
    LANG: 'tr_TR.UTF-8',
    LC_ALL: 'tr_TR.UTF-8',
    HOME: '/nowhere',
    USER: 'nobody',
    NODE_ENV: 'production',
  },
  flags: ['--hash-seed=77', '--random-seed=99'],
};

/** Garbage is collected early and often, and functions are made fast late or never. */
export const CRAMPED: Surroundings = {
  name: 'cramped',
  env: { UV_THREADPOOL_SIZE: '1' },
  flags: ['--max-semi-space-size=1', '--gc-interval=500', '--max-lazy', '--no-opt'],
};

export interface SimOutput {
  readonly output: string;
  readonly exitCode: number;
  /** By profile and seed, where `--hashes` asks for them. */
  readonly hashes: ReadonlyMap<string, string>;
}

/** Where Node keeps what it has compiled, so that not each of many processes does it again. */
const COMPILED = join(import.meta.dirname, '../../.b8s/compiled/sim');

/** Runs the simulation's command, `make sim` of these arguments, to its end. */
export async function sim(
  args: readonly string[],
  { env, flags }: Surroundings = HERE,
): Promise<SimOutput> {
  const main = join(import.meta.dirname, '../main.ts');
  const compiled = { NODE_COMPILE_CACHE: COMPILED };
  const options = { env: { ...process.env, ...compiled, ...env }, maxBuffer: 64 * 1024 * 1024 };
  const { output, exitCode } = await promisify(execFile)(
    process.execPath,
    [...flags, main, ...args],
    options,
  ).then(
    ({ stdout }) => ({ output: stdout, exitCode: 0 }),
    (error: { stdout?: string; stderr?: string; code?: unknown }) => ({
      output: `${error.stdout}${error.stderr}`,
      exitCode: Number(error.code) || 1,
    }),
  );
  const lines = [...output.matchAll(/^(\S+) ([\da-f]{64})$/gm)];
  const hashes = new Map(lines.map(([, name = '', hash = '']) => [name, hash]));
  return { output, exitCode, hashes };
}
