import { beforeEach, expect, test } from 'vitest';
import { type TestCli, testCli } from '../testing/test-cli.ts';

let cli: TestCli;
beforeEach(async () => {
  cli = testCli();
  for (const name of ['a', 'b', 'c']) cli.files.set(`m/${name}.yaml`, site(name));
  await cli.b8sctl(APPLY);
});

const APPLY = 'apply -f m -R --prune --applyset web';

function site(name: string, annotations = ''): string {
  const metadata = `{ name: ${name}${annotations} }`;
  return `{ apiVersion: b8s.dev/v1, kind: Site, metadata: ${metadata}, spec: { hosts: [${name}.example.com] } }`;
}

function names(): readonly string[] {
  return cli.api.objects().map(({ metadata }) => metadata.name);
}

test('what is in no file any more is pruned, once', async () => {
  cli.files.delete('m/b.yaml');
  expect((await cli.b8sctl(APPLY)).out).toBe(
    'site.b8s.dev/a unchanged\nsite.b8s.dev/c unchanged\nsite.b8s.dev/b pruned\n',
  );
  expect(names()).toEqual(['a', 'c']);
  expect((await cli.b8sctl(APPLY)).out).not.toContain('pruned');
});

test('what moved to another file is not pruned', async () => {
  cli.files.set('m/deep/other.yaml', cli.files.get('m/b.yaml') ?? '');
  cli.files.delete('m/b.yaml');
  expect((await cli.b8sctl(APPLY)).out).not.toContain('pruned');
  expect(names()).toEqual(['a', 'b', 'c']);
});

test('more than half needs a flag, and is told by name', async () => {
  cli.files.delete('m/b.yaml');
  cli.files.delete('m/c.yaml');
  const { error, code } = await cli.b8sctl(APPLY);
  expect(error).toBe(
    'error: nothing is pruned: 2 of the 3 objects of set "web" would go, more than half; if that is meant, say --allow-mass-deletion:\n  site.b8s.dev/b\n  site.b8s.dev/c\n',
  );
  expect(code).toBe(1);
  expect(names()).toEqual(['a', 'b', 'c']);
  expect((await cli.b8sctl(`${APPLY} --allow-mass-deletion`)).code).toBe(0);
  expect(names()).toEqual(['a']);
});

test.each([
  { when: 'a file cannot be read', spoil: () => void cli.files.set('m/c.yaml', 'kind: [') },
  {
    when: 'the folder is empty',
    spoil: () => cli.files.delete('m/a.yaml') && cli.files.delete('m/c.yaml'),
  },
])('nothing is pruned when $when', async ({ spoil }) => {
  cli.files.delete('m/b.yaml');
  spoil();
  expect((await cli.b8sctl(APPLY)).code).toBe(1);
  expect(names()).toEqual(['a', 'b', 'c']);
});

test('what others applied, another set has, or says so, is kept', async () => {
  cli.files.set('o.yaml', site('other'));
  await cli.b8sctl('apply -f o.yaml --applyset shop');
  cli.files.set('p.yaml', site('plain'));
  await cli.b8sctl('apply -f p.yaml');
  cli.files.set('m/b.yaml', site('b', ', annotations: { b8s.dev/prune: disabled }'));
  await cli.b8sctl(APPLY);
  cli.files.delete('m/b.yaml');
  const { error, out } = await cli.b8sctl(APPLY);
  expect(error).toBe('site.b8s.dev/b is kept: b8s.dev/prune is disabled\n');
  expect(out).not.toContain('pruned');
  expect(names()).toEqual(['a', 'b', 'c', 'other', 'plain']);
});

test('a dry run says what would be pruned', async () => {
  cli.files.delete('m/b.yaml');
  const { out } = await cli.b8sctl(`${APPLY} --dry-run=server`);
  expect(out).toContain('site.b8s.dev/b pruned (server dry run)\n');
  expect(names()).toEqual(['a', 'b', 'c']);
});

test.each([
  { line: 'apply -f m --prune', says: /--prune needs the name of a set/ },
  { line: 'apply -f m --prune --applyset a/b', says: /--applyset "a\/b": / },
])('$line is refused', async ({ line, says }) => {
  const { error, code } = await cli.b8sctl(line);
  expect(error).toMatch(says);
  expect(code).toBe(1);
});
