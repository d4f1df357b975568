import { expect, test } from 'vitest';
import { parseFakeCertificate } from '../../runtime/tls/fake-authority.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { guarded } from '../engine/guard.ts';
import { EPOCH_MS } from '../engine/scheduler.ts';
import type { Sub } from '../hosts/sub-host.ts';
import { request } from '../load/clients.ts';
import { makeRelease } from '../load/content.ts';
import { declareAll, type Hand } from '../load/operations.ts';
import type { PeoplePorts } from '../load/people.ts';
import { hostOf, NAMESPACE, nothingWished, ORIGIN, type Wish, ZONE_NAME } from '../load/wish.ts';
import { changeSetting, drawSetting } from './setting.ts';
import { World } from './world.ts';

const MINUTE_MS = 60_000;
/** A certificate must be renewed while more than a third of this is left. */
const LIFETIME_MS = 10 * MINUTE_MS;
/** For dom to find its feet again and for the new certificate to reach every node. */
const CATCH_UP_MS = 30_000;
/** When dom goes, and comes back, after it has renewed twice: before the end, and long after it. */
const AWAY_MS = [
  { fromMs: 18 * MINUTE_MS, untilMs: 22 * MINUTE_MS },
  { fromMs: 28 * MINUTE_MS, untilMs: 41 * MINUTE_MS },
];
const LAST_RETURN_MS = 41 * MINUTE_MS;

/** What a node answers with, once a second. */
interface Look {
  readonly atMs: number;
  readonly node: string;
  readonly status: number | undefined;
  readonly fingerprint: string | undefined;
  /** How much longer its certificate is good. */
  readonly leftMs: number;
}

test('certificates are renewed in time, and serve on while dom is away (INV-29, INV-31)', async () => {
  const setting = changeSetting(drawSetting(1, 'short'), {
    ...{ faults: [], doms: 2, subs: 2, users: 1, clients: 2, stormMs: LAST_RETURN_MS },
  });
  const looks: Look[] = [];
  const people = (cluster: Cluster, ports: PeoplePorts): Promise<void> =>
    declareAndWatch(cluster, ports, looks);
  const world = new World(setting, { keep: 'hash', replay: 'this test', people });
  await guarded(() => world.run());
  const issued = new Set(looks.map(({ fingerprint }) => fingerprint));
  expect(issued.size).toBeGreaterThanOrEqual(5);
  expect(looks.filter(({ status }) => status !== 200)).toEqual([]);
  expect(looks.filter(({ fingerprint }) => fingerprint === undefined)).toEqual([]);
  const late = looks.filter(({ leftMs, atMs }) => leftMs <= LIFETIME_MS / 3 && !isExcused(atMs));
  expect(late).toEqual([]);
  // The one from before the second time: better than none, which could not even be clicked away.
  const ended = looks.filter(({ leftMs }) => leftMs <= 0);
  expect(new Set(ended.map(({ fingerprint }) => fingerprint)).size).toBe(1);
});

function isExcused(atMs: number): boolean {
  return AWAY_MS.some(({ fromMs, untilMs }) => atMs >= fromMs && atMs < untilMs + CATCH_UP_MS);
}

async function declareAndWatch(
  cluster: Cluster,
  { scheduler, random }: PeoplePorts,
  looks: Look[],
): Promise<void> {
  const user = cluster.newUser('user-1');
  const hand: Hand = { cluster, user, clock: scheduler.clock(), random, sites: [] };
  const spec = { ca: { lifetime: '10m' } };
  await user.apply({ kind: 'Issuer', metadata: { name: 'brief' }, spec });
  const wish = wishOf(hand);
  await declareAll(hand, wish);
  for (const { name, host, release, ttl, routing } of wish.sites.values()) {
    const content = { release: release.digest };
    const site = { hosts: [host], content, ttl, routing, tls: { issuer: 'brief' } };
    await user.apply({ kind: 'Site', metadata: { namespace: NAMESPACE, name }, spec: site });
  }
  await scheduler.sleep(MINUTE_MS);
  while (scheduler.nowMs < LAST_RETURN_MS + CATCH_UP_MS) {
    const isAway = AWAY_MS.some(
      ({ fromMs, untilMs }) => scheduler.nowMs >= fromMs && scheduler.nowMs < untilMs,
    );
    for (const dom of cluster.doms) {
      if (isAway) cluster.crashDom(dom);
      else cluster.startDom(dom);
    }
    for (const sub of cluster.subs) looks.push(await lookAt(sub, scheduler.nowMs));
    await scheduler.sleep(1_000);
  }
}

function wishOf({ cluster, random }: Hand): Wish {
  const wish = nothingWished();
  for (const { name } of cluster.machines) wish.nodes.set(name, { use: 'in use' });
  wish.zones.set(ZONE_NAME, { name: ZONE_NAME, origin: ORIGIN, version: 1 });
  const release = makeRelease('blog', 1, random);
  const routing = { policy: 'nearest', answers: 1 } as const;
  const common = { name: 'blog', host: hostOf('blog'), ttl: 10, routing };
  wish.sites.set('blog', { ...common, release, releases: [release] });
  return wish;
}

async function lookAt({ host, running }: Sub, atMs: number): Promise<Look> {
  const answer = await running?.serving?.request(request('/', hostOf('blog')));
  const { snapshot, report } = running?.inEffect ?? {};
  const fingerprint = report?.sites[0]?.certificate;
  const inUse = snapshot?.edge.certificates.find((each) => each.fingerprint === fingerprint);
  const endsMs = inUse === undefined ? 0 : parseFakeCertificate(inUse.chainPem).notAfterMs;
  const leftMs = endsMs - EPOCH_MS - atMs;
  return { atMs, node: host.name, status: answer?.status, fingerprint, leftMs };
}
