import { beforeEach, expect, test, vi } from 'vitest';
import { ApiError } from '../../runtime/api-client.ts';
import { type TestCli, testCli } from '../testing/test-cli.ts';

let cli: TestCli;
beforeEach(() => {
  cli = testCli();
});

function put(kind: string, name: string, more: Record<string, unknown> = {}) {
  return cli.api.put({
    kind,
    metadata: { namespace: 'default', name, ...more },
    spec: kind === 'Zone' ? { origin: `${name}.example` } : { hosts: [`${name}.example.com`] },
  });
}

function names(): readonly string[] {
  return cli.api.objects().map(({ kind, metadata }) => `${kind}/${metadata.name}`);
}

/** A Site with what dom made for it. */
function putOwner() {
  const { metadata } = put('Site', 'blog');
  const ownerReferences = [
    { apiVersion: 'b8s.dev/v1', kind: 'Site', name: 'blog', uid: metadata.uid },
  ];
  const certificate = {
    kind: 'Certificate',
    metadata: { namespace: 'default', name: 'blog', ownerReferences },
    spec: { names: ['blog.example.com'], issuer: 'ca' },
  };
  return cli.api.put(certificate);
}

/** Until the command has nothing left to do but to watch. */
async function waits(): Promise<void> {
  await vi.waitFor(() => expect(cli.api.watchers()).toBe(1), { timeout: 15_000 });
}

const CERTIFICATE = { kind: 'Certificate', namespace: 'default', name: 'blog' };

test('delete --cascade=foreground waits until what it owned is gone, too', async () => {
  putOwner();
  const deleting = cli.start('delete site blog --cascade=foreground');
  await waits();
  expect(names()).toEqual(['Certificate/blog']);
  cli.api.remove(CERTIFICATE);
  await cli.clock.advance(1);
  const { out, code } = await deleting.done;
  expect({ out, code }).toEqual({ out: 'site.b8s.dev "blog" deleted\n', code: 0 });
});

test('delete --cascade=foreground says what is left when it has waited enough', async () => {
  putOwner();
  const deleting = cli.start('delete site blog --cascade=foreground --timeout 10s');
  await waits();
  await cli.clock.advance(11_000);
  const { error, code } = await deleting.done;
  expect(error).toBe(
    'error: timed out waiting for certificate.b8s.dev/blog to be gone, which it owned\n',
  );
  expect(code).toBe(1);
});

test('delete --cascade=foreground does with a dom that knows fewer kinds', async () => {
  put('Site', 'blog');
  cli.api.failNext(
    'list',
    new ApiError('Invalid', 'the server has no resource type "Certificate"'),
  );
  expect((await cli.b8sctl('delete site blog --cascade=foreground')).code).toBe(0);
});

test('what has another owner as well, or gets one, keeps no delete waiting', async () => {
  const certificate = putOwner();
  const [own] = certificate.metadata.ownerReferences ?? [];
  const other = { apiVersion: 'b8s.dev/v1', kind: 'Site', name: 'shop', uid: 'other' };
  const deleting = cli.start('delete site blog --cascade=foreground');
  await waits();
  const ownerReferences = own === undefined ? [other] : [own, other];
  cli.api.put({ ...certificate, metadata: { ...certificate.metadata, ownerReferences } });
  await cli.clock.advance(1);
  expect((await deleting.done).code).toBe(0);
});

test.each([
  {
    line: 'delete site blog --cascade=orphan',
    error:
      'error: --cascade=orphan: site.b8s.dev/blog owns certificate.b8s.dev/blog: dom collects what has no owner, so it cannot stay; leave the flag out, or delete with --cascade=foreground',
  },
  {
    line: 'delete site blog --cascade=foreground --wait=false',
    error: 'error: --cascade=foreground waits: not with --wait=false or --force',
  },
  {
    line: 'delete site blog --cascade=foreground --force',
    error: 'error: --cascade=foreground waits: not with --wait=false or --force',
  },
  {
    line: 'delete site blog --force -i',
    error: 'error: --force does not ask, --interactive does: give one of them',
  },
  {
    line: 'delete site blog --grace-period=30',
    error:
      "error: option '--grace-period <seconds>' argument '30' is invalid. No kind of b8s runs processes that could end slowly: leave it out. Nodes are taken out of service with b8sctl drain.\nSee b8sctl delete --help.",
  },
])('$line is refused, and nothing is deleted', async ({ line, error }) => {
  putOwner();
  const said = await cli.b8sctl(line);
  expect(said).toEqual({ out: '', error: `${error}\n`, code: 1 });
  expect(names()).toEqual(['Certificate/blog', 'Site/blog']);
});

test.each(['--cascade=orphan', '--grace-period=0', '--grace-period -1', '--force'])(
  'delete %s of what owns nothing',
  async (flag) => {
    put('Zone', 'blog');
    const { out, code } = await cli.b8sctl(`delete zone blog ${flag}`);
    expect({ out, code, names: names() }).toEqual({
      ...{ out: 'zone.b8s.dev "blog" deleted\n', code: 0, names: [] },
    });
  },
);

test('delete --force as kubectl’s users write it: asks nobody, waits for nothing, hides nothing', async () => {
  put('Site', 'blog', { finalizers: ['example.com/backup'] });
  put('Site', 'shop');
  const { out, error, code } = await cli.b8sctl('delete sites --all --force --grace-period=0');
  expect(out).toBe('site.b8s.dev "blog" deleted\nsite.b8s.dev "shop" deleted\n');
  expect(error).toBe(
    'Warning: site.b8s.dev/blog goes when its finalizers are done: example.com/backup\n',
  );
  expect({ code, names: names() }).toEqual({ code: 0, names: ['Site/blog'] });
});

function labelsOf(name: string) {
  return cli.api.objects().find(({ metadata }) => metadata.name === name)?.metadata.labels ?? {};
}

test('label and annotate all that a selector chooses, of several kinds', async () => {
  put('Site', 'blog', { labels: { app: 'blog' } });
  put('Site', 'shop', { labels: { app: 'shop' } });
  put('Zone', 'blog-zone', { labels: { app: 'blog' } });
  const chosen = await cli.b8sctl('label sites,zones -l app=blog tier=front');
  expect(chosen).toEqual({
    out: 'site.b8s.dev/blog labeled\nzone.b8s.dev/blog-zone labeled\n',
    ...{ error: '', code: 0 },
  });
  expect([labelsOf('blog'), labelsOf('shop')]).toEqual([
    { app: 'blog', tier: 'front' },
    { app: 'shop' },
  ]);
  const all = await cli.b8sctl('annotate sites --all owner=web');
  expect(all.out).toBe('site.b8s.dev/blog annotated\nsite.b8s.dev/shop annotated\n');
});

test('label goes on after an object whose label has another value, and --overwrite changes it', async () => {
  put('Site', 'blog', { labels: { tier: 'front' } });
  put('Site', 'shop');
  const { out, error, code } = await cli.b8sctl('label site blog shop tier=back');
  expect({ out, code }).toEqual({ out: 'site.b8s.dev/shop labeled\n', code: 1 });
  expect(error).toContain("'tier' already has a value (front), and --overwrite is false");
  expect((await cli.b8sctl('label site blog tier=back --overwrite')).code).toBe(0);
  expect(labelsOf('blog')).toEqual({ tier: 'back' });
});

test.each([
  { line: 'label site blog --list', out: 'app=blog\ntier=front\n' },
  { line: 'label site blog tier- --list', out: 'site.b8s.dev/blog unlabeled\napp=blog\n' },
  {
    line: 'label sites --all --list',
    out: 'Listing labels for site.b8s.dev/blog:\n app=blog\n tier=front\nListing labels for site.b8s.dev/shop:\n',
  },
  { line: 'annotate site blog --list', out: '' },
])('$line', async ({ line, out }) => {
  put('Site', 'blog', { labels: { tier: 'front', app: 'blog' } });
  put('Site', 'shop');
  expect(await cli.b8sctl(line)).toEqual({ out, error: '', code: 0 });
});

test.each([
  { line: 'label app=x', error: 'error: name the objects first: TYPE NAME or TYPE/NAME' },
  { line: 'label sites app=x', error: 'error: name the objects, or say -l SELECTOR or --all' },
  {
    line: 'label site blog -l a=b app=x',
    error: 'error: names cannot be given together with -l or --all',
  },
  { line: 'label site blog', error: 'error: give at least one label: key=value' },
])('$line is refused', async ({ line, error }) => {
  put('Site', 'blog');
  expect(await cli.b8sctl(line)).toEqual({ out: '', error: `${error}\n`, code: 1 });
});

test('label -l that chooses nothing says so', async () => {
  const { out, error, code } = await cli.b8sctl('label sites -l app=blog a=b');
  expect({ out, error, code }).toEqual({ out: '', error: 'No resources found\n', code: 0 });
});
