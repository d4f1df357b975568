import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { beforeAll, expect, test } from 'vitest';
import { type Api, ApiError, type DeclaredObject } from '../runtime/api-client.ts';
import { grpcApi } from '../runtime/node/grpc/api.ts';
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
import { seededRandom } from './support/seeded.ts';

const SITE = join(import.meta.dirname, '../manifests/demo/site');
const HOST = 'blog.example.test';
const COUNTER = { kind: 'Zone', namespace: 'default', name: 'counter-test' };
const APPLIES = 200;
const KILLS = 5;
const SEED = 5;

await describeOnStores('kill -9 of dom', (kind) => {
  const scene = useScene(kind, { name: 'dom-crash' });

  beforeAll(async () => {
    const { cluster } = scene();
    const input = `${siteYaml('blog', HOST)}---\n${zoneYaml('example-test', 'example.test')}`;
    await cluster.b8sctlOk(['apply', '-f', '-'], { input });
    await publish(scene(), 'blog', SITE);
    await Promise.all(
      scene().nodes.map((node) =>
        until(
          `${node.name} answers`,
          async () => (await askNode(node, { name: HOST, type: 'A' })).values.length > 0,
          { timeoutMs: 30_000 },
        ),
      ),
    );
  });

  test(`at ${KILLS} random moments during ${APPLIES} applies, seed ${SEED}: every acknowledged apply is there, and subs go on serving and catch up`, async () => {
    const { cluster } = scene();
    const traffic = serveAll(scene());
    const killer = killAtRandom(scene());
    const client = reconnecting(scene());
    const acknowledged: number[] = [];
    try {
      for (let count = 1; count <= APPLIES; count += 1) {
        killer.applying(count);
        await client.applyUntilAcknowledged(counter(count));
        acknowledged.push(count);
        await killer.acknowledged();
      }
    } finally {
      client.close();
      await traffic.stop();
    }
    await cluster.domReady();
    const api = connect(scene());
    const kept = (await api.history(COUNTER)).map(({ spec }) => countOf(spec));
    expect(kept).toEqual(acknowledged);
    expect(countOf((await api.get(COUNTER)).spec)).toBe(APPLIES);
    api.close();
    for (const node of scene().nodes) {
      await until(
        `${node.name} has caught up`,
        async () => {
          const { values } = await askNode(node, { name: 'counter.test', type: 'TXT' });
          return values.join() === String(APPLIES);
        },
        { timeoutMs: 30_000 },
      );
    }
    console.log(`${kind}: ${traffic.answers()} answers during ${killer.kills()} kills of dom`);
    expect(killer.kills()).toBe(KILLS);
    expect(traffic.failures().slice(0, 10)).toEqual([]);
    expect(traffic.answers()).toBeGreaterThan(APPLIES);
  }, 240_000);
});

/** Tries again until dom says that it has it, as `b8sctl apply` in a loop would. */
function reconnecting(scene: Scene) {
  let api = connect(scene);
  return {
    async applyUntilAcknowledged(object: DeclaredObject): Promise<void> {
      for (const deadlineMs = performance.now() + 60_000; performance.now() < deadlineMs; ) {
        try {
          await api.apply(object, { manager: 'e2e' });
          return;
        } catch (error) {
          if (!(error instanceof ApiError && isPassing(error))) throw error;
          // At once, not after the pauses that gRPC makes between its tries.
          api.close();
          api = connect(scene);
          await pause(50);
        }
      }
      throw new Error('dom did not acknowledge within 60 s');
    },
    close: () => api.close(),
  };
}

function isPassing({ reason }: ApiError): boolean {
  return reason === 'Unavailable' || reason === 'Aborted' || reason === 'Timeout';
}

/** The n-th state of the zone: a text that holds n. */
function counter(count: number): DeclaredObject {
  const records = [{ name: '@', type: 'TXT', ttl: 5, values: [String(count)] }];
  return {
    apiVersion: 'b8s.dev/v1',
    kind: 'Zone',
    metadata: { name: COUNTER.name, namespace: COUNTER.namespace },
    spec: { origin: 'counter.test', records },
  };
}

function countOf(spec: unknown): number {
  const { records } = spec as {
    readonly records: readonly { readonly values: readonly string[] }[];
  };
  return Number(records[0]?.values[0]);
}

/** Kills dom at seeded moments of applies, also just before and just after; starts it again. */
function killAtRandom({ cluster }: Scene) {
  const random = seededRandom(SEED);
  const shares = new Map<number, number>();
  while (shares.size < KILLS) {
    shares.set(10 + Math.floor(random() * (APPLIES - 10)), random() * 1.2);
  }
  const lastMs: number[] = [];
  let kills = 0;
  let killing = Promise.resolve();
  let startMs = 0;

  async function kill(afterMs: number): Promise<void> {
    await pause(afterMs);
    await cluster.dom.kill9();
    kills += 1;
    cluster.dom.start();
  }

  return {
    kills: () => kills,
    applying(count: number) {
      startMs = performance.now();
      const share = shares.get(count);
      const usualMs = lastMs.slice(-9).toSorted((a, b) => a - b)[4] ?? 0;
      if (share !== undefined) killing = kill(share * usualMs);
    },
    acknowledged: () => {
      lastMs.push(performance.now() - startMs);
      return killing;
    },
  };
}

/** A client at each node, over HTTPS and DNS, all the time. */
function serveAll(scene: Scene) {
  const failures: string[] = [];
  let answers = 0;
  const over = new AbortController();
  const kept = browser(HOST, scene.ca(), { keepAlive: true });
  const cold = browser(HOST, scene.ca(), { keepAlive: false });
  const clients = scene.nodes.map(async (node) => {
    const first = await kept.get(edgeOf(node), '/');
    for (let turn = 0; !over.signal.aborted; turn += 1) {
      try {
        const page = await (turn % 10 === 0 ? cold : kept).get(edgeOf(node), '/');
        if (page.status !== 200 || !page.body.equals(first.body)) {
          failures.push(`${node.name}: HTTPS ${page.status}, ${page.body.length} bytes`);
        }
        const { rcode, values } = await askNode(node, { name: HOST, type: 'A' });
        if (rcode !== 'NOERROR' || values.length === 0) failures.push(`${node.name}: DNS ${rcode}`);
        answers += 2;
      } catch (error) {
        failures.push(`${node.name}: ${String(error)}`);
      }
      // So that dom and its clients have some of the processor, too.
      await pause(10);
    }
  });
  return {
    failures: () => failures,
    answers: () => answers,
    async stop() {
      over.abort();
      await Promise.all(clients);
      kept.close();
      cold.close();
    },
  };
}

function connect({ cluster }: Scene): Api {
  return grpcApi(cluster.connection(), { requestTimeoutMs: 5_000, command: 'e2e' });
}
