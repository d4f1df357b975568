import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Browser, browser, http2Browser } from './support/https.ts';
import { until } from './support/processes.ts';
import { describeOnStores, edgeOf, siteYaml, useScene } from './support/scene.ts';

const HOST = 'rules.example.test';
const PASSWORD = 'correct horse battery';
const FILES: Readonly<Record<string, string>> = {
  'index.html': 'home',
  'about.html': 'about',
  'staff.html': 'for the staff',
  '404.html': 'nothing here',
  _redirects: '/old/* /new/:splat 301\n/me /about 200\n/broken\n',
  _headers: '/about\n  X-Rule: from the release\n',
};

await describeOnStores('rules and passwords', (kind) => {
  const scene = useScene(kind, { name: 'rules' });
  const folder = mkdtempSync(join(tmpdir(), 'b8s-rules-'));
  let browsers: readonly Browser[] = [];

  beforeAll(async () => {
    for (const [path, text] of Object.entries(FILES)) writeFileSync(join(folder, path), text);
    const auth = `  auth: { secret: staff, realm: Staff, paths: [/staff] }\n`;
    const input = `${siteYaml('rules', HOST).trimEnd()}\n${auth}`;
    await scene().cluster.b8sctlOk(['apply', '-f', '-'], { input });
    const { ca } = scene();
    browsers = [
      browser(HOST, ca(), { keepAlive: true }),
      http2Browser(HOST, ca(), { keepAlive: true }),
    ];
  }, 240_000);
  afterAll(() => {
    for (const each of browsers) each.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function everywhere(path: string, headers: Readonly<Record<string, string>> = {}) {
    const pages = scene().nodes.flatMap((node) =>
      browsers.map((each) => each.get(edgeOf(node), path, headers)),
    );
    return Promise.all(pages);
  }

  const statuses = async (path: string, headers: Readonly<Record<string, string>> = {}) => [
    ...new Set((await everywhere(path, headers)).map(({ status }) => status)),
  ];

  const as = (user: string, password: string) => ({
    authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
  });

  const described = () => scene().cluster.b8sctlOk(['describe', 'site', 'rules']);

  test('what a password guards is closed as long as its Secret is not there', async () => {
    // Not waited for: it is not ready, and says why.
    await scene().cluster.b8sctlOk(['push', folder, '--site', 'rules']);
    const isServed = async () => (await statuses('/')).join() === '200';
    await until('all nodes serve it', isServed, { timeoutMs: 60_000 });
    expect(await statuses('/staff')).toEqual([503]);
    expect(await statuses('/staff.html', as('ann', PASSWORD))).toEqual([503]);
    const says = async () => (await described()).includes('SecretNotFound');
    await until('the Site says so', says, { timeoutMs: 60_000 });
  }, 120_000);

  test('with the Secret it opens to who knows it, on all nodes, and to nobody else', async () => {
    const secret = `apiVersion: b8s.dev/v1\nkind: Secret\nmetadata: { name: staff }\nspec: { data: { ann: ${PASSWORD} } }\n`;
    await scene().cluster.b8sctlOk(['apply', '-f', '-'], { input: secret });
    const isOpen = async () => (await statuses('/staff', as('ann', PASSWORD))).join() === '200';
    await until('the passwords are hashed and told', isOpen, { timeoutMs: 60_000 });
    const [page] = await everywhere('/staff', as('ann', PASSWORD));
    expect(page?.body.toString()).toBe('for the staff');
    expect(page?.headers['cache-control']).toBe('private, max-age=0, must-revalidate');
    expect(await statuses('/staff')).toEqual([401]);
    expect(await statuses('/staff', as('ann', 'guess'))).toEqual([401]);
    expect(await statuses('/about')).toEqual([200]);
  }, 120_000);

  test('the rules of the release count, and what of them does not is told', async () => {
    const moved = await everywhere('/old/a%20b?c=d');
    expect(moved.map(({ status, headers }) => `${status} ${String(headers['location'])}`)).toEqual(
      moved.map(() => '301 /new/a%20b?c=d'),
    );
    for (const { body } of await everywhere('/me')) expect(body.toString()).toBe('about');
    for (const { headers } of await everywhere('/about'))
      expect(headers['x-rule']).toBe('from the release');
    expect(await statuses('/_redirects')).toEqual([404]);
    const tells = async () => (await described()).includes('_redirects:3:');
    await until('the Site tells', tells, { timeoutMs: 60_000 });
    const text = await described();
    expect(text).toContain('LinesSkipped');
    expect(text).not.toContain(PASSWORD);
  }, 60_000);
});
