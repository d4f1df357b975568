import { beforeEach, expect, test } from 'vitest';
import type { Site } from '../../api/site.ts';
import { ApiError, type HistoryEntry } from '../../runtime/api-client.ts';
import { type TestCli, testCli } from '../testing/test-cli.ts';
import { changeWords } from './changes.ts';

let cli: TestCli;
beforeEach(() => {
  cli = testCli();
});

const OLD = `sha256-${'a'.repeat(64)}`;
const NEW = `sha256-${'b'.repeat(64)}`;
const REFERENCE = { kind: 'Site', namespace: 'default', name: 'blog' };

function putSite(spec: object = {}, labels?: Record<string, string>) {
  return cli.api.put({
    kind: 'Site',
    metadata: { namespace: 'default', name: 'blog', ...(labels !== undefined && { labels }) },
    spec: { hosts: ['blog.example.com'], ttl: 30, ...spec },
    status: { release: OLD },
  });
}

/** Revisions 101, 102 and 103, an hour apart; then two hours pass. */
async function threeChanges(): Promise<void> {
  putSite({ content: { release: OLD } });
  await cli.clock.advance(3_600_000);
  putSite({ content: { release: NEW } });
  await cli.clock.advance(3_600_000);
  putSite({ content: { release: NEW }, ttl: 60, singlePageApp: true }, { tier: 'front' });
  await cli.clock.advance(7_200_000);
}

test('history tells who changed what, and when', async () => {
  await threeChanges();
  const { out } = await cli.b8sctl('history site/blog');
  expect(out).toMatchInlineSnapshot(`
    "REVISION   GENERATION   AGE    USER    CHANGE                                                                  COMMAND
    101        1            4h     admin   created                                                                 b8sctl apply
    102        2            3h     admin   content.release sha256-aaaaaaaaaaaa → sha256-bbbbbbbbbbbb               b8sctl apply
    103        3            120m   admin   metadata.labels.tier = front, singlePageApp false → true, ttl 30 → 60   b8sctl apply
    "
  `);
  const wide = await cli.b8sctl('history site blog -o wide');
  expect(wide.out).toContain('2027-01-15T13:00:00.000Z');
  const json = JSON.parse((await cli.b8sctl('history site blog -o json')).out) as object[];
  expect(json.at(-1)).toMatchObject({ revision: '103', change: 'configured', spec: { ttl: 60 } });
});

test.each([
  { when: 'created', entry: { change: 'created' }, before: undefined, said: 'created' },
  { when: 'deleted', entry: { change: 'deleted' }, before: {}, said: 'deleted' },
  { when: 'another object came', entry: { uid: 'v' }, before: {}, said: 'created' },
  {
    when: 'a field is new, one is gone, one is another',
    entry: { spec: { a: 1, c: 'x' } },
    before: { spec: { a: 2, b: true } },
    said: 'a 2 → 1, b removed, c = x',
  },
  {
    when: 'there are many, and long values',
    entry: { spec: { a: 'x'.repeat(99), b: 1, c: 1, d: 1, e: 1 } },
    before: {},
    said: `a = ${'x'.repeat(24)}…, b = 1, c = 1, 2 more`,
  },
  { when: 'a Secret hides it', entry: {}, before: {}, said: 'values that are not shown' },
] as const)('a change in a few words, when $when', ({ entry, before, said }) => {
  const base: HistoryEntry = {
    ...{ generation: 1, revision: 1n, timeMs: 0, manager: 'm', user: 'u', command: 'c' },
    ...{ uid: 'u', change: 'configured', spec: {}, labels: {}, annotations: {} },
  };
  expect(changeWords({ ...base, ...entry }, before && { ...base, ...before })).toBe(said);
});

test.each([
  { at: '101', ttl: '30', note: false },
  { at: '2027-01-15T12:30:00Z', ttl: '30', note: true },
  { at: '1h', ttl: '60', note: true },
  { at: '3h', ttl: '30', note: true },
])('get --at $at', async ({ at, ttl, note }) => {
  await threeChanges();
  const { out, error } = await cli.b8sctl(`get site blog --at ${at} -o jsonpath={.spec.ttl}`);
  expect(out).toBe(ttl);
  expect(error).toBe(note ? 'Note: no status is kept from then; this is what was declared.\n' : '');
});

test('a list of the past has what was deleted since', async () => {
  await threeChanges();
  cli.api.remove(REFERENCE);
  expect((await cli.b8sctl('get sites --at 1h -o name')).out).toBe('site.b8s.dev/blog\n');
  expect((await cli.b8sctl('get sites -o name')).out).toBe('');
  expect((await cli.b8sctl('get site blog --at 1d')).code).toBe(1);
});

test.each([
  { line: 'diff site/blog', out: /-ttl: 30|- {2}ttl: 30\n\+ {2}ttl: 60/, code: 1 },
  { line: 'diff site blog --from 101 --to 102', out: /-.*aaaa.*\n\+.*bbbb/, code: 1 },
  { line: 'diff site/blog --from 102 --to 102', out: /^$/, code: 0 },
  { line: 'diff site/blog --from 103 --to 101', out: /is later than --to 101/, code: 2 },
  { line: 'diff site/blog --from 7', out: /begins at revision 101, after 7/, code: 2 },
  { line: 'diff site/none', out: /nothing was ever declared as sites "none"/, code: 2 },
  {
    line: 'diff site/blog -f x.yaml',
    out: /give TYPE\/NAME, -f or --repository, not several/,
    code: 2,
  },
  { line: 'diff --from 3', out: /--from and --to compare one object/, code: 2 },
  { line: 'diff', out: /say what to compare/, code: 2 },
])('$line exits $code', async ({ line, out, code }) => {
  await threeChanges();
  const outcome = await cli.b8sctl(line);
  expect(outcome.out + outcome.error).toMatch(out);
  expect(outcome.code).toBe(code);
});

test('rollout undo --to-revision', async () => {
  await threeChanges();
  const { out } = await cli.b8sctl('rollout undo site/blog --to-revision 101');
  expect(out).toBe(`site.b8s.dev/blog rolled back to ${OLD}\n`);
  const early = await cli.b8sctl('rollout undo site/blog --to-revision 3');
  expect(early).toMatchObject({ error: 'error: revision 3 is not in the history\n', code: 1 });
});

test('undelete declares again what was deleted, and says that its content is gone', async () => {
  await threeChanges();
  cli.api.remove(REFERENCE);
  expect(await cli.b8sctl('undelete site/blog')).toEqual({
    out: 'site.b8s.dev/blog undeleted\n',
    error:
      'Warning: its release is not kept any more; publish it again: b8sctl push FOLDER --site blog\n',
    code: 0,
  });
  const [site] = cli.api.objects() as readonly Site[];
  expect(site).toMatchObject({ spec: { ttl: 60 }, metadata: { labels: { tier: 'front' } } });
});

test('undelete as it was at a revision, and only for show', async () => {
  await threeChanges();
  cli.api.remove(REFERENCE);
  const shown = await cli.b8sctl('undelete site/blog --dry-run=server');
  expect(shown.out).toBe('site.b8s.dev/blog undeleted (server dry run)\n');
  expect(cli.api.objects()).toEqual([]);
  expect((await cli.b8sctl('undelete site/blog --to-revision 101')).code).toBe(0);
  expect(cli.api.objects()).toMatchObject([{ spec: { ttl: 30, content: { release: OLD } } }]);
});

test.each([
  {
    when: 'it is there',
    world: () => void putSite(),
    says: 'error: site/blog is there, and not deleted; b8sctl history site/blog shows what it was\n',
  },
  {
    when: 'it is still going',
    world: () => {
      const metadata = {
        namespace: 'default',
        name: 'blog',
        deletionTimestamp: '2027-01-15T11:00:00Z',
      };
      cli.api.put({ kind: 'Site', metadata, spec: { hosts: ['blog.example.com'] } });
    },
    says: 'error: site/blog is still being deleted: b8sctl wait site/blog --for=delete, then undelete\n',
  },
  {
    when: 'it never was',
    world: () => undefined,
    says: 'error: nothing was ever declared as sites "blog"\n',
  },
  {
    when: 'dom accepts it no longer',
    world: () => {
      putSite();
      cli.api.remove(REFERENCE);
      const violations = [{ path: 'spec.hosts[0]', message: 'is served by site default/shop' }];
      cli.api.failNext('apply', new ApiError('Invalid', 'no', { violations }));
    },
    says: 'error: site.b8s.dev/blog cannot be as it was; get it with --at and -o yaml, mend it, and apply that:\n  spec.hosts[0] is served by site default/shop\n',
  },
])('undelete when $when', async ({ world, says }) => {
  world();
  expect(await cli.b8sctl('undelete site/blog')).toEqual({ out: '', error: says, code: 1 });
});

test('a Secret cannot be brought back, and undelete says what to do', async () => {
  const metadata = { namespace: 'default', name: 'token' };
  cli.api.put({ kind: 'Secret', metadata, spec: { data: { a: '(sealed)' } } });
  cli.api.remove({ kind: 'Secret', ...metadata });
  const { error, code } = await cli.b8sctl('undelete secret/token');
  expect(error).toMatch(/never shows the values .* b8sctl create secret generic token\n$/);
  expect(code).toBe(1);
});

test('a change that a Repository made names its commit, author and subject', async () => {
  const commit = '0123456789abcdef0123456789abcdef01234567';
  cli.api.put({ kind: 'Issuer', metadata: { name: 'a' }, spec: {} });
  const command = `commit ${commit} of default/infra by Ada <ada@example.com>: Mend the blog`;
  const [entry] = await cli.api.history({ kind: 'Issuer', namespace: '', name: 'a' });
  if (entry === undefined) throw new Error('no history');
  cli.api.history = async () => [{ ...entry, command }];
  expect((await cli.b8sctl('history issuer/a')).out).toContain(
    'commit 0123456 of default/infra by Ada <ada@example.com>: Mend the blog',
  );
  expect((await cli.b8sctl('history issuer/a -o wide')).out).toContain(command);
});

test('of a Repository it lists what became of its commits', async () => {
  const { metadata } = cli.api.put({
    ...{ kind: 'Repository', metadata: { name: 'infra', namespace: 'default' } },
    spec: { url: 'https://git.example.com/a.git' },
  });
  const event = (name: string, reason: string, message: string): void => {
    const regarding = {
      kind: 'Repository',
      namespace: 'default',
      name: 'infra',
      uid: metadata.uid,
    };
    const [firstTime, lastTime] = ['2027-01-15T11:50:00Z', '2027-01-15T11:50:00Z'];
    cli.api.put({
      ...{ kind: 'Event', metadata: { name, namespace: 'default' } },
      spec: { regarding, reason, message, firstTime, lastTime, count: 1, type: 'Normal' },
    });
  };
  event('one', 'CommitApplied', 'commit 0123456 is in force: Mend');
  event('two', 'RolledBack', 'commit 89abcde was rolled back: not Ready');
  event('three', 'FetchUnreachable', 'nobody answers');
  const { out } = await cli.b8sctl('history repository/infra');
  expect(out.split('\n\n')[1]).toBe(`COMMIT    OUTCOME         AGE   MESSAGE
0123456   CommitApplied   10m   commit 0123456 is in force: Mend
89abcde   RolledBack      10m   commit 89abcde was rolled back: not Ready
`);
});

test('get --at and undelete name the commit that made an object so, or removed it', async () => {
  const reference = { kind: 'Issuer', namespace: '', name: 'a' };
  cli.api.put({ kind: 'Issuer', metadata: { name: 'a' }, spec: { ca: { lifetime: '30d' } } });
  const revision = (await cli.api.list({ kind: 'Issuer', namespace: '' })).revision;
  cli.api.remove(reference);
  const entries = await cli.api.history(reference);
  const command = `commit ${'0'.repeat(40)} of default/infra by Ada: Mend`;
  const manager = 'repository/default/infra';
  cli.api.history = async () => entries.map((entry) => ({ ...entry, manager, command }));
  const then = await cli.b8sctl(`get issuer a --at ${revision}`);
  expect(then.error).toContain(`Note: issuer.b8s.dev/a was made so by ${command}\n`);
  const { error } = await cli.b8sctl('undelete issuer/a');
  expect(error).toBe(`Note: ${command} had removed it, so no Repository keeps it any more\n`);
});
