import { expect, test } from 'vitest';
import type { Digest } from '../../../runtime/content/digest.ts';
import type { EdgeBody } from '../http/response.ts';
import type { BlobRange } from './blob-source.ts';
import { openBody } from './open-body.ts';

const DIGEST: Digest = `sha256-${'1'.repeat(64)}`;
const BODY: EdgeBody = {
  ...{ kind: 'parts', digest: DIGEST, sizeBytes: 100, tail: 'end' },
  parts: [
    { head: 'one ', start: 0, end: 2 },
    { head: 'two ', start: 50, end: 53 },
  ],
};

/** Streams that say which of them are open. */
function streams() {
  let open = 0;
  async function* read({ start, end }: BlobRange) {
    for (let at = start; at < end; at += 1) yield Buffer.from(String(at % 10));
  }
  return {
    open: () => open,
    source: async (range: BlobRange) => {
      open += 1;
      return (async function* () {
        try {
          yield* read(range);
        } finally {
          open -= 1;
        }
      })();
    },
  };
}

async function opened(source: (range: BlobRange) => Promise<AsyncIterable<Uint8Array>>) {
  const body = await openBody(BODY, source);
  if (body === undefined || typeof body === 'string' || body instanceof Uint8Array)
    throw new Error('it comes in pieces');
  return body[Symbol.asyncIterator]();
}

test.each([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])(
  'a reader who leaves after %i pieces leaves nothing open',
  async (count) => {
    const files = streams();
    const pieces = await opened(files.source);
    let text = '';
    for (let left = count; left > 0; left -= 1) {
      const piece = await pieces.next();
      if (piece.done !== true) text += Buffer.from(piece.value).toString();
    }
    await pieces.return?.();
    expect('one 01two 012end'.startsWith(text)).toBe(true);
    expect(files.open()).toBe(0);
  },
);

test('where the first part cannot be opened, nothing is begun', async () => {
  const broken = () => Promise.reject(new Error('gone'));
  await expect(openBody(BODY, broken)).rejects.toThrow('gone');
});
