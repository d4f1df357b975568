import { zstdCompressSync } from 'node:zlib';
import { beforeEach, describe, expect, test } from 'vitest';
import type { UploadBlobRequest } from '../../proto/gen/b8s/v1/api.ts';
import { blobPath, digestOf } from '../../runtime/content/digest.ts';
import { type MemoryDisk, memoryDisk } from '../../runtime/disk/memory-disk.ts';
import { Blobs } from './blobs.ts';
import { receiveBlobs } from './receive.ts';

const random = { next: () => 0.5, bytes: (length: number) => new Uint8Array(length) };
const MIB = 1024 * 1024;
/** Large enough that its beginning is kept. */
const LARGE = Buffer.alloc(12 * MIB, 'a large blob ');
const LARGE_DIGEST = digestOf(LARGE);

let disk: MemoryDisk;
let blobs: Blobs;

beforeEach(() => {
  disk = memoryDisk();
  blobs = new Blobs(disk, random);
});

async function receive(...messages: readonly UploadBlobRequest[]): Promise<readonly string[]> {
  const stored: string[] = [];
  const requests = (async function* () {
    yield* messages;
  })();
  await receiveBlobs(blobs, requests, (digest) => stored.push(digest));
  return stored;
}

function message(bytes: Uint8Array, changes: Partial<UploadBlobRequest> = {}): UploadBlobRequest {
  return {
    ...{ digest: digestOf(bytes), sizeBytes: BigInt(bytes.length), chunk: Buffer.from(bytes) },
    ...{ offsetBytes: 0n, rawBytes: 0 },
    ...changes,
  };
}

const MORE = { digest: '', sizeBytes: 0n } as const;

/** LARGE from a byte on, in messages of 1 MiB. */
function large(fromByte: number, toByte = LARGE.length): readonly UploadBlobRequest[] {
  const messages: UploadBlobRequest[] = [];
  for (let at = fromByte; at < toByte; at += MIB) {
    const chunk = LARGE.subarray(at, Math.min(toByte, at + MIB));
    const head = { digest: LARGE_DIGEST, sizeBytes: BigInt(LARGE.length) };
    const offsetBytes = BigInt(at === fromByte ? fromByte : 0);
    messages.push(message(chunk, { ...(at === fromByte ? head : MORE), offsetBytes }));
  }
  return messages;
}

test('blobs of all sizes follow one another in one stream', async () => {
  const texts = ['', 'one', 'x'.repeat(100_000), 'two'].map((text) => Buffer.from(text));
  const few = texts.map((text) => message(text));
  const split = Buffer.from('in two messages');
  const stored = await receive(
    ...few.slice(0, 2),
    ...large(0),
    ...few.slice(2),
    message(split.subarray(0, 6), { digest: digestOf(split), sizeBytes: BigInt(split.length) }),
    message(split.subarray(6), MORE),
  );
  const digests = [...texts, split].map(digestOf);
  expect([...stored].toSorted()).toEqual([...digests, LARGE_DIGEST].toSorted());
  for (const digest of stored) expect(await blobs.has(digest)).toBe(true);
  expect([...disk.files().keys()].filter((path) => !path.startsWith('blobs/'))).toEqual([]);
});

test('of a thousand small blobs a few are stored at once', async () => {
  let [now, most] = [0, 0];
  const slow = {
    put: () => Promise.reject(new Error('none of them is large')),
    async putWhole(): Promise<void> {
      now += 1;
      most = Math.max(most, now);
      await new Promise((resolve) => setImmediate(resolve));
      now -= 1;
    },
  };
  const requests = (async function* () {
    for (let index = 0; index < 1000; index += 1) yield message(Buffer.from(`file ${index}`));
  })();
  let stored = 0;
  await receiveBlobs(slow, requests, () => {
    stored += 1;
  });
  expect({ stored, now, most }).toEqual({ stored: 1000, now: 0, most: 16 });
});

test('a compressed message is unpacked', async () => {
  const text = Buffer.alloc(50_000, 'text ');
  const chunk = zstdCompressSync(text);
  await receive(message(text, { chunk, rawBytes: text.length }));
  expect(Buffer.from(await blobs.read(digestOf(text))).equals(text)).toBe(true);
});

describe('memory that messages are in is let go of once each', () => {
  const texts = ['one', 'x'.repeat(100_000), 'two', ''].map((text) => Buffer.from(text));
  const packed = Buffer.alloc(50_000, 'text ');
  const split = Buffer.from('in two messages');
  const rest = message(split.subarray(6), MORE);
  const head = message(split.subarray(0, 6), {
    ...{ digest: digestOf(split), sizeBytes: BigInt(split.length) },
  });
  const good = [
    ...texts.map((text) => message(text)),
    message(packed, { chunk: zstdCompressSync(packed), rawBytes: packed.length }),
    ...large(0),
    ...[head, rest],
  ];
  const wrong = message(Buffer.from('x'), { chunk: Buffer.from('y') });
  const noFrame = message(Buffer.alloc(1000), { rawBytes: 1000 });

  test.each([
    { when: 'all is stored', messages: good, taken: good.length },
    { when: 'a small one is another', messages: [...good, wrong], taken: good.length + 1 },
    { when: 'one does not unpack', messages: [noFrame, ...good], taken: 1 },
    { when: 'a large one is cut', messages: large(0, 6 * MIB), taken: 6 },
    { when: 'it begins in the middle', messages: [rest, head], taken: 1 },
  ])('when $when', async ({ messages, taken }) => {
    const released = new Map<UploadBlobRequest, number>();
    const requests = (async function* () {
      for (const each of messages) {
        // In memory of its own, which is of no use to anybody from then on.
        const chunk = Buffer.from(each.chunk);
        const release = (): void => {
          released.set(each, (released.get(each) ?? 0) + 1);
          chunk.fill(0xff);
        };
        yield { ...each, chunk, release };
      }
    })();
    const done = receiveBlobs(blobs, requests, () => undefined).catch(() => undefined);
    await done;
    expect([...released.values()]).toEqual(messages.slice(0, taken).map(() => 1));
    if (taken < good.length) return;
    for (const text of [...texts, packed, split, LARGE])
      expect(Buffer.from(await readAll(digestOf(text))).equals(text)).toBe(true);
  });

  async function readAll(digest: string): Promise<Uint8Array> {
    const pieces: Uint8Array[] = [];
    for await (const piece of (await blobs.open(digest, 0)).chunks) pieces.push(piece);
    return Buffer.concat(pieces);
  }
});

test.each([
  { when: 'that are empty, behind the first', blob: 'x', head: 'x', more: '', count: 50_000 },
  { when: 'that are empty, of an empty blob', blob: '', head: '', more: '', count: 50_000 },
  { when: 'of a byte, behind an empty one', blob: 'x'.repeat(50_000), head: '', more: 'x' },
])('a small blob in many messages $when is kept once', async ({ blob, head, more, count }) => {
  const bytes = Buffer.from(blob);
  const [now, most] = [new Set<object>(), { held: 0 }];
  const hold = (each: UploadBlobRequest) => {
    now.add(each);
    most.held = Math.max(most.held, now.size);
    return { ...each, release: () => void now.delete(each) };
  };
  const chunk = Buffer.from(more);
  const requests = (async function* () {
    yield hold(message(bytes, { chunk: Buffer.from(head) }));
    for (let index = 0; index < (count ?? blob.length); index += 1)
      yield hold(message(chunk, MORE));
  })();
  const stored: string[] = [];
  await receiveBlobs(blobs, requests, (digest) => stored.push(digest));
  expect(stored).toEqual([digestOf(bytes)]);
  expect(String(await blobs.read(digestOf(bytes)))).toBe(blob);
  // The first one waits to be told whether it is all.
  expect(most.held).toBeLessThanOrEqual(2);
  expect(now.size).toBe(0);
});

const BOMB = zstdCompressSync(Buffer.alloc(64 * MIB));

describe('a stream is refused', () => {
  test.each([
    { when: 'it carries nothing', messages: [], why: 'begins with the digest' },
    {
      when: 'it begins in the middle',
      messages: [message(Buffer.from('x'), MORE)],
      why: 'begins with the digest',
    },
    {
      when: 'what names a blob is no digest',
      messages: [message(Buffer.from('x'), { digest: '../../etc/passwd' })],
      why: 'is no digest',
    },
    {
      when: 'the bytes are others',
      messages: [message(Buffer.from('x'), { chunk: Buffer.from('y') })],
      why: 'changed while it was read',
    },
    {
      when: 'it ends before the blob does',
      messages: [message(Buffer.from('xy'), { chunk: Buffer.from('x') })],
      why: 'ended after 1 of 2 bytes',
    },
    {
      when: 'a small blob goes on and on',
      messages: [
        message(Buffer.from('x')),
        ...Array.from({ length: 300 }, () => message(Buffer.alloc(1024), MORE)),
      ],
      why: 'longer than was told',
    },
    {
      when: 'a small blob has a byte more than was told',
      messages: [message(Buffer.from('x')), message(Buffer.from('y'), MORE)],
      why: 'longer than was told',
    },
    {
      when: 'a message unpacks to more than it says',
      messages: [message(Buffer.alloc(1000), { chunk: BOMB, rawBytes: 1000 })],
      why: 'does not unpack to 1000 bytes',
    },
    {
      when: 'a message says that it unpacks to too much',
      messages: [message(Buffer.alloc(1000), { chunk: BOMB, rawBytes: 64 * MIB })],
      why: 'does not unpack',
    },
    {
      when: 'a message is no frame',
      messages: [message(Buffer.alloc(1000), { rawBytes: 1000 })],
      why: 'does not unpack',
    },
  ])('when $when', async ({ messages, why }) => {
    await expect(receive(...messages)).rejects.toThrow(why);
    expect([...disk.files().keys()]).toEqual([]);
  });
});

describe('a large blob of which the upload was cut', () => {
  async function cut(atByte: number): Promise<void> {
    await expect(receive(...large(0, atByte))).rejects.toThrow('push again');
  }

  test('goes on where it ended, also after a restart of dom', async () => {
    await cut(8 * MIB);
    expect(await blobs.heldBytes(LARGE_DIGEST)).toBe(8 * MIB);
    expect(await blobs.has(LARGE_DIGEST)).toBe(false);
    blobs = new Blobs(disk, random);
    await blobs.sweep();
    expect(await blobs.heldBytes(LARGE_DIGEST)).toBe(8 * MIB);
    await receive(...large(8 * MIB));
    expect(disk.files().get(blobPath(LARGE_DIGEST))?.length).toBe(LARGE.length);
    expect(await blobs.heldBytes(LARGE_DIGEST)).toBe(0);
    expect(disk.files().size).toBe(1);
  });

  test('may begin anew', async () => {
    await cut(8 * MIB);
    await receive(...large(0));
    expect(await blobs.has(LARGE_DIGEST)).toBe(true);
    expect(disk.files().size).toBe(1);
  });

  test('of which little came is not kept', async () => {
    await cut(2 * MIB);
    expect(await blobs.heldBytes(LARGE_DIGEST)).toBe(0);
    expect(disk.files().size).toBe(0);
  });

  test('refuses to go on elsewhere than it ended', async () => {
    await cut(8 * MIB);
    await expect(receive(...large(6 * MIB))).rejects.toThrow('dom holds 8388608 bytes');
    expect(await blobs.heldBytes(LARGE_DIGEST)).toBe(8 * MIB);
  });

  test('whose beginning has rotted is refused once, and then begins anew', async () => {
    await cut(8 * MIB);
    disk.rot(`partials/${LARGE_DIGEST.slice(7)}`, 5);
    await expect(receive(...large(8 * MIB))).rejects.toThrow('push again');
    expect(await blobs.heldBytes(LARGE_DIGEST)).toBe(0);
    await receive(...large(0));
    expect(await blobs.has(LARGE_DIGEST)).toBe(true);
  });

  test('leaves nothing on a full disk', async () => {
    disk.limit(10 * MIB);
    await expect(receive(...large(0))).rejects.toThrow('no space left');
    expect(disk.files().size).toBe(0);
  });

  test('is stored by two that upload it at the same time', async () => {
    await Promise.all([receive(...large(0)), receive(...large(0))]);
    expect(await blobs.has(LARGE_DIGEST)).toBe(true);
    expect(disk.files().size).toBe(1);
  });

  test('makes way when too many have been cut', async () => {
    for (let index = 0; index < 20; index += 1) {
      const digest = digestOf(Buffer.from(`blob ${index}`));
      const messages = large(0, 5 * MIB).map((each) =>
        each.digest === '' ? each : { ...each, digest },
      );
      await expect(receive(...messages)).rejects.toThrow('push again');
    }
    expect(disk.files().size).toBe(16);
  });
});
