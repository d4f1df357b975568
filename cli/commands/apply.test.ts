import { beforeEach, expect, test } from 'vitest';
import type { Site } from '../../api/site.ts';
import { ApiError } from '../../runtime/api-client.ts';
import { parseManifest } from '../../runtime/content/manifest.ts';
import { type TestCli, testCli } from '../testing/test-cli.ts';

const SITE = `apiVersion: b8s.dev/v1
kind: Site
metadata:
  name: blog
spec:
  hosts: [blog.example.com]
`;
const WITH_CONTENT = `${SITE}  content: { path: ./public }\n`;
const ZONE = `apiVersion: b8s.dev/v1
kind: Zone
metadata:
  name: example-com
spec:
  origin: example.com
`;

let cli: TestCli;
beforeEach(() => {
  cli = testCli();
});

function site(): Site {
  const found = cli.api.objects().find(({ kind }) => kind === 'Site');
  return found as Site;
}

test('apply says created, unchanged and configured', async () => {
  cli.files.set('site.yaml', SITE);
  expect(await cli.b8sctl('apply -f site.yaml')).toEqual({
    out: 'site.b8s.dev/blog created\n',
    error: '',
    code: 0,
  });
  expect((await cli.b8sctl('apply -f site.yaml')).out).toBe('site.b8s.dev/blog unchanged\n');
  cli.files.set('site.yaml', `${SITE}  ttl: 60\n`);
  expect((await cli.b8sctl('apply -f site.yaml')).out).toBe('site.b8s.dev/blog configured\n');
  expect(site().spec.ttl).toBe(60);
});

test('objects are applied before those that refer to them', async () => {
  cli.files.set('all.yaml', `${SITE}---\n${ZONE}`);
  const { out } = await cli.b8sctl('apply -f all.yaml');
  expect(out).toBe('zone.b8s.dev/example-com created\nsite.b8s.dev/blog created\n');
});

test('a folder means its manifests, with -R those of its folders too', async () => {
  cli.files.set('m/site.yaml', SITE);
  cli.files.set('m/deep/zone.yml', ZONE);
  cli.files.set('m/readme.md', 'not a manifest');
  expect((await cli.b8sctl('apply -f m')).out).toBe('site.b8s.dev/blog created\n');
  expect((await cli.b8sctl('apply -R -f m')).out).toBe(
    'zone.b8s.dev/example-com created\nsite.b8s.dev/blog unchanged\n',
  );
});

test('standard input is read for "-", also what get -o yaml printed', async () => {
  cli.stdin = `${SITE}---\n${ZONE}`;
  await cli.b8sctl('apply -f -');
  cli.stdin = (await cli.b8sctl('get sites,zones -o yaml')).out;
  const { out, error } = await cli.b8sctl('apply -f -');
  expect({ out, error }).toEqual({
    out: 'zone.b8s.dev/example-com unchanged\nsite.b8s.dev/blog unchanged\n',
    error: '',
  });
});

test('a bad object is told with file and line, and the others are still applied', async () => {
  const bad = SITE.replace('hosts:', 'hots:').replace('blog', 'bad');
  cli.files.set('all.yaml', `${bad}---\n${ZONE}`);
  const { out, error, code } = await cli.b8sctl('apply -f all.yaml');
  expect(out).toBe('zone.b8s.dev/example-com created\n');
  expect(error).toMatch(/^error: Site "bad" is invalid:\n/);
  expect(error).toMatch(/spec\.hots .*did you mean "hosts"\? \(all\.yaml:6\)/);
  expect(code).toBe(1);
});

test('what dom refuses is told with file and line, and the others are still applied', async () => {
  cli.files.set('all.yaml', `${ZONE}---\n${SITE}`);
  const violations = [{ path: 'spec.origin', message: '"example.com": is served by another Zone' }];
  cli.api.failNext('apply', new ApiError('Invalid', 'invalid', { violations }));
  const { out, error, code } = await cli.b8sctl('apply -f all.yaml');
  expect(out).toBe('site.b8s.dev/blog created\n');
  expect(error).toBe(
    'error: Zone "example-com" is invalid:\n' +
      '  spec.origin "example.com": is served by another Zone (all.yaml:6)\n',
  );
  expect(code).toBe(1);
});

test('fields of other managers are named, with the way out', async () => {
  cli.files.set('site.yaml', SITE);
  const clashes = [{ path: 'spec.hosts', manager: 'gitops' }];
  cli.api.failNext('apply', new ApiError('Conflict', 'conflict', { clashes }));
  const { error, code } = await cli.b8sctl('apply -f site.yaml');
  expect(error).toContain('spec.hosts is owned by gitops (site.yaml:6)');
  expect(error).toContain('--force-conflicts');
  expect(code).toBe(1);
});

test('when dom is away nothing further is tried', async () => {
  cli.files.set('all.yaml', `${ZONE}---\n${SITE}`);
  cli.api.failNext('apply', new ApiError('Unavailable', 'The connection was refused'));
  const { out, error, code } = await cli.b8sctl('apply -f all.yaml');
  expect({ out, error, code }).toEqual({ out: '', error: 'The connection was refused\n', code: 1 });
});

test.each(['client', 'server'])('--dry-run=%s changes nothing', async (where) => {
  cli.files.set('site.yaml', WITH_CONTENT);
  cli.files.set('public/index.html', 'hello');
  const { out, code } = await cli.b8sctl(`apply -f site.yaml --dry-run=${where}`);
  expect(out).toMatch(/^site\.b8s\.dev\/blog (is valid|created) \((client|server) dry run\)\n$/);
  expect(code).toBe(0);
  expect(cli.api.objects()).toEqual([]);
  expect(cli.api.blobs.size).toBe(0);
});

test('--namespace fills in what a manifest leaves out and refuses another one', async () => {
  cli.files.set('site.yaml', SITE);
  await cli.b8sctl('-n team apply -f site.yaml');
  expect(site().metadata.namespace).toBe('team');
  cli.files.set('site.yaml', SITE.replace('name: blog', 'name: blog\n  namespace: other'));
  const { error, code } = await cli.b8sctl('apply -f site.yaml -n team');
  expect(error).toMatch(/namespace "other" of the object is not the "team".*\(site\.yaml:5\)/);
  expect(code).toBe(1);
});

test('content.path is uploaded, declared as a Release, and named by the Site', async () => {
  cli.files.set('web/site.yaml', WITH_CONTENT);
  cli.files.set('web/public/index.html', '<h1>hello</h1>');
  cli.files.set('web/public/copy.html', '<h1>hello</h1>');
  cli.files.set('web/public/.well-known/security.txt', 'Contact: x');
  cli.files.set('web/public/.git/config', 'secret');
  cli.files.set('web/public/.DS_Store', 'junk');
  const { out, error } = await cli.b8sctl('apply -f web/site.yaml');
  expect(out).toBe('site.b8s.dev/blog created\n');
  const { release = '', path } = site().spec.content ?? {};
  expect(path).toBeUndefined();
  expect(error).toBe(`release ${release}: 3 files, 38B; 2 files uploaded, 24B\n`);
  const manifest = parseManifest(cli.api.blobs.get(release) ?? new Uint8Array());
  expect(manifest.map((file) => file.path)).toEqual([
    '.well-known/security.txt',
    'copy.html',
    'index.html',
  ]);
  // Every file of the manifest is there.
  expect(manifest.every((file) => cli.api.blobs.has(file.digest))).toBe(true);
  const declared = cli.api.objects().find(({ kind }) => kind === 'Release');
  expect(declared).toMatchObject({
    metadata: { name: release, namespace: 'default' },
    spec: { site: 'blog', files: 3, sizeBytes: 38 },
  });
});

test('a second apply uploads only what changed', async () => {
  cli.files.set('site.yaml', WITH_CONTENT);
  cli.files.set('public/index.html', 'one');
  cli.files.set('public/same.css', 'same');
  await cli.b8sctl('apply -f site.yaml');
  const again = await cli.b8sctl('apply -f site.yaml');
  expect(again.out).toBe('site.b8s.dev/blog unchanged\n');
  expect(again.error).toMatch(/: 2 files, 7B; nothing to upload\n$/);
  cli.files.set('public/index.html', 'two!');
  const changed = await cli.b8sctl('apply -f site.yaml');
  expect(changed.out).toBe('site.b8s.dev/blog configured\n');
  expect(changed.error).toMatch(/; 1 file uploaded, 4B\n$/);
});

test('an upload that fails leaves no Release and no Site, and a second run goes on', async () => {
  cli.files.set('site.yaml', WITH_CONTENT);
  for (let index = 0; index < 20; index += 1) cli.files.set(`public/${index}`, `file ${index}`);
  cli.api.failNext('uploadBlobs', new ApiError('Unavailable', 'The server ended it'));
  const first = await cli.b8sctl('apply -f site.yaml');
  expect(first).toMatchObject({ out: '', error: 'The server ended it\n', code: 1 });
  expect(cli.api.objects()).toEqual([]);
  expect((await cli.b8sctl('apply -f site.yaml')).code).toBe(0);
  expect(cli.api.blobs.size).toBe(21);
});

test('two sites with the same content share one Release', async () => {
  const other = WITH_CONTENT.replaceAll('blog', 'shop');
  cli.files.set('all.yaml', `${WITH_CONTENT}---\n${other}`);
  cli.files.set('public/index.html', 'one');
  const { out } = await cli.b8sctl('apply -f all.yaml');
  expect(out).toBe('site.b8s.dev/blog created\nsite.b8s.dev/shop created\n');
  expect(cli.api.objects().filter(({ kind }) => kind === 'Release')).toHaveLength(1);
});

test.each([
  { when: 'is not there', files: {}, message: /the folder or archive "public" does not exist/ },
  { when: 'is empty', files: { 'public/': '' }, message: /"public" holds no files to publish/ },
  {
    when: 'holds a name with a control character',
    files: { 'public/a\nb.html': '' },
    message: /public\/a\\nb\.html has a control character; rename it/,
  },
  {
    when: 'holds a name that is not UTF-8',
    files: { 'public/\uFFFD.html': '' },
    message: /not UTF-8/,
  },
])('a folder that $when is refused', async ({ files, message }) => {
  cli.files.set('site.yaml', WITH_CONTENT);
  for (const [path, text] of Object.entries(files)) cli.files.set(path, text);
  const { error, code } = await cli.b8sctl('apply -f site.yaml');
  expect(error).toMatch(message);
  expect(code).toBe(1);
  expect(cli.api.objects()).toEqual([]);
});

test('content.path is relative to the manifest', async () => {
  cli.files.set('/etc/secret', 'x');
  cli.files.set('site.yaml', WITH_CONTENT.replace('./public', '/etc'));
  const { error, code } = await cli.b8sctl('apply -f site.yaml');
  expect(error).toMatch(/spec\.content\.path "\/etc": must be relative .*\(site\.yaml:7\)/);
  expect(code).toBe(1);
  expect(cli.api.blobs.size).toBe(0);
});

test.each([
  { when: 'nothing would change', change: '', code: 0, shown: '' },
  {
    when: 'a field would change',
    change: '  ttl: 60\n',
    code: 1,
    shown: '\n-  ttl: 30\n+  ttl: 60\n',
  },
])('diff exits $code when $when', async ({ change, code, shown }) => {
  cli.files.set('site.yaml', SITE);
  await cli.b8sctl('apply -f site.yaml');
  cli.files.set('site.yaml', SITE + change);
  const result = await cli.b8sctl('diff -f site.yaml');
  expect(result.code).toBe(code);
  expect(result.error).toBe('');
  if (shown === '') expect(result.out).toBe('');
  else {
    expect(result.out).toContain('--- live/site.b8s.dev/default/blog\n');
    expect(result.out).toContain('+++ merged/site.b8s.dev/default/blog\n');
    expect(result.out).toContain(shown);
  }
});

test.each([
  { when: 'the file is missing', failure: undefined, path: 'none.yaml' },
  { when: 'dom is away', failure: new ApiError('Unavailable', 'away'), path: 'site.yaml' },
])('diff exits 2 when $when', async ({ failure, path }) => {
  cli.files.set('site.yaml', SITE);
  if (failure !== undefined) cli.api.failNext('apply', failure);
  const { code, error } = await cli.b8sctl(`diff -f ${path}`);
  expect(code).toBe(2);
  expect(error).not.toBe('');
});

test('push publishes a folder and changes nothing but the release', async () => {
  cli.files.set('site.yaml', `${SITE}  ttl: 60\n`);
  await cli.b8sctl('apply -f site.yaml');
  cli.files.set('dist/index.html', 'new');
  // Someone else is faster once.
  cli.api.failNext('update', new ApiError('Aborted', 'changed meanwhile'));
  const { out, code } = await cli.b8sctl('push dist --site blog');
  const release = site().spec.content?.release;
  expect(out).toBe(`site.b8s.dev/blog released ${release}\n`);
  expect(code).toBe(0);
  expect(site().spec).toMatchObject({ ttl: 60, hosts: ['blog.example.com'] });
  expect((await cli.b8sctl('push dist --site blog')).out).toBe('site.b8s.dev/blog unchanged\n');
});

test('push to a site that is not there uploads nothing', async () => {
  cli.files.set('dist/index.html', 'new');
  const { error, code } = await cli.b8sctl('push dist --site blgo');
  expect(error).toBe('Error from server (NotFound): sites "blgo" not found\n');
  expect(code).toBe(1);
  expect(cli.api.blobs.size).toBe(0);
});

test('what dom refuses for one reason is said once', async () => {
  const reason = { path: 'spec.ttl', message: 'must be at least 1' };
  cli.files.set('site.yaml', SITE);
  const refusal = new ApiError('Invalid', 'spec.ttl must be at least 1', { violations: [reason] });
  cli.api.failNext('apply', refusal);
  const { error } = await cli.b8sctl('apply -f site.yaml');
  expect(error.match(/must be at least 1/g)).toHaveLength(1);
});
