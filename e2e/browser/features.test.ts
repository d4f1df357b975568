import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeInChromium, useChromium } from '../support/chromium.ts';
import { answerTo } from '../support/network.ts';
import { until } from '../support/processes.ts';
import { publish, siteYaml, useScene } from '../support/scene.ts';

const HOST = 'shop.example.test';
const SITE = `https://${HOST}`;
const APP = 'https://app.example.test';
const PASSWORD = 'gr\u00fcn & \u7dd1';
const SCRIPT = 'assets/own-GoDQC6Oc.js';

/** A page that tries what a page should not, and one that it may. */
const DARING = `<!doctype html><title>calm</title>
<script>document.title = 'inline'</script>
<script src="/${SCRIPT}"></script>
<script src="/text.txt"></script>
<img src="${APP}/picture.svg?elsewhere">`;

const SHOP: Readonly<Record<string, string>> = {
  'index.html': DARING,
  'relaxed.html': DARING,
  'about.html': '<title>about</title>',
  'new/a b.html': '<title>new</title>',
  'shop/7.html': '<title>seven</title>',
  'closed.html': '<title>closed</title>',
  'caf\u00e9.html': '<title>caf\u00e9</title>',
  'text.txt': 'window.sniffed = true',
  [SCRIPT]: 'window.own = true',
  _redirects: `/old/*  /new/:splat  301
/store  id=:id  /shop/:id  302
/me  /about  200
/sold/*  /closed  404
/elsewhere  ${APP}/from-shop  307
`,
  _headers: `/about
  Set-Cookie: seen=1; Secure
/relaxed
  ! Content-Security-Policy
  Content-Security-Policy: default-src 'self' 'unsafe-inline'
`,
};

const APP_FILES: Readonly<Record<string, string>> = {
  'index.html': '<title>app</title><script>window.path = location.pathname</script>',
  'framer.html': `<title>framer</title><iframe src="${SITE}/about"></iframe>`,
  'picture.svg': '<svg xmlns="http://www.w3.org/2000/svg"/>',
  'staff.html': '<title>staff</title>',
};

describeInChromium('features in a browser', () => {
  const scene = useScene('sqlite', { name: 'browser-features', nodes: 1 });
  const node = () => scene().node('sydney');
  const chromium = useChromium(() => ({ node: node(), ca: scene().ca() }));
  const folder = mkdtempSync(join(tmpdir(), 'b8s-browser-'));

  beforeAll(async () => {
    const { cluster } = scene();
    const secret = `apiVersion: b8s.dev/v1
kind: Secret
metadata: { name: staff }
spec: { data: { ann: "${PASSWORD}" } }
`;
    const shop = '  securityHeaders: strict\n  hsts: { maxAge: 365d }\n';
    const app = '  singlePageApp: true\n  auth: { secret: staff, realm: Staff, paths: [/staff] }\n';
    const sites = [siteYaml('shop', HOST, shop), siteYaml('app', new URL(APP).host, app)];
    const input = [secret, ...sites].join('---\n');
    await cluster.b8sctlOk(['apply', '-f', '-'], { input });
    await push('shop', SHOP);
    await push('app', APP_FILES);
  }, 150_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  async function push(site: string, files: Readonly<Record<string, string>>): Promise<string> {
    const root = join(folder, site);
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
    return (await publish(scene(), site, root)).stdout;
  }

  test('_redirects: a browser follows with query and fragment, and stays where a path is rewritten', async () => {
    const { page, visit } = await chromium().visitor();
    const moved = await visit(`${SITE}/old/a%20b?c=d#part`);
    expect(moved.slice(0, 2).map(({ status }) => status)).toEqual([301, 200]);
    expect([page.url(), await page.title()]).toEqual([`${SITE}/new/a%20b?c=d#part`, 'new']);
    const store = await visit(`${SITE}/store?id=7`);
    expect(store.slice(0, 2).map(({ status }) => status)).toEqual([302, 200]);
    expect([page.url(), await page.title()]).toEqual([`${SITE}/shop/7`, 'seven']);
    const [mine] = await visit(`${SITE}/me?x=y`);
    expect(mine?.status).toBe(200);
    expect([page.url(), await page.title()]).toEqual([`${SITE}/me?x=y`, 'about']);
    const [sold] = await visit(`${SITE}/sold/out`);
    expect(sold?.status).toBe(404);
    expect([page.url(), await page.title()]).toEqual([`${SITE}/sold/out`, 'closed']);
    await visit(`${SITE}/elsewhere`);
    expect([page.url(), await page.title()]).toEqual([`${APP}/from-shop`, 'app']);
    await visit(`${SITE}/caf\u00e9`);
    expect([page.url(), await page.title()]).toEqual([`${SITE}/caf%C3%A9`, 'caf\u00e9']);
  });

  test('_headers: a cookie is set, and a policy of one page is that page’s alone', async () => {
    const { page, visit } = await chromium().visitor();
    await visit(`${SITE}/about`);
    expect(await page.evaluate('document.cookie')).toBe('seen=1');
    await visit(`${SITE}/relaxed`);
    expect(await page.title()).toBe('inline');
    await visit(`${SITE}/`);
    expect(await page.title()).toBe('calm');
  });

  test('securityHeaders: strict is what a browser enforces', async () => {
    const { page, visit } = await chromium().visitor();
    const said: string[] = [];
    page.on('console', (message) => said.push(message.text()));
    const answers = await visit(`${SITE}/`);
    expect(await page.title()).toBe('calm');
    expect(await page.evaluate('[window.own, window.sniffed, window.crossOriginIsolated]')).toEqual(
      [true, undefined, true],
    );
    expect(answers.some(({ url }) => url.startsWith(APP))).toBe(false);
    // The script within the page, and the picture from elsewhere.
    const refusals = said.filter((each) => each.includes('Content Security Policy'));
    expect(refusals.length).toBeGreaterThanOrEqual(2);
    expect(said.some((each) => each.includes("MIME type ('text/plain')"))).toBe(true);
    await visit(`${APP}/framer`);
    const frames = page.frames().map((frame) => frame.url());
    expect(frames).toEqual([`${APP}/framer`, 'chrome-error://chromewebdata/']);
  });

  test('hsts: after one visit the browser leaves plain HTTP by itself', async () => {
    const { page, visit } = await chromium().visitor();
    const [first] = await visit(`http://${HOST}/about`);
    expect(first).toMatchObject({ status: 308, protocol: 'http/1.1' });
    const [second] = await visit(`http://${HOST}/about`);
    expect(second?.status).toBe(307);
    expect(second?.headers['non-authoritative-reason']).toBe('HSTS');
    expect(page.url()).toBe(`${SITE}/about`);
  });

  test('a script whose name has a hash is not asked for again, also when the page is loaded anew', async () => {
    const { page, visit } = await chromium().visitor();
    const first = answerTo(await visit(`${SITE}/`), `/${SCRIPT}`);
    expect(first).toMatchObject({ status: 200, from: 'network' });
    expect(first.headers['cache-control']).toBe('public, max-age=31536000, immutable');
    const second = await visit(`${SITE}/`);
    expect(answerTo(second, `/${SCRIPT}`)).toMatchObject({ from: 'cache', wireBytes: 0 });
    expect(answerTo(second, '/')).toMatchObject({ status: 304, from: 'network' });
    await page.reload();
    expect(await page.evaluate('window.own')).toBe(true);
  });

  test('singlePageApp: any path is the app’s own, and a file that is missing is missing', async () => {
    const { page, visit } = await chromium().visitor();
    const [deep] = await visit(`${APP}/any/where?q=1`);
    expect(deep).toMatchObject({ status: 200, protocol: 'h2' });
    expect(await page.evaluate('window.path')).toBe('/any/where');
    const [missing] = await visit(`${APP}/assets/missing.js`);
    expect(missing?.status).toBe(404);
  });

  test('auth: a browser asks for user and password, and sends them as UTF-8 (RFC 7617 §2.1)', async () => {
    const httpCredentials = { username: 'ann', password: PASSWORD };
    const { page, visit } = await chromium().visitor({ httpCredentials });
    const isOpen = async () => (await visit(`${APP}/staff`)).at(-1)?.status === 200;
    await until('the password is hashed and told', isOpen, { timeoutMs: 60_000 });
    expect(await page.title()).toBe('staff');
    const guess = { ...httpCredentials, password: 'a guess' };
    for (const options of [{}, { httpCredentials: guess }]) {
      const stranger = await chromium().visitor(options);
      const status = await stranger.visit(`${APP}/staff`).then(
        (answers) => answers.at(-1)?.status,
        // Where nobody is there to be asked, there is no page to show either.
        (error: unknown) => (String(error).includes('ERR_INVALID_AUTH_CREDENTIALS') ? 401 : error),
      );
      expect(status).toBe(401);
      expect(await stranger.page.title()).not.toBe('staff');
    }
  });
});
