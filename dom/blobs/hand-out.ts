import type { Digest } from '../../runtime/content/digest.ts';
import { SMALL_BLOB_BYTES_MAX, type SmallBlobHead } from '../../runtime/content/small-blobs.ts';
import { RequestError } from '../../runtime/request-error.ts';
import type { Identity } from '../../runtime/tls/authority.ts';
import type { Term } from '../dom.ts';

export interface HandedOut {
  /** Of the whole blob. */
  readonly sizeBytes: number;
  /** From the offset on; to be iterated once. */
  readonly chunks: AsyncIterable<Uint8Array>;
}

/**
 * A blob for a node, whichever way it goes. Throws a RequestError: PERMISSION_DENIED for who is no
 * node or has no plan that names it, and what `Blobs.open` says.
 */
export async function handOut(
  { blobAccess, blobs, peers }: Pick<Term, 'blobAccess' | 'blobs' | 'peers'>,
  identity: Identity | undefined,
  { digest, offsetBytes }: { readonly digest: string; readonly offsetBytes: number },
): Promise<HandedOut> {
  if (identity?.kind !== 'node') throw new RequestError('PERMISSION_DENIED', 'blobs are for nodes');
  const { name } = identity;
  if (!(await blobAccess.allowed(identity, digest)))
    throw new RequestError('PERMISSION_DENIED', `${digest} is not in the plan of ${name}`);
  const { sizeBytes, chunks } = await blobs.open(digest, offsetBytes);
  return { sizeBytes, chunks: counted(chunks, () => peers.upload(name)) };
}

/**
 * Several small blobs for a node, as far as they fit into one answer. To be ended, well or badly:
 * only what was `sent` whole leaves its memory to the next answer.
 */
export async function handOutSmall(
  { blobAccess, blobs, peers }: Pick<Term, 'blobAccess' | 'blobs' | 'peers'>,
  identity: Extract<Identity, { kind: 'node' }>,
  digests: readonly Digest[],
): Promise<{
  readonly heads: readonly SmallBlobHead[];
  readonly bytes: Uint8Array;
  readonly end: (outcome: 'sent' | 'cut') => void;
}> {
  const upload = peers.upload(identity.name);
  const memory = blobs.memory.take();
  const heads: SmallBlobHead[] = [];
  let usedBytes = 0;
  try {
    for (const digest of digests) {
      const room = memory.subarray(usedBytes, usedBytes + SMALL_BLOB_BYTES_MAX);
      const head = (await blobAccess.allowed(identity, digest))
        ? await blobs.readInto(digest, room)
        : 'PERMISSION_DENIED';
      heads.push(head);
      if (typeof head === 'number') usedBytes += head;
    }
  } catch (error) {
    upload.end();
    throw error;
  }
  upload.sent(usedBytes);
  const end = (outcome: 'sent' | 'cut'): void => {
    upload.end();
    if (outcome === 'sent') blobs.memory.giveBack(memory);
  };
  return { heads, bytes: memory.subarray(0, usedBytes), end };
}

async function* counted(
  chunks: AsyncIterable<Uint8Array>,
  begin: () => ReturnType<Term['peers']['upload']>,
): AsyncGenerator<Uint8Array> {
  const upload = begin();
  try {
    for await (const chunk of chunks) {
      upload.sent(chunk.byteLength);
      yield chunk;
    }
  } finally {
    upload.end();
  }
}
