import { expect, test } from 'vitest';
import { PlanObject } from '../../proto/gen/b8s/v1/plan.ts';
import { silentLog } from '../../runtime/log.ts';
import { memoryDisk } from '../../runtime/memory-disk.ts';
import { planFile } from './plan-file.ts';
import type { HeldPlan } from './plan-state.ts';

const held: HeldPlan = {
  position: { epoch: 3n, revision: 2n ** 60n },
  objects: new Map(['node/london', 'site/default/blog'].map((key) => [key, object(key)])),
  digestCheck: 'agreed',
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

function object(key: string): PlanObject {
  return PlanObject.fromPartial({ key, object: { $case: 'node', value: { name: key } } });
}
