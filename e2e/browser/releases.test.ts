import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeInChromium, useChromium } from '../support/chromium.ts';
import { answerTo } from '../support/network.ts';
import { until } from '../support/processes.ts';
import { publish, siteYaml, useScene } from '../support/scene.ts';

const HOST = 'blog.shown.test';
const SITE = `https://${HOST}`;
const SPEC = '  previews: { domain: preview.shown.test }\n';

describeInChromium('releases in a browser', () => {
  const scene = useScene('sqlite', { name: 'browser-releases', nodes: 1 });
  const chromium = useChromium(() => ({ node: scene().node('sydney'), ca: scene().ca() }));
  const folder = mkdtempSync(join(tmpdir(), 'b8s-browser-'));

  beforeAll(async () => {
    const input = siteYaml('blog', HOST, SPEC);
    await scene().cluster.b8sctlOk(['apply', '-f', '-'], { input });
  }, 60_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** Gives the address of its preview, as b8sctl says it. */
  async function push(title: string): Promise<string> {
    writeFileSync(join(folder, 'index.html'), `<title>${title}</title>`);
    writeFileSync(join(folder, '404.html'), `<title>no ${title}</title>`);
    const { stdout } = await publish(scene(), 'blog', folder);
    const address = /^preview: (https:\S+)$/m.exec(stdout)?.[1];
    if (address === undefined) throw new Error(`no preview: ${stdout}`);
    return address;
  }

  test('who was here before sees each new release, and after an undo the older one again', async () => {
    const { page, visit } = await chromium().visitor();
    await push('one');
    const first = answerTo(await visit(`${SITE}/`), '/');
    expect(await page.title()).toBe('one');
    await push('two');
    expect(answerTo(await visit(`${SITE}/`), '/').status).toBe(200);
    expect(await page.title()).toBe('two');
    const { cluster } = scene();
    await cluster.b8sctlOk(['rollout', 'undo', 'site/blog']);
    const args = ['rollout', 'status', 'site/blog', '--timeout', '60s'];
    await cluster.b8sctlOk(args, { timeoutMs: 70_000 });
    const undone = answerTo(await visit(`${SITE}/`), '/');
    expect(await page.title()).toBe('one');
    expect(undone.headers['etag']).toBe(first.headers['etag']);
    // The bytes are older; that they are what is served now is not.
    const [at, before] = [undone, first].map(({ headers }) =>
      Date.parse(headers['last-modified'] ?? ''),
    );
    expect(at).toBeGreaterThan(before ?? Number.NaN);
  }, 120_000);

  test('a preview shows its release, at an address of its own that nobody is to index', async () => {
    const three = await push('three');
    const four = await push('four');
    const { page, visit } = await chromium().visitor();
    const isShown = async () => answerTo(await visit(three), '/').status === 200;
    await until('the preview is there', isShown, { timeoutMs: 60_000 });
    for (const [address, title] of [
      [three, 'three'],
      [four, 'four'],
    ] as const) {
      const shown = answerTo(await visit(address), '/');
      expect(shown).toMatchObject({ protocol: 'h2' });
      expect(shown.headers['x-robots-tag']).toBe('noindex');
      expect(await page.title()).toBe(title);
    }
    const site = answerTo(await visit(`${SITE}/`), '/');
    expect(await page.title()).toBe('four');
    expect(site.headers['x-robots-tag']).toBeUndefined();
    const missing = answerTo(await visit(new URL('/none', three).href), '/none');
    expect([missing.status, await page.title()]).toEqual([404, 'no three']);
  }, 120_000);

  test('an address of a release that is not kept is a page that says so, over TLS', async () => {
    const { page, visit } = await chromium().visitor();
    const gone = 'https://0123456789ab--blog.preview.shown.test/';
    const answer = answerTo(await visit(gone), '/');
    expect(answer).toMatchObject({ status: 404, protocol: 'h2' });
    expect(answer.headers['x-robots-tag']).toBe('noindex');
    expect(await page.textContent('body')).toContain('This release is not kept');
  });
});
