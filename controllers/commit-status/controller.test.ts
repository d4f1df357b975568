import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Posted, Posting } from '../../runtime/poster.ts';
import type { RepositoryRecord } from '../../runtime/repository-records.ts';
import { secretContext } from '../../runtime/secret/secrets.ts';
import { type Scene, scene } from '../test-scene.ts';
import { commitStatusController } from './controller.ts';
import { GIVE_UP_MS, TOLD_COMMITS_MAX } from './plan.ts';

const [A, B, C] = ['a', 'b', 'c'].map((digit) => digit.repeat(40)) as [string, string, string];
const GIT = { url: 'https://github.com/team/infra.git' };

let at: Scene;
let posted: Posting[];
let answer: (posting: Posting) => Promise<Posted>;

beforeEach(async () => {
  at = await scene();
  posted = [];
  answer = async () => ({ status: 201, text: '' });
  await secret('very-secret');
  await at.create('Repository', 'infra', {
    ...GIT,
    commitStatus: { provider: 'github', secretRef: 'host' },
  });
});
afterEach(() => at.end());

/** As a dom that begins to lead. */
function start(): void {
  const poster = {
    post(posting: Posting): Promise<Posted> {
      posted.push(posting);
      return answer(posting);
    },
  };
  at.start(commitStatusController({ ...at, poster }));
}

async function secret(token: string): Promise<void> {
  const context = secretContext({ namespace: 'default', name: 'host', key: 'token' });
  const data = { token: at.sealer.seal(token, context) };
  if (at.world.get('Secret', { namespace: 'default', name: 'host' }) === undefined)
    await at.create('Secret', 'host', { data });
  else await at.configure('Secret', 'host', { data });
}

const own = () => {
  const found = at.world.get('Repository', { namespace: 'default', name: 'infra' });
  if (found === undefined) throw new Error('no Repository');
  return found;
};

async function is(record: Omit<RepositoryRecord, 'name'>): Promise<void> {
  await at.put('repository', own().metadata.uid, { name: 'default/infra', ...record });
  await pass(1_000);
}

async function refused(commit: string, reason: string): Promise<void> {
  const ready = {
    type: 'Ready',
    status: 'False',
    reason,
    message: 'site.yaml:4 is wrong',
  } as const;
  const lastTransitionTime = new Date(at.clock.nowMs()).toISOString();
  const status = { attemptedCommit: commit, conditions: [{ ...ready, lastTransitionTime }] };
  await at.commit({ kind: 'status', base: own(), status });
  await pass(1_000);
}

async function pass(ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 500) await at.clock.advance(Math.min(left, 500));
}

const attempt = (commit: string, phase: 'applying' | 'waiting' = 'applying') =>
  ({ commit, subject: 's', sinceMs: 0, phase }) as const;
const applied = (commit: string) => ({ commit, subject: 's' });
const record = () => at.world.record('repositoryTold', own().metadata.uid)?.value;

/** `a pending` */
const told = (): readonly string[] =>
  posted.map(({ url, body }) => {
    const { state } = JSON.parse(body) as { state: string };
    return `${url.at(-1)} ${state}`;
  });

test('a commit is pending, and then in force; each is told once', async () => {
  start();
  await is({ attempt: attempt(A) });
  await is({ attempt: attempt(A, 'waiting') });
  await is({ applied: applied(A) });
  await pass(60_000);
  start();
  await pass(60_000);
  expect(told()).toEqual(['a pending', 'a success']);
  expect(posted[0]?.url).toBe(`https://api.github.com/repos/team/infra/statuses/${A}`);
});

test('a commit that is rolled back has failed, and says why', async () => {
  start();
  await is({ applied: applied(A) });
  await is({ applied: applied(A), attempt: attempt(B) });
  const bad = {
    commit: B,
    message: 'Site/default/blog is not Ready',
    atMs: 0,
    generation: 1,
    meant: '',
  };
  await is({ applied: applied(A), bad });
  expect(told()).toEqual(['a success', 'b pending', 'b failure']);
  expect(posted.at(-1)?.body).toContain('rolled back: Site/default/blog is not Ready');
  // Forced, it is tried again.
  await is({ applied: applied(A), attempt: attempt(B) });
  await is({ applied: applied(B) });
  expect(told().slice(3)).toEqual(['b pending', 'b success']);
});

test('one that was rolled back is not told of again, however many come after it', async () => {
  start();
  const bad = { commit: B, message: 'm', atMs: 0, generation: 1, meant: '' };
  for (let n = 0; n < TOLD_COMMITS_MAX + 5; n += 1)
    await is({ applied: applied(`${n}`.padStart(40, 'c')), bad });
  expect(told().filter((each) => each.endsWith('failure'))).toHaveLength(1);
});

test('a clock that was ahead when a host failed does not keep dom from trying', async () => {
  start();
  answer = async () => ({ status: 500, text: '' });
  await is({ applied: applied(A) });
  const { uid } = own().metadata;
  const known = record();
  if (known?.trouble === undefined) throw new Error('it was to fail');
  answer = async () => ({ status: 201, text: '' });
  const tries = posted.length;
  const trouble = { ...known.trouble, nextMs: at.clock.nowMs() + 19 * 3_600_000 };
  await at.put('repositoryTold', uid, { ...known, trouble });
  await pass(1_000);
  expect(posted).toHaveLength(tries + 1);
});

test('a commit that is refused has failed; one that could not be fetched is not told of', async () => {
  start();
  await is({ applied: applied(A) });
  await refused(B, 'FetchUnreachable');
  expect(told()).toEqual(['a success']);
  await refused(C, 'Invalid');
  expect(told()).toEqual(['a success', 'c failure']);
  expect(posted.at(-1)?.body).toContain('site.yaml:4 is wrong');
});

test('a commit that another takes the place of is not pending for ever', async () => {
  start();
  await is({ attempt: attempt(A) });
  await is({ attempt: attempt(B) });
  await is({ applied: applied(B) });
  expect(told().toSorted()).toEqual(['a error', 'a pending', 'b pending', 'b success']);
});

test('what a host does not take is tried again, ever more rarely, and given up after a day', async () => {
  start();
  answer = async () => ({ status: 403, text: 'very-secret' });
  await is({ applied: applied(A) });
  expect(record()?.trouble?.error).toBe(
    'api.github.com answered 403: the token may not write commit statuses',
  );
  await pass(3_600_000);
  expect(posted.length).toBeGreaterThan(8);
  expect(posted.length).toBeLessThan(30);
  for (let hour = 1; hour < 26; hour += 1) await at.clock.advance(GIVE_UP_MS / 24);
  await pass(1_000);
  const tries = posted.length;
  expect(record()?.told).toMatchObject([{ commit: A, how: 'given up' }]);
  await at.clock.advance(GIVE_UP_MS);
  expect(posted).toHaveLength(tries);
  const kept = JSON.stringify([record(), at.events.notes]);
  expect(kept).not.toContain('very-secret');
  // The next one is tried again.
  answer = async () => ({ status: 201, text: '' });
  await is({ applied: applied(B) });
  expect(told().at(-1)).toBe('b success');
});

test('a token that is mended is used at once', async () => {
  start();
  answer = async ({ headers }) => ({
    ...{ status: headers['authorization'] === 'Bearer right' ? 201 : 401, text: '' },
  });
  await is({ applied: applied(A) });
  await pass(600_000);
  await secret('right');
  await pass(500);
  expect(record()?.told).toMatchObject([{ commit: A, how: 'told' }]);
  expect(record()?.trouble).toBeUndefined();
});

test('without its Secret nothing is asked, and the record says what is missing', async () => {
  start();
  await at.remove('Secret', 'host');
  await is({ applied: applied(A) });
  expect(posted).toEqual([]);
  expect(record()?.trouble?.error).toBe('Secret default/host is not there');
  await secret('abc');
  await pass(500);
  expect(told()).toEqual(['a success']);
});

test('a host that never answers is left after a while', async () => {
  start();
  answer = () => new Promise(() => undefined);
  await is({ applied: applied(A) });
  await pass(16_000);
  expect(record()?.trouble?.error).toBe('no answer within 15000 ms');
});

test('who did not ask for it is not told of, and nothing is left of a Repository that is gone', async () => {
  start();
  await is({ applied: applied(A) });
  await at.configure('Repository', 'infra', { commitStatus: undefined });
  await is({ applied: applied(B) });
  expect(told()).toEqual(['a success']);
  await at.remove('Repository', 'infra');
  await pass(1_000);
  expect(at.world.records('repositoryTold')).toEqual([]);
});

test('a hundred hosts that never answer hold up no other', async () => {
  for (let n = 0; n < 100; n += 1) {
    await at.create('Repository', `dead-${n}`, {
      ...{ url: `https://dead-${n}.test/team/infra.git` },
      commitStatus: { provider: 'gitea', secretRef: 'host' },
    });
    const found = at.world.get('Repository', { namespace: 'default', name: `dead-${n}` });
    const name = `default/dead-${n}`;
    await at.put('repository', found?.metadata.uid ?? '', { name, attempt: attempt(A) });
  }
  const isDead = ({ url }: Posting): boolean => url.includes('dead');
  answer = async (posting) => {
    if (isDead(posting)) await new Promise(() => undefined);
    return { status: 201, text: '' };
  };
  start();
  // Of the first time nobody can know.
  await pass(60_000);
  for (const commit of [A, B, C]) {
    await is({ attempt: attempt(commit) });
    expect(posted.some((each) => !isDead(each) && each.url.endsWith(commit))).toBe(true);
  }
});
