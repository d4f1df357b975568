/** Mostly enough; the second is deep enough for any detour by way of Node. */
const FRAMES = [8, 40];

/** What of Node's own code is looked past, to see who called it. */
export type Past = 'nothing' | 'all but the loader' | 'all';

const asking = { now: false };

/**
 * Where the code stands that made this call, ours or a package's: "/…/agent/agent.ts:12:34";
 * undefined: none does, but the test runner, or Node itself.
 */
export function callerOf(past: Past): string | undefined {
  // To say where a line comes from, a test runner may read files.
  if (asking.now) return undefined;
  asking.now = true;
  const isCaller = (each: string): boolean =>
    !GUARD.test(each) && each.includes(':') && !isPast(each, past);
  let frame: string | undefined;
  for (const limit of FRAMES) frame ??= framesOf(limit).find(isCaller);
  asking.now = false;
  // Who only waits for what is done here has not done it.
  if (frame === undefined || NODE.test(frame) || /^\s*at async /.test(frame) || RUNNER.test(frame))
    return undefined;
  return /(\/[^()]*:\d+:\d+)\)?$/.exec(frame)?.[1]?.replace(/^\/\//, '') ?? frame.trim();
}

function framesOf(max: number): readonly string[] {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = max;
  const frames = new Error('where').stack?.split('\n').slice(1) ?? [];
  Error.stackTraceLimit = limit;
  return frames;
}

function isPast(frame: string, past: Past): boolean {
  // Beyond the queue of promises stands who drains it: the scheduler of the world.
  if (past === 'nothing' || !NODE.test(frame) || frame.includes('task_queues')) return false;
  return past === 'all' || !LOADER.test(frame);
}

const GUARD = /\/engine\/(guard|place|forbidden)\.ts:/;
/** Vitest lives in the same process; other packages are code like ours. */
const RUNNER = /\/node_modules\/(@vitest\/|vite)/;
const NODE = /\(node:|at node:|at async node:/;
const LOADER = /node:internal\/modules\//;
