import { describe, expect, test } from 'vitest';
import type { UploadBlobRequest } from '../../proto/gen/b8s/v1/api.ts';
import { SpareMemory } from '../spare-memory.ts';
import { digestOf } from './digest.ts';
import {
  encodeMessage,
  MESSAGE_BYTES_MAX,
  readMessages,
  type UploadMessage,
} from './upload-messages.ts';

const SLAB_BYTES = 2 * MESSAGE_BYTES_MAX;

function message(chunk: Buffer, changes: Partial<UploadBlobRequest> = {}): UploadBlobRequest {
  const head = { digest: digestOf(chunk), sizeBytes: BigInt(chunk.length) };
  return { ...head, offsetBytes: 0n, rawBytes: 0, chunk, ...changes };
}

const MESSAGES: readonly UploadBlobRequest[] = [
  message(Buffer.alloc(0)),
  message(Buffer.from('one')),
  message(Buffer.alloc(MESSAGE_BYTES_MAX, 'large'), { sizeBytes: 2n ** 40n, offsetBytes: 7n }),
  message(Buffer.from('more of it'), { digest: '', sizeBytes: 0n, rawBytes: 4_000_000 }),
  message(Buffer.alloc(70_000, 'two')),
];

async function* cutInto(bytes: Buffer, pieceBytes: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += pieceBytes)
    yield new Uint8Array(bytes.subarray(at, at + pieceBytes));
}

/** Memory that tells how much of it is out. */
function memory() {
  const spare = new SpareMemory({ sizeBytes: SLAB_BYTES, spareMax: 4 });
  const out = new Set<ArrayBufferLike>();
  const counting = {
    take: () => {
      const taken = spare.take();
      out.add(taken.buffer);
      return taken;
    },
    giveBack: (bytes: Uint8Array) => {
      out.delete(bytes.buffer);
      // Whoever reads it now is to notice.
      bytes.fill(0xff);
      spare.giveBack(bytes);
    },
  };
  return { out, spare: counting as SpareMemory };
}

describe('messages come out as they went in', () => {
  test.each([1, 55, 56, 57, 16 * 1024, 10_000_000])('in pieces of %i bytes', async (pieceBytes) => {
    const bytes = Buffer.concat(MESSAGES.map(encodeMessage));
    const { out, spare } = memory();
    const seen: UploadBlobRequest[] = [];
    for await (const { release, ...each } of readMessages(cutInto(bytes, pieceBytes), spare)) {
      seen.push({ ...each, chunk: Buffer.from(each.chunk) });
      release?.();
    }
    expect(seen).toEqual(MESSAGES);
    expect(out.size).toBe(0);
  });

  test('many that are not released yet share memory, which then goes back', async () => {
    const many = Array.from({ length: 1000 }, (_, index) => Buffer.from(`file ${index}`));
    const bytes = Buffer.concat(many.map((chunk) => encodeMessage(message(chunk))));
    const { out, spare } = memory();
    const held: UploadMessage[] = [];
    for await (const each of readMessages(cutInto(bytes, 16_000), spare)) held.push(each);
    expect(out.size).toBe(1);
    expect(held.map(({ chunk }) => String(chunk))).toEqual(many.map(String));
    for (const { release } of held) release?.();
    expect(out.size).toBe(0);
  });
});

test('no memory is taken before there is something', async () => {
  const { out, spare } = memory();
  const never = readMessages(cutInto(Buffer.alloc(0), 1), spare);
  expect(await never.next()).toEqual({ done: true, value: undefined });
  expect(out.size).toBe(0);
});

const ONE = encodeMessage(message(Buffer.from('one')));
const TOO_LONG = encodeMessage(message(Buffer.alloc(MESSAGE_BYTES_MAX + 1)));

test.each([
  { when: 'is longer than may be', bytes: TOO_LONG, why: 'has at most 262144 bytes' },
  { when: 'ends in its head', bytes: Buffer.concat([ONE, ONE.subarray(0, 20)]), why: 'ended in' },
  { when: 'ends in its chunk', bytes: ONE.subarray(0, -1), why: 'ended in a message' },
])('a message that $when is refused', async ({ bytes, why }) => {
  const { out, spare } = memory();
  const reading = async (): Promise<void> => {
    for await (const { release } of readMessages(cutInto(bytes, 1000), spare)) release?.();
  };
  await expect(reading()).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  await expect(reading()).rejects.toThrow(why);
  expect(out.size).toBe(0);
});

test('who stops in the middle leaves nothing behind', async () => {
  const { out, spare } = memory();
  const bytes = Buffer.concat(MESSAGES.map(encodeMessage));
  for await (const { release } of readMessages(cutInto(bytes, 1000), spare)) {
    release?.();
    break;
  }
  expect(out.size).toBe(0);
});
