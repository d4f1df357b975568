import { resolve } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { describeInChromium, useChromium, type Visitor } from '../support/chromium.ts';
import { type Answer, answerTo } from '../support/network.ts';
import { until } from '../support/processes.ts';
import { useScene } from '../support/scene.ts';

const DEMO = resolve(import.meta.dirname, '../../manifests/demo');
const HOST = 'blog.example.test';
const SITE = `https://${HOST}`;

describeInChromium('the demo site in a browser', () => {
  const scene = useScene('sqlite', { name: 'browser-demo', nodes: 1 });
  const node = () => scene().node('sydney');
  const trusting = useChromium(() => ({ node: node(), ca: scene().ca() }));
  const strange = useChromium(() => ({ node: node() }));

  beforeAll(async () => {
    const { cluster } = scene();
    await cluster.b8sctlOk(['apply', '-f', DEMO]);
    const args = ['rollout', 'status', 'site/blog', '--timeout', '60s'];
    await cluster.b8sctlOk(args, { timeoutMs: 70_000 });
    const { visit } = await trusting().visitor();
    const isCompressed = async () => codingOf(await visit(`${SITE}/`), '/') !== undefined;
    await until('the compressed forms are there', isCompressed, { timeoutMs: 60_000 });
  }, 150_000);

  test('from plain HTTP one comes to the page over HTTPS and HTTP/2, compressed, with a certificate that holds', async () => {
    const { page, visit } = await trusting().visitor();
    const complaints = complaintsOf({ page });
    const answers = await visit(`http://${HOST}/`);
    const [first, ...others] = answers;
    expect(first).toMatchObject({ status: 308, protocol: 'http/1.1' });
    expect(first?.headers['location']).toBe(`${SITE}:${node().httpsPort}/`);
    const seen = others.map(({ status, protocol }) => `${status} ${protocol}`);
    // The page, its style, and what its script asks of the page once more, kept by then or not. Of that
    // it reads the head alone: then the browser breaks it off, and at times tells of no answer.
    expect(seen.join()).toMatch(/^200 h2,200 h2(?:,(?:200|304) h2)?$/u);
    // Whichever of them is the shortest.
    for (const path of ['/', '/assets/style.css'])
      expect(codingOf(others, path)).toMatch(/^(?:br|zstd)$/u);
    expect(await page.title()).toContain('Near you');
    await until(
      'the script knows who answered',
      async () => (await page.textContent('#from'))?.includes('It came from Sydney.'),
      { timeoutMs: 10_000 },
    );
    // The style counts, and the map is drawn by it.
    expect(await page.evaluate('document.styleSheets[0].cssRules.length')).toBeGreaterThan(5);
    expect(complaints).toEqual([]);
  });

  test('a second visit is told that nothing changed, and keeps what it may', async () => {
    const { page, visit } = await trusting().visitor();
    const before = await visit(`${SITE}/`);
    const answers = await visit(`${SITE}/`);
    const shown = answerTo(answers, '/');
    expect(shown).toMatchObject({ status: 304, from: 'network' });
    expect(shown.wireBytes).toBeLessThan(answerTo(before, '/').wireBytes / 2);
    expect(shown.headers['etag']).toBe(answerTo(before, '/').headers['etag']);
    expect(answerTo(answers, '/assets/style.css')).toMatchObject({ from: 'cache', wireBytes: 0 });
    expect(await page.title()).toContain('Near you');
  });

  test('links lead on, and an address without its slash to the one with it', async () => {
    const { page, visit } = await trusting().visitor();
    await visit(`${SITE}/`);
    await page.click('text=How it works');
    await page.waitForURL(`${SITE}/about/`);
    const answers = await visit(`${SITE}/about?from=here`);
    expect(answers.slice(0, 2).map(({ status }) => status)).toEqual([308, 200]);
    expect(page.url()).toBe(`${SITE}/about/?from=here`);
    expect(await page.textContent('h1')).toBe('Declared once, served everywhere.');
  });

  test('what is not there is the site’s own page, with its style', async () => {
    const { page, visit } = await trusting().visitor();
    const answers = await visit(`${SITE}/no/such/page`);
    expect(answerTo(answers, '/no/such/page')).toMatchObject({ status: 404, protocol: 'h2' });
    expect(answerTo(answers, '/assets/style.css').status).toBe(200);
    expect(await page.textContent('h1')).toBe('Not here, nor on the other two.');
  });

  test('a browser that does not know the CA goes nowhere, nor does any to a host that is not ours', async () => {
    const stranger = await strange().visitor();
    await expect(stranger.visit(`${SITE}/`)).rejects.toThrow('ERR_CERT_AUTHORITY_INVALID');
    const astray = await trusting().visitor();
    const nobody = 'https://nobody.example.test/';
    await expect(astray.visit(nobody)).rejects.toThrow('ERR_SSL_UNRECOGNIZED_NAME_ALERT');
    // And the next one is served.
    const { visit } = await trusting().visitor();
    expect(answerTo(await visit(`${SITE}/`), '/').status).toBe(200);
  });
});

function codingOf(answers: readonly Answer[], path: string): string | undefined {
  return answerTo(answers, path).headers['content-encoding'];
}

/** What a developer would see in red. */
function complaintsOf({ page }: Pick<Visitor, 'page'>): readonly string[] {
  const said: string[] = [];
  page.on('pageerror', (error) => said.push(String(error)));
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) said.push(message.text());
  });
  return said;
}
