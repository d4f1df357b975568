import { beforeEach, describe, expect, test } from 'vitest';
import { ApiError } from '../../runtime/api-client.ts';
import { type TestCli, testCli } from '../testing/test-cli.ts';

const [OLD, NEW] = [`sha256-${'a'.repeat(64)}`, `sha256-${'b'.repeat(64)}`];
const COMMIT = '0123456789abcdef0123456789abcdef01234567';

let cli: TestCli;
beforeEach(() => {
  cli = testCli();
});

/** A Site that served OLD and serves NEW; the Repository declares these fields of it. */
function ownedSite(fields: readonly string[]): void {
  const managedFields = [
    {
      manager: 'repository/default/infra',
      operation: 'apply',
      time: '2027-01-01T00:00:00Z',
      fields,
    },
  ] as const;
  const metadata = { name: 'blog', namespace: 'default', uid: 'u', managedFields };
  for (const release of [OLD, NEW])
    cli.api.put({
      kind: 'Site',
      metadata,
      spec: { hosts: ['a.example.com'], content: { release } },
    });
}

function repository(spec: object = {}): void {
  cli.api.put({
    kind: 'Repository',
    metadata: { name: 'infra', namespace: 'default' },
    spec: { url: 'https://git.example.com/a.git', ...spec },
    status: { lastAppliedCommit: COMMIT },
  });
}

const siteNow = (): { readonly content?: object; readonly ttl?: number } =>
  cli.api.objects().find(({ kind }) => kind === 'Site')?.spec as { content?: object; ttl?: number };
const isSuspended = (): unknown => {
  const found = cli.api.objects().find(({ kind }) => kind === 'Repository');
  return (found?.spec as { readonly suspend?: boolean } | undefined)?.suspend;
};

describe('rollout undo of what Git declares', () => {
  test('is refused, and offers a revert commit, suspend, or force', async () => {
    ownedSite(['/spec/content/release', '/spec/hosts']);
    repository();
    const { out, error, code } = await cli.b8sctl('rollout undo site/blog');
    expect(
      error,
    ).toBe(`error: spec.content.release of site.b8s.dev/blog is declared by repository default/infra, which would put it back
  for good: git revert ${COMMIT}, and push
  for a while: --suspend, which has dom leave all of infra alone until it is resumed
  all the same: --force
`);
    expect([out, code, siteNow().content]).toEqual(['', 1, { release: NEW }]);
  });

  test('goes on with --suspend, which says how to resume', async () => {
    ownedSite(['/spec/content/release']);
    repository();
    const { out, error, code } = await cli.b8sctl('rollout undo site/blog --suspend');
    expect(error).toBe(
      `repository.b8s.dev/infra suspended; later: b8sctl patch repository infra -p '{"spec":{"suspend":false}}'\n`,
    );
    expect([out, code]).toEqual([`site.b8s.dev/blog rolled back to ${OLD}\n`, 0]);
    expect([siteNow().content, isSuspended()]).toEqual([{ release: OLD }, true]);
  });

  test.each([
    { when: 'it is forced', spec: {}, flags: ' --force', says: /which puts it back/ },
    { when: 'it is suspended', spec: { suspend: true }, flags: '', says: /once it is resumed/ },
    {
      when: 'drift is only told',
      spec: { driftPolicy: 'report' },
      flags: '',
      says: /told as drift/,
    },
  ])('goes on with a word when $when', async ({ spec, flags, says }) => {
    ownedSite(['/spec/content/release']);
    repository(spec);
    const { error, code } = await cli.b8sctl(`rollout undo site/blog${flags}`);
    expect(error).toMatch(says);
    expect([code, siteNow().content]).toEqual([0, { release: OLD }]);
  });

  test('says nothing where the Repository is gone, or declares other fields', async () => {
    ownedSite(['/spec/content/release']);
    expect(await cli.b8sctl('rollout undo site/blog')).toMatchObject({ error: '', code: 0 });
    ownedSite(['/spec/hosts']);
    repository();
    expect(await cli.b8sctl('rollout undo site/blog')).toMatchObject({ error: '', code: 0 });
  });
});

describe('other changes by hand', () => {
  beforeEach(() => {
    ownedSite(['/spec/hosts', '/spec/ttl', '/spec/rollout/paused', '/metadata/labels/team']);
    repository();
  });

  test.each([
    `patch site blog -p {"spec":{"ttl":60}}`,
    'rollout pause site/blog',
    `patch site blog -p {"metadata":{"labels":{"team":"x"}}}`,
    'label site blog team=x',
    'label sites --all team=x --overwrite',
  ])('%s of a field that Git names is refused without a word', async (line) => {
    const before = siteNow();
    const { error, code } = await cli.b8sctl(line);
    expect(error).toMatch(/is declared by repository default\/infra, which would put it back/);
    expect([code, siteNow()]).toEqual([1, before]);
    expect((await cli.b8sctl(`${line} --force`)).code).toBe(0);
  });

  test('a push of what Git declares is refused before anything is sent', async () => {
    ownedSite(['/spec/content/release']);
    cli.files.set('pages/index.html', 'x');
    const { error, code } = await cli.b8sctl('push pages --site blog');
    expect(error).toMatch(/spec\.content\.release of site\.b8s\.dev\/blog is declared by/);
    expect([code, cli.api.blobs.size]).toEqual([1, 0]);
    expect((await cli.b8sctl('push pages --site blog --suspend')).code).toBe(0);
    expect(isSuspended()).toBe(true);
  });

  test('a field that Git does not name may be set by hand', async () => {
    const { out, error } = await cli.b8sctl(`patch site blog -p {"spec":{"singlePageApp":true}}`);
    expect([out, error]).toEqual(['site.b8s.dev/blog patched\n', '']);
  });

  test('an edit comes back with the reason, and is not lost', async () => {
    const shown: string[] = [];
    cli.edit = (text) => {
      shown.push(text);
      return text.replace('ttl: 30', 'ttl: 60');
    };
    const { error, code } = await cli.b8sctl('edit site blog');
    expect(shown[1]).toMatch(
      /^# .*\n# It was refused:\n# {2,}error: spec\.ttl of .* is declared by/,
    );
    expect([code, siteNow().ttl]).toEqual([1, 30]);
    expect(error).toMatch(/given up, nothing was changed/);
  });

  test('apply with --force-conflicts says before that it is put back', async () => {
    cli.files.set(
      's.yaml',
      '{ apiVersion: b8s.dev/v1, kind: Site, metadata: { name: blog }, spec: { hosts: [b.example.com] } }',
    );
    const { error, out } = await cli.b8sctl('apply -f s.yaml --force-conflicts');
    expect(error).toMatch(
      /^Note: .*spec\.hosts.* is declared by repository default\/infra, which puts it back/,
    );
    expect(out).toBe('site.b8s.dev/blog configured\n');
  });

  test('a conflict with Git says where to change it', async () => {
    cli.files.set(
      's.yaml',
      '{ apiVersion: b8s.dev/v1, kind: Site, metadata: { name: blog }, spec: { hosts: [b.example.com] } }',
    );
    const clashes = [{ path: 'spec.hosts', manager: 'repository/default/infra' }];
    cli.api.failNext('apply', new ApiError('Conflict', 'clash', { clashes }));
    const { error } = await cli.b8sctl('apply -f s.yaml');
    expect(error).toMatch(/change that in Git, or suspend it first\.\n$/);
  });

  test('a label or annotation that Git does not name may be set by hand', async () => {
    expect(await cli.b8sctl('label site blog mine=x')).toMatchObject({ error: '', code: 0 });
    expect(await cli.b8sctl('annotate site blog mine=x')).toMatchObject({ error: '', code: 0 });
  });
});

describe('a deletion of what Git declares', () => {
  const isThere = () => cli.api.objects().some(({ kind }) => kind === 'Site');
  beforeEach(() => {
    ownedSite(['/spec/hosts']);
    repository();
  });

  test('is refused, and offers to do it in Git', async () => {
    const { error, code } = await cli.b8sctl('delete site blog');
    expect(error).toBe(
      `error: site.b8s.dev/blog is declared by repository default/infra, which would put it back
  for good: remove its manifest from Git, and push
  for a while: --suspend, which has dom leave all of infra alone until it is resumed
  all the same: --force
`,
    );
    expect([code, isThere()]).toEqual([1, true]);
  });

  test('goes on with --suspend, or by force, or once the Repository is deleted', async () => {
    expect((await cli.b8sctl('delete site blog --suspend')).code).toBe(0);
    expect([isSuspended(), isThere()]).toEqual([true, false]);
    ownedSite(['/spec/hosts']);
    repository();
    const forced = await cli.b8sctl('delete site blog --force');
    expect(forced.error).toMatch(/^Note: site.b8s.dev\/blog is declared by .*, which puts it back/);
    ownedSite(['/spec/hosts']);
    expect((await cli.b8sctl('delete repository infra')).code).toBe(0);
    expect(await cli.b8sctl('delete site blog')).toMatchObject({ error: '', code: 0 });
  });

  test('is told of by a dry run, which suspends nothing', async () => {
    const { error, code } = await cli.b8sctl('delete site blog --dry-run=server --suspend');
    expect(error).toMatch(/is declared by repository default\/infra, which puts it back/);
    expect([code, isThere(), isSuspended()]).toEqual([0, true, false]);
  });
});

describe('a node that Git declares', () => {
  beforeEach(() => {
    const managedFields = [
      {
        manager: 'repository/default/infra',
        operation: 'apply',
        time: '2027-01-01T00:00:00Z',
        fields: ['/spec/roles', '/spec/unschedulable'],
      },
    ] as const;
    cli.api.put({
      kind: 'Node',
      metadata: { name: 'fra1', managedFields },
      spec: { roles: ['nameserver'], ipv4: ['192.0.2.1'], ipv6: [], unschedulable: false },
    });
    repository();
  });

  test.each(['cordon fra1', 'drain fra1'])(
    '%s is refused before anything is done',
    async (line) => {
      const { error, code } = await cli.b8sctl(line);
      expect(error).toMatch(
        /spec\.unschedulable.* of node\.b8s\.dev\/fra1 is declared by repository default\/infra/,
      );
      const spec = cli.api.objects().find(({ kind }) => kind === 'Node')?.spec;
      expect([code, spec]).toMatchObject([1, { unschedulable: false }]);
      expect((await cli.b8sctl(`${line} --suspend`)).code).toBe(0);
      expect(isSuspended()).toBe(true);
    },
  );

  test('is taken into use again only with consent, too', async () => {
    await cli.b8sctl('cordon fra1 --force');
    expect((await cli.b8sctl('uncordon fra1')).error).toMatch(/is declared by repository/);
    expect((await cli.b8sctl('uncordon fra1 --force')).out).toBe('node.b8s.dev/fra1 uncordoned\n');
  });
});
