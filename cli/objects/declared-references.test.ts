import { beforeEach, expect, test } from 'vitest';
import { type TestCli, testCli } from '../testing/test-cli.ts';

const manifest = (kind: string, name: string, spec: string, namespace = ''): string =>
  `apiVersion: b8s.dev/v1\nkind: ${kind}\nmetadata: { name: ${name}${namespace && `, namespace: ${namespace}`} }\nspec: ${spec}\n`;

let cli: TestCli;
beforeEach(() => {
  cli = testCli();
  const site = manifest('Site', 'blog', '{ hosts: [blog.example.com] }');
  const other = manifest('Site', 'blog', '{ hosts: [b.example.com] }', 'team');
  cli.files.set('m/sites.yaml', `${site}---\n${other}`);
  cli.files.set('m/more/zone.yaml', manifest('Zone', 'example-com', '{ origin: example.com }'));
});

const ready = { conditions: [{ type: 'Ready', status: 'True', reason: 'R', message: 'm' }] };
const put = (kind: string, name: string, namespace: string, status: object = ready): unknown =>
  cli.api.put({ kind, metadata: { namespace, name }, spec: { hosts: [], origin: '' }, status });

test('get -f shows what files declare, each from its namespace', async () => {
  put('Site', 'blog', 'default');
  put('Site', 'blog', 'team');
  put('Site', 'another', 'default');
  put('Zone', 'example-com', 'default');
  const path = '-o jsonpath={.items[*].metadata.namespace}';
  expect((await cli.b8sctl(`get -f m ${path}`)).out).toBe('default team');
  expect((await cli.b8sctl('get -f m -R -o name')).out).toBe(
    'zone.b8s.dev/example-com\nsite.b8s.dev/blog\nsite.b8s.dev/blog\n',
  );
});

test('get -f tells of each that is not there, and shows the others', async () => {
  put('Site', 'blog', 'team');
  const { out, error, code } = await cli.b8sctl('get -f m/sites.yaml -o name');
  expect(out).toBe('site.b8s.dev/blog\n');
  expect(error).toMatch(/NotFound.*sites "blog" not found/);
  expect(code).toBe(1);
});

test('wait -f waits for all that files declare', async () => {
  put('Site', 'blog', 'default');
  put('Site', 'blog', 'team', {});
  const running = cli.start('wait -f m --for=condition=Ready --timeout 60s');
  await cli.clock.advance(1_000);
  expect(running.out()).toBe('site.b8s.dev/blog condition met\n');
  put('Site', 'blog', 'team');
  await cli.clock.advance(1_000);
  expect((await running.done).code).toBe(0);
});

test.each(['get', 'wait --for=delete', 'delete'])('%s takes names or files', async (command) => {
  const both = await cli.b8sctl(`${command} site blog -f m`);
  expect(both).toMatchObject({ error: 'error: give names or -f, not both\n', code: 1 });
  const none = await cli.b8sctl(command);
  expect(none).toMatchObject({ error: expect.stringMatching(/^error: name what to /), code: 1 });
  const missing = await cli.b8sctl(`${command} -f nowhere`);
  expect(missing.error).toBe('error: the path "nowhere" does not exist\n');
});
