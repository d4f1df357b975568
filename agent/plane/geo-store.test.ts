import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { blobPath, type Digest, digestOf } from '../../runtime/content/digest.ts';
import type { Disk } from '../../runtime/disk/disk.ts';
import { nodeDisk } from '../../runtime/node/disk.ts';
import { nodeReadShared } from '../../runtime/node/shared-file.ts';
import { processWorkers } from '../../runtime/node/worker-processes.ts';
import { openGeoTable } from '../dns/geo-table/table.ts';
import {
  compileInWorker,
  compileOnDisk,
  GEO_FOLDER,
  type GeoJob,
  type GeoOutcome,
  geoTablePath,
} from './geo-compiler.ts';
import { createGeoStore, type GeoStore } from './geo-store.ts';

const DATABASE = readFileSync(new URL('../dns/testdata/GeoLite2-City-Test.mmdb', import.meta.url));
/** Another file of the same content: bytes behind the metadata mean nothing. */
const OTHER = Buffer.concat([DATABASE, Buffer.alloc(1)]);
const [FIRST, SECOND] = [digestOf(DATABASE), digestOf(OTHER)];

interface Scene {
  readonly disk: Disk;
  readonly folder: string;
  readonly compiled: Digest[];
  readonly damaged: Digest[];
  readonly ready: () => number;
  /** While it is set, compiling waits for it. */
  gate: Promise<void> | undefined;
  /** A store that knows nothing but what is on disk: as after a restart. */
  start(): GeoStore;
}

async function scene(): Promise<Scene> {
  const folder = await mkdtemp(join(tmpdir(), 'b8s-geo-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const disk = nodeDisk(folder);
  await disk.write(blobPath(FIRST), DATABASE);
  await disk.write(blobPath(SECOND), OTHER);
  let ready = 0;
  const it: Scene = {
    ...{ disk, folder, compiled: [], damaged: [], ready: () => ready, gate: undefined },
    start: () =>
      createGeoStore({
        disk,
        read: nodeReadShared(folder),
        compile: async (digest) => {
          it.compiled.push(digest);
          await it.gate;
          return compileOnDisk(disk, digest);
        },
        onDamaged: (blob) => void it.damaged.push(blob),
        onReady: () => {
          ready += 1;
        },
      }),
  };
  return it;
}

const digestsOf = async (store: GeoStore, ...wanted: readonly Digest[]) =>
  (await store.load(wanted)).databases.map(({ digest }) => digest);

test('a database is compiled once, and found on disk from then on', async () => {
  const at = await scene();
  const store = at.start();
  expect(await digestsOf(store, FIRST)).toEqual([]);
  await expect.poll(at.ready).toBe(1);
  const { databases } = await store.load([FIRST]);
  const [table] = databases;
  expect(table?.digest).toBe(FIRST);
  expect(table?.bytes.buffer).toBeInstanceOf(SharedArrayBuffer);
  const locate = openGeoTable({ source: 'it', bytes: table?.bytes ?? new Uint8Array() });
  expect(locate('81.2.69.142')).toMatchObject({ latitude: 51.5142, country: 'GB' });
  expect(await digestsOf(at.start(), FIRST)).toEqual([FIRST]);
  expect(at.compiled).toEqual([FIRST]);
});

test('the old one stays in use until the new one is compiled, and then goes', async () => {
  const at = await scene();
  const store = at.start();
  await store.load([FIRST]);
  await expect.poll(at.ready).toBe(1);
  const gate = Promise.withResolvers<void>();
  at.gate = gate.promise;
  expect(await digestsOf(store, FIRST)).toEqual([FIRST]);
  expect(await digestsOf(store, SECOND)).toEqual([FIRST]);
  expect(await digestsOf(store, SECOND)).toEqual([FIRST]);
  gate.resolve();
  await expect.poll(at.ready).toBe(2);
  expect(await digestsOf(store, SECOND)).toEqual([SECOND]);
  expect(at.compiled).toEqual([FIRST, SECOND]);
  expect((await at.disk.list(GEO_FOLDER)).map(({ name }) => `${GEO_FOLDER}/${name}`)).toEqual([
    geoTablePath(SECOND),
  ]);
});

test.each([
  {
    when: 'a bit of it has rotted',
    harm: (bytes: Buffer) => void bytes.writeUInt8(bytes.readUInt8(300) ^ 4, 300),
  },
  { when: 'its head is of another version', harm: (bytes: Buffer) => void (bytes[7] = 99) },
  { when: 'it is empty', harm: () => Buffer.alloc(0) },
  { when: 'it is cut off', harm: (bytes: Buffer) => bytes.subarray(0, 600) },
])('a table is compiled again when $when', async ({ harm }) => {
  const at = await scene();
  await compileOnDisk(at.disk, FIRST);
  const bytes = Buffer.from((await at.disk.read(geoTablePath(FIRST))) ?? []);
  await at.disk.write(geoTablePath(FIRST), harm(bytes) ?? bytes);
  const store = at.start();
  expect(await digestsOf(store, FIRST)).toEqual([]);
  await expect.poll(at.ready).toBe(1);
  expect(await digestsOf(store, FIRST)).toEqual([FIRST]);
});

test('a database that is not what its name says is told of, and tried again when it is wanted', async () => {
  const at = await scene();
  await at.disk.write(blobPath(FIRST), OTHER);
  const store = at.start();
  await store.load([FIRST]);
  await expect.poll(() => at.damaged).toEqual([FIRST]);
  await at.disk.write(blobPath(FIRST), DATABASE);
  expect((await store.load([FIRST])).problems).toEqual([
    `geography database ${FIRST} is not what its name says`,
  ]);
  await expect.poll(at.ready).toBe(1);
  expect(await store.load([FIRST])).toMatchObject({ databases: [{ digest: FIRST }], problems: [] });
});

test('what is no database is a problem, and no damage to fetch it again for', async () => {
  const at = await scene();
  const text = Buffer.from('no database');
  const digest = digestOf(text);
  await at.disk.write(blobPath(digest), text);
  const store = at.start();
  await store.load([digest]);
  await expect
    .poll(async () => (await store.load([digest])).problems)
    .toEqual([`read ${digest} as a MaxMind DB: it has no MaxMind metadata`]);
  expect(at.damaged).toEqual([]);
});

test('a process compiles, one that fails says so, and one that is not waited for ends', async () => {
  const at = await scene();
  const { signal } = new AbortController();
  const compile = compileInWorker((digest) =>
    processWorkers<'geo', never, GeoOutcome>({
      entry: new URL('./geo/main.ts', import.meta.url),
      dataFor: (kind): GeoJob => ({ kind, folder: at.folder, digest }),
      flags: [],
    }),
  );
  expect(await compile(FIRST, signal)).toEqual({ kind: 'compiled' });
  expect(await digestsOf(at.start(), FIRST)).toEqual([FIRST]);
  const absent = digestOf(Buffer.from('absent'));
  expect(await compile(absent, signal)).toMatchObject({ kind: 'damaged' });
  const broken = compileInWorker(() =>
    processWorkers<'geo', never, GeoOutcome>({
      entry: new URL('./no-such-file.ts', import.meta.url),
      dataFor: () => ({}),
      flags: [],
    }),
  );
  expect(await broken(FIRST, signal)).toMatchObject({ kind: 'failed' });
  const stop = new AbortController();
  const stopped = compile(SECOND, stop.signal);
  stop.abort();
  expect(await stopped).toMatchObject({
    kind: 'failed',
    error: expect.stringContaining('SIGKILL'),
  });
});
