import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  describeWatch,
  type Seen,
  stepsBack,
  type Watch,
  watchReleases,
  writeRelease,
} from './support/numbered.ts';
import { until } from './support/processes.ts';
import { describeOnStores, publish, siteYaml, useScene } from './support/scene.ts';

const HOST = 'rolled.example.test';
const RATES = { http2PerSecond: 500, othersPerSecond: 15 };
const ROLLING = '  rollout: { strategy: rolling, batch: "1", observe: 2s }\n';
/** Long enough for a person to change their mind after the first batch. */
const SLOWLY = '{"spec":{"rollout":{"observe":"10m"}}}';

await describeOnStores(
  'rolling rollouts under 500 requests a second',
  (kind) => {
    const scene = useScene(kind, { name: 'release-rolling' });
    const folder = mkdtempSync(join(tmpdir(), 'b8s-rolling-'));

    beforeAll(async () => {
      const input = siteYaml('news', HOST, ROLLING);
      await scene().cluster.b8sctlOk(['apply', '-f', '-'], { input });
      writeRelease(folder, 1);
      await publish(scene(), 'news', folder);
    }, 240_000);
    afterAll(() => rmSync(folder, { recursive: true, force: true }));

    async function watch(
      during: () => Promise<void>,
      rankOf?: (release: number) => number,
    ): Promise<Watch> {
      const watched = await watchReleases(scene(), HOST, { rates: RATES, during });
      const { seen, failed, torn, lanes } = watched;
      const backward = stepsBack(seen, rankOf);
      console.log(`${kind}: ${describeWatch(watched, backward.length)}`);
      expect([...failed, ...torn, ...backward].slice(0, 10)).toEqual([]);
      expect(lanes[0]?.perSecond).toBeGreaterThan(0.9 * RATES.http2PerSecond);
      return watched;
    }

    async function push(release: number): Promise<void> {
      writeRelease(folder, release);
      await scene().cluster.b8sctlOk(['push', folder, '--site', 'news']);
    }

    async function isDone(): Promise<void> {
      const args = ['rollout', 'status', 'site/news', '--timeout', '60s'];
      await scene().cluster.b8sctlOk(args, { timeoutMs: 70_000 });
    }

    const undo = () => scene().cluster.b8sctlOk(['rollout', 'undo', 'site/news']);

    test('node after node goes from one release to the next, and none back', async () => {
      const { seen } = await watch(async () => {
        await push(2);
        await isDone();
      });
      const order = scene()
        .nodes.map(({ name }) => ({ name, firstMs: firstMs(seen, name, 2) }))
        .toSorted((a, b) => a.firstMs - b.firstMs);
      expect(order.map(({ name }) => name)).toEqual(['london', 'newyork', 'sydney']);
    }, 120_000);

    test('undone as a whole, each node goes back once, and stays there', async () => {
      const rankOf = (release: number) => -release;
      const { seen } = await watch(async () => {
        await undo();
        await isDone();
      }, rankOf);
      const latest = scene().nodes.map(({ name }) => seen.findLast(({ node }) => node === name));
      expect(latest.map((each) => each?.release)).toEqual([1, 1, 1]);
    }, 120_000);

    test('undone in the midst of it, those who had it go back, and the others never had it', async () => {
      await scene().cluster.b8sctlOk(['patch', 'site/news', '-p', SLOWLY]);
      let undoneMs = 0;
      const watched = await watchReleases(scene(), HOST, {
        rates: RATES,
        during: async (live) => {
          await push(3);
          const isBegun = async () => live.seen.some(({ release }) => release === 3);
          await until('the first node has it', isBegun, { timeoutMs: 30_000, everyMs: 20 });
          undoneMs = performance.now();
          await undo();
          await isDone();
        },
      });
      const { seen, failed, torn } = watched;
      const [before, after] = [
        seen.filter(({ askedMs }) => askedMs < undoneMs),
        seen.filter(({ askedMs }) => askedMs >= undoneMs),
      ];
      const backward = [...stepsBack(before), ...stepsBack(after, (release) => -release)];
      console.log(`${kind}: ${describeWatch(watched, backward.length)}`);
      expect([...failed, ...torn, ...backward].slice(0, 10)).toEqual([]);
      const had = new Set(seen.filter(({ release }) => release === 3).map(({ node }) => node));
      expect([...had]).toEqual(['london']);
      expect(after.at(-1)?.release).toBe(1);
    }, 120_000);
  },
  ['sqlite'],
);

function firstMs(seen: readonly Seen[], name: string, wanted: number): number {
  const own = seen.filter(({ node, release }) => node === name && release === wanted);
  return Math.min(...own.map(({ answeredMs }) => answeredMs));
}
