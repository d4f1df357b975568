import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { addonFile, findAddon } from '../runtime/node/udp-batch/addon.ts';
import { VERSION } from '../runtime/version.ts';
import { browser } from './support/https.ts';
import { logTail, run } from './support/processes.ts';
import { describeOnStores, edgeOf, publish, siteYaml, useScene } from './support/scene.ts';

const ROOT = join(import.meta.dirname, '..');
const SITE = join(ROOT, 'manifests/demo/site');
const HOST = 'built.example.com';
// As on a server: a folder that came from elsewhere, with no node_modules above it.
const scratch = mkdtempSync(join(tmpdir(), 'b8s-build-'));
const bin = join(scratch, 'installed', 'bin');

beforeAll(async () => {
  const out = join(scratch, 'built');
  const built = await run(process.execPath, [
    join(ROOT, 'bin/build/main.ts'),
    ...['--no-geo', '--out', out],
  ]);
  expect(built).toMatchObject({ exitCode: 0, stderr: '' });
  cpSync(out, dirname(bin), { recursive: true });
  rmSync(out, { recursive: true });
  // The launchers take the node of the PATH.
  process.env['PATH'] = `${dirname(process.execPath)}${delimiter}${process.env['PATH']}`;
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

test.each([
  ['dom', ['--version']],
  ['sub', ['version']],
  ['b8sctl', ['version', '--client']],
] as const)('%s runs from a folder of its own and knows its version', async (name, args) => {
  const { stdout, stderr } = await run(join(bin, name), args, { cwd: tmpdir() });
  expect({ stdout, stderr }).toEqual({ stdout: expect.stringContaining(VERSION), stderr: '' });
});

test('b8sctl keeps what it compiled in the user’s cache, and does without where there is no place', async () => {
  const cache = join(scratch, 'cache');
  const answers = async (folder: string) => {
    const env = { XDG_CACHE_HOME: folder, NODE_COMPILE_CACHE: '' };
    const { stdout, stderr } = await run(join(bin, 'b8sctl'), ['version', '--client'], { env });
    expect({ stdout, stderr }).toEqual({ stdout: expect.stringContaining(VERSION), stderr: '' });
  };
  await answers(cache);
  expect(existsSync(join(cache, 'b8sctl', 'compiled'))).toBe(true);
  await answers(cache);
  await answers('/dev/null');
});

await describeOnStores('a cluster from the build', (kind) => {
  const scene = useScene(kind, { name: 'build', nodes: 1, bin });

  test('a site is applied, pushed and served by HTTPS', async () => {
    const { cluster, nodes, ca } = scene();
    await cluster.b8sctlOk(['apply', '-f', '-'], { input: siteYaml('built', HOST) });
    await publish(scene(), 'built', SITE);
    const visitor = browser(HOST, ca(), { keepAlive: false });
    for (const node of nodes) {
      const page = await visitor.get(edgeOf(node), '/');
      expect(page.status).toBe(200);
      expect(page.body).toEqual(readFileSync(join(SITE, 'index.html')));
    }
    visitor.close();
  });

  // Where there is a compiler: `make setup` has used it.
  const isNative = findAddon().kind === 'found';
  test.skipIf(!isNative)('what was compiled for this machine came along, and is used', () => {
    expect(existsSync(join(dirname(bin), 'native', addonFile()))).toBe(true);
    const [node] = [...scene().cluster.subs.values()];
    const log = logTail(node?.logFile ?? '', 1000);
    expect(log).toContain('sub starts');
    expect(log).not.toContain('DNS datagrams are read one at a time');
  });

  test('the files of gRPC reflection came along', () => {
    const log = logTail(scene().cluster.dom.logFile, 1000);
    expect(log).toContain('dom is up');
    expect(log).not.toContain('reflection is off');
  });
});
