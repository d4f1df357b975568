import { createCipheriv, createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePortsAt } from '../../runtime/node/free-ports.ts';
import { browser } from '../support/https.ts';
import { until } from '../support/processes.ts';
import { describeOnStores, edgeOf, publish, siteYaml, useScene } from '../support/scene.ts';
import { type SlowDownload, slowDownload } from './slow-download.ts';

const HOST = 'large.example.test';
/** Far more than all buffers between a server and a client who does not read. */
const LARGE = createCipheriv('aes-128-ctr', Buffer.alloc(16), Buffer.alloc(16)).update(
  Buffer.alloc(40 * 1024 * 1024),
);
const WHOLE = {
  sizeBytes: LARGE.length,
  sha256: createHash('sha256').update(LARGE).digest('hex'),
};
const PROTOCOLS = ['HTTP/1.1', 'HTTP/2'] as const;

await describeOnStores(
  'drain',
  (kind) => {
    const scene = useScene(kind, { name: 'drain', nodes: 2 });
    const folder = mkdtempSync(join(tmpdir(), 'b8s-drain-'));

    beforeAll(async () => {
      writeFileSync(join(folder, 'index.html'), '<h1>large</h1>');
      writeFileSync(join(folder, 'large.bin'), LARGE);
      await scene().cluster.b8sctlOk(['apply', '-f', '-'], { input: siteYaml('large', HOST) });
      await publish(scene(), 'large', folder);
    }, 240_000);
    afterAll(() => rmSync(folder, { recursive: true, force: true }));

    function downloads(node: string): Promise<readonly SlowDownload[]> {
      const edge = edgeOf(scene().node(node));
      const given = { edge, host: HOST, ca: scene().ca(), path: '/large.bin' };
      return Promise.all(PROTOCOLS.map((protocol) => slowDownload(protocol, given)));
    }

    async function expectServing(node: string): Promise<void> {
      const client = browser(HOST, scene().ca(), { keepAlive: false });
      const page = await client.get(edgeOf(scene().node(node)), '/');
      expect(page.status).toBe(200);
    }

    test('a cordoned node serves on, and so do downloads that go on there', async () => {
      const { cluster } = scene();
      const under = await downloads('sydney');
      await cluster.b8sctlOk(['cordon', 'sydney']);
      await expectServing('sydney');
      for (const each of under) expect(await each.finish()).toEqual(WHOLE);
      await cluster.b8sctlOk(['uncordon', 'sydney']);
    });

    test('downloads outlive the workers that they began with, and new requests go to new ones', async () => {
      const { cluster } = scene();
      const node = scene().node('sydney');
      const under = await downloads('sydney');
      const [, second] = under;
      // Another port of HTTP: the edge is opened anew beside the old one, at the same port of HTTPS.
      const yaml = await cluster.b8sctlOk(['get', 'node', 'sydney', '-o', 'yaml']);
      const [other = 0] = await freePortsAt([node.address], 1);
      const changed = yaml.replace(`http: ${node.httpPort}`, `http: ${other}`);
      expect(changed).not.toBe(yaml);
      await cluster.b8sctlOk(['apply', '-f', '-'], { input: changed });
      await until('the new edge is there', () => isOpen(node.address, other), {
        timeoutMs: 30_000,
      });
      await until('the old edge lets clients go', async () => second?.hasGoaway() === true, {
        timeoutMs: 30_000,
      });
      await expectServing('sydney');
      for (const each of under) expect(await each.finish()).toEqual(WHOLE);
      await expectServing('sydney');
    });

    test('on SIGTERM nothing new is taken, all that is under way is finished, and sub ends well', async () => {
      const { cluster } = scene();
      const node = scene().node('london');
      const under = await downloads('london');
      const [, second] = under;
      const sub = cluster.subs.get('london');
      const ended = sub?.stop('SIGTERM', { killAfterMs: 60_000 });
      await until(
        'it takes no connections',
        async () => !(await isOpen(node.address, node.httpsPort)),
        {
          timeoutMs: 10_000,
          everyMs: 20,
        },
      );
      await until('it lets clients go', async () => second?.hasGoaway() === true, {
        timeoutMs: 10_000,
        everyMs: 20,
      });
      for (const each of under) expect(await each.finish()).toEqual(WHOLE);
      expect(await ended).toBe(0);
      await expectServing('sydney');
      cluster.startSub(node);
      await until(
        'it serves again',
        async () => {
          await expectServing('london');
          return true;
        },
        { timeoutMs: 60_000 },
      );
    });
  },
  ['sqlite'],
);

function isOpen(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
