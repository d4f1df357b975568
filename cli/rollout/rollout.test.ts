import { beforeEach, expect, test } from 'vitest';
import type { Resource } from '../../api/object.ts';
import { ROLLOUT_RESUMED } from '../../api/requests.ts';
import type { Site } from '../../api/site.ts';
import { type TestCli, testCli } from '../testing/test-cli.ts';

const OLD = `sha256-${'a'.repeat(64)}`;
const NEW = `sha256-${'b'.repeat(64)}`;
const LIKE_NEW = `sha256-${'b'.repeat(63)}c`;
const STARTED = '2027-01-15T12:00:00Z';

let cli: TestCli;

beforeEach(() => {
  cli = testCli();
});

function putSite(status: object, release = NEW): Resource {
  return cli.api.put({
    kind: 'Site',
    metadata: { namespace: 'default', name: 'blog' },
    spec: { hosts: ['blog.example.com'], content: { release } },
    status: status as Resource['status'] & object,
  });
}

function putRelease(name: string, files: number): void {
  const spec = { site: 'blog', files, sizeBytes: files * 1024 };
  cli.api.put({ kind: 'Release', metadata: { namespace: 'default', name }, spec });
}

const site = () => cli.api.objects().find(({ kind }) => kind === 'Site') as Site;
const rollout = (phase: string, more: object = {}) => ({
  rollout: { release: NEW, from: OLD, phase, verified: 9, total: 9, startedAt: STARTED, ...more },
});

test('pause and resume say what they do, and do nothing twice', async () => {
  putSite({ release: OLD });
  expect((await cli.b8sctl('rollout pause site/blog')).out).toBe('site.b8s.dev/blog paused\n');
  expect(site().spec.rollout).toMatchObject({ paused: true, strategy: 'all' });
  const again = await cli.b8sctl('rollout pause site/blog');
  expect(again.out).toBe('site.b8s.dev/blog already paused\n');
  expect((await cli.b8sctl('rollout resume site/blog')).out).toBe('site.b8s.dev/blog resumed\n');
  expect(site().spec.rollout?.paused).toBe(false);
  expect(site().metadata.annotations?.[ROLLOUT_RESUMED]).toBeUndefined();
  const { out } = await cli.b8sctl('rollout resume site/blog');
  expect(out).toBe('site.b8s.dev/blog not resumed (it was neither paused nor stopped)\n');
});

test.each(['undone', 'halted'])('resume asks dom to go on with what was %s', async (phase) => {
  putSite({ release: OLD, ...rollout(phase) });
  expect((await cli.b8sctl('rollout resume site/blog')).out).toBe('site.b8s.dev/blog resumed\n');
  expect(site().metadata.annotations?.[ROLLOUT_RESUMED]).toMatch(/^\d{4}-\d\d-\d\dT/);
});

test.each([
  { word: 'bbbb', code: 1, says: 'error: "bbbb" is the beginning of 2 releases' },
  { word: 'cc', code: 1, says: 'error: "cc" is no release that is kept' },
  { word: '', code: 1, says: 'error: "" is no release that is kept' },
  { word: 'AAA', code: 0, says: `site.b8s.dev/blog rolled back to ${OLD}` },
  { word: OLD, code: 0, says: `site.b8s.dev/blog rolled back to ${OLD}` },
  { word: NEW, code: 0, says: `site.b8s.dev/blog skipped rollback (it has ${NEW} already)` },
])('undo to release "$word"', async ({ word, code, says }) => {
  putSite({ release: NEW });
  for (const name of [OLD, NEW, LIKE_NEW]) putRelease(name, 1);
  const ended = await cli.b8sctl(`rollout undo site/blog --to-release=${word}`);
  expect(ended.code).toBe(code);
  expect(ended.out + ended.error).toContain(says);
});

test('history shows what a release is by now, with its files', async () => {
  putRelease(OLD, 3);
  putRelease(NEW, 4);
  putSite({}, LIKE_NEW);
  putSite({}, OLD);
  const ahead = [{ release: NEW, switchedAt: STARTED, nodes: ['a', 'b'] }];
  putSite({ release: OLD, ahead, ...rollout('rolling') });
  const states = async (): Promise<readonly string[]> => {
    const { out } = await cli.b8sctl('rollout history site/blog');
    const [header = '', ...rows] = out.trimEnd().split('\n');
    const [from, to] = [header.indexOf('FILES'), header.indexOf('AGE')];
    return rows.map((row) => row.slice(from, to).trim().replaceAll(/ +/g, ' '));
  };
  expect(await states()).toEqual([
    ...['<none> <none> gone', '3 3.0KiB serving on the rest', '4 4.0KiB serving on 2'],
  ]);
  putSite({ release: OLD, ...rollout('undone') });
  expect(await states()).toEqual(['<none> <none> gone', '3 3.0KiB serving', '4 4.0KiB undone']);
  putSite({ release: NEW, ...rollout('done') });
  expect(await states()).toEqual(['<none> <none> gone', '3 3.0KiB', '4 4.0KiB serving']);
});

test('status tells of batches, and fails when nothing goes on without a person', async () => {
  putSite({ release: OLD, ...rollout('rolling', { switched: 3 }) });
  const waiting = cli.start('rollout status site/blog');
  await cli.clock.advance(0);
  const message = 'bbb was undone: 9 % of the answers are errors';
  const conditions = [{ type: 'ContentReady', status: 'False', reason: 'RolloutUndone', message }];
  putSite({ release: OLD, ...rollout('undone'), conditions });
  const { out, error, code } = await waiting.done;
  expect(out).toBe('Waiting for site "blog": served on 3/9 nodes\n');
  expect(error).toBe(`error: site "blog": ${message}\n`);
  expect(code).toBe(1);
});

test.each([
  {
    when: 'one says what is wrong with it',
    message:
      'sha256-b is verified on 1/2 edges; waiting for fra1 (its disk is full: no space left; make room)',
    said: 'verified on 1/2 nodes; waiting for fra1 (its disk is full: no space left; make room)',
  },
  {
    when: 'all are at it',
    message: 'sha256-b is verified on 1/2 edges; waiting for fra1',
    said: 'verified on 1/2 nodes',
  },
])('who is waited for is named when $when', async ({ message, said }) => {
  const conditions = [
    {
      type: 'ContentReady',
      status: 'False',
      reason: 'RollingOut',
      message,
      lastTransitionTime: '',
    },
  ];
  const { rollout: begun } = rollout('verifying', { verified: 1, total: 2 });
  putSite({ release: OLD, rollout: begun, conditions });
  const { out } = await cli.b8sctl('rollout status site/blog --timeout 0s');
  expect(out).toContain(`Waiting for site "blog": ${said}\n`);
});
