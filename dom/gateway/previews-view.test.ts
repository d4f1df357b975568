import { expect, test } from 'vitest';
import type { KindMap, KindName } from '../../api/kinds.ts';
import { kindsByName } from '../../api/kinds.ts';
import type { World } from '../../runtime/store/world.ts';
import { planView } from './view.ts';

const R1 = `sha256-${'1'.repeat(64)}`;
const R2 = `sha256-${'2'.repeat(64)}`;
const SHARED = 'previews.example.test';

function object<K extends KindName>(kind: K, name: string, spec: object, rest: object = {}) {
  const metadata = { name, namespace: 'default', uid: `uid-${name}`, generation: 1 };
  const normal = kindsByName[kind].normalize(spec);
  const { owners = [], status } = rest as { owners?: readonly string[]; status?: object };
  const ownerReferences = owners.map((each) => ({ kind: 'Site', name: each, uid: `uid-${each}` }));
  return {
    ...{ kind, metadata: { ...metadata, ownerReferences }, spec: normal, status },
  } as unknown as KindMap[K];
}

const previews = { domain: 'example.test', keep: 2 };
const site = (name: string, spec: object = { previews }) =>
  object(
    'Site',
    name,
    { hosts: [`${name}.test`], content: { release: R1 }, ...spec },
    {
      status: {
        release: R1,
        previews: [R2, R1].map((release) => ({ release, url: 'https://x/', ready: 0, total: 0 })),
      },
    },
  );
const certificate = object(
  'Certificate',
  SHARED,
  { names: ['*.example.test'], issuer: 'internal' },
  { owners: ['blog', 'shop'] },
);
const node = object('Node', 'london', { ipv4: ['192.0.2.1'] });

function viewOf(objects: readonly KindMap[KindName][], role: 'edge' | 'nameserver') {
  const zone = {
    origin: 'example.test',
    records: [
      { name: 'example.test', type: 'NS', values: ['ns.example.test.'] },
      { name: 'ns.example.test', type: 'A', values: ['192.0.2.1'] },
    ],
  };
  const world = {
    revision: 1n,
    get: (kind: string, { name }: { name: string }) =>
      objects.find((each) => each.kind === kind && each.metadata.name === name),
    list: (kind: string) => objects.filter((each) => each.kind === kind),
    record: (kind: string) =>
      kind === 'material'
        ? { modRevision: 7n, value: { names: ['*.example.test'], notAfterMs: 1, sealedKey: 'k' } }
        : undefined,
    records: (kind: string) => (kind === 'zone' ? [['default/z', { value: zone }]] : []),
  } as unknown as World;
  const viewer = { node: 'london', edge: role === 'edge', nameserver: role === 'nameserver' };
  return planView(world, viewer, () => 'key');
}

test('edges are told of previews beside what they prepare, and get the shared key once', () => {
  const entries = viewOf([site('blog'), site('shop'), certificate, node], 'edge');
  const keys = entries.map(({ key }) => key);
  expect(keys.filter((key) => key.startsWith('certificate/'))).toEqual([
    `certificate/default/${SHARED}`,
  ]);
  const made = entries.find(({ key }) => key === 'site/default/blog')?.make().object;
  if (made?.$case !== 'site') throw new Error('no site');
  expect(made.value).toMatchObject({
    prepare: [R1],
    previews: [
      { host: '222222222222--blog.example.test', release: R2 },
      { host: '111111111111--blog.example.test', release: R1 },
    ],
    previewCertificate: `certificate/default/${SHARED}`,
  });
});

test('a Site that asks for none has none, whatever its status says still', () => {
  const entries = viewOf([site('blog', {}), certificate, node], 'edge');
  expect(entries.map(({ key }) => key)).not.toContain(`certificate/default/${SHARED}`);
  const made = entries.find(({ key }) => key === 'site/default/blog')?.make().object;
  expect(made).toMatchObject({ value: { previews: [], previewCertificate: '' } });
});

test('the plan is another one with another preview, or with the certificate', () => {
  const versionOf = (...objects: readonly KindMap[KindName][]) =>
    viewOf([...objects, node], 'edge').find(({ key }) => key === 'site/default/blog')?.version;
  const versions = [
    versionOf(site('blog')),
    versionOf(site('blog'), certificate),
    versionOf({ ...site('blog'), status: { release: R1 } } as unknown as KindMap['Site']),
  ];
  expect(new Set(versions).size).toBe(3);
});

test('nameservers get none of it, though the wildcard covers their names (INV-33)', () => {
  const shown = (owners: readonly string[]) =>
    viewOf(
      [site('blog'), object('Certificate', SHARED, certificate.spec, { owners }), node],
      'nameserver',
    )
      .map(({ key }) => key)
      .filter((key) => /^(?:certificate|site)\//.test(key));
  expect(shown(['blog'])).toEqual([]);
  // One that a person declared for them is theirs.
  expect(shown([])).toEqual([`certificate/default/${SHARED}`]);
});
