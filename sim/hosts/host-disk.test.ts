import { afterEach, describe, expect, test } from 'vitest';
import { diskCases } from '../../runtime/disk/disk.case.ts';
import { loneHost } from './host.fixture.ts';
import { CALM_DISK } from './host-disk.ts';

const pumps: AbortController[] = [];
afterEach(() => {
  for (const pump of pumps.splice(0)) pump.abort();
});

describe.each([CALM_DISK, { ...CALM_DISK, delayMsMax: 50 }])('a disk like %o', (weather) => {
  diskCases(async () => {
    const { host, scheduler } = loneHost();
    host.diskWeather = weather;
    const pump = new AbortController();
    pumps.push(pump);
    void (async () => {
      while (!pump.signal.aborted) await scheduler.run(scheduler.nowMs + 1);
    })();
    return host.start().disk;
  });
});

test('a disk that fails says so; a write took effect or not, an append may have done half', async () => {
  const { host, scheduler } = loneHost();
  host.diskWeather = { ...CALM_DISK, errors: 1 };
  const { disk } = host.start();
  const after = new Set<string>();
  for (let tries = 0; tries < 50; tries += 1) {
    await host.wipe();
    const failed = ['write', 'append'].map((kind) => {
      const bytes = Buffer.from('12345678');
      const work = kind === 'write' ? disk.write('w', bytes) : disk.append('a', bytes);
      return expect(work).rejects.toThrow(`${kind} ${kind[0]}: input/output error`);
    });
    await scheduler.run(scheduler.nowMs + 10);
    await Promise.all(failed);
    const [written, appended] = ['w', 'a'].map((path) => host.disk.files().get(path)?.toString());
    expect([undefined, '12345678']).toContain(written);
    expect('12345678').toContain(appended ?? '');
    after.add(`${written} ${appended?.length ?? 'none'}`);
  }
  await expect(disk.read('w')).rejects.toThrow('input/output error');
  expect(after.size).toBeGreaterThan(5);
});

test('a crash comes after a change took effect and before the process learns of it', async () => {
  const { host, scheduler } = loneHost();
  const { disk, process } = host.start();
  const effects: string[] = [];
  host.onEffect = (by, what) => {
    effects.push(`${by.name} ${what}`);
    if (effects.length === 2) host.crash();
  };
  const done: string[] = [];
  void (async () => {
    for (const path of ['one', 'two', 'three']) {
      await disk.write(path, Buffer.from(path));
      done.push(path);
    }
  })();
  await scheduler.run(1_000);
  expect(effects).toEqual(['london#1 disk write one', 'london#1 disk write two']);
  expect([done, process.alive, [...host.disk.files().keys()].toSorted()]).toEqual([
    ['one'],
    false,
    ['one', 'two'],
  ]);
});

test('what a process began and did not live to see never happens', async () => {
  const { host, scheduler } = loneHost();
  const { disk } = host.start();
  void disk.write('never', Buffer.from('x'));
  host.crash();
  await scheduler.run(1_000);
  expect(host.disk.files().size).toBe(0);
});

test('a full disk refuses, and takes more once there is room again', async () => {
  const { host, scheduler } = loneHost();
  const { disk } = host.start();
  host.fill(4);
  const refused = expect(disk.write('a', Buffer.from('12345'))).rejects.toThrow('no space left');
  await scheduler.run(100);
  await refused;
  host.empty();
  const written = disk.write('a', Buffer.from('12345'));
  await scheduler.run(200);
  await written;
});
