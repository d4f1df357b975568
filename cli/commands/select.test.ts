import { beforeEach, expect, test, vi } from 'vitest';
import { type TestCli, testCli } from '../testing/test-cli.ts';

let cli: TestCli;
beforeEach(() => {
  cli = testCli();
  putSite('blog', { labels: { tier: 'front', 'b8s.dev/of': 'x' }, ttl: 30 });
  putSite('shop', { ttl: 60 });
});

function putSite(name: string, more: { labels?: Record<string, string>; ttl: number }) {
  const { ttl, ...metadata } = more;
  const spec = { hosts: [`${name}.example.com`, `www.${name}.example.com`], ttl };
  cli.api.put({ kind: 'Site', metadata: { namespace: 'default', name, ...metadata }, spec });
}

test.each([
  { selector: 'spec.ttl=30', names: ['blog'] },
  { selector: 'spec.ttl==30', names: ['blog'] },
  { selector: 'spec.ttl!=30', names: ['shop'] },
  { selector: 'spec.ttl=30,metadata.name!=blog', names: [] },
  { selector: 'spec.hosts[*]=www.shop.example.com', names: ['shop'] },
  { selector: 'metadata.labels.tier=', names: ['shop'] },
  { selector: 'status.release!=', names: [] },
])('get --field-selector $selector', async ({ selector, names }) => {
  const { out } = await cli.b8sctl(`get sites --field-selector ${selector} -o name`);
  expect(out).toBe(names.map((name) => `site.b8s.dev/${name}\n`).join(''));
});

test('custom columns', async () => {
  const columns = 'custom-columns=NAME:.metadata.name,TTL:{.spec.ttl},H:.spec.hosts[*],X:.spec.x';
  const { out } = await cli.b8sctl(`get sites -o ${columns}`);
  expect(out).toMatchInlineSnapshot(`
    "NAME   TTL   H                                       X
    blog   30    blog.example.com,www.blog.example.com   <none>
    shop   60    shop.example.com,www.shop.example.com   <none>
    "
  `);
  const bare = await cli.b8sctl('get sites -o custom-columns=N:.metadata.name --no-headers');
  expect(bare.out).toBe('blog\nshop\n');
});

test('labels as columns', async () => {
  const { out } = await cli.b8sctl('get sites --show-labels -L tier,b8s.dev/of');
  expect(out.split('\n').map((line) => line.replace(/^.*?AGE|^.* 0s/, '').trim())).toEqual([
    'TIER    OF   LABELS',
    'front   x    b8s.dev/of=x,tier=front',
    '<none>',
    '',
  ]);
});

test('get --watch-only tells changes only, of those that are wanted', async () => {
  const watching = cli.start('get sites --watch-only --field-selector spec.ttl=60');
  await vi.waitFor(() => expect(cli.api.watchers()).toBe(1), { timeout: 15_000 });
  putSite('blog', { ttl: 31 });
  putSite('shop', { ttl: 60 });
  putSite('news', { ttl: 60 });
  await cli.clock.advance(0);
  watching.interrupt();
  const { out } = await watching.done;
  expect(out.split('\n').map((line) => line.split(' ')[0])).toEqual(['NAME', 'shop', 'news', '']);
});

test('get --ignore-not-found', async () => {
  const found = await cli.b8sctl('get site blog nope --ignore-not-found -o name');
  expect(found).toEqual({ out: 'site.b8s.dev/blog\n', error: '', code: 0 });
});

test.each([
  { line: 'get sites --field-selector spec.ttl', says: /is not FIELD=VALUE or FIELD!=VALUE/ },
  { line: 'get site blog --field-selector spec.ttl=3', says: /names cannot be given together/ },
  { line: 'get sites -o custom-columns=NAME', says: /"NAME" is not HEADER:PATH/ },
  { line: 'get sites -o custom-columns=', says: /is not HEADER:PATH/ },
  { line: 'get sites -w --at 3', says: /--at looks back, -w ahead/ },
])('$line is refused', async ({ line, says }) => {
  const { error, code } = await cli.b8sctl(line);
  expect(error).toMatch(says);
  expect(code).toBe(1);
});
