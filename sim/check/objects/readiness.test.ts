import { expect, test } from 'vitest';
import type { PlaneSnapshot } from '../../../agent/plane/plane.ts';
import type { Resource } from '../../../api/object.ts';
import type { Digest } from '../../../runtime/content/digest.ts';
import { recordKey } from '../../../runtime/store/keys.ts';
import type { MaterialRecord, ZoneRecord } from '../../../runtime/store/records.ts';
import { virtualClock } from '../../../runtime/test-clock.ts';
import { fakeAuthority } from '../../../runtime/tls/fake-authority.ts';
import { seededRandom } from '../../engine/random.ts';
import { EPOCH_MS } from '../../engine/scheduler.ts';
import type { VersionCount } from '../content/routed.ts';
import { object, Scene } from '../scene.fixture.ts';
import { readinessCheck } from './readiness.ts';

const R1: Digest = `sha256-${'1'.repeat(64)}`;
const R2: Digest = `sha256-${'2'.repeat(64)}`;
const NODE_SPEC = { roles: ['edge', 'nameserver'] };

function ready(generation = 1, parts: object = {}) {
  const shown = { type: 'Ready', status: 'True' as const, reason: 'Serving', message: '' };
  const condition = { ...shown, lastTransitionTime: '', observedGeneration: generation };
  return { observedGeneration: generation, conditions: [condition], ...parts };
}

const SPEC = { hosts: ['blog.test'], content: { release: R1 } };
const blog = (parts: object = {}): Resource => object('Site', 'blog', { spec: SPEC, ...parts });

/** `london` and `paris`, which are set up as nodes; and a site. `offMs`: dom's clock is ahead. */
function world(offMs = 0, versions: VersionCount = 'one'): Scene {
  const scene = new Scene();
  const earliestMsOf = (_process: string, withinMs: number): number =>
    EPOCH_MS + scene.nowMs + offMs - withinMs;
  scene.watch(readinessCheck({ ...scene.ports, earliestMsOf }, { ...scene, versions }));
  for (const name of ['london', 'paris']) {
    scene.put(object('Node', name, { spec: NODE_SPEC }));
    scene.tell((check) => check.installed?.(name));
  }
  scene.put(blog());
  return scene;
}

function connect(scene: Scene, node: string, nodeUid = `Node-${node}`): void {
  scene.putRecord('session', node, { nodeUid, agentVersion: 'sim', connectedSince: 'now' });
}

function silence(scene: Scene, node: string): void {
  scene.remove(recordKey('session', node));
}

interface Serving {
  readonly release?: Digest;
  readonly names?: readonly string[];
  readonly serial?: number;
  readonly revision?: bigint;
}

/** By a plan of the newest revision, unless told otherwise. */
function serve(scene: Scene, node: string, serving: Serving = {}): void {
  const { release = R1, names = ['blog.test'], serial, revision = scene.history.head } = serving;
  const site = { uid: 'Site-blog', namespace: 'default', name: 'blog', hosts: ['blog.test'] };
  const rules = { notFoundPage: '', singlePageApp: false, headers: [], redirects: [] };
  const snapshot: PlaneSnapshot = {
    sequence: 1,
    edge: {
      sites: [{ ...site, ...rules, release }],
      certificates: [{ names, chainPem: '', keyPem: '', fingerprint: 'f' }],
      httpsPort: 443,
    },
    dns: { zones: [], nodes: [], databases: [], health: {} },
  };
  const zone = { uid: 'Zone-z', name: 'z', serial, error: undefined };
  const report = {
    ...{ sites: [{ uid: 'Site-blog', release }], zones: serial === undefined ? [] : [zone] },
    ...{ databases: [], challenges: [], problems: [] },
  };
  scene.tell((check) => check.applied?.({ node, snapshot, report }));
  const position = { epoch: 1n, revision };
  scene.tell((check) => check.moved?.({ node, which: 'applied', position }));
}

function say(scene: Scene, parts: object = {}): void {
  scene.put(blog({ status: ready(1, { release: R1 }), ...parts }));
}

test('a Site is ready once each edge with a session serves it', () => {
  const scene = world();
  connect(scene, 'london');
  serve(scene, 'london');
  say(scene);
  expect(scene.violations).toEqual([]);
});

test.each<{ when: string; happens: (scene: Scene) => void }>([
  { when: 'there is no edge with a session', happens: (scene) => serve(scene, 'london') },
  { when: 'the edge serves nothing', happens: (scene) => connect(scene, 'london') },
  {
    when: 'another edge has a session, and serves nothing',
    happens(scene) {
      connect(scene, 'paris');
      connect(scene, 'london');
      serve(scene, 'london');
      scene.put(blog({ metadata: {}, labels: { a: 'b' } }));
    },
  },
  {
    when: 'the edge serves another release',
    happens(scene) {
      connect(scene, 'london');
      serve(scene, 'london', { release: R2 });
    },
  },
  {
    when: 'the edge has no certificate for the host',
    happens(scene) {
      connect(scene, 'london');
      serve(scene, 'london', { names: ['other.test'] });
    },
  },
  {
    when: 'the edge served it before this Site was',
    happens(scene) {
      connect(scene, 'london');
      serve(scene, 'london', { revision: 1n });
    },
  },
  {
    when: 'the machine was set up anew since',
    happens(scene) {
      connect(scene, 'london');
      serve(scene, 'london');
      scene.tell((check) => check.installed?.('london'));
    },
  },
])('INV-19 when a Site is said to be ready and $when', ({ happens }) => {
  const scene = world();
  happens(scene);
  say(scene);
  expect(scene.numbers).toEqual([19]);
});

const VERSION = { zoneUid: 'Zone-z', generation: 1, serial: 7, geoNames: [] };
const version = (parts: object): ZoneRecord => ({ ...VERSION, ...parts }) as unknown as ZoneRecord;
const ZONE = object('Zone', 'z', { spec: { origin: 'test' } });
const leading = (candidates: readonly string[], parts: object = {}): ZoneRecord =>
  version({ geoNames: [{ name: 'blog.test', siteUid: 'Site-blog', candidates, ...parts }] });

test.each<{ when: string; record?: ZoneRecord; serial?: number; violated: number }>([
  { when: 'its nameserver leads to nodes', record: leading(['a']), serial: 7, violated: 0 },
  { when: 'no version leads to nodes', record: leading([]), serial: 7, violated: 1 },
  {
    when: 'only a CA is led to them',
    ...{ record: leading(['a'], { standIn: 'proof' }), serial: 7, violated: 1 },
  },
  {
    when: 'it leads to those of another Site',
    ...{ record: leading(['a'], { siteUid: 'x' }), serial: 7, violated: 1 },
  },
  { when: 'its nameserver serves another version', record: leading(['a']), serial: 6, violated: 1 },
  { when: 'its nameserver serves no version', record: leading(['a']), violated: 1 },
])('INV-19 and a Site in a Zone: $when', ({ record, serial, violated }) => {
  const scene = world();
  scene.put(ZONE);
  scene.put(blog());
  connect(scene, 'london');
  if (record !== undefined) scene.putRecord('zone', 'default/z', record);
  serve(scene, 'london', serial === undefined ? {} : { serial });
  say(scene);
  expect(scene.numbers).toEqual(Array.from({ length: violated }, () => 19));
});

test.each<{ when: string; versions: VersionCount; looked: 'before' | 'after' }>([
  { when: 'it is older, and asks no nameserver', versions: 'several', looked: 'after' },
  { when: 'it looked before there was a Zone for the Site', versions: 'one', looked: 'before' },
])('a dom may say that a Site is ready when $when', ({ versions, looked }) => {
  const scene = world(0, versions);
  connect(scene, 'london');
  serve(scene, 'london');
  scene.put(ZONE);
  if (looked === 'after') {
    scene.put(blog());
    serve(scene, 'london');
  }
  say(scene);
  expect(scene.violations).toEqual([]);
});

test('INV-19 when the status tells of another release than the spec', () => {
  const scene = world();
  connect(scene, 'london');
  serve(scene, 'london');
  say(scene, { status: ready(1, { release: R2 }) });
  expect(scene.numbers).toEqual([19]);
});

test('a status is a claim when it is written, and none when somebody deletes the Site later', () => {
  const scene = world();
  connect(scene, 'london');
  serve(scene, 'london');
  say(scene);
  silence(scene, 'london');
  say(scene, { deletionTimestamp: '2027-01-15T08:00:26.381Z' });
  expect(scene.violations).toEqual([]);
});

test('dom may decide by what it saw since the Site was last written', () => {
  const scene = world();
  connect(scene, 'london');
  serve(scene, 'london');
  connect(scene, 'paris');
  say(scene);
  expect(scene.violations).toEqual([]);
  // By now it has written the Site with paris in sight.
  say(scene, { status: ready(1, { release: R1, again: 'yes' }) });
  expect(scene.numbers).toEqual([19]);
});

test('what is said of an earlier generation is not said of this one', () => {
  const scene = world();
  scene.put(blog({ generation: 2, spec: { ...SPEC, ttl: 1 }, status: ready(1, { release: R1 }) }));
  expect(scene.violations).toEqual([]);
});

const zone = (parts: object) =>
  object('Zone', 'z', {
    status: ready(1, { serial: 7, servedBy: { current: 1, total: 1 }, ...parts }),
  });

test.each<{ when: string; record?: object; status?: object; serial?: number; violated: number }>([
  { when: 'its nameserver serves it', serial: 7, violated: 0 },
  { when: 'its nameserver serves another serial', serial: 6, violated: 1 },
  { when: 'its nameserver serves nothing', violated: 1 },
  {
    when: 'it counts too many',
    serial: 7,
    status: { servedBy: { current: 2, total: 2 } },
    violated: 1,
  },
  {
    when: 'it counts too few',
    serial: 7,
    status: { servedBy: { current: 0, total: 1 } },
    violated: 1,
  },
  { when: 'the version is of before', serial: 7, record: { generation: 0 }, violated: 1 },
  { when: 'the version is of another Zone', serial: 7, record: { zoneUid: 'x' }, violated: 1 },
])('INV-19 and a Zone: $when', ({ record = {}, status = {}, serial, violated }) => {
  const scene = world();
  connect(scene, 'london');
  scene.putRecord('zone', 'default/z', version(record));
  if (serial !== undefined) serve(scene, 'london', { serial });
  scene.put(zone(status));
  expect(scene.numbers).toEqual(Array.from({ length: violated }, () => 19));
});

test.each<{ when: string; happens: (scene: Scene) => void; violated: number }>([
  { when: 'it has a session', happens: (scene) => connect(scene, 'london'), violated: 0 },
  {
    when: 'its session has just ended',
    happens(scene) {
      connect(scene, 'london');
      silence(scene, 'london');
    },
    violated: 0,
  },
  { when: 'it never had one', happens: () => undefined, violated: 1 },
  {
    when: 'a namesake had one',
    happens: (scene) => connect(scene, 'london', 'earlier'),
    violated: 1,
  },
])('INV-19 and a Node: $when', ({ happens, violated }) => {
  const scene = world();
  happens(scene);
  scene.put(
    object('Node', 'london', { spec: NODE_SPEC, status: ready(1, { connectedSince: 'now' }) }),
  );
  expect(scene.numbers).toEqual(Array.from({ length: violated }, () => 19));
});

const CERTIFICATE = { names: ['blog.test'], issuer: 'internal' };
test.each<{
  when: string;
  material: Partial<MaterialRecord> | undefined;
  offMs?: number;
  violated: number;
}>([
  { when: 'it is there', material: {}, violated: 0 },
  { when: 'it is not', material: undefined, violated: 1 },
  { when: 'it is another', material: { fingerprint: 'other' }, violated: 1 },
  { when: 'it has expired', material: { notAfterMs: EPOCH_MS - 5_000 }, violated: 1 },
  { when: 'it expires while that is written', material: { notAfterMs: EPOCH_MS }, violated: 0 },
  {
    when: "it has expired, which by dom's clock it has not",
    material: { notAfterMs: EPOCH_MS - 5_000 },
    offMs: -1,
    violated: 0,
  },
  { when: "it has expired by dom's clock", material: {}, offMs: 6_000, violated: 1 },
  {
    when: 'it is for others',
    material: { chainPem: await chainFor('other.test') },
    violated: 1,
  },
])('INV-19 and a Certificate: $when', async ({ material, offMs, violated }) => {
  const scene = world(offMs);
  const stored = { chainPem: await chainFor('blog.test'), fingerprint: 'f', ...material };
  const notAfterMs = stored.notAfterMs ?? EPOCH_MS + 1_000;
  if (material !== undefined)
    scene.putRecord('material', 'Certificate-blog', { ...stored, notAfterMs } as MaterialRecord);
  const status = ready(1, { fingerprint: 'f' });
  scene.put(object('Certificate', 'blog', { spec: CERTIFICATE, status }));
  expect(scene.numbers).toEqual(Array.from({ length: violated }, () => 19));
});

test('a Certificate that is renewed while dom says of the one before that it is there', async () => {
  const scene = world();
  const chainPem = await chainFor('blog.test');
  const stored = { chainPem, fingerprint: 'f', notAfterMs: EPOCH_MS + 1_000 } as MaterialRecord;
  scene.putRecord('material', 'Certificate-blog', stored);
  scene.put(object('Certificate', 'blog', { spec: CERTIFICATE }));
  scene.putRecord('material', 'Certificate-blog', { ...stored, fingerprint: 'next' });
  const status = ready(1, { fingerprint: 'f' });
  scene.put(object('Certificate', 'blog', { spec: CERTIFICATE, status }));
  expect(scene.violations).toEqual([]);
  scene.put(object('Certificate', 'blog', { spec: CERTIFICATE, status }));
  expect(scene.numbers).toEqual([19]);
});

async function chainFor(name: string): Promise<string> {
  const authority = fakeAuthority({ clock: virtualClock(), random: seededRandom('test') });
  const request = { names: [name], keyType: 'ecdsa-p256', lifetimeMs: 1_000 } as const;
  return (await authority.issueServer(request)).chainPem;
}
