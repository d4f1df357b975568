import { Metadata, type ServiceError, status } from '@grpc/grpc-js';
import type { ApiServiceClient, FindMissingBlobsResponse } from '../../../proto/gen/b8s/v1/api.ts';
import { ApiError, type Blob } from '../../api-client.ts';
import type { Connection } from '../../client-config.ts';
import { type HttpsUploads, httpsUploads, UploadBreak, UploadRefusal } from '../https-upload.ts';
import { uploadBlobs } from './upload.ts';

/** Less is not worth a connection of its own. */
const HTTPS_BYTES_MIN = 1024 * 1024;

/**
 * Brings blobs to dom: over HTTP if it said that it takes them so, else over gRPC. What breaks over
 * HTTP is `Aborted`, and goes over gRPC from then on.
 */
export class Uploads {
  readonly #connection: Connection;
  readonly #client: Pick<ApiServiceClient, 'uploadBlob'>;
  readonly #errorOf: (error: ServiceError, server: string) => ApiError;
  #takesHttp = false;
  /** Whatever dom says: it was tried. */
  #isHttpUseless = false;
  #https: HttpsUploads | undefined;

  constructor(
    connection: Connection,
    ports: {
      readonly client: Pick<ApiServiceClient, 'uploadBlob'>;
      readonly errorOf: (error: ServiceError, server: string) => ApiError;
    },
  ) {
    this.#connection = connection;
    this.#client = ports.client;
    this.#errorOf = ports.errorOf;
  }

  /** Whoever uploads has asked what is missing, and that answer says it. */
  learn({ takesHttp }: Pick<FindMissingBlobsResponse, 'takesHttp'>): void {
    this.#takesHttp = takesHttp;
  }

  async upload(
    blobs: AsyncIterable<Blob>,
    signal: AbortSignal,
    { sizeBytes }: { readonly sizeBytes: number } = { sizeBytes: 0 },
  ): Promise<void> {
    const { server } = this.#connection;
    if (!this.#takesHttp || this.#isHttpUseless || sizeBytes < HTTPS_BYTES_MIN)
      return uploadBlobs(this.#client, blobs, { signal, server, errorOf: this.#errorOf });
    this.#https ??= httpsUploads(this.#connection);
    try {
      await this.#https.upload(blobs, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof UploadRefusal)
        throw this.#errorOf(asServiceError(error, error.code), server);
      if (!(error instanceof UploadBreak)) throw error;
      // An older dom answers there than the one that was asked, or something in between takes no such
      // thing, and may have broken off before it said so. If dom is away, gRPC says that better.
      this.#isHttpUseless = true;
      const message = `the upload to ${server} by HTTP broke off: ${error.message}`;
      throw new ApiError('Aborted', message, { cause: error });
    }
  }

  close(): void {
    this.#https?.close();
  }
}

/** As the same refusal would come over gRPC. */
function asServiceError(error: Error, name = 'INTERNAL'): ServiceError {
  const code = Object.entries(status).find(([each]) => each === name)?.[1] ?? status.INTERNAL;
  const metadata = new Metadata();
  return Object.assign(error, { code: Number(code), details: error.message, metadata });
}
