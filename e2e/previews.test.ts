import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { NodeOptions } from './support/cluster.ts';
import { browser, http2Browser, type Page } from './support/https.ts';
import { until } from './support/processes.ts';
import {
  askNode,
  describeOnStores,
  edgeOf,
  publish,
  siteYaml,
  useScene,
  zoneYaml,
} from './support/scene.ts';

const ORIGIN = 'shown.test';
const HOST = `blog.${ORIGIN}`;
const DOMAIN = `preview.${ORIGIN}`;
const SPEC = `  previews: { domain: ${DOMAIN}, keep: 2 }
  canonicalHost: true
  headers: [{ path: /*, name: X-Robots-Tag, value: all }]
`;

await describeOnStores(
  'previews',
  (kind) => {
    const scene = useScene(kind, { name: 'previews' });
    const folder = mkdtempSync(join(tmpdir(), 'b8s-previews-'));
    const published: { readonly host: string; readonly text: string }[] = [];

    beforeAll(async () => {
      const { cluster } = scene();
      const site = siteYaml('blog', HOST, SPEC);
      const manifests = `${zoneYaml('shown', ORIGIN)}---\n${site}`;
      await cluster.b8sctlOk(['apply', '-f', '-'], { input: manifests });
    }, 60_000);
    afterAll(() => rmSync(folder, { recursive: true, force: true }));

    /** Gives the host of its preview, as b8sctl says it. */
    async function push(text: string, mode: 'release' | 'preview'): Promise<string> {
      writeFileSync(join(folder, 'index.html'), text);
      const args = ['push', folder, '--site', 'blog', '--preview', '--wait', '--timeout', '60s'];
      const said =
        mode === 'release'
          ? (await publish(scene(), 'blog', folder)).stdout
          : await scene().cluster.b8sctlOk(args, { timeoutMs: 70_000 });
      const host = /^preview: https:\/\/([^/]+)\/$/m.exec(said)?.[1];
      if (host === undefined) throw new Error(`no preview: ${said}`);
      published.push({ host, text });
      return host;
    }

    /** Through our own DNS, and with whatever certificate is shown there. */
    async function visit(host: string, node: NodeOptions, nameserver = node): Promise<Page> {
      const { rcode, values } = await askNode(nameserver, { name: host, type: 'A' });
      expect(rcode, host).toBe('NOERROR');
      expect(scene().nodes.map(({ address }) => address)).toContain(values[0]);
      const client = browser(host, scene().ca(), { keepAlive: false });
      return await client.get(edgeOf(node), '/').finally(() => client.close());
    }

    test('each release answers at its own address on every node, for nobody to index', async () => {
      await push('one', 'release');
      await push('two', 'release');
      const { cluster, nodes } = scene();
      const waiting = ['wait', 'site/blog', '--for=condition=PreviewsReady', '--timeout', '60s'];
      await cluster.b8sctlOk(waiting, { timeoutMs: 70_000 });
      const resolves = async (): Promise<boolean> => {
        const asked = nodes.map((node) => askNode(node, { name: `x.${DOMAIN}`, type: 'A' }));
        return (await Promise.all(asked)).every(({ values }) => values.length > 0);
      };
      await until('the wildcard is answered', resolves, { timeoutMs: 30_000 });
      for (const { host, text } of published)
        for (const node of nodes) {
          const page = await visit(host, node);
          expect([page.status, page.body.toString()]).toEqual([200, text]);
          expect(page.headers['x-robots-tag']).toBe('noindex');
          const h2 = http2Browser(host, scene().ca(), { keepAlive: false });
          expect((await h2.get(edgeOf(node), '/')).body.toString()).toBe(text);
        }
      const [node] = nodes;
      if (node === undefined) throw new Error('no node');
      expect((await visit(HOST, node)).headers['x-robots-tag']).toBe('all');
      const described = await cluster.b8sctlOk(['describe', 'site', 'blog']);
      for (const { host } of published) expect(described).toContain(`https://${host}/`);
    }, 180_000);

    test('push --preview changes nothing of the site, and the oldest address ends', async () => {
      const host = await push('three', 'preview');
      const { nodes } = scene();
      for (const node of nodes) {
        const page = await visit(host, node);
        expect([page.status, page.body.toString()]).toEqual([200, 'three']);
        expect((await visit(HOST, node)).body.toString()).toBe('two');
      }
      const [oldest, kept] = published;
      if (oldest === undefined || kept === undefined) throw new Error('two were pushed');
      for (const node of nodes) {
        const isGone = async () => (await visit(oldest.host, node)).status === 404;
        await until(`${node.name} has ended it`, isGone, { timeoutMs: 30_000 });
        expect((await visit(oldest.host, node)).headers['x-robots-tag']).toBe('noindex');
        expect((await visit(kept.host, node)).body.toString()).toBe('two');
      }
    }, 180_000);

    test('a Site of that name in another namespace cannot have the same addresses', async () => {
      const other = siteYaml('blog', `other.${ORIGIN}`, SPEC);
      const args = ['apply', '-n', 'second', '-f', '-'];
      const { exitCode, stderr } = await scene().cluster.b8sctl(args, { input: other });
      expect(exitCode).not.toBe(0);
      expect(stderr).toContain('spec.previews.domain');
      expect(stderr).toContain('is served by site default/blog already');
    }, 30_000);
  },
  ['sqlite'],
);
