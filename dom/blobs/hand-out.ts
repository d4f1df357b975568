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
