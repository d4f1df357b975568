import type { HttpAnswer } from '../../../runtime/http.ts';
import type { EdgeBody } from '../http/response.ts';
import type { BlobSource } from './blob-source.ts';

type Opened = HttpAnswer['body'];

/**
 * The bytes of a body: at once when they are in memory. Rejects where a blob cannot be read.
 * `lentBytesMax`: see `BlobSource`.
 */
export function openBody(
  body: EdgeBody,
  openBlob: BlobSource,
  lentBytesMax?: number,
): Opened | Promise<Opened> {
  switch (body.kind) {
    case 'none':
      return undefined;
    case 'text':
      return body.text;
    case 'blob':
      return openBlob(body, lentBytesMax);
    case 'parts':
      return openParts(body, openBlob);
  }
}

/** Opens the first part before anything is sent: what cannot be read still gets an error status. */
async function openParts(
  body: Extract<EdgeBody, { kind: 'parts' }>,
  openBlob: BlobSource,
): Promise<Opened> {
  const { digest, sizeBytes, parts, tail } = body;
  const open = async ({ start, end }: (typeof parts)[number]) =>
    openBlob({ digest, sizeBytes, start, end });
  const [first] = parts;
  if (first === undefined) return tail;
  let unread: Uint8Array | AsyncIterable<Uint8Array> | undefined = await open(first);
  return (async function* () {
    try {
      for (const part of parts) {
        yield Buffer.from(part.head);
        const bytes = unread ?? (await open(part));
        unread = undefined;
        if (bytes instanceof Uint8Array) yield bytes;
        else yield* bytes;
      }
      yield Buffer.from(tail);
    } finally {
      if (unread !== undefined && !(unread instanceof Uint8Array)) await close(unread);
    }
  })();
}

/** A generator that was never begun would not even look at what it has to clean up. */
async function close(pieces: AsyncIterable<Uint8Array>): Promise<void> {
  const unread = pieces[Symbol.asyncIterator]();
  await unread.next();
  await unread.return?.();
}
