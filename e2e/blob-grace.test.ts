import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Site } from '../api/site.ts';
import { blobPath, digestOf } from '../runtime/content/digest.ts';
import { type Cluster, startCluster } from './support/cluster.ts';
import { freePorts } from './support/ports.ts';
import { until } from './support/processes.ts';
import { siteYaml } from './support/scene.ts';

let folder: string;
let cluster: Cluster;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'b8s-grace-'));
  const [port = 0] = await freePorts(1);
  const dom = { address: '127.0.0.1', port, flags: ['--blob-grace', '4s'] };
  cluster = await startCluster({ stateDir: join(folder, 'state'), dom, nodes: [], geo: 'none' });
  await cluster.b8sctlOk(['apply', '-f', '-'], { input: siteYaml('blog', 'blog.test') });
});
afterAll(async () => {
  await cluster?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Publishes pages of these texts; gives the release. */
async function publish(...texts: readonly string[]): Promise<string> {
  const site = await mkdtemp(join(folder, 'site-'));
  await mkdir(join(site, 'pages'));
  for (const [index, text] of texts.entries())
    await writeFile(join(site, 'pages', `${index}.html`), text);
  await cluster.b8sctlOk(['push', site, '--site', 'blog']);
  const found = await cluster.b8sctlOk(['get', 'site', 'blog', '-o', 'json']);
  return (JSON.parse(found) as Site).spec.content?.release ?? '';
}

const isHere = (text: string): boolean =>
  existsSync(join(folder, 'state', 'dom', blobPath(digestOf(Buffer.from(text)))));

test('what a deleted release had goes from the disk of dom, and comes back with the next push', async () => {
  const old = await publish('old', 'same');
  await publish('next', 'same');
  expect(['old', 'next', 'same'].map(isHere)).toEqual([true, true, true]);
  await cluster.b8sctlOk(['delete', 'release', old]);
  await until('the old page to go', async () => !isHere('old'), { timeoutMs: 60_000 });
  expect(['next', 'same'].map(isHere)).toEqual([true, true]);
  expect(await publish('old', 'same')).toBe(old);
  expect(['old', 'next', 'same'].map(isHere)).toEqual([true, true, true]);
});
