import type { ServiceError } from '@grpc/grpc-js';
import type { Resource } from '../../../api/object.ts';
import type {
  ApiServiceClient,
  ForecastChange as ChangeMessage,
  ForecastHead,
  ForecastRepositoryResponse,
} from '../../../proto/gen/b8s/v1/api.ts';
import {
  ApiError,
  type ForecastChange,
  type ForecastQuery,
  type RepositoryForecast,
} from '../../api-client.ts';

/** Without a deadline: dom has its own for a fetch. Ends by the signal. */
export async function readForecast(
  client: ApiServiceClient,
  { namespace, name, ...how }: ForecastQuery,
  call: {
    readonly signal: AbortSignal;
    readonly server: string;
    readonly errorOf: (error: ServiceError, server: string) => ApiError;
  },
): Promise<RepositoryForecast> {
  const { signal, server, errorOf } = call;
  const repository = { kind: 'Repository', namespace, name };
  const stream = client.forecastRepository({ repository, ...how });
  const cancel = () => stream.cancel();
  signal.addEventListener('abort', cancel, { once: true });
  let head: ForecastHead | undefined;
  const changes: ForecastChange[] = [];
  try {
    signal.throwIfAborted();
    for await (const { part } of stream as AsyncIterable<ForecastRepositoryResponse>) {
      if (part?.$case === 'head') head = part.value;
      else if (part?.$case === 'change') changes.push(changeOf(part.value));
    }
  } catch (error) {
    signal.throwIfAborted();
    throw errorOf(error as ServiceError, server);
  } finally {
    signal.removeEventListener('abort', cancel);
    stream.cancel();
  }
  if (head === undefined || head.changes !== changes.length)
    throw new ApiError('Unavailable', `The server ${server} ended the answer`);
  const { repositoryJson, changes: _, ...rest } = head;
  return { ...rest, repository: JSON.parse(repositoryJson) as Resource, changes };
}

function changeOf({ object, beforeJson, afterJson, ...change }: ChangeMessage): ForecastChange {
  return {
    ...change,
    reference: object ?? { kind: '', namespace: '', name: '' },
    ...(beforeJson !== '' && { before: JSON.parse(beforeJson) as Resource }),
    ...(afterJson !== '' && { after: JSON.parse(afterJson) as Resource }),
  };
}
