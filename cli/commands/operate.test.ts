import { beforeEach, expect, test, vi } from 'vitest';
import type { Resource } from '../../api/object.ts';
import type { Site } from '../../api/site.ts';
import { ApiError } from '../../runtime/api-client.ts';
import { type TestCli, testCli } from '../testing/test-cli.ts';

let cli: TestCli;
beforeEach(() => {
  cli = testCli();
});

const OLD = `sha256-${'a'.repeat(64)}`;
const NEW = `sha256-${'b'.repeat(64)}`;

interface SiteState {
  readonly release?: string;
  readonly served?: string;
  readonly verified?: number;
  readonly ready?: 'True' | 'False';
  readonly finalizers?: readonly string[];
}

function putSite(name: string, state: SiteState = {}): Resource {
  const { release = OLD, served = release, verified = 3, ready = 'True', finalizers } = state;
  return cli.api.put({
    kind: 'Site',
    metadata: { namespace: 'default', name, ...(finalizers && { finalizers }) },
    spec: { hosts: [`${name}.example.com`], content: { release } },
    status: {
      release: served,
      rollout: { release, verified, total: 3, startedAt: '2027-01-15T12:00:00Z' },
      conditions: [
        {
          ...{ type: 'Ready', status: ready, reason: 'Rollout', message: 'Nodes fetch it.' },
          lastTransitionTime: '2027-01-15T11:58:00Z',
        },
      ],
    },
  });
}

function putNode(name: string): void {
  cli.api.put({ kind: 'Node', metadata: { name }, spec: {} });
}

function object(name: string): Resource | undefined {
  return cli.api.objects().find(({ metadata }) => metadata.name === name);
}

/** Until the command under test waits for dom. */
async function watched(): Promise<void> {
  await vi.waitFor(() => expect(cli.api.watchers()).toBe(1), { timeout: 15_000 });
}

const reference = (name: string) => ({ kind: 'Site', namespace: 'default', name });

test('delete takes objects away, and goes on after one that is missing', async () => {
  putSite('blog');
  putSite('shop');
  const { out, error, code } = await cli.b8sctl('delete site/blog site/none site/shop');
  expect(out).toBe('site.b8s.dev "blog" deleted\nsite.b8s.dev "shop" deleted\n');
  expect(error).toBe('Error from server (NotFound): sites "none" not found\n');
  expect(code).toBe(1);
  expect(cli.api.objects()).toEqual([]);
  expect((await cli.b8sctl('delete site none --ignore-not-found')).code).toBe(0);
});

test('delete waits for finalizers, and says which are left when it has waited enough', async () => {
  putSite('blog', { finalizers: ['b8s.dev/content'] });
  const deleting = cli.start('delete site blog --timeout 10s');
  await watched();
  await cli.clock.advance(5000);
  cli.api.remove(reference('blog'));
  expect((await deleting.done).code).toBe(0);

  putSite('blog', { finalizers: ['b8s.dev/content'] });
  const stuck = cli.start('delete site blog --timeout 10s');
  await watched();
  await cli.clock.advance(10_000);
  const { error, code } = await stuck.done;
  expect(error).toMatch(
    /timed out waiting for site\.b8s\.dev\/blog to be gone; finalizers left: b8s\.dev\/content/,
  );
  expect(code).toBe(1);
  expect((await cli.b8sctl('delete site blog --wait=false')).code).toBe(0);
});

test('an object made anew under the name does not keep delete waiting', async () => {
  putSite('blog', { finalizers: ['b8s.dev/content'] });
  const deleting = cli.start('delete site blog');
  await watched();
  cli.api.remove(reference('blog'));
  putSite('blog');
  expect((await deleting.done).code).toBe(0);
  expect(object('blog')).toBeDefined();
});

test.each([
  { when: 'the person says yes', line: 'delete sites --all', answer: 'yes', left: 0, code: 0 },
  { when: 'the person says no', line: 'delete sites --all', answer: 'no', left: 2, code: 1 },
  { when: 'nobody can be asked', line: 'delete sites --all', answer: undefined, left: 2, code: 1 },
  { when: '--yes is given', line: 'delete sites --all --yes', answer: undefined, left: 0, code: 0 },
  {
    when: 'labels choose, in a script',
    line: 'delete sites -l !x',
    answer: undefined,
    left: 0,
    code: 0,
  },
  { when: 'names say what is meant', line: 'delete site blog', answer: 'no', left: 1, code: 0 },
  {
    when: 'neither names nor a rule are given',
    line: 'delete sites',
    answer: 'yes',
    left: 2,
    code: 1,
  },
] as const)('delete when $when', async ({ line, answer, left, code }) => {
  putSite('blog');
  putSite('shop');
  cli.answer = answer;
  expect((await cli.b8sctl(line)).code).toBe(code);
  expect(cli.api.objects()).toHaveLength(left);
});

test('delete -f deletes what a file declares', async () => {
  putSite('blog');
  cli.files.set('s.yaml', (await cli.b8sctl('get site blog -o yaml')).out);
  expect((await cli.b8sctl('delete -f s.yaml')).out).toBe('site.b8s.dev "blog" deleted\n');
});

test.each([
  {
    line: 'delete site blog --dry-run=client',
    out: 'site.b8s.dev "blog" deleted (client dry run)\n',
  },
  {
    line: 'delete site blog --dry-run=server',
    out: 'site.b8s.dev "blog" deleted (server dry run)\n',
  },
])('$line deletes nothing', async ({ line, out }) => {
  putSite('blog');
  expect(await cli.b8sctl(line)).toEqual({ out, error: '', code: 0 });
  expect(cli.api.objects()).toHaveLength(1);
});

test('delete -i asks before each', async () => {
  putSite('blog');
  putSite('shop');
  cli.answer = 'no';
  const { out, error } = await cli.b8sctl('delete sites --all -i');
  expect(out).toBe('');
  expect(error).toBe('Delete site.b8s.dev/blog? [y/N] \nDelete site.b8s.dev/shop? [y/N] \n');
  cli.answer = 'yes';
  expect((await cli.b8sctl('delete site blog -i')).out).toBe('site.b8s.dev "blog" deleted\n');
  cli.answer = undefined;
  const nobody = await cli.b8sctl('delete site shop -i');
  expect(nobody.code).toBe(1);
  expect(nobody.error).toMatch(/--interactive needs a terminal/);
});

test('wait for several things at once, of an object that does not exist yet', async () => {
  const goals = '--for=condition=Ready --for=jsonpath={.spec.ttl}=30';
  const waiting = cli.start(`wait site/blog ${goals} --timeout=-1`);
  await watched();
  await cli.clock.advance(3_600_000);
  putSite('blog', { ready: 'False' });
  await cli.clock.advance(1000);
  expect(waiting.out()).toBe('');
  putSite('blog');
  expect(await waiting.done).toEqual({
    out: 'site.b8s.dev/blog condition met\n',
    ...{ error: '', code: 0 },
  });
});

test('wait tells what is not met, and that there is no such object', async () => {
  const waiting = cli.start('wait site/blog --for=create --for=condition=Ready --timeout=5s');
  await watched();
  await cli.clock.advance(5000);
  expect((await waiting.done).error).toBe(
    'error: timed out waiting for the creation on sites/blog\n',
  );
  const once = await cli.b8sctl('wait site/blog --for=condition=Ready --timeout=0');
  expect(once.error).toBe('Error from server (NotFound): sites "blog" not found\n');
});

test('wait ends when the condition holds', async () => {
  putSite('blog', { ready: 'False' });
  const waiting = cli.start('wait site/blog --for=condition=Ready --timeout 60s');
  await watched();
  await cli.clock.advance(30_000);
  expect(waiting.out()).toBe('');
  putSite('blog');
  expect(await waiting.done).toEqual({
    out: 'site.b8s.dev/blog condition met\n',
    ...{ error: '', code: 0 },
  });
});

test('wait begins its watch again when dom was away', async () => {
  putSite('blog');
  cli.api.failNext('watch', new ApiError('Unavailable', 'restarting'));
  const waiting = cli.start('wait site/blog --for=condition=Ready');
  await vi.waitFor(
    async () => {
      await cli.clock.advance(1000);
      expect(waiting.out()).not.toBe('');
    },
    { timeout: 15_000 },
  );
  expect((await waiting.done).code).toBe(0);
});

test.each([
  { goal: 'condition=Ready', site: { ready: 'True' }, code: 0 },
  { goal: 'condition=ready=true', site: { ready: 'True' }, code: 1 },
  { goal: 'condition=Ready=false', site: { ready: 'False' }, code: 0 },
  { goal: 'create', site: {}, code: 0 },
  { goal: 'delete', site: undefined, code: 0 },
  { goal: 'delete', site: {}, code: 1 },
  { goal: 'condition=Ready', site: undefined, code: 1 },
  { goal: 'jsonpath={.status.release}=' + OLD, site: {}, code: 0 },
  { goal: 'jsonpath={.status.release}=' + NEW, site: {}, code: 1 },
  { goal: 'jsonpath={.status.rollout.total}=3', site: {}, code: 0 },
  { goal: 'jsonpath={.status.release}', site: {}, code: 0 },
  { goal: 'happiness', site: {}, code: 1 },
] as const)('wait --for=$goal of $site exits $code', async ({ goal, site, code }) => {
  if (site !== undefined) putSite('blog', site);
  for (const timeout of ['0', '5s']) {
    const waiting = cli.start(`wait site/blog --for=${goal} --timeout ${timeout}`);
    let isDone = false;
    void waiting.done.then(() => (isDone = true));
    await vi.waitFor(
      async () => {
        await cli.clock.advance(5000);
        expect(isDone).toBe(true);
      },
      { timeout: 15_000 },
    );
    expect((await waiting.done).code).toBe(code);
  }
});

test('rollout status tells each step and ends when the release is served', async () => {
  putSite('blog', { release: NEW, served: OLD, verified: 1 });
  const waiting = cli.start('rollout status site/blog');
  await watched();
  putSite('blog', { release: NEW, served: OLD, verified: 2 });
  await cli.clock.advance(0);
  putSite('blog', { release: NEW, ready: 'False' });
  await cli.clock.advance(0);
  putSite('blog', { release: NEW });
  const { out, code } = await waiting.done;
  expect(out).toBe(
    [
      'Waiting for site "blog": verified on 1/3 nodes',
      'Waiting for site "blog": verified on 2/3 nodes',
      'Waiting for site "blog": Nodes fetch it.',
      `site "blog" successfully rolled out: ${NEW}`,
      '',
    ].join('\n'),
  );
  expect(code).toBe(0);
});

test('rollout history lists changes, undo serves the release before', async () => {
  putSite('blog', { release: OLD });
  putSite('blog', { release: NEW });
  const { out } = await cli.b8sctl('rollout history site/blog');
  expect(out).toMatch(
    /^GENERATION +CHANGE +RELEASE +FILES +SIZE +STATE +AGE +USER +COMMAND\n1 +created +aaaaaaaaaaaa /,
  );
  const undone = await cli.b8sctl('rollout undo site/blog');
  expect(undone).toMatchObject({ out: `site.b8s.dev/blog rolled back to ${OLD}\n`, code: 0 });
  expect((object('blog') as Site).spec.content?.release).toBe(OLD);
  const forward = await cli.b8sctl('rollout undo site/blog --to-generation 2');
  expect(forward.out).toBe(`site.b8s.dev/blog rolled back to ${NEW}\n`);
  const missing = await cli.b8sctl('rollout undo site/blog --to-generation 9');
  expect(missing).toMatchObject({ error: 'error: generation 9 is not in the history\n', code: 1 });
});

test('undo knows nothing of an earlier site of the same name', async () => {
  putSite('blog', { release: OLD });
  cli.api.remove(reference('blog'));
  putSite('blog', { release: NEW });
  const { error, code } = await cli.b8sctl('rollout undo site/blog');
  expect(error).toBe('error: no earlier release found in the history\n');
  expect(code).toBe(1);
});

test('cordon and uncordon', async () => {
  putNode('fra1');
  expect((await cli.b8sctl('cordon fra1')).out).toBe('node.b8s.dev/fra1 cordoned\n');
  expect(object('fra1')?.spec).toMatchObject({ unschedulable: true });
  expect((await cli.b8sctl('cordon node/fra1')).out).toBe('node.b8s.dev/fra1 already cordoned\n');
  expect((await cli.b8sctl('uncordon fra1')).out).toBe('node.b8s.dev/fra1 uncordoned\n');
  expect(object('fra1')?.spec).toMatchObject({ unschedulable: false });
});

test.each([
  { line: 'label site blog tier=front', said: 'labeled', labels: { a: '1', tier: 'front' } },
  { line: 'label site blog a=1', said: 'not labeled', labels: { a: '1' } },
  { line: 'label site blog a-', said: 'unlabeled', labels: {} },
  { line: 'label site/blog a=2 --overwrite', said: 'labeled', labels: { a: '2' } },
])('$line', async ({ line, said, labels }) => {
  cli.api.put({
    kind: 'Site',
    metadata: { namespace: 'default', name: 'blog', labels: { a: '1' } },
    spec: { hosts: ['b.example.com'] },
  });
  expect((await cli.b8sctl(line)).out).toBe(`site.b8s.dev/blog ${said}\n`);
  expect(object('blog')?.metadata.labels).toEqual(labels);
});

test.each([
  { line: 'label site blog a=2', says: /'a' already has a value \(1\), and --overwrite is false/ },
  { line: 'label site blog', says: /give at least one label/ },
  { line: 'label site blog a=b c', says: /"c" is neither key=value nor key-/ },
  { line: 'label site blog a=!', says: /label "a=!": must be letters/ },
])('$line is refused', async ({ line, says }) => {
  putSite('blog');
  await cli.b8sctl('label site blog a=1');
  const { error, code } = await cli.b8sctl(line);
  expect(error).toMatch(says);
  expect(code).toBe(1);
  expect(object('blog')?.metadata.labels).toEqual({ a: '1' });
});

test('annotate takes any text', async () => {
  putSite('blog');
  await cli.b8sctl(['annotate', 'site', 'blog', 'note=a = b, and so on!']);
  expect(object('blog')?.metadata.annotations).toEqual({ note: 'a = b, and so on!' });
});

test('patch merges, and null removes', async () => {
  putSite('blog');
  const patch = '{"spec":{"ttl":60,"content":null}}';
  const { out } = await cli.b8sctl(['patch', 'site', 'blog', '-p', patch]);
  expect(out).toBe('site.b8s.dev/blog patched\n');
  expect(object('blog')?.spec).toMatchObject({ ttl: 60, hosts: ['blog.example.com'] });
  expect(object('blog')?.spec).not.toHaveProperty('content');
  const again = await cli.b8sctl(['patch', 'site', 'blog', '-p', '{"spec":{"ttl":60}}']);
  expect(again.out).toBe('site.b8s.dev/blog patched (no change)\n');
  const status = await cli.b8sctl(['patch', 'site', 'blog', '-p', '{"status":{}}']);
  expect(status).toMatchObject({ code: 1 });
});

test('patch --type json, also from a file', async () => {
  putSite('blog');
  cli.files.set('p.yaml', '- { op: add, path: /spec/hosts/-, value: www.example.com }');
  const { out } = await cli.b8sctl('patch site blog --type json --patch-file p.yaml');
  expect(out).toBe('site.b8s.dev/blog patched\n');
  expect(object('blog')?.spec).toMatchObject({ hosts: ['blog.example.com', 'www.example.com'] });
});

test.each([
  { words: [], says: /say the patch with -p/ },
  { words: ['-p', '[]'], says: /a list of operations needs --type json/ },
  { words: ['-p', '{}', '--type', 'json'], says: /a JSON Patch is a list of operations/ },
  {
    words: ['--type', 'json', '-p', '[{"op":"remove","path":"/status"}]'],
    says: /status cannot be patched/,
  },
  { words: ['--type', 'json', '-p', '[{"op":"remove","path":""}]'], says: /all of it cannot/ },
  { words: ['--patch-file', 'none'], says: /"none" does not exist/ },
])('patch $words is refused', async ({ words, says }) => {
  putSite('blog');
  const { error, code } = await cli.b8sctl(['patch', 'site', 'blog', ...words]);
  expect(error).toMatch(says);
  expect(code).toBe(1);
});

test('edit writes what was saved, and gives up on an unchanged text', async () => {
  putSite('blog');
  expect(await cli.b8sctl('edit site blog')).toEqual({
    out: '',
    error: 'Edit cancelled, no changes made.\n',
    code: 0,
  });
  cli.edit = (text) => text.replace('ttl: 30', 'ttl: 90');
  expect((await cli.b8sctl('edit site blog')).out).toBe('site.b8s.dev/blog edited\n');
  expect((object('blog') as Site).spec.ttl).toBe(90);
});

test('edit comes back with the reasons until they are mended', async () => {
  putSite('blog');
  const seen: string[] = [];
  cli.edit = (text) => {
    seen.push(text);
    return text.includes('ttl: 30')
      ? text.replace('ttl: 30', 'ttll: 90')
      : text.replaceAll('ttll', 'ttl');
  };
  expect((await cli.b8sctl('edit site blog')).code).toBe(0);
  expect(seen[1]).toMatch(/^# It was refused:\n# {3}spec\.ttll .*did you mean "ttl"/m);
  expect((object('blog') as Site).spec.ttl).toBe(90);
});

test('edit gives up when what was refused is saved again', async () => {
  putSite('blog');
  cli.edit = (text) => text.replace('ttl: 30', 'ttl: -1');
  const { error, code } = await cli.b8sctl('edit site blog');
  expect(error).toMatch(/^error: given up, nothing was changed:\n {2}spec\.ttl /);
  expect(code).toBe(1);
});

test('node token create prints one command on stdout and the rest on stderr', async () => {
  const { out, error } = await cli.b8sctl('node token create --node fra1 --ttl 30m');
  expect(out).toBe(
    'sub join https://127.0.0.1:7444 --token t1.secret --ca sha256:c0ffee --name fra1\n',
  );
  expect(error).toContain('It works once, within 30m');
  const any = await cli.b8sctl('node token create');
  expect(any.out).toMatch(/ --name "\$\(hostname\)"\n$/);
  const list = await cli.b8sctl('node token list');
  expect(list.out).toBe(
    [
      'ID   NODE    EXPIRES-IN   CREATED-BY',
      't1   fra1    30m          admin',
      't2   <any>   15m          admin',
      '',
    ].join('\n'),
  );
  expect(list.out).not.toContain('secret');
  expect((await cli.b8sctl('node token revoke t1')).out).toBe('token t1 revoked\n');
  expect(cli.api.tokens.map(({ id }) => id)).toEqual(['t2']);
  expect((await cli.b8sctl('node token revoke t1')).code).toBe(1);
  expect((await cli.b8sctl('node token create --ttl 2h')).code).toBe(1);
});

test('push warns of rules that edges will skip, and publishes the release', async () => {
  putSite('blog');
  cli.files.set('dist/index.html', 'new');
  cli.files.set('dist/_redirects', '/old /new 299\n/fine /index.html 301\n');
  cli.files.set('dist/_headers', '/*\n  X-Good: yes\n  Bad Header: x\n');
  const { out, error, code } = await cli.b8sctl('push dist --site blog');
  expect(error).toMatch(/^warning: _redirects:1: .*; _headers:3: /m);
  expect(error).not.toContain('_redirects:2');
  expect(out).toContain('released');
  expect(code).toBe(0);
  cli.files.set('dist/_redirects', `${'/a /b\n'.repeat(60_000)}`);
  expect((await cli.b8sctl('push dist --site blog')).error).toContain('more than 256 KiB');
});

test('push --wait ends when the site serves it', async () => {
  putSite('blog');
  cli.files.set('dist/index.html', 'new');
  const pushing = cli.start('push dist --site blog --wait');
  await watched();
  const release = (object('blog') as Site).spec.content?.release ?? '';
  putSite('blog', { release });
  const { out, code } = await pushing.done;
  expect(out).toContain(`site "blog" successfully rolled out: ${release}\n`);
  expect(code).toBe(0);
});
