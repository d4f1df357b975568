import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Repository } from '../api/repository.ts';
import { ApiError } from '../runtime/api-client.ts';
import { connectionOf, parseConfig } from '../runtime/client-config.ts';
import { grpcApi } from '../runtime/node/grpc/api.ts';
import { domArguments, readText } from './support/cluster.ts';
import { browser } from './support/https.ts';
import { type Program, program, run, until } from './support/processes.ts';
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
import { callWebhook } from './support/webhook.ts';

const BIN = join(import.meta.dirname, '../bin');
const SITE = join(import.meta.dirname, '../manifests/demo/site');
const HOST = 'blog.example.test';
/** The lease of a dead leader, and one round of campaigning. */
const TAKEOVER_MS_MAX = 20_000;

await describeOnStores(
  'two doms on one store',
  (kind) => {
    const scene = useScene(kind, { name: 'two-doms', doms: 2 });
    let second: Program;

    beforeAll(async () => {
      const { cluster } = scene();
      second = secondDom(scene());
      second.start();
      const input = `${siteYaml('blog', HOST)}---\n${zoneYaml('example-test', 'example.test', '[{ name: "@", type: TXT, values: [before] }]')}`;
      await cluster.b8sctlOk(['apply', '-f', '-'], { input });
      await publish(scene(), 'blog', SITE);
    });
    afterAll(async () => {
      await second.stop();
    });

    test('one leads; the other says who does', async () => {
      const said = await doesNotLead(secondConfig(scene()));
      expect(said).toMatch(new RegExp(`this dom does not lead: ${address(scene())} does`));
    });

    test('a webhook at the dom that does not lead has the leader look', async () => {
      const { cluster, dom, peers } = scene();
      const [host = ''] = (peers[0] ?? '').split(':');
      // Nobody is there, and that is what the leader finds.
      const input = `${hookedYaml('infra', 'git://127.0.0.1:1/infra.git')}`;
      await cluster.b8sctlOk(['apply', '-f', '-'], { input });
      const push = { name: 'infra', secret: 'key', commit: 'a'.repeat(40) };
      const second = { address: host, port: dom.port };
      expect(await callWebhook(second, push)).toMatchObject({ status: 202 });
      expect(await callWebhook(dom, push)).toMatchObject({ status: 200 });
      const status = await until(
        'the leader has looked for it',
        async () => {
          const printed = await cluster.b8sctlOk(['get', 'repository', 'infra', '-o', 'json']);
          const { status: found } = JSON.parse(printed) as Repository;
          return found?.handledRequest === undefined ? undefined : found;
        },
        { timeoutMs: 30_000 },
      );
      expect(status.handledRequest).toMatch(/ webhook=/);
      const path = '/hooks/default/infra';
      const urls = [address(scene()), peers[0] ?? ''].map((each) => `https://${each}${path}`);
      expect(status.webhook?.urls).toEqual(urls.toSorted());
      await cluster.b8sctlOk(['delete', 'repository', 'infra']);
    });

    test('kill -9 of the leader: the other takes over with a higher epoch, and subs follow it', async () => {
      const { cluster, nodes, ca } = scene();
      const client = browser(HOST, ca(), { keepAlive: false });
      const pages = await Promise.all(nodes.map((node) => client.get(edgeOf(node), '/')));
      const before = await epochOf(cluster.configFile);
      await cluster.dom.kill9();
      const startMs = performance.now();
      const after = await until(
        'the second dom leads',
        () => epochOf(secondConfig(scene())).catch(() => undefined),
        {
          timeoutMs: 60_000,
        },
      );
      const tookMs = performance.now() - startMs;
      expect(after).toBeGreaterThan(before);
      expect(tookMs).toBeLessThan(TAKEOVER_MS_MAX);
      const zone = zoneYaml(
        'example-test',
        'example.test',
        '[{ name: "@", type: TXT, values: [after] }]',
      );
      const applied = await b8sctlAtSecond(scene(), ['apply', '-f', '-'], zone);
      expect(applied).toMatchObject({
        exitCode: 0,
        stdout: 'zone.b8s.dev/example-test configured\n',
      });
      for (const node of nodes) {
        await until(
          `${node.name} follows the second dom`,
          async () =>
            (await askNode(node, { name: 'example.test', type: 'TXT' })).values.join() === 'after',
          { timeoutMs: 30_000 },
        );
      }
      const followedMs = performance.now() - startMs;
      console.log(
        `${kind}: epoch ${before} → ${after} after ${tookMs.toFixed(0)} ms; nodes follow after ${followedMs.toFixed(0)} ms`,
      );
      const still = await Promise.all(nodes.map((node) => client.get(edgeOf(node), '/')));
      expect(still.map(({ body }) => body)).toEqual(pages.map(({ body }) => body));
    });

    test('the former leader comes back, and does not lead', async () => {
      const { cluster } = scene();
      cluster.dom.start();
      await doesNotLead(cluster.configFile);
    });
  },
  ['etcd'],
);

function hookedYaml(name: string, url: string): string {
  return `apiVersion: b8s.dev/v1
kind: Secret
metadata: { name: hook }
spec: { data: { secret: key } }
---
apiVersion: b8s.dev/v1
kind: Repository
metadata: { name: ${name} }
spec: { url: "${url}", ref: { branch: main }, interval: 1h, webhook: { secretRef: hook } }
`;
}

/** On a machine of its own it would have its own folder; the seal key is brought there by hand. */
function secondDom(scene: Scene): Program {
  const { cluster, dom, peers, store, logDir } = scene;
  const stateDir = join(cluster.stateDir, 'dom2');
  mkdirSync(stateDir, { recursive: true });
  copyFileSync(join(cluster.stateDir, 'dom', 'seal.key'), join(stateDir, 'seal.key'));
  const [host = ''] = (peers[0] ?? '').split(':');
  const own = { address: host, port: dom.port, peers: [address(scene)] };
  return program({
    name: 'dom2',
    command: join(BIN, 'dom'),
    args: domArguments({ dom: own, store, geo: 'none' }, stateDir),
    logFile: join(logDir, 'dom2.log'),
  });
}

function address({ dom }: Scene): string {
  return `${dom.address}:${dom.port}`;
}

function secondConfig({ cluster }: Scene): string {
  return join(cluster.stateDir, 'dom2', 'config');
}

function b8sctlAtSecond(scene: Scene, args: readonly string[], input: string) {
  return run(join(BIN, 'b8sctl'), ['--config', secondConfig(scene), ...args], { input });
}

/** Waits until that dom says so: before, it may not listen yet, or be starting. */
function doesNotLead(configFile: string): Promise<string> {
  const refusal = async (): Promise<string | undefined> => {
    const said = await refusalOf(configFile);
    return said?.includes('does not lead') ? said : undefined;
  };
  return until('the dom says that it does not lead', refusal, { timeoutMs: 30_000 });
}

async function refusalOf(configFile: string): Promise<string | undefined> {
  try {
    await epochOf(configFile);
    return undefined;
  } catch (error) {
    return error instanceof ApiError ? error.message : undefined;
  }
}

async function epochOf(configFile: string): Promise<bigint> {
  const connection = connectionOf(parseConfig(readText(configFile)), '');
  const api = grpcApi(connection, { requestTimeoutMs: 2_000, command: 'e2e' });
  try {
    return (await api.serverInfo()).epoch;
  } finally {
    api.close();
  }
}
