import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Node } from '../api/node.ts';
import { condition } from '../api/object.ts';
import { freePortsAt } from '../runtime/node/free-ports.ts';
import { type Cluster, type NodeOptions, startCluster, threeNodes } from './support/cluster.ts';
import { browser } from './support/https.ts';
import { until } from './support/processes.ts';
import { AREA, edgeOf, siteYaml } from './support/scene.ts';

/** Room on the disk of one node: for a small release, and not for a large one. */
const ROOM = '4m';
const LARGE_BYTES = 8_000_000;
const HOST = 'blog.example.test';
const isRoot = process.getuid?.() === 0;
const why = isRoot ? '' : ' (skipped: only root may mount a small file system)';

let folder: string;
let small: string;
let cluster: Cluster;
let nodes: readonly NodeOptions[];

function mount(...options: readonly string[]): void {
  execFileSync('mount', ['-t', 'tmpfs', '-o', options.join(','), 'tmpfs', small]);
}

async function page(node: NodeOptions): Promise<string | undefined> {
  const visitor = browser(HOST, readFileSync(cluster.caFile, 'utf8'), { keepAlive: false });
  const found = await visitor.get(edgeOf(node), '/').catch(() => undefined);
  visitor.close();
  return found?.status === 200 ? found.body.toString() : undefined;
}

async function push(version: number, files: Readonly<Record<string, Uint8Array>>): Promise<void> {
  const site = join(folder, `v${version}`);
  await mkdir(site);
  await writeFile(join(site, 'index.html'), `version ${version}`);
  for (const [name, bytes] of Object.entries(files)) await writeFile(join(site, name), bytes);
  await cluster.b8sctlOk(['push', site, '--site', 'blog']);
}

const served = async (version: number): Promise<boolean> => {
  const pages = await Promise.all(nodes.map((node) => page(node)));
  return pages.every((text) => text === `version ${version}`);
};

describe.skipIf(!isRoot)(`a node whose disk fills up${why}`, () => {
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'b8s-full-'));
    const planned = threeNodes(AREA, { dns: 0, http: 0, https: 0 }).slice(0, 2);
    const address = `127.${AREA}.0.10`;
    const addresses = [address, ...planned.map((node) => node.address)];
    const [port = 0, dns = 0, http = 0, https = 0] = await freePortsAt(addresses, 4);
    nodes = threeNodes(AREA, { dns, http, https }).slice(0, 2);
    small = join(folder, 'state', 'sub', nodes[0]?.name ?? '');
    await mkdir(small, { recursive: true });
    mount(`size=${ROOM}`);
    const dom = { address, port };
    cluster = await startCluster({ stateDir: join(folder, 'state'), dom, nodes, geo: 'none' });
    await cluster.b8sctlOk(['apply', '-f', '-'], { input: siteYaml('blog', HOST) });
  });
  afterAll(async () => {
    await cluster?.stop();
    execFileSync('umount', ['-l', small]);
    await rm(folder, { recursive: true, force: true });
  });

  test('serves the old release, says so, and catches up once there is room', async () => {
    const name = nodes[0]?.name ?? '';
    await push(1, {});
    await until('both serve the first release', () => served(1), { timeoutMs: 60_000 });
    const pid = cluster.subs.get(name)?.pid;
    await push(2, { 'large.bin': randomBytes(LARGE_BYTES) });
    const says = async (): Promise<string | undefined> => {
      const args = ['rollout', 'status', 'site/blog', '--timeout', '1s'];
      const { stdout } = await cluster.b8sctl(args);
      return stdout.includes('its disk is full') ? stdout : undefined;
    };
    const said = await until('b8sctl says what is wrong', says, { timeoutMs: 60_000 });
    expect(said).toContain(`waiting for ${name} (its disk is full: no space left`);
    expect(said).toContain('make room, and it goes on by itself');
    const full = async () => {
      const found = await cluster.b8sctlOk(['get', 'node', name, '-o', 'json']);
      return condition(JSON.parse(found) as Node, 'DiskRoom');
    };
    expect(await full()).toMatchObject({ status: 'False', reason: 'DiskFull' });
    expect(await served(1)).toBe(true);
    mount('remount', 'size=64m');
    await until('both serve the second release', () => served(2), { timeoutMs: 60_000 });
    expect(cluster.subs.get(name)?.pid).toBe(pid);
    const isOver = async () => (await full()) === undefined;
    await until('nothing is said of its disk any more', isOver, { timeoutMs: 30_000 });
  });
});
