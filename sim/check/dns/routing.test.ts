import { expect, test } from 'vitest';
import type { Health } from '../../../agent/plane/plane.ts';
import type { NodePlan } from '../../../proto/gen/b8s/v1/plan.ts';
import type { ZoneRecord } from '../../../runtime/store/records.ts';
import type { Machine } from '../../cluster/machines.ts';
import { nothingWished, type SiteWish, type Wish } from '../../load/wish.ts';
import {
  ADDRESSES,
  addressOf,
  appliedZone,
  BLOG,
  commitOf,
  exchangeOf,
  nodePlan,
  watched,
  zoneVersion,
} from './dns.fixture.ts';
import { type RestAnswer, routingCheck } from './routing.ts';

const MANCHURIA = { address: '175.16.199.0', bits: 24 };

test.each([
  { when: 'the nearest', names: ['london'] },
  { when: 'the nearest to whom it asks for', names: ['tokyo'], subnet: MANCHURIA },
  { when: 'the other where one looks down', names: ['tokyo'], health: { london: false } },
  { when: 'the other where one is cordoned', names: ['tokyo'], london: { unschedulable: true } },
  { when: 'the other where dom has lost one', names: ['tokyo'], london: { ready: false } },
  {
    when: 'the nearest where all look down',
    names: ['london'],
    health: { london: false, tokyo: false },
  },
  { when: 'anybody to whom nobody knows', names: ['tokyo'], client: '203.0.113.20' },
  {
    when: 'as many as are asked for',
    names: ['london', 'tokyo'],
    zone: { geoNames: [{ ...BLOG, answersMax: 2 }] },
  },
])('well: $when', ({ names, ...given }) => {
  expect(foundUnderWay(names, given)).toEqual([]);
});

test.each([
  { when: 'one that is farther', names: ['tokyo'] },
  { when: 'the nearest to the resolver', names: ['london'], subnet: MANCHURIA },
  { when: 'one that looks down', names: ['london'], health: { london: false } },
  { when: 'a cordoned one', names: ['london'], london: { unschedulable: true } },
  { when: 'one that dom has lost', names: ['london'], london: { ready: false } },
  { when: 'nobody', names: [], health: { london: false, tokyo: false } },
  { when: 'more than are asked for', names: ['london', 'tokyo'] },
])('INV-21: $when', ({ names, ...given }) => {
  expect(foundUnderWay(names, given)).toHaveLength(1);
});

test.each([
  { when: 'the nearest', name: 'london', cordoned: false, found: 0 },
  { when: 'another', name: 'tokyo', cordoned: false, found: 1 },
  { when: 'another than a cordoned one', name: 'tokyo', cordoned: true, found: 0 },
  { when: 'a cordoned one', name: 'london', cordoned: true, found: 1 },
])('at rest: $when', async ({ name, cordoned, found: count }) => {
  const wish = wishOf({ cordoned });
  const common = { nameserver: 'tokyo', site: 'blog', client: '81.2.69.142' };
  const answer = { ...common, geography: 'present', addresses: [ADDRESSES[name] ?? ''] } as const;
  const { check, found } = watched((ports) =>
    routingCheck({ ...ports, machines, wish, healthAt: () => ({}), askAll: async () => [answer] }),
  );
  await check.rested?.();
  expect(found).toHaveLength(count);
});

const machines: readonly Machine[] = ['london', 'tokyo'].map((name) => {
  const { latitude = 0, longitude = 0, ipv4, roles } = nodePlan(name);
  const location = { latitude, longitude };
  return { name, ipv4: ipv4[0] ?? '', location, roles: roles as Machine['roles'] };
});

function foundUnderWay(
  names: readonly string[],
  given: {
    readonly subnet?: typeof MANCHURIA;
    readonly client?: string;
    readonly health?: Health;
    readonly london?: Partial<NodePlan>;
    readonly zone?: Partial<ZoneRecord>;
  },
): readonly string[] {
  const { subnet, client = '81.2.69.142', health = {}, london, zone } = given;
  const askAll = async (): Promise<readonly RestAnswer[]> => [];
  const { check, found } = watched((ports) =>
    routingCheck({ ...ports, machines, wish: nothingWished(), healthAt: () => health, askAll }),
  );
  const version = zoneVersion(5, zone);
  check.committed?.(commitOf(version));
  check.applied?.(appliedZone(version, [nodePlan('london', london), nodePlan('tokyo')]));
  const question = subnet === undefined ? {} : { subnet, sizeBytes: 1232 };
  const answers = names.map((name) => addressOf(name));
  check.asked?.(exchangeOf(question, { answers }, { client }));
  return found;
}

function wishOf({ cordoned }: { readonly cordoned: boolean }): Wish {
  const wish = nothingWished();
  wish.nodes.set('london', { use: cordoned ? 'cordoned' : 'in use' });
  wish.nodes.set('tokyo', { use: 'in use' });
  wish.sites.set('blog', { routing: { policy: 'nearest', answers: 1 } } as SiteWish);
  return wish;
}
