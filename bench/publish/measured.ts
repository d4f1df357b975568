import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { atEnd } from '../../e2e/support/ending.ts';
import { processUsage } from '../figures.ts';

const LOOK_MS = 20;

const running = new Set<ChildProcess>();
// Before their folder goes: one would try for minutes to reach a dom that is not there any more.
atEnd(() => {
  for (const child of running) child.kill('SIGKILL');
});

/** Runs a program to its end: how long, and the most memory that it had. */
export async function measured(
  program: string,
  args: readonly string[],
  { cacheFolder }: { readonly cacheFolder: string },
): Promise<{ readonly ms: number; readonly rssMb: number }> {
  const startMs = performance.now();
  const env = { ...process.env, XDG_CACHE_HOME: cacheFolder };
  const child = spawn(program, args, { env, stdio: ['ignore', 'ignore', 'pipe'] });
  running.add(child);
  let said = '';
  child.stderr.on('data', (text: Buffer) => {
    said += text.toString();
  });
  let rssMb = 0;
  const look = setInterval(() => {
    try {
      rssMb = Math.max(rssMb, processUsage(child.pid ?? 0).peakMb);
    } catch {
      // It has just ended.
    }
  }, LOOK_MS);
  const [code] = await once(child, 'exit');
  clearInterval(look);
  running.delete(child);
  if (code !== 0) throw new Error(`${program} ${args.join(' ')}: exit ${code}: ${said}`);
  return { ms: performance.now() - startMs, rssMb };
}
