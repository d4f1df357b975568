import type { ServiceError } from '@grpc/grpc-js';
import type { ApiServiceClient, ReadLogsResponse } from '../../../proto/gen/b8s/v1/api.ts';
import { ApiError, type LogPiece, type LogQuery } from '../../api-client.ts';

/** Takes no more of the stream than is read: dom drops what does not fit. */
export async function* readLogs(
  client: ApiServiceClient,
  { namespace, name, linesMax, ageMsMax, follow, node }: LogQuery,
  call: {
    readonly signal: AbortSignal;
    readonly server: string;
    readonly errorOf: (error: ServiceError, server: string) => ApiError;
  },
): AsyncGenerator<LogPiece> {
  const { signal, server, errorOf } = call;
  const site = { kind: 'Site', namespace, name };
  const stream = client.readLogs({ site, linesMax, ageMsMax: BigInt(ageMsMax), follow, node });
  const cancel = () => stream.cancel();
  signal.addEventListener('abort', cancel, { once: true });
  try {
    signal.throwIfAborted();
    for await (const { lines, dropped, notes } of stream as AsyncIterable<ReadLogsResponse>)
      yield { lines, dropped: Number(dropped), notes };
  } catch (error) {
    signal.throwIfAborted();
    throw errorOf(error as ServiceError, server);
  } finally {
    signal.removeEventListener('abort', cancel);
    stream.cancel();
  }
  if (follow) throw new ApiError('Unavailable', `The server ${server} ended the log`);
}
