import { expect, test } from 'vitest';
import { blobPath, type Digest, digestOf } from '../../runtime/content/digest.ts';
import { memoryDisk } from '../../runtime/disk/memory-disk.ts';
import { silentLog } from '../../runtime/log.ts';
import { virtualClock } from '../../runtime/test-clock.ts';
import { SCRUB_INTERVAL_MS, Scrub } from './scrub.ts';

const TEXTS = ['one', 'two', 'three'];
const [ONE = digestOf(Buffer.from('')), TWO = ONE] = TEXTS.map((text) =>
  digestOf(Buffer.from(text)),
);

async function start() {
  const clock = virtualClock();
  const disk = memoryDisk();
  for (const text of TEXTS)
    await disk.write(blobPath(digestOf(Buffer.from(text))), Buffer.from(text));
  let missing = 0;
  const scrub = new Scrub({
    ...{ disk, clock, log: silentLog },
    list: async () => TEXTS.map((text) => digestOf(Buffer.from(text))),
    onMissing: () => {
      missing += 1;
    },
  });
  const over = new AbortController();
  const running = scrub.run(over.signal);
  await clock.advance(10_000);
  return {
    ...{ clock, disk, scrub },
    missing: () => missing,
    isThere: (blob: Digest) => disk.files().has(blobPath(blob)),
    stop: async () => {
      over.abort(new Error('stop'));
      await clock.advance(0);
      await running;
    },
  };
}

test('finds what has rotted within a day, and leaves the rest', async () => {
  const world = await start();
  expect(world.disk.files().size).toBe(3);
  world.disk.rot(blobPath(TWO), 0);
  await world.clock.advance(SCRUB_INTERVAL_MS - 20_000);
  expect(world.isThere(TWO)).toBe(true);
  await world.clock.advance(30_000);
  expect([world.isThere(TWO), world.disk.files().size, world.missing()]).toEqual([false, 2, 1]);
  await world.stop();
});

test('finds all that has rotted one after another, however often it reads each again', async () => {
  const world = await start();
  for (const blob of [ONE, TWO]) world.disk.rot(blobPath(blob), 0);
  await world.clock.advance(SCRUB_INTERVAL_MS);
  expect([world.isThere(ONE), world.isThere(TWO), world.missing()]).toEqual([false, false, 2]);
  await world.stop();
});

test('looks at a suspect at once', async () => {
  const world = await start();
  world.disk.rot(blobPath(TWO), 0);
  world.scrub.suspect(TWO);
  world.scrub.suspect(ONE);
  await world.clock.advance(5_000);
  expect([world.isThere(ONE), world.isThere(TWO), world.missing()]).toEqual([true, false, 1]);
  await world.stop();
});

test('says when a suspect is gone', async () => {
  const world = await start();
  await world.disk.remove(blobPath(TWO));
  world.scrub.suspect(TWO);
  await world.clock.advance(0);
  expect(world.missing()).toBe(1);
  await world.stop();
});

test.each([
  { when: 'it is misread once', failures: 1, code: 'EIO', isThere: true },
  { when: 'it cannot be read at all', failures: Infinity, code: 'EIO', isThere: false },
  {
    when: 'this process has too many files open',
    failures: Infinity,
    code: 'EMFILE',
    isThere: true,
  },
  {
    when: 'the machine has too many files open',
    failures: Infinity,
    code: 'ENFILE',
    isThere: true,
  },
])('a suspect $when', async ({ failures, code, isThere }) => {
  const world = await start();
  const { stream } = world.disk;
  let left = failures;
  world.disk.stream = (...args) => {
    left -= 1;
    if (left >= 0) throw Object.assign(new Error('it cannot be read'), { code });
    return stream.apply(world.disk, args);
  };
  world.scrub.suspect(TWO);
  await world.clock.advance(5_000);
  expect(world.isThere(TWO)).toBe(isThere);
  await world.stop();
});
