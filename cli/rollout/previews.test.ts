import { beforeEach, expect, test } from 'vitest';
import type { Site } from '../../api/site.ts';
import { type TestCli, testCli } from '../testing/test-cli.ts';

const PREVIEWS = { domain: 'preview.example.com', keep: 5 };
const ADDRESS = /^preview: https:\/\/([0-9a-f]{12})--blog\.preview\.example\.com\/\n$/;

let cli: TestCli;

beforeEach(() => {
  cli = testCli();
  cli.files.set('dist/index.html', '<h1>blog</h1>');
});

function putSite(previews: object | undefined, status: object = {}): void {
  cli.api.put({
    kind: 'Site',
    metadata: { namespace: 'default', name: 'blog' },
    spec: { hosts: ['blog.example.com'], ...(previews !== undefined && { previews }) },
    status,
  });
}

const site = () => cli.api.objects().find(({ kind }) => kind === 'Site') as Site;
const releases = () => cli.api.objects().filter(({ kind }) => kind === 'Release');

test('push says where the release can be seen', async () => {
  putSite(PREVIEWS);
  const { out } = await cli.b8sctl('push dist --site blog');
  const digest = site().spec.content?.release ?? '';
  const url = `https://${digest.slice(7, 19)}--blog.preview.example.com/`;
  expect(out).toBe(`site.b8s.dev/blog released ${digest}\npreview: ${url}\n`);
});

test('push --preview publishes the release, and what the site serves stays as it is', async () => {
  putSite(PREVIEWS);
  const { out, code } = await cli.b8sctl('push dist --site blog --preview');
  expect(code).toBe(0);
  expect(out).toMatch(ADDRESS);
  expect(site().spec.content).toBeUndefined();
  expect(releases()).toHaveLength(1);
  expect(releases()[0]?.metadata.name).toContain(ADDRESS.exec(out)?.[1] ?? 'none');
});

test('push --preview to a Site without previews sends nothing and names the mend', async () => {
  putSite(undefined);
  const { error, code } = await cli.b8sctl('push dist --site blog --preview');
  expect(code).toBe(1);
  expect(error).toContain('declare spec.previews.domain, e.g. preview.example.com');
  expect(releases()).toHaveLength(0);
});

test('push --preview of what is published for another Site says where it is to be seen', async () => {
  putSite(PREVIEWS);
  await cli.b8sctl('push dist --site blog --preview');
  cli.api.put({
    kind: 'Site',
    metadata: { namespace: 'default', name: 'shop' },
    spec: { hosts: ['shop.example.com'], previews: PREVIEWS },
  });
  const { error, code } = await cli.b8sctl('push dist --site shop --preview');
  expect(code).toBe(1);
  expect(error).toContain('is published for site "blog" already');
});

test('push --preview --wait ends when every node answers there, and tells why it does not', async () => {
  putSite(PREVIEWS);
  const first = await cli.b8sctl('push dist --site blog --preview --wait --timeout 0s');
  expect(first.code).toBe(1);
  expect(first.error).toContain('it is not among the newest releases');
  const release = releases()[0]?.metadata.name;
  const shown = { release, url: 'https://x/', total: 2 };
  const message = 'waiting for london to have all of them';
  const conditions = [{ type: 'PreviewsReady', status: 'False', reason: 'Distributing', message }];
  putSite(PREVIEWS, { previews: [{ ...shown, ready: 1 }], conditions });
  const second = await cli.b8sctl('push dist --site blog --preview --wait --timeout 0s');
  expect(second.error).toContain(message);
  putSite(PREVIEWS, { previews: [{ ...shown, ready: 2 }] });
  const third = await cli.b8sctl('push dist --site blog --preview --wait --timeout 0s');
  expect(third.code).toBe(0);
});

test('history and describe show the addresses', async () => {
  const release = `sha256-${'a'.repeat(64)}`;
  const url = 'https://aaaaaaaaaaaa--blog.preview.example.com/';
  const previews = [{ release, url, ready: 7, total: 9 }];
  await cli.b8sctl('push dist --site blog');
  cli.api.put({
    kind: 'Site',
    metadata: { namespace: 'default', name: 'blog' },
    spec: { hosts: ['blog.example.com'], content: { release }, previews: PREVIEWS },
    status: { previews },
  });
  expect((await cli.b8sctl('rollout history site/blog')).out).toContain(url);
  expect((await cli.b8sctl('describe site blog')).out).toContain(url);
});
