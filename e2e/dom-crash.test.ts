import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { beforeAll, expect, test } from 'vitest';
import { type Api, ApiError, type DeclaredObject } from '../runtime/api-client.ts';
import { grpcApi } from '../runtime/node/grpc-api.ts';
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
/** The longest way from sending an apply to its answer, about; kills fall anywhere in it. */
const APPLY_MS_MAX = 12;

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
    const acknowledged: number[] = [];
    try {
      for (let count = 1; count <= APPLIES; count += 1) {
        killer.applying(count);
        await applyUntilAcknowledged(scene(), count);
        acknowledged.push(count);
        await killer.settled();
      }
    } finally {
      await traffic.stop();
    }
    await cluster.domReady();
    await withApi(scene(), async (api) => {
      const kept = (await api.history(COUNTER)).map(({ spec }) => countOf(spec));
      expect(kept.filter((each, index) => each !== kept[index - 1])).toEqual(acknowledged);
      expect(countOf((await api.get(COUNTER)).spec)).toBe(APPLIES);
    });
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
async function applyUntilAcknowledged(scene: Scene, count: number): Promise<void> {
  await until(
    `apply ${count} is acknowledged`,
    async () => {
      try {
        await withApi(scene, (api) => api.apply(counter(count), { manager: 'e2e' }));
        return true;
      } catch (error) {
        if (error instanceof ApiError && isPassing(error)) return false;
        return Promise.reject(error);
      }
    },
    { timeoutMs: 60_000, everyMs: 50 },
  );
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

/** Kills dom at seeded moments within applies, and starts it again. */
function killAtRandom({ cluster }: Scene) {
  const random = seededRandom(SEED);
  const moments = new Map<number, number>();
  while (moments.size < KILLS) {
    moments.set(2 + Math.floor(random() * (APPLIES - 2)), random() * APPLY_MS_MAX);
  }
  let kills = 0;
  let killing = Promise.resolve();

  async function kill(afterMs: number): Promise<void> {
    await pause(afterMs);
    await cluster.dom.kill9();
    kills += 1;
    cluster.dom.start();
  }

  return {
    kills: () => kills,
    applying(count: number) {
      const afterMs = moments.get(count);
      if (afterMs !== undefined) killing = kill(afterMs);
    },
    settled: () => killing,
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

async function withApi<Value>(scene: Scene, use: (api: Api) => Promise<Value>): Promise<Value> {
  const options = { requestTimeoutMs: 5_000, command: 'e2e' };
  const api = grpcApi(scene.cluster.connection(), options);
  try {
    return await use(api);
  } finally {
    api.close();
  }
}
