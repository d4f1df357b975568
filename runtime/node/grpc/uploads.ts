import { Metadata, type ServiceError, status } from '@grpc/grpc-js';
import type { ApiServiceClient, FindMissingBlobsResponse } from '../../../proto/gen/b8s/v1/api.ts';
import { ApiError, type Blob } from '../../api-client.ts';
import type { Connection } from '../../client-config.ts';
import { type HttpsUploads, httpsUploads, UploadBreak, UploadRefusal } from '../https-upload.ts';
import { uploadBlobs } from './upload.ts';

/** Less is not worth a connection of its own. */
const HTTPS_BYTES_MIN = 1024 * 1024;

/** Brings blobs to dom: over HTTP if it said that it takes them so, else over gRPC. */
export class Uploads {
  readonly #connection: Connection;
  readonly #client: Pick<ApiServiceClient, 'uploadBlob'>;
  readonly #errorOf: (error: ServiceError, server: string) => ApiError;
  #takesHttp = false;
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
    if (!this.#takesHttp || sizeBytes < HTTPS_BYTES_MIN)
      return uploadBlobs(this.#client, blobs, { signal, server, errorOf: this.#errorOf });
    this.#https ??= httpsUploads(this.#connection);
    const outcome = await this.#https.upload(blobs, signal).catch((error: unknown) => {
      signal.throwIfAborted();
      throw serviceErrorOf(error, (known) => this.#errorOf(known, server));
    });
    if (outcome === 'stored') return;
    // Another dom answers there than the one that was asked, and an older one.
    this.#takesHttp = false;
    throw new ApiError('Aborted', `the dom at ${server} takes uploads in another way now`);
  }

  close(): void {
    this.#https?.close();
  }
}

/** As the same failure would come over gRPC. What is no failure of dom or the way to it stays. */
function serviceErrorOf(error: unknown, errorOf: (error: ServiceError) => ApiError): unknown {
  if (error instanceof UploadBreak) return errorOf(asServiceError(error, 'UNAVAILABLE'));
  if (error instanceof UploadRefusal) return errorOf(asServiceError(error, error.code));
  return error;
}

function asServiceError(error: Error, name = 'INTERNAL'): ServiceError {
  const code = Object.entries(status).find(([each]) => each === name)?.[1] ?? status.INTERNAL;
  const metadata = new Metadata();
  return Object.assign(error, { code: Number(code), details: error.message, metadata });
}
