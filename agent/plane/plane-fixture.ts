import type { NodePlan, ZonePlan } from '../../proto/gen/b8s/v1/plan.ts';
import { contentTypeOf } from '../../runtime/content/content-type.ts';
import { blobPath, type Digest, digestOf } from '../../runtime/content/digest.ts';
import { encodeManifest, releaseDigest } from '../../runtime/content/manifest.ts';
import type { Disk } from '../../runtime/disk/disk.ts';
import type { EdgeSite } from '../edge/snapshot.ts';
import type { PlaneSnapshot } from './plane.ts';

/** For tests: puts a release on a disk as the content reconciler would, and names it. */
export async function publish(
  disk: Pick<Disk, 'write'>,
  files: Readonly<Record<string, string | Uint8Array>>,
): Promise<Digest> {
  const blobs = Object.entries(files).map(([path, content]) => ({
    path,
    bytes: Buffer.from(content),
  }));
  for (const { bytes } of blobs) await disk.write(blobPath(digestOf(bytes)), bytes);
  const manifest = encodeManifest(
    blobs.map(({ path, bytes }) => ({
      path,
      digest: digestOf(bytes),
      sizeBytes: bytes.length,
      contentType: contentTypeOf(path),
    })),
  );
  await disk.write(blobPath(releaseDigest(manifest)), manifest);
  return releaseDigest(manifest);
}

export function testSite(overrides: Partial<EdgeSite> = {}): EdgeSite {
  return {
    uid: 'site-1',
    namespace: 'default',
    name: 'blog',
    hosts: ['blog.test'],
    notFoundPage: '404.html',
    singlePageApp: false,
    headers: [],
    redirects: [],
    ...overrides,
  };
}

/** `test` with two edges, and `blog.test` routed to both. */
export function testZone(serial: number, overrides: Partial<ZonePlan> = {}): ZonePlan {
  return {
    uid: 'zone-1',
    namespace: 'default',
    name: 'test',
    origin: 'test',
    serial,
    primaryNameserver: 'ns1.test',
    mailbox: 'hostmaster.test',
    refreshS: 3600,
    retryS: 600,
    expireS: 604_800,
    negativeTtlS: 60,
    records: [
      { name: 'test', type: 'NS', ttlS: 3600, values: ['ns1.test.'] },
      { name: 'ns1.test', type: 'A', ttlS: 3600, values: ['192.0.2.1'] },
    ],
    keys: [],
    transfer: undefined,
    geoNames: [
      {
        name: 'blog.test',
        ttlS: 30,
        candidates: ['london', 'tokyo'],
        policy: 'nearest',
        answersMax: 2,
        weights: [],
        regions: [],
      },
    ],
    ...overrides,
  };
}

export const TEST_NODES: readonly NodePlan[] = [
  testNode('london', '192.0.2.10', { latitude: 51.5, longitude: -0.1 }),
  testNode('tokyo', '192.0.2.20', { latitude: 35.7, longitude: 139.7 }),
];

export function testSnapshot(
  sequence: number,
  parts: {
    readonly edge?: Partial<PlaneSnapshot['edge']>;
    readonly dns?: Partial<PlaneSnapshot['dns']>;
  } = {},
): PlaneSnapshot {
  return {
    sequence,
    edge: { sites: [], certificates: [], httpsPort: 443, ...parts.edge },
    dns: { zones: [testZone(1)], nodes: TEST_NODES, databases: [], health: {}, ...parts.dns },
  };
}

function testNode(
  name: string,
  ipv4: string,
  { latitude, longitude }: { readonly latitude: number; readonly longitude: number },
): NodePlan {
  return {
    uid: name,
    name,
    ipv4: [ipv4],
    ipv6: [],
    latitude,
    longitude,
    roles: ['edge'],
    ready: true,
    unschedulable: false,
    httpPort: 80,
    httpsPort: 443,
    dnsPort: 53,
  };
}
