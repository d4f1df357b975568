import { beforeEach, describe, expect, test } from 'vitest';
import type { ForecastChange, RepositoryForecast } from '../../runtime/api-client.ts';
import { CONFIG_PATH, type TestCli, testCli } from '../testing/test-cli.ts';

let cli: TestCli;
beforeEach(() => {
  cli = testCli();
});

const GOLDEN = '../golden/plan';

function site(name: string, spec = '', metadata = ''): string {
  return `{ apiVersion: b8s.dev/v1, kind: Site, metadata: { name: ${name}${metadata} }, spec: { hosts: [${name}.example.com]${spec} } }`;
}

function secret(data: string): string {
  return `{ apiVersion: b8s.dev/v1, kind: Secret, metadata: { name: s }, spec: { data: ${data} } }`;
}

const names = (): readonly string[] => cli.api.objects().map(({ metadata }) => metadata.name);
const APPLY = 'apply -f m -R --prune --applyset web';
const flags = '-f m -R --prune --applyset web';

/** Three Sites of a set; then one is new, one changed, one gone. */
async function threeSites(): Promise<void> {
  for (const name of ['a', 'b', 'c']) cli.files.set(`m/${name}.yaml`, site(name));
  await cli.b8sctl(APPLY);
  cli.files.set('m/a.yaml', site('a', ', ttl: 60'));
  cli.files.set('m/d.yaml', site('d', ', content: { path: pages }'));
  cli.files.set('m/pages/index.html', '<h1>d</h1>');
  cli.files.delete('m/c.yaml');
}

async function made(): Promise<void> {
  await threeSites();
  expect((await cli.b8sctl(`plan ${flags} -o plan.json`)).code).toBe(0);
}

describe('of files', () => {
  test('a plan says what would be done, and does nothing', async () => {
    await threeSites();
    const { out, code } = await cli.b8sctl(`plan ${flags}`);
    await expect(out).toMatchFileSnapshot(`${GOLDEN}/files.txt`);
    expect(code).toBe(0);
    expect(names()).toEqual(['a', 'b', 'c']);
    expect(cli.api.blobs.size).toBe(0);
  });

  test('a diff says the same as patches, and ends with 1', async () => {
    await threeSites();
    const { out, code } = await cli.b8sctl(`diff ${flags}`);
    await expect(out).toMatchFileSnapshot(`${GOLDEN}/files.diff`);
    expect(code).toBe(1);
  });

  test('what a plan says is what is done, once', async () => {
    await made();
    const { out, code, error } = await cli.b8sctl('apply --plan plan.json');
    expect(out).toBe('site.b8s.dev/a configured\nsite.b8s.dev/d created\nsite.b8s.dev/c pruned\n');
    expect([error.includes('release sha256-'), code]).toEqual([true, 0]);
    expect(names().filter((name) => !name.startsWith('sha256'))).toEqual(['a', 'b', 'd']);
    expect((await cli.b8sctl(`diff ${flags}`)).code).toBe(0);
  });

  test('nothing is written where apply would fail, and all that would go wrong is told', async () => {
    await threeSites();
    cli.files.set('m/bad.yaml', 'kind: [');
    cli.files.set('m/twice.yaml', site('a'));
    const { error, code } = await cli.b8sctl(`plan ${flags} -o plan.json`);
    expect(error).toMatch(/m\/bad\.yaml.*declared twice \(m\/a\.yaml:1, m\/twice\.yaml:1\)/s);
    expect([code, cli.files.has('plan.json')]).toEqual([1, false]);
    const diffed = await cli.b8sctl(`diff ${flags}`);
    expect([diffed.code, diffed.out.includes('live/site.b8s.dev/default/c')]).toEqual([2, false]);
  });

  test('more than half is told as apply tells it', async () => {
    await threeSites();
    cli.files.delete('m/b.yaml');
    const { error, code } = await cli.b8sctl(`diff ${flags}`);
    expect(error).toMatch(/^error: nothing is pruned: 2 of the 3 objects of set "web"/);
    expect(code).toBe(2);
    expect((await cli.b8sctl(`diff ${flags} --allow-mass-deletion`)).code).toBe(1);
  });

  test('no value of a Secret is in a plan; it is read from its file again', async () => {
    cli.files.set('m/s.yaml', secret('{ key: hunter2 }'));
    await cli.b8sctl('plan -f m -o plan.json');
    expect(cli.files.get('plan.json')).not.toContain('hunter2');
    expect((await cli.b8sctl('apply --plan plan.json')).out).toBe('secret.b8s.dev/s created\n');
    expect(cli.api.objects()[0]?.spec).toMatchObject({ data: { key: 'hunter2' } });
  });
});

describe('a plan is refused, and nothing is done,', () => {
  const change = (name: string, spec: object): void => {
    const [object] = cli.api.objects().filter(({ metadata }) => metadata.name === name);
    if (object === undefined) throw new Error(name);
    cli.api.put({ ...object, spec: { ...(object.spec as object), ...spec } });
  };

  test.each<{ readonly when: string; readonly spoil: () => unknown; readonly says: RegExp }>([
    {
      when: 'when a field was changed meanwhile',
      spoil: () => change('a', { hosts: ['x.example.com'] }),
      says: /spec\.hosts of site\.b8s\.dev\/a was \["a\.example\.com"\], and is \["x\.example\.com"\] now: configured by admin with "b8sctl apply" at 2027-/,
    },
    {
      when: 'when what it makes is there',
      spoil: () =>
        cli.api.put({ kind: 'Site', metadata: { name: 'd', namespace: 'default' }, spec: {} }),
      says: /site\.b8s\.dev\/d was not there, and is there now: created by admin/,
    },
    {
      when: 'when what it changes is gone',
      spoil: () => cli.api.remove({ kind: 'Site', namespace: 'default', name: 'a' }),
      says: /site\.b8s\.dev\/a was there, and is gone: deleted by admin/,
    },
    {
      when: 'when what it deletes is another object by now',
      spoil: () => {
        cli.api.remove({ kind: 'Site', namespace: 'default', name: 'c' });
        cli.api.put({ kind: 'Site', metadata: { name: 'c', namespace: 'default' }, spec: {} });
      },
      says: /site\.b8s\.dev\/c is another object of that name by now/,
    },
    {
      when: 'when the content is another one',
      spoil: () => cli.files.set('m/pages/index.html', 'another'),
      says: /the content of site\.b8s\.dev\/d, m\/pages, is sha256-\w+, and was sha256-/,
    },
    {
      when: 'when the content is gone',
      spoil: () => cli.files.delete('m/pages/index.html'),
      says: /the content of site\.b8s\.dev\/d, m\/pages, is gone/,
    },
    {
      when: 'when it was changed',
      spoil: () =>
        cli.files.set(
          'plan.json',
          (cli.files.get('plan.json') ?? '').replace('"delete"', '"keep"'),
        ),
      says: /^error: plan\.json was changed after it was made/,
    },
    {
      when: 'when it is cut off',
      spoil: () => cli.files.set('plan.json', (cli.files.get('plan.json') ?? '').slice(0, -40)),
      says: /^error: plan\.json is no plan/,
    },
    {
      when: 'when it is for another cluster',
      spoil: () =>
        cli.files.set(CONFIG_PATH, (cli.files.get(CONFIG_PATH) ?? '').replace('Q0E=', 'T1RIRVI=')),
      says: /^error: plan\.json is for another cluster \(its CA is sha256-/,
    },
    {
      when: 'when another version made it',
      spoil: () =>
        cli.files.set(
          'plan.json',
          (cli.files.get('plan.json') ?? '').replace('"version": 1', '"version": 2'),
        ),
      says: /^error: plan\.json is a plan of version 2, and this b8sctl reads 1/,
    },
    {
      when: 'when it is not there',
      spoil: () => cli.files.delete('plan.json'),
      says: /^error: the path "plan\.json" does not exist/,
    },
  ])('$when', async ({ spoil, says }) => {
    await made();
    spoil();
    const before = cli.api.objects();
    const { out, error, code } = await cli.b8sctl('apply --plan plan.json');
    expect(error).toMatch(says);
    expect([out, code]).toEqual(['', 1]);
    expect(cli.api.objects()).toEqual(before);
  });

  test.each([
    'null',
    '[]',
    '{}',
    '{"kind":"Plan"}',
    '{"kind":"Plan","version":1}',
    '{"kind":"Plan","version":1,"digest":"x","changes":{},"from":[]}',
  ])('when it is %s', async (text) => {
    cli.files.set('plan.json', text);
    const { error, code } = await cli.b8sctl('apply --plan plan.json');
    expect(error).toMatch(/^error: plan\.json (is no plan|is a plan of version|was changed)/);
    expect(code).toBe(1);
  });

  test('but a status that changed is no reason', async () => {
    await made();
    const [a] = cli.api.objects();
    if (a === undefined) throw new Error('none');
    cli.api.put({ ...a, status: { observedGeneration: 1 } });
    expect((await cli.b8sctl('apply --plan plan.json')).code).toBe(0);
  });
});

const COMMIT = '0123456789abcdef0123456789abcdef01234567';

function forecast(more: Partial<RepositoryForecast> = {}): RepositoryForecast {
  const repository = cli.api.put({
    kind: 'Repository',
    metadata: { name: 'infra', namespace: 'default', uid: 'u' },
    spec: { url: 'https://git.example.com/a.git' },
  });
  return {
    ...{ commit: COMMIT, subject: 'Mend the blog', author: 'Ada', appliedCommit: '9'.repeat(40) },
    ...{ repository, holds: [], changes: [], digest: 'd'.repeat(64) },
    ...more,
  };
}

function changed(more: Partial<ForecastChange>): ForecastChange {
  const reference = { kind: 'Issuer', namespace: '', name: 'a' };
  return {
    reference,
    action: 'update',
    why: '',
    file: 'a.yaml',
    line: 2,
    changedValues: [],
    ...more,
  };
}

function someChanges(): readonly ForecastChange[] {
  const before = cli.api.put({
    kind: 'Issuer',
    metadata: { name: 'a' },
    spec: { ca: { lifetime: '30d' } },
  });
  const after = { ...before, spec: { ca: { lifetime: '7d' } } };
  const [gone, kept] = ['b', 'k'].map((name) =>
    cli.api.put({ kind: 'Issuer', metadata: { name }, spec: {} }),
  );
  const named = (name: string) => ({
    reference: { kind: 'Issuer', namespace: '', name },
    file: '',
    line: 0,
  });
  return [
    changed({ before, after }),
    changed({
      ...named('s'),
      reference: { kind: 'Secret', namespace: 'default', name: 's' },
      changedValues: ['key'],
    }),
    changed({ ...named('b'), action: 'delete', ...(gone && { before: gone }) }),
    changed({
      ...named('k'),
      action: 'let go',
      why: 'b8s.dev/prune is disabled',
      ...(kept && { before: kept, after: kept }),
    }),
  ];
}

describe('of a Repository', () => {
  test('dom says what it would do, for a branch too', async () => {
    cli.api.forecasted = forecast({ changes: someChanges() });
    const { out, code } = await cli.b8sctl(
      'plan --repository infra --ref change --force-conflicts',
    );
    await expect(out).toMatchFileSnapshot(`${GOLDEN}/repository.txt`);
    expect(code).toBe(0);
    expect(cli.api.forecastQuery).toEqual({
      ...{ namespace: 'default', name: 'infra', ref: 'change', force: true, confirmPrune: false },
    });
    const diff = await cli.b8sctl('diff --repository infra');
    await expect(diff.out).toMatchFileSnapshot(`${GOLDEN}/repository.diff`);
    expect(diff.code).toBe(1);
  });

  test('a commit that is refused ends a diff with 2, with file and line', async () => {
    const holds = [
      { reason: 'Invalid', message: 'commit 0123456 is refused: x (a.yaml:3)', passes: false },
    ];
    cli.api.forecasted = forecast({ holds });
    const { error, code } = await cli.b8sctl('diff --repository infra');
    expect(error).toBe('error: Invalid: commit 0123456 is refused: x (a.yaml:3)\n');
    expect(code).toBe(2);
  });

  test('what is only held up is told beside the changes', async () => {
    const holds = [{ reason: 'Suspended', message: 'nothing is done', passes: true }];
    cli.api.forecasted = forecast({ holds, changes: someChanges() });
    const { error, code } = await cli.b8sctl('diff --repository infra');
    expect(error).toBe('Not before this is over: Suspended: nothing is done\n');
    expect(code).toBe(1);
  });

  test('its plan has dom follow that commit, if dom would still do the same', async () => {
    cli.api.forecasted = forecast({ changes: someChanges() });
    await cli.b8sctl('plan --repository infra --ref change -o plan.json');
    const { out, error } = await cli.b8sctl('apply --plan plan.json --timeout 0');
    expect([out, error]).toEqual(['repository.b8s.dev/infra is looked at\n', '']);
    expect(cli.api.forecastQuery?.ref).toBe(COMMIT);
    const found = cli.api.objects().find(({ kind }) => kind === 'Repository');
    expect(found?.metadata.annotations?.['b8s.dev/reconcile-requested']).toContain(
      `ref=${COMMIT} expect=${'d'.repeat(64)}`,
    );
  });

  test.each<{
    readonly when: string;
    readonly now: () => Partial<RepositoryForecast>;
    readonly says: RegExp;
  }>([
    {
      when: 'something else comes of it',
      now: () => ({
        changes: [
          changed({ ...cli.api.forecasted?.changes[0], action: 'put back' }),
          ...(cli.api.forecasted?.changes.slice(1) ?? []),
        ],
      }),
      says: /issuer\.b8s\.dev\/a: put back, which was update/,
    },
    {
      when: 'it would do less',
      now: () => ({ changes: cli.api.forecasted?.changes.slice(1) ?? [] }),
      says: /issuer\.b8s\.dev\/a: update, which is not to be done now/,
    },
    {
      when: 'it would do more',
      now: () => ({
        changes: [
          ...(cli.api.forecasted?.changes ?? []),
          changed({ reference: { kind: 'Issuer', namespace: '', name: 'z' }, action: 'create' }),
        ],
      }),
      says: /issuer\.b8s\.dev\/z: create, which the plan does not have/,
    },
    {
      when: 'the Repository is another one',
      now: () => ({
        repository: cli.api.put({
          kind: 'Repository',
          metadata: { name: 'infra', namespace: 'default', uid: 'v' },
          spec: { url: 'https://a' },
        }),
      }),
      says: /is another one of that name by now/,
    },
    {
      when: 'it is suspended',
      now: () => ({ holds: [{ reason: 'Suspended', message: 'it is', passes: true }] }),
      says: /nothing is done: Not before this is over: Suspended/,
    },
  ])('…and is refused when $when', async ({ now, says }) => {
    cli.api.forecasted = forecast({ changes: someChanges() });
    await cli.b8sctl('plan --repository infra -o plan.json');
    cli.api.forecasted = { ...cli.api.forecasted, ...now() };
    const { out, error, code } = await cli.b8sctl('apply --plan plan.json');
    expect(error).toMatch(says);
    expect([out, code]).toEqual(['', 1]);
  });
});

test.each([
  { line: 'plan', says: /say what to look at/ },
  { line: 'plan -f m --repository infra', says: /not both/ },
  { line: 'plan -f m --ref main', says: /--ref needs --repository/ },
  { line: 'diff -f m --ref main', says: /--ref needs --repository/ },
  { line: 'plan --repository infra --prune', says: /go with -f/ },
  { line: 'plan --repository site/blog', says: /"site\/blog" is no Repository/ },
  { line: 'plan -f m --prune', says: /--prune needs the name of a set/ },
])('$line is refused', async ({ line, says }) => {
  cli.files.set('m/a.yaml', site('a'));
  const { error, code } = await cli.b8sctl(line);
  expect(error).toMatch(says);
  expect(code).toBeGreaterThan(0);
});
