import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { portsFree } from '../../runtime/node/free-ports.ts';
import { browser, http2Browser } from '../support/https.ts';
import { until } from '../support/processes.ts';
import { askNode, publish, siteYaml, useScene, zoneYaml } from '../support/scene.ts';

const HOST = 'blog.six.test';
const missing = ipv6Missing();
const suffix = missing === undefined ? '' : ` (skipped: ${missing})`;

describe.skipIf(missing !== undefined)(`an edge over IPv6 as over IPv4${suffix}`, () => {
  const scene = useScene('sqlite', { name: 'edge-ipv6', nodes: 1 });
  const folder = mkdtempSync(join(tmpdir(), 'b8s-ipv6-'));
  const edges = () => {
    const { address, httpsPort } = scene().node('sydney');
    return [address, '::1'].map((each) => ({ address: each, port: httpsPort }));
  };

  beforeAll(async () => {
    const { cluster } = scene();
    const node = scene().node('sydney');
    for (const port of [node.httpPort, node.httpsPort, node.dnsPort])
      if (!(await portsFree(['::1'], port))) throw new Error(`[::1]:${port} is taken`);
    const input = `${zoneYaml('six', 'six.test')}---\n${siteYaml('blog', HOST)}`;
    await cluster.b8sctlOk(['apply', '-f', '-'], { input });
    const both = { spec: { ipv4: [node.address], ipv6: ['::1'] } };
    await cluster.b8sctlOk(['patch', 'node/sydney', '-p', JSON.stringify(both)]);
    writeFileSync(join(folder, 'index.html'), '<h1>six</h1>');
    await publish(scene(), 'blog', folder);
    const isOpen = async () => !(await portsFree(['::1'], node.httpsPort));
    await until('it listens at ::1', isOpen, { timeoutMs: 30_000 });
  }, 120_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('the same page comes over both, with HTTP/1.1 and HTTP/2', async () => {
    const seen: string[] = [];
    for (const edge of edges())
      for (const open of [browser, http2Browser]) {
        const client = open(HOST, scene().ca(), { keepAlive: false });
        const { status, body, headers } = await client.get(edge, '/');
        client.close();
        seen.push(`${status} ${body.toString()} ${String(headers['etag'])}`);
      }
    expect(seen).toHaveLength(4);
    expect(new Set(seen).size).toBe(1);
    expect(seen[0]).toMatch(/^200 <h1>six<\/h1> "/u);
  });

  test('plain HTTP leads to HTTPS at the same host, whatever address was asked', async () => {
    const { httpPort, httpsPort } = scene().node('sydney');
    for (const { address } of edges()) {
      const location = `https://${HOST}:${httpsPort}/a?b=c`;
      expect(await plain(address, httpPort, HOST)).toEqual([308, location]);
    }
    // An address in place of a name is no site.
    expect(await plain('::1', httpPort, '[::1]')).toEqual([421, undefined]);
  });

  test('the nameserver says AAAA and A', async () => {
    const node = scene().node('sydney');
    const asked = async (type: 'A' | 'AAAA') => (await askNode(node, { name: HOST, type })).values;
    await until('AAAA is answered', async () => (await asked('AAAA')).length > 0, {
      timeoutMs: 30_000,
    });
    expect([await asked('AAAA'), await asked('A')]).toEqual([['::1'], [node.address]]);
  });
});

function plain(address: string, port: number, host: string): Promise<readonly unknown[]> {
  return new Promise((resolve, reject) => {
    const call = request(
      { host: address, port, path: '/a?b=c', headers: { host }, agent: false },
      (response) => {
        response.resume();
        resolve([response.statusCode, response.headers.location]);
      },
    );
    call.on('error', reject);
    call.end();
  });
}

function ipv6Missing(): string | undefined {
  const addresses = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  if (addresses.some(({ address }) => address === '::1')) return undefined;
  if (process.env['CI'] === 'true') throw new Error('this machine has no ::1');
  return 'this machine has no ::1';
}
