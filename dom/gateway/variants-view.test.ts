import { expect, test } from 'vitest';
import type { KindMap, KindName } from '../../api/kinds.ts';
import { kindsByName } from '../../api/kinds.ts';
import type { World, WorldChange } from '../../runtime/store/world.ts';
import { variantsOf } from './variants-view.ts';
import { mayChangePlans, planView } from './view.ts';

const R1 = `sha256-${'1'.repeat(64)}`;
const R2 = `sha256-${'2'.repeat(64)}`;
const INDEX = `sha256-${'9'.repeat(64)}`;
const NOTED = { index: INDEX, done: 1, total: 1, savedBytes: 1 };

const blog = (spec: object = {}) =>
  object(
    'Site',
    'blog',
    { hosts: ['blog.test'], content: { release: R2 }, ...spec },
    { release: R1 },
  );
const release = (name: string, status?: object) =>
  object('Release', name, { site: 'blog', files: 1, sizeBytes: 1 }, status);

function object<K extends KindName>(kind: K, name: string, spec: object, status?: object) {
  const metadata = { name, namespace: 'default', uid: `uid-${name}`, generation: 1 };
  const normal = kindsByName[kind].normalize(spec);
  return { kind, metadata, spec: normal, status } as unknown as KindMap[K];
}

function worldOf(...objects: readonly KindMap[KindName][]): World {
  const find = (kind: string, name: string) =>
    objects.find((each) => each.kind === kind && each.metadata.name === name);
  return {
    revision: 1n,
    get: (kind: string, { name }: { name: string }) => find(kind, name),
    list: (kind: string) => objects.filter((each) => each.kind === kind),
    record: () => undefined,
    records: () => [],
  } as unknown as World;
}

test.each([
  { when: 'nothing is compressed yet', releases: [release(R1), release(R2)], told: [] },
  {
    when: 'what is served is',
    releases: [release(R1, { variants: NOTED }), release(R2)],
    told: [{ release: R1, index: INDEX }],
  },
  {
    when: 'what comes next is',
    releases: [release(R1), release(R2, { variants: NOTED })],
    told: [{ release: R2, index: INDEX }],
  },
  { when: 'the releases are gone', releases: [], told: [] },
])('edges are told of compressed forms: $when', ({ releases, told }) => {
  const site = blog();
  expect(variantsOf(worldOf(site, ...releases), site)).toEqual(told);
});

test('a Site without compression names none', () => {
  const site = blog({ compression: 'off' });
  expect(variantsOf(worldOf(site, release(R1, { variants: NOTED })), site)).toEqual([]);
});

test('the plan of an edge is another one with the forms; that of a nameserver has no site', () => {
  const openKey = () => 'a key';
  const entry = (world: World, edge: boolean) =>
    planView(world, { node: 'london', edge, nameserver: !edge }, openKey).find(({ key }) =>
      key.startsWith('site/'),
    );
  const before = entry(worldOf(blog(), release(R1)), true);
  const after = entry(worldOf(blog(), release(R1, { variants: NOTED })), true);
  expect(after?.version).not.toBe(before?.version);
  expect(after?.make().object?.value).toMatchObject({ variants: [{ release: R1, index: INDEX }] });
  expect(entry(worldOf(blog(), release(R1, { variants: NOTED })), false)).toBeUndefined();
});

test.each([
  { when: 'it is pushed', before: undefined, after: release(R1), deleted: false, may: false },
  {
    when: 'it is compressed',
    before: release(R1),
    after: release(R1, { variants: NOTED }),
    deleted: false,
    may: true,
  },
  { when: 'it is deleted', before: release(R1), after: release(R1), deleted: true, may: true },
])('a Release may change plans when $when: $may', ({ before, after, deleted, may }) => {
  const change: WorldChange = { kind: 'object', object: after, before, deleted };
  expect(mayChangePlans(change)).toBe(may);
});
