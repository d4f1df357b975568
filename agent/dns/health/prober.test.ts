import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { NodePlan } from '../../../proto/gen/b8s/v1/plan.ts';
import type { Clock } from '../../../runtime/clock.ts';
import type { Probe, ProbeTarget } from '../../../runtime/probe.ts';
import { node } from '../dns.fixture.ts';
import type { HealthMap } from '../geo/directory.ts';
import { seededRandom } from '../seeded.fixture.ts';
import {
  DOWN_DETECTION_MS_MAX,
  downDetectionMsMax,
  intervalsBetweenProbes,
  PROBE_TIMEOUT_MS,
  PROBES_PER_INTERVAL_MAX,
  SUSPECTS_PER_INTERVAL_MAX,
} from './health.ts';
import { runProber } from './prober.ts';

/** Time that jumps to the earliest sleeper once nothing else can go on. */
function virtualClock(): Clock & { run(untilMs: number): Promise<void> } {
  let nowMs = 0;
  let sleepers: { readonly wakeMs: number; readonly wake: () => void }[] = [];
  return {
    nowMs: () => nowMs,
    monotonicMs: () => nowMs,
    sleep: (ms) => new Promise((wake) => void sleepers.push({ wakeMs: nowMs + ms, wake })),
    run: async (untilMs) => {
      for (;;) {
        await setImmediate();
        const nextMs = Math.min(...sleepers.map(({ wakeMs }) => wakeMs));
        if (nextMs > untilMs) return;
        nowMs = nextMs;
        const due = sleepers.filter(({ wakeMs }) => wakeMs <= nowMs);
        sleepers = sleepers.filter(({ wakeMs }) => wakeMs > nowMs);
        for (const { wake } of due) wake();
      }
    },
  };
}

function start(
  nodes: readonly NodePlan[],
  answers: (target: ProbeTarget, nowMs: number) => boolean,
) {
  const clock = virtualClock();
  const random = seededRandom(7);
  const seen: { atMs: number; health: HealthMap }[] = [];
  const world = { nodes, inFlight: 0, inFlightMax: 0, probed: new Set<string>() };
  const probe: Probe = {
    probe: async (target) => {
      world.probed.add(`${target.node} ${target.address}:${target.httpPort}`);
      world.inFlight += 1;
      world.inFlightMax = Math.max(world.inFlightMax, world.inFlight);
      const reachable = answers(target, clock.nowMs());
      if (!reachable) await clock.sleep(PROBE_TIMEOUT_MS);
      world.inFlight -= 1;
      return reachable;
    },
  };
  const abort = new AbortController();
  const done = runProber(
    {
      self: 'ns1',
      clock,
      random: { next: random, bytes: (count) => new Uint8Array(count) },
      probe,
      nodes: () => world.nodes,
      onChange: (health) => void seen.push({ atMs: clock.nowMs(), health }),
    },
    abort.signal,
  );
  return { clock, seen, world, abort, done };
}

const NODES = [
  node('ns1', { roles: ['edge', 'nameserver'], ipv4: ['127.0.0.1'] }),
  node('b', { ipv6: ['::2'], httpPort: 8080 }),
  node('a', { ipv4: ['127.0.0.2'], ipv6: ['::2'] }),
  node('worker', { roles: ['worker'], ipv4: ['127.0.0.4'] }),
  node('addressless'),
];

test('every other edge is probed, and itself counts as reachable', async () => {
  const { clock, seen, world } = start(NODES, () => true);
  await clock.run(10_000);
  expect([...world.probed].toSorted()).toEqual(['a 127.0.0.2:80', 'b ::2:8080']);
  expect(seen).toEqual([
    {
      atMs: 0,
      health: new Map([
        ['a', true],
        ['b', true],
        ['ns1', true],
      ]),
    },
  ]);
});

test('an edge that dies at any moment is reported within D, and only changes are', async () => {
  for (let diesMs = 3000; diesMs < 4200; diesMs += 37) {
    const { clock, seen } = start(NODES, ({ node }, nowMs) => node !== 'b' || nowMs < diesMs);
    await clock.run(20_000);
    expect(seen.length).toBe(2);
    expect(seen[1]?.health.get('b')).toBe(false);
    expect((seen[1]?.atMs ?? Infinity) - diesMs).toBeLessThanOrEqual(DOWN_DETECTION_MS_MAX);
  }
});

test('a machine that joins under the name of a dead one is presumed up, as any new one', async () => {
  const { clock, seen, world } = start(
    NODES,
    ({ node, address }) => node !== 'b' || address !== '::2',
  );
  await clock.run(10_000);
  expect(seen.at(-1)?.health.get('b')).toBe(false);
  const another = node('b', { uid: 'another', ipv6: ['::9'] });
  world.nodes = NODES.map((each) => (each.name === 'b' ? another : each));
  await clock.run(11_200);
  expect(seen.at(-1)?.health.get('b')).toBe(true);
});

test('all dead is reported as seen', async () => {
  const { clock, seen } = start(NODES, () => false);
  await clock.run(10_000);
  expect(seen.at(-1)?.health).toEqual(
    new Map([
      ['a', false],
      ['b', false],
      ['ns1', true],
    ]),
  );
});

test('a node that leaves the directory is forgotten', async () => {
  const { clock, seen, world } = start(NODES, () => true);
  await clock.run(2000);
  world.nodes = NODES.filter(({ name }) => name !== 'a');
  await clock.run(4000);
  expect([...(seen.at(-1)?.health.keys() ?? [])]).toEqual(['b', 'ns1']);
});

test.each([
  { edges: 3, nameservers: 3, intervals: 1, detectMs: 5000 },
  { edges: 64, nameservers: 64, intervals: 1, detectMs: 5000 },
  { edges: 65, nameservers: 3, intervals: 2, detectMs: 6100 },
  { edges: 5000, nameservers: 5000, intervals: 79, detectMs: 90_800 },
  { edges: 10, nameservers: 5000, intervals: 79, detectMs: 90_800 },
])('$edges edges, $nameservers nameservers', ({ intervals, detectMs, ...cluster }) => {
  expect(intervalsBetweenProbes(cluster)).toBe(intervals);
  expect(downDetectionMsMax(cluster)).toBeCloseTo(detectMs);
});

const manyEdges = (count: number): readonly NodePlan[] =>
  Array.from({ length: count }, (_, index) => node(`n${index}`, { ipv4: ['127.0.0.9'] }));

test('of many edges each has its turn, and a round has no more probes than its bound', async () => {
  let probes = 0;
  const { clock, world } = start(manyEdges(600), () => {
    probes += 1;
    return true;
  });
  await clock.run(900);
  expect(probes).toBe(60);
  await clock.run(11_500);
  expect(world.probed.size).toBe(600);
  expect(probes).toBeLessThanOrEqual(12 * PROBES_PER_INTERVAL_MAX);
});

test('probes stay bounded when every edge hangs', async () => {
  let probes = 0;
  const { clock, world } = start(manyEdges(600), () => {
    probes += 1;
    return false;
  });
  await clock.run(30_000);
  const most = PROBES_PER_INTERVAL_MAX + SUSPECTS_PER_INTERVAL_MAX;
  expect(world.inFlightMax).toBeLessThanOrEqual(most);
  expect(probes).toBeLessThanOrEqual(31 * most);
});

test('with many edges, some that die at any moment are reported within the D of their number', async () => {
  const nodes = manyEdges(200);
  const dead = new Set(['n7', 'n44', 'n45', 'n199']);
  for (let diesMs = 9000; diesMs < 13_000; diesMs += 431) {
    const { clock, seen } = start(
      nodes,
      (target, nowMs) => !dead.has(target.node) || nowMs < diesMs,
    );
    await clock.run(30_000);
    const last = seen.find(({ health }) => [...dead].every((name) => health.get(name) === false));
    const limitMs = downDetectionMsMax({ edges: 200, nameservers: 0 });
    expect((last?.atMs ?? Infinity) - diesMs).toBeLessThanOrEqual(limitMs);
  }
});

test('it ends when it is told to', async () => {
  const { clock, abort, done } = start(NODES, () => true);
  await clock.run(1500);
  abort.abort();
  await clock.run(4000);
  await done;
});
