import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { Plan } from '../../proto/gen/b8s/v1/agent.ts';
import { PlanObject } from '../../proto/gen/b8s/v1/plan.ts';
import type { Disk } from '../../runtime/disk/disk.ts';
import { memoryDisk } from '../../runtime/disk/memory-disk.ts';
import { type Log, silentLog } from '../../runtime/log.ts';
import { SortedMap } from '../../runtime/store/sorted-map.ts';
import { planFile } from './plan-file.ts';
import { planObjects } from './plan-objects.ts';
import { applyPlan, type HeldPlan } from './plan-state.ts';

const PATH = 'plan.bin';
const NOTHING = Plan.fromPartial({});

const held: HeldPlan = {
  position: { epoch: 3n, revision: 2n ** 60n },
  objects: SortedMap.from(
    ['node/london', 'site/default/blog'].map((key) => [key, object(key)] as const),
  ),
  digestCheck: 'agreed',
};

const large: HeldPlan = {
  ...held,
  objects: new Map(
    [...Array.from({ length: 40 }, (_, index) => `node/${index + 100}`), 'site/default/blog'].map(
      (key) => [key, object(key)],
    ),
  ),
};

test('a plan comes back as it was saved, also after a crash', async () => {
  const disk = memoryDisk();
  await planFile(disk, 'plan.bin', silentLog).save(held);
  disk.crash();
  expect(await planFile(disk, 'plan.bin', silentLog).load()).toEqual(held);
});

test('an empty plan comes back too', async () => {
  const disk = memoryDisk();
  const file = planFile(disk, 'plan.bin', silentLog);
  await file.save({ ...held, objects: new Map() });
  expect((await file.load())?.objects.size).toBe(0);
});

test('no file is a fresh node', async () => {
  expect(await planFile(memoryDisk(), 'plan.bin', silentLog).load()).toBeUndefined();
});

test.each([
  { when: 'it is empty', damage: () => Buffer.alloc(0) },
  { when: 'it is cut in the trailer', damage: (bytes: Uint8Array) => bytes.subarray(0, 20) },
  { when: 'its end is cut off', damage: (bytes: Uint8Array) => bytes.subarray(0, -1) },
  { when: 'one bit flipped', damage: (bytes: Uint8Array) => bytes.with(3, (bytes[3] ?? 0) ^ 1) },
])('a file is ignored when $when', async ({ damage }) => {
  const disk = memoryDisk();
  const file = planFile(disk, 'plan.bin', silentLog);
  await file.save(held);
  await disk.write('plan.bin', damage((await disk.read('plan.bin')) ?? Buffer.alloc(0)));
  expect(await file.load()).toBeUndefined();
});

test.each([
  { when: 'a record means nothing to it', body: [0x0f] },
  { when: 'a record ends within a field', body: [0x0a, 0x7f] },
  { when: 'a record has no position', body: [] },
  { when: 'what it knows as a number is a text', body: [0x30, 0xff, 0xff, 0xff] },
])('a file of a later version is told of, and started afresh from: $when', async ({ body }) => {
  const disk = memoryDisk();
  const bytes = Buffer.from(body);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(bytes.length);
  await disk.write(
    PATH,
    Buffer.concat([length, bytes, createHash('sha256').update(bytes).digest()]),
  );
  const said: string[] = [];
  const log: Log = { ...silentLog, warn: (_, message) => void said.push(message) };
  const file = planFile(disk, PATH, log);
  expect(await file.load()).toBeUndefined();
  expect(said).toEqual([expect.stringContaining('nothing is held until dom sends it')]);
  await file.save(held);
  expect(await planFile(disk, PATH, silentLog).load()).toEqual(held);
});

test('objects of a kind that only a later version knows are kept aside, and the others are held', async () => {
  const disk = memoryDisk();
  // Field 1 is the key; field 4000 of an object is of nobody.
  const strange = Buffer.from([0x0a, 1, 0x78, 0x82, 0xfa, 1, 2, 0x0a, 0]);
  const upserts = [object('node/london')];
  const plan = Buffer.from(Plan.encode({ ...NOTHING, position: held.position, upserts }).finish());
  const [known] = Plan.decode(plan).upserts;
  const at = plan.indexOf(Buffer.from(PlanObject.encode(known ?? NO_OBJECT).finish()));
  const tag = plan[at - 2] ?? 0;
  const body = Buffer.concat([plan, Buffer.from([tag, strange.length]), strange]);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(body.length);
  await disk.write(PATH, Buffer.concat([length, body, createHash('sha256').update(body).digest()]));
  const read = await planFile(disk, PATH, silentLog).load();
  expect(read?.position).toEqual(held.position);
  expect(planObjects(read?.objects ?? new Map()).nodes).toHaveLength(1);
});

const NO_OBJECT = PlanObject.fromPartial({});

test('what a version before wrote is read, and then written anew', async () => {
  const disk = memoryDisk();
  const upserts = [...held.objects.values()];
  const body = Plan.encode({ ...NOTHING, position: held.position, upserts }).finish();
  await disk.write(PATH, Buffer.concat([body, createHash('sha256').update(body).digest()]));
  const file = planFile(disk, PATH, silentLog);
  expect(await file.load()).toEqual(held);
  const { next, taken } = change(held, 1);
  await file.save(next, taken);
  expect(await planFile(disk, PATH, silentLog).load()).toEqual(next);
});

describe('a change', () => {
  async function saved(changes: number) {
    const disk = memoryDisk();
    const file = planFile(disk, PATH, silentLog);
    await file.save(large);
    let last = large;
    const sizes: number[] = [];
    for (let count = 1; count <= changes; count += 1) {
      const { next, taken } = change(last, count);
      await file.save(next, taken);
      last = next;
      sizes.push(((await disk.read(PATH)) ?? []).length);
    }
    return { disk, file, last, sizes };
  }
  const load = (disk: Disk) => planFile(disk, PATH, silentLog).load();

  test('is added to the file, survives a crash, and is built upon after a restart', async () => {
    const { disk, last, sizes } = await saved(3);
    expect(new Set(sizes.map((size, index) => size - (sizes[index - 1] ?? 0)).slice(1)).size).toBe(
      1,
    );
    disk.crash();
    const again = planFile(disk, PATH, silentLog);
    expect(await again.load()).toEqual(last);
    const { next, taken } = change(last, 4);
    await again.save(next, taken);
    disk.crash();
    expect(await load(disk)).toEqual(next);
    expect([...next.objects.keys()]).toEqual([...next.objects.keys()].toSorted());
  });

  test('changes are at most as long as the snapshot: then the whole is written', async () => {
    const { disk, last, sizes } = await saved(60);
    const whole = sizes.filter((size, index) => size < (sizes[index - 1] ?? 0));
    expect(whole.length).toBeGreaterThan(0);
    expect(Math.max(...sizes)).toBeLessThan(2.2 * Math.max(...whole));
    expect(await load(disk)).toEqual(last);
  });

  test('that was cut anywhere as it was written is forgotten, and the next one holds', async () => {
    const { disk, last } = await saved(2);
    const { next, taken } = change(last, 3);
    const before = (await disk.read(PATH)) ?? new Uint8Array();
    const writer = planFile(disk, PATH, silentLog);
    await writer.load();
    await writer.save(next, taken);
    const after = (await disk.read(PATH)) ?? new Uint8Array();
    for (let length = before.length; length < after.length; length += 1) {
      await disk.write(PATH, after.slice(0, length));
      const file = planFile(disk, PATH, silentLog);
      expect(await file.load()).toEqual(last);
      await file.save(next, taken);
      expect(await load(disk)).toEqual(next);
    }
  });

  test('with damage before its end, the file is not half believed', async () => {
    const { disk, sizes } = await saved(3);
    const bytes = (await disk.read(PATH)) ?? new Uint8Array();
    const at = (sizes[0] ?? 0) + 10;
    await disk.write(PATH, bytes.with(at, (bytes[at] ?? 0) ^ 1));
    expect(await load(disk)).toBeUndefined();
  });

  test('that could not be added leaves no garbage between records', async () => {
    const { disk, last } = await saved(1);
    let fails = true;
    const failing: Disk = {
      ...{ read: (path) => disk.read(path), write: (path, bytes) => disk.write(path, bytes) },
      ...{ remove: (path) => disk.remove(path), rename: (from, to) => disk.rename(from, to) },
      readInto: (path, memory) => disk.readInto(path, memory),
      ...{ stat: (path) => disk.stat(path), list: (path) => disk.list(path) },
      ...{ stream: (path) => disk.stream(path), sync: (path) => disk.sync(path) },
      append: async (path, bytes) => {
        await disk.append(path, fails ? bytes.slice(0, 7) : bytes);
        if (fails) throw new Error('disk full');
      },
    };
    const file = planFile(failing, PATH, silentLog);
    await file.load();
    const { next, taken } = change(last, 2);
    await expect(file.save(next, taken)).rejects.toThrow('disk full');
    expect(await load(disk)).toEqual(last);
    fails = false;
    await file.save(next, taken);
    expect(await load(disk)).toEqual(next);
  });

  test('that builds on something else is written as a whole', async () => {
    const { disk, file, last } = await saved(1);
    const { next, taken } = change(last, 2);
    await file.save(next, { ...taken, base: { epoch: 1n, revision: 1n } });
    expect(await load(disk)).toEqual(next);
  });
});

/** One more object, one gone, and one that says something else. */
function change(
  before: HeldPlan,
  count: number,
): { readonly next: HeldPlan; readonly taken: Plan } {
  const { epoch, revision } = before.position;
  const position = { epoch, revision: revision + 1n };
  const upserts = [object(`node/a${count}`, 'b'), object('site/default/blog', `c${count}`)];
  const removals = [`node/a${count - 1}`];
  const taken: Plan = { ...NOTHING, base: before.position, position, upserts, removals };
  const verdict = applyPlan(before, taken);
  if (verdict.kind !== 'applied') throw new Error(verdict.why);
  return { next: verdict.held, taken };
}

function object(key: string, name = key): PlanObject {
  return PlanObject.fromPartial({ key, object: { $case: 'node', value: { name } } });
}
