import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { GRANT_S_MAX, PEER_SERVER_NAME } from '../runtime/content/peer-url.ts';
import { freePortsAt } from '../runtime/node/free-ports.ts';
import { type Cluster, type NodeOptions, startCluster } from './support/cluster.ts';
import { browser } from './support/https.ts';
import { domMetric } from './support/metrics.ts';
import { freePorts } from './support/ports.ts';

const NODES = 8;
const FILES = 40;
const FILE_BYTES = 1_000_000;
const SMALL_FILES = 200;
const LARGE_BYTES = 20_000_000;
const CONTENT_BYTES = FILES * FILE_BYTES + LARGE_BYTES;
const HOST = 'blog.test';

let folder: string;
let cluster: Cluster;
let nodes: readonly NodeOptions[];
const dom = { address: '127.0.0.1', port: 0 };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'b8s-peers-'));
  const site = join(folder, 'site');
  await mkdir(site);
  await writeFile(join(site, 'index.html'), '<h1>hello</h1>');
  await writeFile(join(site, 'large.bin'), randomBytes(LARGE_BYTES));
  for (let number = 0; number < FILES; number += 1)
    await writeFile(join(site, `${number}.bin`), randomBytes(FILE_BYTES));
  for (let number = 0; number < SMALL_FILES; number += 1)
    await writeFile(join(site, `${number}.txt`), `small file ${number}`);
  [dom.port = 0] = await freePorts(1);
  const addresses = Array.from({ length: NODES }, (_, index) => `127.81.0.${11 + index}`);
  const [dnsPort = 0, httpPort = 0, httpsPort = 0] = await freePortsAt(addresses, 3);
  nodes = addresses.map((address, index) => ({
    ...{ name: `node-${index}`, address, latitude: 0, longitude: 0, roles: ['edge'] },
    ...{ dnsPort, httpPort, httpsPort },
  }));
  const stateDir = join(folder, 'state');
  cluster = await startCluster({ stateDir, dom, nodes, geo: 'none' });
  const spec = { hosts: [HOST], compression: 'off' };
  const declared = { apiVersion: 'b8s.dev/v1', kind: 'Site', metadata: { name: 'blog' }, spec };
  await cluster.b8sctlOk(['apply', '-f', '-'], { input: JSON.stringify(declared) });
}, 300_000);
afterAll(async () => {
  await cluster?.stop();
  await rm(folder, { recursive: true, force: true });
});

async function logOf(node: string): Promise<string> {
  return readFile(join(cluster.stateDir, 'log', `${node}.log`), 'utf8');
}

test('eight nodes do not cost dom eight uploads', async () => {
  const args = ['push', join(folder, 'site'), '--site', 'blog', '--wait', '--timeout', '4m'];
  await cluster.b8sctlOk(args, { timeoutMs: 250_000 });
  const { get: open, close } = browser(HOST, await readFile(cluster.caFile, 'utf8'), {
    keepAlive: false,
  });
  for (const { address, httpsPort } of nodes) {
    const page = await open({ address, port: httpsPort }, '/');
    expect([page.status, page.body.toString()]).toEqual([200, '<h1>hello</h1>']);
    const large = await open({ address, port: httpsPort }, '/large.bin');
    expect(large.body.length).toBe(LARGE_BYTES);
  }
  close();
  const sentBytes = await domMetric(cluster.connection(), 'b8s_blob_bytes_sent_total');
  expect(sentBytes).toBeGreaterThanOrEqual(CONTENT_BYTES);
  expect(sentBytes).toBeLessThan(0.7 * NODES * CONTENT_BYTES);
  const logs = await Promise.all(nodes.map(({ name }) => logOf(name)));
  const fromEdges = logs.filter((log) => log.includes('an edge is fetched from'));
  expect(fromEdges.length).toBeGreaterThanOrEqual(NODES - 4);
  expect(fromEdges.some((log) => log.includes('"asked":"for several"'))).toBe(true);
}, 300_000);

test('whoever has no signed URL gets nothing from an edge, and its name no site’s pages', async () => {
  const [node] = nodes;
  if (node === undefined) throw new Error('there are no nodes');
  const digits = 'ab'.repeat(32);
  const until = Math.floor(Date.now() / 1000) + GRANT_S_MAX / 2;
  const signed = `?of=${digits}&for=node-1&until=${until}&sig=${digits}`;
  const paths = ['/', '/index.html', `/.well-known/b8s/blob/${digits}${signed}`, '/../node.json'];
  for (const path of paths) expect(await ask(node, path)).toMatch(/^HTTP\/1\.1 (400|403) /u);
});

/** The raw answer to one request, to whoever asks by the name that edges have for each other. */
function ask({ address, httpsPort }: NodeOptions, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      ...{ host: address, port: httpsPort, servername: PEER_SERVER_NAME },
      rejectUnauthorized: false,
    });
    let text = '';
    socket.on('data', (piece: Buffer) => {
      text += piece.toString();
    });
    socket.on('end', () => resolve(text));
    socket.on('error', reject);
    socket.write(`GET ${path} HTTP/1.1\r\nHost: ${PEER_SERVER_NAME}\r\nConnection: close\r\n\r\n`);
  });
}
