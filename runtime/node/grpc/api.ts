import {
  type CallOptions,
  type ClientOptions,
  credentials,
  Metadata,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import type { Resource } from '../../../api/object.ts';
import {
  ApiServiceClient,
  Clashes,
  type HistoryRecord,
  type UserInfo,
  Violations,
  type WatchResponse,
} from '../../../proto/gen/b8s/v1/api.ts';
import {
  type Api,
  ApiError,
  type ApiErrorReason,
  type HistoryEntry,
  type Listed,
  type ListedUser,
  type ListOptions,
  type Moment,
  type WatchEvent,
  type WatchOptions,
} from '../../api-client.ts';
import type { Connection } from '../../client-config.ts';
import { DOM_SERVER_NAME } from '../../tls/server-names.ts';
import { readForecast } from './forecast.ts';
import { readLogs } from './logs.ts';
import { Uploads } from './uploads.ts';

/** Both ways; a release's object may be large, a blob goes in chunks. */
const MESSAGE_BYTES_MAX = 16 * 1024 * 1024;
const PAGE_OBJECTS = 500;

export interface GrpcApiOptions {
  /** For each call but watches and uploads. */
  readonly requestTimeoutMs: number;
  /** The command that was given, for history. */
  readonly command: string;
}

/** The Api of one dom over gRPC and mutual TLS. Dials at the first call. */
export function grpcApi(connection: Connection, options: GrpcApiOptions): Api {
  const client = new ApiServiceClient(connection.server, tlsOf(connection), channelOptions());
  const { command } = options;
  const uploads = new Uploads(connection, { client, errorOf: apiErrorOf });

  function call<Request, Response>(method: UnaryMethod<Request, Response>, request: Request) {
    return unary(client, method, request, { ...options, server: connection.server });
  }

  return {
    async apply(object, { manager, forceConflicts = false, dryRun = false, ...only }) {
      const objectJson = JSON.stringify(object);
      const { resourceVersion, freedHosts: hosts = [] } = only;
      const response = await call(client.apply, {
        ...{ objectJson, manager, forceConflicts, dryRun, command, resourceVersion },
        ...(hosts.length > 0 && { freed: { hosts } }),
      });
      return {
        outcome: outcomeOf(response.outcome),
        object: parseObject(response.objectJson),
        ...(response.previousJson !== '' && { previous: parseObject(response.previousJson) }),
        warnings: response.warnings,
        ...(response.changedValues.length > 0 && { changedValues: response.changedValues }),
      };
    },
    async update(object, { manager }) {
      const request = { objectJson: JSON.stringify(object), manager, command, dryRun: false };
      return parseObject((await call(client.update, request)).objectJson);
    },
    async get(reference, at) {
      return parseObject((await call(client.get, { reference, ...momentOf(at) })).objectJson);
    },
    list: (query) => listPages(query, (request) => call(client.list, request)),
    watch: (query, signal) => watchEvents(client, query, { signal, server: connection.server }),
    async delete(reference, { uid = '', dryRun = false, resourceVersion } = {}) {
      const request = { reference, uid, command, dryRun, resourceVersion };
      const response = await call(client.delete, request);
      return { object: parseObject(response.objectJson), finalizing: response.finalizing };
    },
    async history(reference) {
      return (await call(client.history, { reference })).records.map(historyEntry);
    },
    async findMissingBlobs(digests) {
      const answer = await call(client.findMissingBlobs, { digests });
      const { heldBytes } = answer;
      uploads.learn(answer);
      return answer.digests.map((digest, i) => ({ digest, heldBytes: Number(heldBytes[i] ?? 0n) }));
    },
    uploadBlobs: (blobs, signal, expected) => uploads.upload(blobs, signal, expected),
    async createToken(request) {
      const response = await call(client.createToken, request);
      return { ...response, expiresMs: Number(response.expiresMs) };
    },
    async listTokens() {
      const { tokens } = await call(client.listTokens, {});
      return tokens.map((token) => ({ ...token, expiresMs: Number(token.expiresMs) }));
    },
    async revokeToken(id) {
      await call(client.revokeToken, { id });
    },
    async createTransferKey({ secret, ...request }) {
      const given = { ...request, secret: Buffer.from(secret) };
      return (await call(client.createTransferKey, given)).secret;
    },
    async listTransferKeys() {
      const { keys } = await call(client.listTransferKeys, {});
      return keys.map((key) => ({ ...key, createdMs: Number(key.createdMs) }));
    },
    async deleteTransferKey(name) {
      await call(client.deleteTransferKey, { name });
    },
    async explainDns(question) {
      const { explanation } = await call(client.explainDns, question);
      if (explanation === undefined) throw new ApiError('InternalError', 'an empty explanation');
      return explanation;
    },
    readLogs: (query, signal) =>
      readLogs(client, query, { signal, server: connection.server, errorOf: apiErrorOf }),
    traffic: (node) => call(client.getTraffic, { node }),
    forecast: (query, signal) =>
      readForecast(client, query, { signal, server: connection.server, errorOf: apiErrorOf }),
    async createUser(request) {
      const { expiresMs, ...created } = await call(client.createUser, request);
      return { ...created, expiresMs: Number(expiresMs) };
    },
    async listUsers() {
      return (await call(client.listUsers, {})).users.map(listedUser);
    },
    async revokeUser(name, { unlisted = false } = {}) {
      await call(client.revokeUser, { name, unlisted });
    },
    async serverInfo() {
      const info = await call(client.getServerInfo, {});
      return { ...info, timeMs: Number(info.timeMs) };
    },
    close() {
      uploads.close();
      client.close();
    },
  };
}

function listedUser({ name, certificates, revokedMs, revokedBy }: UserInfo): ListedUser {
  return {
    name,
    certificates: certificates.map(({ createdMs, expiresMs, ...certificate }) => ({
      ...certificate,
      ...{ createdMs: Number(createdMs), expiresMs: Number(expiresMs) },
    })),
    ...(revokedMs !== 0n && { revoked: { atMs: Number(revokedMs), by: revokedBy } }),
  };
}

/** The ApiError of a failed call, with the details of its trailers. */
export function apiErrorOf(error: ServiceError, server: string): ApiError {
  const reason = REASONS[error.code] ?? 'InternalError';
  if (error.code === status.UNAVAILABLE) return unavailable(error, server);
  if (error.code === status.DEADLINE_EXCEEDED) {
    const message = `${server} did not answer in time - is it reachable? See --request-timeout`;
    return new ApiError(reason, message, { cause: error });
  }
  if (error.code === status.UNIMPLEMENTED) {
    const message = `the dom at ${server} is too old for this: see b8sctl version`;
    return new ApiError(reason, message, { cause: error });
  }
  const violations = trailer(error.metadata, 'b8s-violations-bin');
  const clashes = trailer(error.metadata, 'b8s-clashes-bin');
  return new ApiError(reason, error.details === '' ? error.message : error.details, {
    ...(violations !== undefined && { violations: Violations.decode(violations).violations }),
    ...(clashes !== undefined && { clashes: Clashes.decode(clashes).clashes }),
    cause: error,
  });
}

const REASONS: Readonly<Record<number, ApiErrorReason>> = {
  [status.CANCELLED]: 'Cancelled',
  [status.INVALID_ARGUMENT]: 'Invalid',
  [status.DEADLINE_EXCEEDED]: 'Timeout',
  [status.NOT_FOUND]: 'NotFound',
  [status.ALREADY_EXISTS]: 'AlreadyExists',
  [status.PERMISSION_DENIED]: 'Forbidden',
  [status.RESOURCE_EXHAUSTED]: 'TooManyRequests',
  [status.FAILED_PRECONDITION]: 'Conflict',
  [status.ABORTED]: 'Aborted',
  [status.OUT_OF_RANGE]: 'Expired',
  [status.UNAVAILABLE]: 'Unavailable',
  [status.UNAUTHENTICATED]: 'Unauthorized',
};

/** Tells a dom that is away, one that we cannot trust, and one that says it cannot: mends differ. */
function unavailable(error: ServiceError, server: string): ApiError {
  const { details } = error;
  const message = AWAY.test(details)
    ? `The connection to the server ${server} was refused - is dom running there?`
    : UNTRUSTED.test(details)
      ? `The TLS handshake with the server ${server} failed: ${details}`
      : `Error from server (Unavailable): ${details}`;
  return new ApiError('Unavailable', message, { cause: error });
}

/** What grpc-js and the operating system say when nobody answers, or no longer does. */
const AWAY =
  /ECONNREFUSED|ECONNRESET|EPIPE|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|Name resolution|Connection dropped/;
const UNTRUSTED = /certificate|self.signed|SSL|TLS|alert/i;

function trailer(metadata: Metadata | undefined, key: string): Buffer | undefined {
  const value = metadata?.get(key)[0];
  return Buffer.isBuffer(value) ? value : undefined;
}

function tlsOf({ caPem, keyPem, certificatePem }: Connection) {
  return credentials.createSsl(
    Buffer.from(caPem),
    Buffer.from(keyPem),
    Buffer.from(certificatePem),
  );
}

function channelOptions(): ClientOptions {
  return {
    'grpc.ssl_target_name_override': DOM_SERVER_NAME,
    'grpc.default_authority': DOM_SERVER_NAME,
    // A proxy from the environment would break mutual TLS.
    'grpc.enable_http_proxy': 0,
    'grpc.enable_retries': 0,
    'grpc.keepalive_time_ms': 20_000,
    'grpc.keepalive_timeout_ms': 10_000,
    'grpc.max_receive_message_length': MESSAGE_BYTES_MAX,
    'grpc.max_send_message_length': MESSAGE_BYTES_MAX,
  };
}

type UnaryMethod<Request, Response> = (
  request: Request,
  metadata: Metadata,
  options: Partial<CallOptions>,
  callback: (error: ServiceError | null, response: Response) => void,
) => unknown;

function unary<Request, Response>(
  client: ApiServiceClient,
  method: UnaryMethod<Request, Response>,
  request: Request,
  { requestTimeoutMs, server }: { readonly requestTimeoutMs: number; readonly server: string },
): Promise<Response> {
  const deadline = requestTimeoutMs > 0 ? { deadline: Date.now() + requestTimeoutMs } : {};
  return new Promise((resolve, reject) => {
    method.call(client, request, new Metadata(), deadline, (error, response) => {
      if (error === null) resolve(response);
      else reject(apiErrorOf(error, server));
    });
  });
}

type ListPage = Parameters<ApiServiceClient['list']>[0];

/** Follows the pages, all at the revision of the first. */
async function listPages(
  { kind, namespace, labelSelector = '', at, pageObjects = PAGE_OBJECTS }: ListOptions,
  fetchPage: (request: ListPage) => Promise<{
    readonly objectsJson: readonly string[];
    readonly revision: bigint;
    readonly continue: string;
  }>,
): Promise<Listed> {
  const objects: Resource[] = [];
  const moment = momentOf(at);
  let page = { revision: moment.revision, continue: '' };
  do {
    const response = await fetchPage({
      ...{ kind, namespace, labelSelector, ...moment },
      ...{ revision: page.revision, limit: pageObjects, continue: page.continue },
    });
    objects.push(...response.objectsJson.map(parseObject));
    page = response;
  } while (page.continue !== '');
  return { objects, revision: page.revision };
}

async function* watchEvents(
  client: ApiServiceClient,
  { kind, namespace, labelSelector = '', name = '', afterRevision = 0n }: WatchOptions,
  { signal, server }: { readonly signal: AbortSignal; readonly server: string },
): AsyncGenerator<WatchEvent> {
  const stream = client.watch({ kind, namespace, labelSelector, name, afterRevision });
  const cancel = () => stream.cancel();
  signal.addEventListener('abort', cancel, { once: true });
  try {
    signal.throwIfAborted();
    for await (const response of stream as AsyncIterable<WatchResponse>) {
      const event = watchEvent(response);
      if (event !== undefined) yield event;
    }
  } catch (error) {
    signal.throwIfAborted();
    throw apiErrorOf(error as ServiceError, server);
  } finally {
    signal.removeEventListener('abort', cancel);
    stream.cancel();
  }
  throw new ApiError('Unavailable', `The server ${server} ended the watch`);
}

/** Undefined for a type that this version does not know, so that dom may add some. */
function watchEvent({ type, objectJson }: WatchResponse): WatchEvent | undefined {
  if (type === 'synced') return { type };
  if (type !== 'added' && type !== 'modified' && type !== 'deleted') return undefined;
  return { type, object: parseObject(objectJson) };
}

function momentOf(at: Moment | undefined): { revision: bigint; timeMs?: bigint } {
  if (at === undefined) return { revision: 0n };
  return 'revision' in at ? at : { revision: 0n, timeMs: BigInt(at.timeMs) };
}

function outcomeOf(outcome: string): 'created' | 'configured' | 'unchanged' {
  if (outcome === 'created' || outcome === 'configured') return outcome;
  return 'unchanged';
}

function parseObject(json: string): Resource {
  return JSON.parse(json) as Resource;
}

function historyEntry({ specJson, ...record }: HistoryRecord): HistoryEntry {
  return {
    ...record,
    generation: Number(record.generation),
    timeMs: Number(record.timeMs),
    change:
      record.change === 'created' || record.change === 'deleted' ? record.change : 'configured',
    spec: specJson === '' ? undefined : JSON.parse(specJson),
  };
}
