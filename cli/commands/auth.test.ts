import { beforeEach, expect, test } from 'vitest';
import { CONFIG_PATH, type TestCli, testCli } from '../testing/test-cli.ts';

let cli: TestCli;
beforeEach(() => {
  cli = testCli();
});

test('auth whoami', async () => {
  expect((await cli.b8sctl('auth whoami')).out).toBe(
    [
      'ATTRIBUTE   VALUE',
      'User        admin',
      'Role        admin',
      'May         read, write',
      '',
    ].join('\n'),
  );
  const json = await cli.b8sctl('auth whoami -o json');
  expect(JSON.parse(json.out)).toEqual({
    ...{ user: 'admin', role: 'admin', permissions: ['read', 'write'] },
  });
});

test.each([
  { line: 'auth can-i get sites', out: 'yes\n', code: 0 },
  { line: 'auth can-i delete site/blog', out: 'no\n', code: 1 },
  { line: 'auth can-i delete sites -q', out: '', code: 1 },
  { line: 'auth can-i watch', out: 'yes\n', code: 0 },
])('a viewer: $line', async ({ line, out, code }) => {
  cli.api.permissions = ['read'];
  expect(await cli.b8sctl(line)).toEqual({ out, code, error: '' });
});

test.each([
  { line: 'auth can-i destroy sites', says: /there is no verb "destroy"/ },
  { line: 'auth can-i aply sites', says: /did you mean "apply"/ },
  { line: 'auth can-i get stie', says: /did you mean "site"/ },
])('$line is refused', async ({ line, says }) => {
  const { error, code } = await cli.b8sctl(line);
  expect(error).toMatch(says);
  expect(code).toBe(1);
});

test('several configs are one: the first that says something counts', async () => {
  const other = (cli.files.get(CONFIG_PATH) ?? '')
    .replaceAll('local', 'far')
    .replace('127.0.0.1:7443', 'dom.example.net:7443');
  cli.files.set('other', other);
  const both = ['--config', `none:${CONFIG_PATH}:other`];
  const contexts = await cli.b8sctl([...both, 'config', 'get-contexts']);
  expect(contexts.out).toMatch(/\n\* +local +local +127\.0\.0\.1:7443.*\n +far +far +dom\.example/);
  expect((await cli.b8sctl([...both, 'config', 'use-context', 'far'])).code).toBe(0);
  // In the file that had said so; nothing of the other one is copied into it.
  expect(cli.files.get(CONFIG_PATH)).toContain('currentContext: far');
  expect(cli.files.get(CONFIG_PATH)).not.toContain('dom.example.net');
  expect(cli.files.get('other')).toBe(other);
  const none = await cli.b8sctl('--config none:neither config view');
  expect(none.error).toMatch(/^error: no config at none or neither: /);
});

test('each verb at once, of one who may only look', async () => {
  cli.api.permissions = ['read'];
  const { out } = await cli.b8sctl('auth can-i --list');
  expect(out).toMatch(/^VERB +RESOURCES +ALLOWED\nget +all kinds, in all namespaces +yes\n/);
  expect(out).toMatch(/\ndelete +all kinds, in all namespaces +no\n$/);
  expect((await cli.b8sctl('auth can-i')).error).toBe(
    'error: say what: a verb and a kind, or --list\n',
  );
});
