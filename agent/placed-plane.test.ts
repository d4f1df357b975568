import { expect, test } from 'vitest';
import { NodePlan } from '../proto/gen/b8s/v1/plan.ts';
import { silentLog } from '../runtime/log.ts';
import { type Place, placedPlane } from './placed-plane.ts';
import { type DataPlane, NOTHING_APPLIED, type PlaneSnapshot } from './plane/plane.ts';

const LONDON: NodePlan = {
  ...NodePlan.fromPartial({ name: 'london', httpPort: 80, httpsPort: 443, dnsPort: 53 }),
  ipv4: ['192.0.2.2', '192.0.2.1'],
  ipv6: ['2001:db8::1'],
  roles: ['edge'],
};

test('stands where the own entry of the directory says, and stays while that is the same', async () => {
  const world = start();
  await world.plane.apply(snapshot(1, [LONDON]));
  await world.plane.apply(snapshot(2, [{ ...LONDON, ready: true }]));
  expect(world.opened.map(({ place }) => place)).toEqual([
    {
      ...{ addresses: ['192.0.2.1', '192.0.2.2', '2001:db8::1'], httpPort: 80, httpsPort: 443 },
      ...{ dnsPort: 53, roles: ['edge'] },
    },
  ]);
  expect(world.opened[0]?.applied).toEqual([1, 2]);
});

test('moves: the new one serves before the old one is closed', async () => {
  const world = start();
  await world.plane.apply(snapshot(1, [LONDON]));
  await world.plane.apply(snapshot(2, [{ ...LONDON, httpPort: 8080 }]));
  await Promise.resolve();
  expect(world.log).toEqual(['open 80', 'apply 80 1', 'open 8080', 'apply 8080 2', 'close 80']);
});

test('without a word on this node it serves nothing, or stays where it is', async () => {
  const world = start();
  expect(await world.plane.apply(snapshot(1, []))).toEqual(NOTHING_APPLIED);
  expect(await world.plane.explain({ name: 'a', type: 'A', clientIp: '::1' })).toMatchObject({
    kind: 'refused',
  });
  await world.plane.apply(snapshot(2, [LONDON]));
  await world.plane.apply(snapshot(3, []));
  expect(world.opened[0]?.applied).toEqual([2, 3]);
});

test('listens where it is told, if it is told', async () => {
  const world = start(['127.0.0.9']);
  await world.plane.apply(snapshot(1, [LONDON]));
  expect(world.opened[0]?.place.addresses).toEqual(['127.0.0.9']);
});

test('where it may not listen, apply says so, and the next one tries again', async () => {
  const world = start();
  world.refuse('no right to listen on port 80');
  await expect(world.plane.apply(snapshot(1, [LONDON]))).rejects.toThrow('no right to listen');
  world.refuse(undefined);
  await world.plane.apply(snapshot(2, [LONDON]));
  expect(world.opened[0]?.applied).toEqual([2]);
});

function start(listen?: readonly string[]) {
  const opened: { readonly place: Place; readonly applied: number[] }[] = [];
  const log: string[] = [];
  let refusal: string | undefined;
  async function open(place: Place): Promise<DataPlane> {
    if (refusal !== undefined) throw new Error(refusal);
    const applied: number[] = [];
    opened.push({ place, applied });
    log.push(`open ${place.httpPort}`);
    return {
      apply: async ({ sequence }) => {
        if (applied.at(-1) !== sequence) {
          applied.push(sequence);
          log.push(`apply ${place.httpPort} ${sequence}`);
        }
        return NOTHING_APPLIED;
      },
      setHealth: () => undefined,
      explain: async () => ({ kind: 'refused', error: 'no' }),
      state: () => [],
      takeTraffic: () => [],
      onDamaged: () => undefined,
      onLines: () => undefined,
      close: async () => {
        log.push(`close ${place.httpPort}`);
      },
    };
  }
  const where = listen === undefined ? {} : { listen };
  return {
    opened,
    log,
    refuse: (why: string | undefined) => {
      refusal = why;
    },
    plane: placedPlane({ node: 'london', log: silentLog, open, ...where }),
  };
}

function snapshot(sequence: number, nodes: readonly NodePlan[]): PlaneSnapshot {
  return {
    sequence,
    dns: { zones: [], nodes, databases: [], health: {} },
    edge: { sites: [], certificates: [], httpsPort: 443 },
  };
}
