import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import type { NodeOptions } from './support/cluster.ts';
import { type Browser, browser } from './support/https.ts';
import { describeLane, openLoop } from './support/open-loop.ts';
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
const DRAINED = 'london';
const TTL_S = 5;
const PER_SECOND = 20;
/** For drain to be heard of everywhere, and what resolvers remember to be forgotten. */
const DRAIN_TIMEOUT_MS = 90_000;

await describeOnStores('b8sctl drain and uncordon under requests', (kind) => {
  const scene = useScene(kind, { name: 'drain' });
  const failed: string[] = [];
  let said = '';

  beforeAll(async () => {
    const { cluster } = scene();
    const spec = `  ttl: ${TTL_S}\n  routing: { answers: 3 }\n`;
    const input = `${siteYaml('blog', HOST, spec)}---\n${zoneYaml('example-test', 'example.test')}`;
    await cluster.b8sctlOk(['apply', '-f', '-'], { input });
    await publish(scene(), 'blog', SITE);
    await answersHave(scene(), scene().nodes, 'present');
  }, 180_000);

  test('a drained node leaves DNS answers, goes on serving who still comes, may be stopped, and uncordon brings it back: no request fails', async () => {
    const { cluster, nodes, node } = scene();
    const drained = node(DRAINED);
    const others = nodes.filter(({ name }) => name !== DRAINED);
    const visitor = visitorOf(scene(), others);
    const ending = new AbortController();
    const figures = openLoop(
      [{ name: 'visitors', perSecond: PER_SECOND, ask: visitor.ask }],
      ending.signal,
    );
    // Whoever has the address in a bookmark, and asks until the node is stopped.
    const stopping = new AbortController();
    const stubborn = openLoop(
      [{ name: 'at the drained node', perSecond: PER_SECOND, ask: () => visitor.get(drained) }],
      stopping.signal,
    );
    try {
      const outcome = await cluster.b8sctl(['drain', DRAINED], { timeoutMs: DRAIN_TIMEOUT_MS });
      expect(outcome).toMatchObject({ exitCode: 0, stderr: '' });
      expect(outcome.stdout).toContain('drained; you can stop it');
      await answersHave(scene(), nodes, 'absent');
      expect(await cluster.b8sctlOk(['get', 'node', DRAINED])).toMatch(/london\s+True,Drained?/);
      expect((await visitor.look(drained)).status).toBe(200);
      stopping.abort();
      said = (await stubborn).map(describeLane).join();
      await cluster.subs.get(DRAINED)?.stop();
      cluster.startSub(drained);
      const ready = ['wait', `node/${DRAINED}`, '--for=condition=Ready', '--timeout=60s'];
      await cluster.b8sctlOk(ready);
      await answersHave(scene(), nodes, 'absent');
      // Ready says that it is connected; its edge may still be starting.
      const serves = async () => (await visitor.look(drained)).status === 200;
      await until(`${DRAINED} serves again`, serves, { timeoutMs: 60_000 });
      await cluster.b8sctlOk(['uncordon', DRAINED]);
      await answersHave(scene(), nodes, 'present');
    } finally {
      stopping.abort();
      ending.abort();
      said += `; ${(await figures).map(describeLane).join()}`;
      visitor.close();
    }
    console.log(`${kind}: ${said}`);
    expect(failed).toEqual([]);
    expect(visitor.asked.has(DRAINED)).toBe(true);
  }, 240_000);

  interface Visitor {
    /** By an address of a nameserver's answer, which is remembered for its time as resolvers do. */
    ask(turn: number): Promise<void>;
    /** At this very node. */
    get(node: NodeOptions): Promise<void>;
    look(node: NodeOptions): ReturnType<Browser['get']>;
    /** Nodes that answered. */
    readonly asked: ReadonlySet<string>;
    close(): void;
  }

  function visitorOf(of: Scene, nameservers: readonly NodeOptions[]): Visitor {
    const asked = new Set<string>();
    const client = browser(HOST, of.ca(), { keepAlive: false });
    let remembered: { readonly values: readonly string[]; readonly untilMs: number } | undefined;
    async function addresses(turn: number): Promise<readonly string[]> {
      const nowMs = performance.now();
      if (remembered !== undefined && remembered.untilMs > nowMs) return remembered.values;
      const nameserver = nameservers[turn % nameservers.length] ?? fail('no nameserver');
      const { values } = await askNode(nameserver, { name: HOST, type: 'A' });
      remembered = { values, untilMs: nowMs + TTL_S * 1000 };
      return values;
    }
    async function get(node: NodeOptions): Promise<void> {
      try {
        const { status } = await client.get(edgeOf(node), '/');
        if (status !== 200) failed.push(`${node.name} answered ${status}`);
        asked.add(node.name);
      } catch (error) {
        failed.push(`${node.name}: ${String(error)}`);
      }
    }
    return {
      asked,
      get,
      look: (node) => client.get(edgeOf(node), '/'),
      close: () => client.close(),
      async ask(turn) {
        try {
          const values = await addresses(turn);
          const address = values[turn % values.length];
          await get(of.nodes.find((node) => node.address === address) ?? fail(`${address}?`));
        } catch (error) {
          failed.push(String(error));
        }
      },
    };
  }
});

function fail(why: string): never {
  throw new Error(why);
}

/** Waits until every one of these nameservers answers with the drained node, or without it. */
async function answersHave(
  { node }: Scene,
  nameservers: readonly NodeOptions[],
  what: 'present' | 'absent',
): Promise<void> {
  const { address } = node(DRAINED);
  const isSo = async () => {
    const answers = await Promise.all(
      nameservers.map((each) => askNode(each, { name: HOST, type: 'A' })),
    );
    return answers.every(
      ({ values }) => values.length > 0 && values.includes(address) === (what === 'present'),
    );
  };
  await until(`${DRAINED} is ${what} in all answers`, isSo, { timeoutMs: 30_000 });
}
