import { get } from 'node:http';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { HEALTH_PATH } from '../runtime/probe.ts';
import type { NodeOptions } from './support/cluster.ts';
import { browser } from './support/https.ts';
import { until } from './support/processes.ts';
import {
  askNode,
  describeOnStores,
  edgeOf,
  publish,
  type Scene,
  siteYaml,
  useScene,
  zoneYaml,
} from './support/scene.ts';

const SITE = join(import.meta.dirname, '../manifests/demo/site');
const HOST = 'blog.example.test';
const VICTIM = 'sydney';
const DETECTION_MS_MAX = 5_000;
const PATHS = ['/', '/about/', '/assets/style.css', '/nothing-here'];

await describeOnStores('a node that fails', (kind) => {
  const scene = useScene(kind, { name: 'node-failure' });

  beforeAll(async () => {
    const { cluster } = scene();
    const input = `${siteYaml('blog', HOST, '  routing: { answers: 3 }\n')}---\n${zoneYaml('example-test', 'example.test')}`;
    await cluster.b8sctlOk(['apply', '-f', '-'], { input });
    await publish(scene(), 'blog', SITE);
    await everywhere(scene(), 'present');
  });

  test('kill -9 of a sub: answers of the other nameservers leave it out within 5 seconds, and its return is noticed within 5 seconds', async () => {
    await failAndReturn(scene(), `${kind}, with dom`);
  });

  describe('without dom', () => {
    beforeAll(() => scene().cluster.dom.kill9());

    test('kill -9 of a sub: the same, though dom was killed first', async () => {
      await failAndReturn(scene(), `${kind}, without dom`);
    });

    test('a node that reboots serves DNS and HTTPS from its disk: the same bytes', async () => {
      const { cluster, ca, node } = scene();
      const before = await look(node('london'), ca());
      await cluster.subs.get('london')?.kill9();
      cluster.startSub(node('london'));
      await until('london answers', () => look(node('london'), ca()), { timeoutMs: 30_000 });
      expect(await look(node('london'), ca())).toEqual(before);
    });

    test('all nodes reboot at once: the same bytes, and everyone is in the answers again', async () => {
      const { cluster, nodes, ca } = scene();
      const before = await Promise.all(nodes.map((node) => look(node, ca())));
      await Promise.all([...cluster.subs.values()].map((sub) => sub.kill9()));
      for (const node of nodes) cluster.startSub(node);
      for (const node of nodes)
        await until(`${node.name} answers`, () => look(node, ca()), { timeoutMs: 30_000 });
      expect(await Promise.all(nodes.map((node) => look(node, ca())))).toEqual(before);
      await everywhere(scene(), 'present');
    });
  });
});

/** Kills the victim, waits until it is out, starts it, waits until it is in; measures both. */
async function failAndReturn(scene: Scene, when: string): Promise<void> {
  const { cluster, node } = scene;
  await everywhere(scene, 'present');
  await cluster.subs.get(VICTIM)?.kill9();
  const outMs = await everywhere(scene, 'absent');
  cluster.startSub(node(VICTIM));
  await until(`${VICTIM} is healthy`, () => healthy(node(VICTIM)), {
    timeoutMs: 30_000,
    everyMs: 20,
  });
  const backMs = await everywhere(scene, 'present');
  console.log(`${when}: out after ${outMs.toFixed(0)} ms, back after ${backMs.toFixed(0)} ms`);
  expect(outMs).toBeLessThan(DETECTION_MS_MAX);
  expect(backMs).toBeLessThan(DETECTION_MS_MAX);
}

/** Waits until every other nameserver's answer holds the victim, or not. Gives how long it took. */
async function everywhere(scene: Scene, wanted: 'present' | 'absent'): Promise<number> {
  const startMs = performance.now();
  const { address } = scene.node(VICTIM);
  const others = scene.nodes.filter(({ name }) => name !== VICTIM);
  await Promise.all(
    others.map((node) =>
      until(
        `${VICTIM} is ${wanted} at ${node.name}`,
        async () => {
          const { values } = await askNode(node, { name: HOST, type: 'A' });
          expect(values.length).toBeGreaterThan(0);
          return values.includes(address) === (wanted === 'present');
        },
        { timeoutMs: 30_000, everyMs: 20 },
      ),
    ),
  );
  return performance.now() - startMs;
}

/** All that a client sees of one node. Rejects while it does not answer. */
async function look(node: NodeOptions, ca: string): Promise<readonly string[]> {
  const client = browser(HOST, ca, { keepAlive: false });
  const soa = await askNode(node, { name: 'example.test', type: 'SOA' });
  const address = await askNode(node, { name: HOST, type: 'A' });
  expect(address.rcode).toBe('NOERROR');
  const pages = await Promise.all(PATHS.map((path) => client.get(edgeOf(node), path)));
  return [
    JSON.stringify(soa.answers),
    ...pages.map(
      ({ status, headers, body }) => `${status} ${headers['etag']} ${body.toString('base64')}`,
    ),
  ];
}

function healthy({ address, httpPort }: NodeOptions): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get(
      {
        host: address,
        port: httpPort,
        path: HEALTH_PATH,
        agent: false,
        timeout: 1_000,
      },
      (response) => {
        response.resume();
        resolve(response.statusCode === 200);
      },
    );
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(false));
  });
}
