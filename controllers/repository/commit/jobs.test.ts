import { expect, test } from 'vitest';
import { fakeGit } from '../../../runtime/git/fake/fake-git.ts';
import { FakeRemote } from '../../../runtime/git/fake/remote.ts';
import type { Git, GitTarget } from '../../../runtime/git/git.ts';
import { virtualClock } from '../../../runtime/test-clock.ts';
import { KnownFiles } from './content.ts';
import { Jobs, type Wanted } from './jobs.ts';

const COMMIT = 'a'.repeat(40);

test('a commit that is half applied is read beside the one that the ref means', async () => {
  const clock = virtualClock();
  const remote = new FakeRemote();
  const issuer = (name: string) => `kind: Issuer\nmetadata: {name: ${name}}\nspec: {ca: {}}\n`;
  const [half, head] = ['one', 'two'].map((name) =>
    remote.commit({ [`${name}.yaml`]: issuer(name) }, { subject: name }),
  );
  const git = fakeGit({ remotes: new Map([['https://git.example.com/a.git', remote]]) });
  const blobs = { sizeOf: async () => undefined, put: async () => undefined } as never;
  const jobs = new Jobs({
    ...{ git, clock, blobs, random: { next: () => 0.5 } as never, known: new KnownFiles() },
  });
  const look = async (attempt: string | undefined) => {
    await clock.advance(90_000);
    jobs.view('default/infra', { ...wanted('one'), attempt });
    await clock.advance(1_000);
    const {
      set,
      attempt: read,
      failure,
    } = jobs.view('default/infra', { ...wanted('one'), attempt });
    return { set: set?.commit, attempt: read?.commit, failure: failure?.reason };
  };
  expect(await look(undefined)).toEqual({ set: head, attempt: undefined, failure: undefined });
  expect(await look(half)).toEqual({ set: head, attempt: half, failure: undefined });
  expect(await look(head)).toEqual({ set: head, attempt: undefined, failure: undefined });
  // Somebody has rewritten the history: the newest commit can be had all the same.
  expect(await look(COMMIT)).toEqual({ set: head, attempt: undefined, failure: 'RefNotFound' });
});

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
  attempt: undefined,
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
