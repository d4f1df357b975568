import { beforeEach, expect, test } from 'vitest';
import { type TestCli, testCli } from '../testing/test-cli.ts';

let cli: TestCli;
beforeEach(() => {
  cli = testCli();
  for (const [name, ttl] of [
    ['blog', 60],
    ['shop', 30],
  ] as const)
    cli.api.put({
      kind: 'Site',
      metadata: { namespace: 'default', name, labels: { app: name } },
      spec: { hosts: [`${name}.example.com`], ttl },
    });
});

test.each([
  {
    line: 'get sites --sort-by .spec.ttll',
    error: '--sort-by: "ttll" is not a field of site.spec; did you mean "ttl"?',
  },
  {
    line: 'get sites --field-selector spec.ttll=30',
    error: '--field-selector: "ttll" is not a field of site.spec; did you mean "ttl"?',
  },
  {
    line: 'get sites --field-selector=spec.routing.polcy!=nearest',
    error: '--field-selector: "polcy" is not a field of site.spec.routing; did you mean "policy"?',
  },
  {
    line: 'get sites,nodes --sort-by {.metadata.nam}',
    error: '--sort-by: "nam" is not a field of site.metadata; did you mean "name"?',
  },
])('$line is refused, with the nearest name', async ({ line, error }) => {
  expect(await cli.b8sctl(line)).toEqual({ out: '', error: `error: ${error}\n`, code: 1 });
});

test.each([
  { when: 'a field', line: 'get sites -o name --sort-by .spec.ttl', names: ['shop', 'blog'] },
  {
    when: 'a key of a mapping, any',
    line: 'get sites -o name --field-selector metadata.labels.app=shop',
    names: ['shop'],
  },
  {
    when: 'what one of several kinds has',
    line: 'get sites,nodes -o name --sort-by .spec.ttl',
    names: ['shop', 'blog'],
  },
  {
    when: 'a field of items of a list',
    line: 'get sites -o name --sort-by .spec.headers[0].name',
    names: ['blog', 'shop'],
  },
  {
    when: 'what follows a filter',
    line: ['get', 'sites', '-o', 'name', '--sort-by', '{.status.conditions[?(@.type=="Ready")].x}'],
    names: ['blog', 'shop'],
  },
])('$when is taken', async ({ line, names }) => {
  const { out, code } = await cli.b8sctl(line);
  expect([out, code]).toEqual([names.map((name) => `site.b8s.dev/${name}\n`).join(''), 0]);
});
