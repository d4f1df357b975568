import { expect, test } from 'vitest';
import type { Git, GitTarget } from '../../../runtime/git/git.ts';
import { virtualClock } from '../../../runtime/test-clock.ts';
import { KnownFiles } from './content.ts';
import { Jobs, type Wanted } from './jobs.ts';

const COMMIT = 'a'.repeat(40);

/** A remote that hangs, and whose calls take a second to clear up after they were aborted. */
function hanging(clock: ReturnType<typeof virtualClock>) {
  const seen = { underWay: 0, atOnceMax: 0, begun: 0 };
  const resolve = async (signal: AbortSignal): Promise<GitTarget> => {
    seen.begun += 1;
    seen.underWay += 1;
    seen.atOnceMax = Math.max(seen.atOnceMax, seen.underWay);
    await new Promise((go) => signal.addEventListener('abort', go));
    await clock.sleep(1_000);
    seen.underWay -= 1;
    throw signal.reason;
  };
  const git: Git = {
    resolve: (_remote, _ref, signal) => resolve(signal),
    open: () => Promise.reject(new Error('not asked for here')),
    keepOnly: async () => undefined,
  };
  return { git, seen };
}

const wanted = (key: string): Wanted => ({
  remote: { id: 'uid', url: 'https://git.example.com/a.git', credentials: {} },
  ref: { kind: 'head' },
  prepare: { path: '.', namespace: 'default' },
  ...{ key, request: undefined, intervalMs: 60_000, timeoutMs: 30_000, applied: COMMIT },
  targetOf: (head) => head,
});

test('of one Repository a look begins when the one before it has ended', async () => {
  const clock = virtualClock();
  const { git, seen } = hanging(clock);
  const blobs = { sizeOf: async () => undefined, put: async () => undefined } as never;
  const jobs = new Jobs({
    ...{ git, clock, blobs, random: { next: () => 0.5 } as never, known: new KnownFiles() },
  });
  const stop = jobs.listen(() => undefined);
  jobs.view('default/infra', wanted('one'));
  await clock.advance(100);
  // A person mends the Secret, twice: what was aborted still clears away what it made.
  for (const key of ['two', 'three']) {
    expect(jobs.view('default/infra', wanted(key)).phase).toBe('looking');
    await clock.advance(100);
  }
  expect(seen).toEqual({ underWay: 1, atOnceMax: 1, begun: 1 });
  await clock.advance(2_000);
  // The second was over before it had begun.
  expect(seen).toEqual({ underWay: 1, atOnceMax: 1, begun: 2 });
  stop();
  await clock.advance(2_000);
  expect(seen.underWay).toBe(0);
});
