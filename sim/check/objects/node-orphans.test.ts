import { expect, test } from 'vitest';
import type { PlaneSnapshot } from '../../../agent/plane/plane.ts';
import { NodePlan, ZonePlan } from '../../../proto/gen/b8s/v1/plan.ts';
import { blobPath, type Digest, digestHex, digestOf } from '../../../runtime/content/digest.ts';
import { encodeManifest } from '../../../runtime/content/manifest.ts';
import { encodeVariants } from '../../../runtime/content/variants.ts';
import type { MaterialRecord, ZoneRecord } from '../../../runtime/store/records.ts';
import { object, Scene } from '../scene.fixture.ts';
import { nodeOrphansCheck } from './node-orphans.ts';

const PAGE = Buffer.from('hello');
const MANIFEST = encodeManifest([
  { path: 'index.html', digest: digestOf(PAGE), sizeBytes: 5, contentType: 'text/plain' },
]);
const RELEASE = digestOf(MANIFEST);
const GEO = digestOf(Buffer.from('geo'));
const SITE = {
  ...{ uid: 'Site-blog', namespace: 'default', name: 'blog', hosts: [], release: RELEASE },
  ...{ notFoundPage: '', singlePageApp: false, headers: [], redirects: [] },
};

const snapshot = (edge: Partial<PlaneSnapshot['edge']> = {}): PlaneSnapshot => ({
  sequence: 1,
  edge: {
    sites: [SITE],
    certificates: [{ names: [], chainPem: '', keyPem: '', fingerprint: 'f' }],
    httpsPort: 443,
    ...edge,
  },
  dns: {
    zones: [ZonePlan.fromPartial({ uid: 'Zone-z', origin: 'z' })],
    nodes: [NodePlan.fromPartial({ uid: 'Node-london', name: 'london' })],
    databases: [GEO],
    health: {},
  },
});

const FILES: ReadonlyMap<string, Uint8Array> = new Map([
  ...['plan.bin', 'served.bin', `verified/${digestHex(RELEASE)}`].map(
    (path) => [path, Buffer.alloc(0)] as const,
  ),
  [blobPath(RELEASE), MANIFEST],
  [blobPath(digestOf(PAGE)), PAGE],
  [blobPath(GEO), Buffer.from('geo')],
  ['logs/access/default/blog.Site-blo.log', Buffer.from('a line\n')],
  ['logs/access/default/blog.Site-blo.log.1', Buffer.from('a line\n')],
]);

function world(node: { snapshot?: PlaneSnapshot; files?: ReadonlyMap<string, Uint8Array> }): Scene {
  const scene = new Scene();
  const { snapshot: served = snapshot(), files = FILES } = node;
  const nodes = () => [{ node: 'london', snapshot: served, files }];
  scene.watch(nodeOrphansCheck(scene.ports, { history: scene.history, nodes }));
  scene.put(object('Site', 'blog'), object('Certificate', 'blog'), object('Node', 'london'));
  scene.putRecord('material', 'Certificate-blog', { fingerprint: 'f' } as MaterialRecord);
  scene.putRecord('zone', 'default/z', { zoneUid: 'Zone-z' } as ZoneRecord);
  scene.putRecord('geo', 'current', { databases: [{ digest: GEO, sizeBytes: 3 }] });
  return scene;
}

test('a node that serves what the store has, and keeps nothing else, has no orphans', () => {
  const scene = world({});
  scene.tell((check) => check.rested?.());
  scene.tell((check) => check.lingered?.());
  expect(scene.violations).toEqual([]);
});

const { dns } = snapshot();
test.each<{ when: string; served: PlaneSnapshot }>([
  { when: 'a site is gone', served: snapshot({ sites: [SITE, { ...SITE, uid: 'x' }] }) },
  {
    when: 'a certificate is gone',
    served: snapshot({
      certificates: [{ names: ['a.test'], chainPem: '', keyPem: '', fingerprint: 'g' }],
    }),
  },
  {
    when: 'a zone is another',
    served: { ...snapshot(), dns: { ...dns, zones: [ZonePlan.fromPartial({ uid: 'earlier' })] } },
  },
  {
    when: 'a node of the directory is gone',
    served: { ...snapshot(), dns: { ...dns, nodes: [NodePlan.fromPartial({ uid: 'earlier' })] } },
  },
  {
    when: 'a geography database is gone',
    served: { ...snapshot(), dns: { ...dns, databases: [RELEASE] } },
  },
])('INV-7 on a node, when $when', ({ served }) => {
  const scene = world({ snapshot: served });
  scene.tell((check) => check.rested?.());
  expect(scene.numbers).toEqual([7]);
});

const stranger: Digest = digestOf(Buffer.from('stranger'));
test.each([
  { when: 'a blob', path: blobPath(stranger) },
  { when: 'a part of a blob', path: `partial/${digestHex(stranger)}` },
  { when: 'a mark', path: `verified/${digestHex(stranger)}` },
  { when: 'a file of no use', path: 'blobs/sha256/ab/core' },
  { when: 'a log of a site that is gone', path: 'logs/access/default/blog.earlier1.log' },
])('INV-7 on disk, once the grace is over: $when', ({ path }) => {
  const scene = world({ files: new Map([...FILES, [path, Buffer.alloc(1)]]) });
  scene.tell((check) => check.rested?.());
  expect(scene.violations).toEqual([]);
  scene.tell((check) => check.lingered?.());
  expect(scene.numbers).toEqual([7]);
  expect(scene.violations[0]).toContain(path);
});

test('INV-7 on disk: what a preview shows is needed, too', () => {
  const others = { release: digestOf(Buffer.from('newer')) };
  const previewed = { ...SITE, ...others, previews: [{ host: 'p.test', release: RELEASE }] };
  const newer = [blobPath(others.release), `verified/${digestHex(others.release)}`] as const;
  const files = new Map([...FILES, ...newer.map((path) => [path, Buffer.alloc(0)] as const)]);
  const scene = world({ snapshot: snapshot({ sites: [previewed] }), files });
  scene.tell((check) => check.lingered?.());
  expect(scene.violations).toEqual([]);
});

test('INV-7 on disk: compressed forms are needed once dom has made them', () => {
  const form = Buffer.from('hllo');
  const variants = new Map([
    [digestOf(PAGE), [{ coding: 'br', digest: digestOf(form), sizeBytes: 4 } as const]],
  ]);
  const index = encodeVariants(variants);
  const files = new Map([
    ...FILES,
    [blobPath(digestOf(index)), index],
    [blobPath(digestOf(form)), form],
  ]);
  const noted = { index: digestOf(index), done: 1, total: 1, savedBytes: 1 };
  const known = world({ files });
  known.put(object('Release', RELEASE, { status: { variants: noted } }));
  known.tell((check) => check.lingered?.());
  expect(known.violations).toEqual([]);
  const unknown = world({ files });
  unknown.put(object('Release', RELEASE));
  unknown.tell((check) => check.lingered?.());
  expect(unknown.numbers).toEqual([7]);
});
