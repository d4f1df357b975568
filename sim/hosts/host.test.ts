import { expect, test } from 'vitest';
import { blobPath, digestHex, digestOf } from '../../runtime/content/digest.ts';
import { memoryDisk } from '../../runtime/disk/memory-disk.ts';
import { loneHost } from './host.fixture.ts';
import { Host } from './host.ts';

test('a power cut takes what was not synced, unless the disk tears', async () => {
  const left = new Set<number>();
  for (let seed = 0; seed < 30; seed += 1) {
    const { host } = loneHost(`tear ${seed}`);
    host.diskWeather = { ...host.diskWeather, tears: seed === 0 ? 0 : 1 };
    await host.disk.append('part', Buffer.alloc(100));
    host.start();
    host.crash();
    const bytes = host.disk.files().get('part')?.length ?? 0;
    if (seed === 0) expect(bytes).toBe(0);
    left.add(bytes);
  }
  expect(left.size).toBeGreaterThan(10);
});

test('a shared disk goes on when one of its machines stops', async () => {
  const { host: other, scheduler, trace, random } = loneHost();
  const shared = memoryDisk();
  const host = new Host('dom-1', { scheduler, trace, random }, shared);
  await shared.append('uploads/of-another', Buffer.from('x'));
  host.start();
  host.crash();
  expect([shared.files().size, other.disk === shared]).toEqual([1, false]);
});

test('rot is known until the blob is whole again, or somebody mends it', async () => {
  const { host, random } = loneHost();
  const bytes = Buffer.from('a blob');
  const path = blobPath(digestOf(bytes));
  await host.disk.write('plan.bin', bytes);
  host.strike(random);
  expect([host.mayMisread, host.rot.damaged()]).toEqual([false, []]);
  await host.disk.write(path, bytes);
  host.strike(random);
  expect([host.mayMisread, host.rot.damaged()]).toEqual([true, [path]]);
  await host.disk.remove(path);
  expect(host.rot.damaged()).toEqual([path]);
  await host.disk.write(path, bytes);
  expect([host.mayMisread, host.rot.damaged()]).toEqual([false, []]);
  host.strike(random);
  await host.rot.mend();
  expect([host.rot.damaged(), host.disk.files().get(path)?.toString()]).toEqual([[], 'a blob']);
});

test('rot that struck a blob on its way is known once the blob is in its place', async () => {
  const { host, random } = loneHost();
  const bytes = Buffer.from('a blob');
  const part = `partial/${digestHex(digestOf(bytes))}`;
  await host.disk.write(part, bytes);
  host.strike(random);
  expect(host.mayMisread).toBe(false);
  const path = blobPath(digestOf(bytes));
  await host.disk.rename(part, path);
  expect(host.rot.damaged()).toEqual([path]);
  await host.disk.write(path, bytes);
  expect(host.mayMisread).toBe(false);
});

test('a machine that is set up anew has nothing, whatever a power cut brings back', async () => {
  const { host } = loneHost();
  host.diskWeather = { ...host.diskWeather, tears: 1 };
  await host.disk.write('plan.bin', Buffer.from('old'));
  await host.wipe();
  host.start();
  host.crash();
  expect(host.disk.files().size).toBe(0);
});

test('a machine that stands still misses nothing, and sees its clock jump', async () => {
  const { host, scheduler } = loneHost();
  const { process } = host.start();
  const clock = process.clock(host.clock);
  const woken: number[] = [];
  for (const ms of [100, 200]) void clock.sleep(ms).then(() => woken.push(ms));
  const { wake } = host.pause();
  await scheduler.run(1_000);
  expect([host.pause().wake(), woken]).toEqual([undefined, []]);
  const beforeMs = clock.monotonicMs();
  host.jump(-60_000);
  wake();
  await scheduler.run(1_001);
  expect([woken, clock.monotonicMs() - beforeMs, Math.round(host.clock.offMs)]).toEqual([
    [100, 200],
    1,
    -60_000,
  ]);
});
