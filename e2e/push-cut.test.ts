import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Cluster, startCluster } from './support/cluster.ts';
import { domMetric } from './support/metrics.ts';
import { freePorts } from './support/ports.ts';
import { until } from './support/processes.ts';

const B8SCTL = resolve(import.meta.dirname, '../bin/b8sctl');
const LARGE_BYTES = 200_000_000;
/** How much of it comes through before the push is ended. */
const CUT_BYTES = 20_000_000;

let folder: string;
let cluster: Cluster;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'b8s-push-'));
  await mkdir(join(folder, 'site'));
  await writeFile(join(folder, 'site', 'index.html'), '<h1>hello</h1>');
  await writeFile(join(folder, 'site', 'large.bin'), randomBytes(LARGE_BYTES));
  const [port = 0] = await freePorts(1);
  const dom = { address: '127.0.0.1', port };
  cluster = await startCluster({ stateDir: join(folder, 'state'), dom, nodes: [], geo: 'none' });
  const site = { metadata: { name: 'blog' }, spec: { hosts: ['blog.test'] } };
  const input = JSON.stringify({ apiVersion: 'b8s.dev/v1', kind: 'Site', ...site });
  await cluster.b8sctlOk(['apply', '-f', '-'], { input });
});
afterAll(async () => {
  await cluster?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** What dom holds of the large file, while it is not whole. */
async function heldBytes(): Promise<number> {
  const partials = join(folder, 'state', 'dom', 'partials');
  const [name] = await readdir(partials).catch(() => []);
  if (name === undefined) return 0;
  const found = await stat(join(partials, name)).catch(() => undefined);
  return found?.size ?? 0;
}

function push(what: string): ReturnType<typeof spawn> {
  const args = ['--config', cluster.configFile, 'push', join(folder, what), '--site', 'blog'];
  const env = { ...process.env, XDG_CACHE_HOME: join(folder, 'cache') };
  return spawn(B8SCTL, args, { env, stdio: ['ignore', 'ignore', 'pipe'] });
}

async function pushed(what: string): Promise<string> {
  const child = push(what);
  let said = '';
  child.stderr?.on('data', (text: Buffer) => {
    said += text.toString();
  });
  const [code] = await once(child, 'close');
  expect(code, said).toBe(0);
  return said;
}

test('a push that is ended in the middle goes on where it was, also when dom was killed', async () => {
  let held = 0;
  for (const signal of ['SIGINT', 'SIGKILL'] as const) {
    const child = push('site');
    const ended = once(child, 'exit');
    const enough = async (): Promise<boolean> => (await heldBytes()) >= held + CUT_BYTES;
    await until('the upload is under way', enough, { timeoutMs: 60_000, everyMs: 5 });
    child.kill(signal);
    const [code] = await ended;
    expect(code).toBe(signal === 'SIGINT' ? 130 : null);
    const { stdout } = await cluster.b8sctl(['get', 'site', 'blog', '-o', 'json']);
    expect(JSON.parse(stdout)).not.toHaveProperty('spec.content');
    held = await heldBytes();
    expect(held).toBeGreaterThanOrEqual(CUT_BYTES);
  }
  await cluster.dom.kill9();
  cluster.dom.start();
  await cluster.domReady();
  expect(await heldBytes()).toBeGreaterThanOrEqual(2 * CUT_BYTES);
  const sentMib = Number(/1 files? uploaded, (\d+)MiB/.exec(await pushed('site'))?.[1]);
  expect(sentMib).toBeGreaterThan(0);
  expect(sentMib).toBeLessThanOrEqual((LARGE_BYTES - 2 * CUT_BYTES) / 1024 / 1024 + 1);
  expect(await heldBytes()).toBe(0);
  expect(await domMetric(cluster.connection(), 'b8s_uploaded_blobs_total', { way: 'http' })).toBe(
    1,
  );
}, 120_000);

test('its archives are the same release, so nothing is sent for them', async () => {
  const site = join(folder, 'site');
  execFileSync('tar', ['-czf', join(folder, 'site.tgz'), '-C', site, '.']);
  await pushed('site');
  expect(await pushed('site.tgz')).toContain('; nothing to upload');
}, 120_000);
