import { type Answer, decode, encode } from 'dns-packet';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { blobPath, type Digest, digestOf } from '../../runtime/content/digest.ts';
import type { Disk } from '../../runtime/disk/disk.ts';
import type { EdgeCertificate } from '../edge/snapshot.ts';
import { TrafficSums } from '../edge/traffic.ts';
import type { DataPlane } from './plane.ts';
import { publish, testSite, testSnapshot, testZone } from './plane-fixture.ts';

/** A plane and the ways in which the public asks it. */
export interface PlaneUnderTest {
  readonly plane: DataPlane;
  readonly disk: Disk;
  /** Of `blog.test`. */
  readonly certificate: EdgeCertificate;
  /** Over TLS, with the path and host given. */
  get(path: string, host?: string): Promise<{ readonly status: number; readonly text: string }>;
  /** In the clear. */
  getPlain(path: string, host: string): Promise<{ readonly status: number; readonly text: string }>;
  query(message: Uint8Array): Promise<Uint8Array | undefined>;
  close(): Promise<void>;
}

/** What every data plane does. */
export function planeCases(name: string, open: () => Promise<PlaneUnderTest>): void {
  describe(name, () => {
    let under: PlaneUnderTest;
    beforeEach(async () => {
      under = await open();
    });
    afterEach(() => under.close());

    async function addresses(host: string): Promise<readonly string[]> {
      const question = { type: 'A', class: 'IN', name: host } as const;
      const reply = await under.query(encode({ type: 'query', id: 7, questions: [question] }));
      const answers: readonly Answer[] =
        reply === undefined ? [] : (decode(Buffer.from(reply)).answers ?? []);
      return answers.flatMap((each) => (each.type === 'A' ? [each.data] : [])).toSorted();
    }

    function edge(site: Parameters<typeof testSite>[0] = {}) {
      return { sites: [testSite(site)], certificates: [under.certificate] };
    }

    test('serves a release and a zone once the snapshot is applied', async () => {
      const release = await publish(under.disk, { 'index.html': 'one' });
      const report = await under.plane.apply(testSnapshot(1, { edge: edge({ release }) }));
      expect(report).toEqual({
        sites: [{ uid: 'site-1', release, certificate: under.certificate.fingerprint }],
        zones: [{ uid: 'zone-1', name: 'test', serial: 1, error: undefined }],
        databases: [],
        challenges: [],
        problems: [],
      });
      expect(await under.get('/')).toEqual({ status: 200, text: 'one' });
      expect(await addresses('blog.test')).toEqual(['192.0.2.10', '192.0.2.20']);
    });

    test('says of each site how many requests it has answered from which release, once', async () => {
      const [first, second] = [
        await publish(under.disk, { 'index.html': 'one' }),
        await publish(under.disk, { 'index.html': 'two', 'lost.html': 'lost' }),
      ];
      await under.plane.apply(testSnapshot(1, { edge: edge({ release: first }) }));
      await under.get('/');
      await under.get('/nowhere');
      await under.get('/', 'unknown.test');
      await under.disk.remove(blobPath(digestOf(Buffer.from('lost'))));
      await under.plane.apply(testSnapshot(2, { edge: edge({ release: second }) }));
      expect((await under.get('/lost.html')).status).toBe(503);
      const counts = new TrafficSums();
      await vi.waitFor(
        () => {
          counts.add(under.plane.takeTraffic());
          const found = new Map(counts.all().map((each) => [each.release, each]));
          expect(found.size).toBe(2);
          expect(found.get(first)).toMatchObject({ uid: 'site-1', requests: 2, serverErrors: 0 });
          expect(found.get(second)).toMatchObject({ uid: 'site-1', requests: 1, serverErrors: 1 });
        },
        { timeout: 10_000, interval: 50 },
      );
      expect(under.plane.takeTraffic()).toEqual([]);
    });

    test('switches to a new release, and keeps the old one while the new one cannot be read', async () => {
      const one = await publish(under.disk, { 'index.html': 'one' });
      const two = await publish(under.disk, { 'index.html': 'two', 'new.html': 'new' });
      const bytes = (await under.disk.read(blobPath(two))) ?? new Uint8Array();
      await under.plane.apply(testSnapshot(1, { edge: edge({ release: one }) }));

      await under.disk.remove(blobPath(two));
      const missing = await under.plane.apply(testSnapshot(2, { edge: edge({ release: two }) }));
      expect(missing.sites[0]).toMatchObject({
        release: one,
        problem: expect.stringContaining('not on disk'),
      });
      await under.disk.write(blobPath(two), bytes.slice(1));
      const changed = await under.plane.apply(testSnapshot(3, { edge: edge({ release: two }) }));
      expect(changed.sites[0]).toMatchObject({
        release: one,
        problem: expect.stringContaining('changed'),
      });
      expect((await under.get('/')).text).toBe('one');
      expect((await under.get('/new')).status).toBe(404);

      await under.disk.write(blobPath(two), bytes);
      const whole = await under.plane.apply(testSnapshot(4, { edge: edge({ release: two }) }));
      expect(whole.sites[0]?.release).toBe(two);
      expect((await under.get('/')).text).toBe('two');
      expect((await under.get('/new')).text).toBe('new');
    });

    test('a site without a release answers 503; one that is taken away is not served', async () => {
      const report = await under.plane.apply(testSnapshot(1, { edge: edge() }));
      expect(report.sites[0]?.release).toBeUndefined();
      expect((await under.get('/')).status).toBe(503);
      const other = { ...testSite({ uid: 'site-2', hosts: ['blog.test'] }) };
      const release = await publish(under.disk, { 'index.html': 'other' });
      const sites = [{ ...other, release }];
      await under.plane.apply(testSnapshot(2, { edge: { ...edge(), sites } }));
      expect((await under.get('/')).text).toBe('other');
      expect((await under.get('/', 'gone.test')).status).toBe(421);
    });

    test('answers CAs for every host that a proof is up for, and says which proofs are', async () => {
      const digest = new Uint8Array(32);
      const http = [
        { host: 'blog.test', token: 't1', keyAuthorization: 't1.x' },
        { host: 'new.test', token: 't2', keyAuthorization: 't2.x' },
      ];
      const proofs = { http, alpn: [{ host: 'new.test', token: 't3', digest }] };
      const report = await under.plane.apply(testSnapshot(1, { edge: { ...edge(), proofs } }));
      expect(report.challenges).toEqual(['t1', 't2', 't3']);
      const ask = (token: string, host: string) =>
        under.getPlain(`/.well-known/acme-challenge/${token}`, host);
      expect(await ask('t1', 'blog.test')).toEqual({ status: 200, text: 't1.x' });
      expect(await ask('t2', 'new.test')).toEqual({ status: 200, text: 't2.x' });
      expect((await ask('t1', 'new.test')).status).toBe(421);
      expect((await under.plane.apply(testSnapshot(2, { edge: edge() }))).challenges).toEqual([]);
      expect((await ask('t1', 'blog.test')).status).toBe(404);
      expect((await ask('t2', 'new.test')).status).toBe(421);
    });

    test('a blob that is gone or has changed answers 503, never wrong bytes', async () => {
      const release = await publish(under.disk, {
        'a.txt': 'small',
        'b.bin': Buffer.alloc(400_000),
      });
      await under.disk.write(blobPath(digestOf(Buffer.from('small'))), Buffer.from('SMALL'));
      await under.disk.remove(blobPath(digestOf(Buffer.alloc(400_000))));
      const told = new Set<Digest>();
      under.plane.onDamaged((blob) => told.add(blob));
      await under.plane.apply(testSnapshot(1, { edge: edge({ release }) }));
      expect((await under.get('/a.txt')).status).toBe(503);
      expect((await under.get('/b.bin')).status).toBe(503);
      const blobs = [digestOf(Buffer.from('small')), digestOf(Buffer.alloc(400_000))];
      await expect.poll(() => [...told].toSorted()).toEqual(blobs.toSorted());
    });

    test('a geography database that has changed is not used, and is told of', async () => {
      const digest = digestOf(Buffer.from('a database'));
      await under.disk.write(blobPath(digest), Buffer.from('A database'));
      const told = new Set<Digest>();
      under.plane.onDamaged((blob) => told.add(blob));
      const { databases } = await under.plane.apply(
        testSnapshot(1, { dns: { databases: [digest] } }),
      );
      expect(databases).toEqual([]);
      await expect.poll(() => [...told]).toEqual([digest]);
    });

    test('a file too large for memory arrives whole', async () => {
      const large = 'large '.repeat(200_000);
      const release = await publish(under.disk, { 'large.txt': large });
      await under.plane.apply(testSnapshot(1, { edge: edge({ release }) }));
      expect(await under.get('/large.txt')).toEqual({ status: 200, text: large });
    });

    test('a broken zone stays as it was while the rest takes effect', async () => {
      await under.plane.apply(testSnapshot(1));
      const broken = testZone(2, {
        records: [{ name: 'test', type: 'A', ttlS: 1, values: ['not an address'] }],
      });
      const other = testZone(5, {
        uid: 'zone-2',
        name: 'other',
        origin: 'other.example',
        records: [],
        geoNames: [],
      });
      const { zones } = await under.plane.apply(
        testSnapshot(2, { dns: { zones: [broken, other] } }),
      );
      expect(zones[0]?.serial).toBe(1);
      expect(zones[0]?.error).toBeDefined();
      expect(zones[1]).toMatchObject({ uid: 'zone-2' });
      expect(await addresses('blog.test')).toHaveLength(2);
    });

    test('health changes answers by itself, and outlives no snapshot', async () => {
      await under.plane.apply(testSnapshot(1));
      under.plane.setHealth({ tokyo: false });
      await expect.poll(() => addresses('blog.test')).toEqual(['192.0.2.10']);
      await under.plane.apply(testSnapshot(2, { dns: { health: { london: false } } }));
      expect(await addresses('blog.test')).toEqual(['192.0.2.20']);
    });

    test('explains what it would answer', async () => {
      await under.plane.apply(testSnapshot(1, { dns: { health: { tokyo: false } } }));
      const question = { name: 'blog.test', type: 'A', clientIp: '203.0.113.1' };
      const outcome = await under.plane.explain(question);
      expect(outcome).toMatchObject({
        kind: 'explained',
        explanation: { answers: ['192.0.2.10'] },
      });
      expect(await under.plane.explain({ ...question, clientIp: 'x' })).toMatchObject({
        kind: 'refused',
      });
    });

    test('refuses to go back; the same snapshot again tells what is served', async () => {
      const release = await publish(under.disk, { 'index.html': 'one' });
      const snapshot = testSnapshot(5, { edge: edge({ release }) });
      const report = await under.plane.apply(snapshot);
      await expect(under.plane.apply(testSnapshot(4))).rejects.toThrow(RangeError);
      expect(await under.plane.apply(snapshot)).toEqual(report);
      expect((await under.get('/')).text).toBe('one');
    });

    test('of many snapshots at once the newest one wins', async () => {
      const releases = await Promise.all(
        Array.from({ length: 10 }, (_, index) => publish(under.disk, { 'index.html': `${index}` })),
      );
      const reports = await Promise.all(
        releases.map((release, index) =>
          under.plane.apply(testSnapshot(index, { edge: edge({ release }) })),
        ),
      );
      expect(reports.at(-1)?.sites[0]?.release).toBe(releases.at(-1));
      expect((await under.get('/')).text).toBe('9');
    });
  });
}
