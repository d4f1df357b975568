import { constants, zstdCompressSync } from 'node:zlib';
import type { ServiceError } from '@grpc/grpc-js';
import type { ApiServiceClient, UploadBlobRequest } from '../../../proto/gen/b8s/v1/api.ts';
import type { ApiError, Blob } from '../../api-client.ts';
import { MESSAGE_BYTES_MAX } from '../../content/upload-messages.ts';

/** What is shorter fits into one packet either way. */
const COMPRESSED_BYTES_MIN = 512;
/** A message is sent compressed if this share of it is all that is left. */
const WORTH_SHARE = 0.9;
/** The fastest: it keeps ahead of any line that is worth to be spared. */
const COMPRESSION = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };

/** Streams blobs one after the other, waiting whenever dom reads more slowly than the disk. */
export async function uploadBlobs(
  client: Pick<ApiServiceClient, 'uploadBlob'>,
  blobs: AsyncIterable<Blob>,
  {
    signal,
    server,
    errorOf,
  }: {
    readonly signal: AbortSignal;
    readonly server: string;
    readonly errorOf: (error: ServiceError, server: string) => ApiError;
  },
): Promise<void> {
  signal.throwIfAborted();
  const settled = Promise.withResolvers<void>();
  const stream = client.uploadBlob((error: ServiceError | null) => {
    if (error === null) settled.resolve();
    else settled.reject(errorOf(error, server));
  });
  // The answer may come, as a refusal, before all is written; the write loop must then end too.
  let answered = false;
  const answer = settled.promise.finally(() => {
    answered = true;
  });
  answer.catch(() => undefined);
  const cancel = () => stream.cancel();
  signal.addEventListener('abort', cancel, { once: true });
  try {
    for await (const message of messagesOf(blobs)) {
      if (answered) break;
      if (!stream.write(message)) await Promise.race([drained(stream), answer]);
    }
    stream.end();
    await answer;
  } catch (error) {
    stream.cancel();
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener('abort', cancel);
  }
}

/** What travels of blobs, whichever way. */
export async function* messagesOf(blobs: AsyncIterable<Blob>): AsyncGenerator<UploadBlobRequest> {
  for await (const { digest, sizeBytes, offsetBytes = 0, chunks, compression } of blobs) {
    let head = { digest, sizeBytes: BigInt(sizeBytes), offsetBytes: BigInt(offsetBytes) };
    // Of what does not shrink at once, the rest is not tried.
    let isTried = compression === 'try';
    for await (const piece of pieces(chunks)) {
      const packed = isTried ? compressed(piece) : undefined;
      isTried &&= packed !== undefined;
      yield { ...head, chunk: packed ?? piece, rawBytes: packed === undefined ? 0 : piece.length };
      head = { digest: '', sizeBytes: 0n, offsetBytes: 0n };
    }
  }
}

/** Undefined: it is not worth it. */
function compressed(piece: Buffer): Buffer | undefined {
  if (piece.length < COMPRESSED_BYTES_MIN) return undefined;
  const packed = zstdCompressSync(piece, COMPRESSION);
  return packed.length <= piece.length * WORTH_SHARE ? packed : undefined;
}

/** At least one piece, even of an empty blob: the first message names it. */
async function* pieces(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let count = 0;
  for await (const chunk of chunks) {
    for (let start = 0; start < chunk.length; start += MESSAGE_BYTES_MAX) {
      count += 1;
      const length = Math.min(MESSAGE_BYTES_MAX, chunk.length - start);
      yield Buffer.from(chunk.buffer, chunk.byteOffset + start, length);
    }
  }
  if (count === 0) yield Buffer.alloc(0);
}

function drained(stream: { once(event: 'drain', listener: () => void): unknown }): Promise<void> {
  return new Promise((resolve) => {
    stream.once('drain', resolve);
  });
}
