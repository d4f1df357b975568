import type { Resource } from '../../api/object.ts';
import type { Forecasts } from '../../controllers/repository/forecast/forecasts.ts';
import type {
  ApplyRequest,
  ApplyResponse,
  CreateTokenRequest,
  CreateTokenResponse,
  CreateTransferKeyRequest,
  CreateTransferKeyResponse,
  CreateUserRequest,
  CreateUserResponse,
  DeleteRequest,
  DeleteResponse,
  DeleteTransferKeyRequest,
  DeleteTransferKeyResponse,
  ExplainDnsRequest,
  ExplainDnsResponse,
  FindMissingBlobsRequest,
  FindMissingBlobsResponse,
  ForecastRepositoryRequest,
  ForecastRepositoryResponse,
  GetRequest,
  GetResponse,
  GetServerInfoResponse,
  GetTrafficRequest,
  GetTrafficResponse,
  HistoryRequest,
  HistoryResponse,
  ListRequest,
  ListResponse,
  ListTokensResponse,
  ListTransferKeysResponse,
  ListUsersResponse,
  ReadLogsRequest,
  ReadLogsResponse,
  RevokeTokenRequest,
  RevokeTokenResponse,
  RevokeUserRequest,
  RevokeUserResponse,
  UpdateRequest,
  UpdateResponse,
  UploadBlobResponse,
  UserInfo,
  WatchRequest,
  WatchResponse,
} from '../../proto/gen/b8s/v1/api.ts';
import type { UploadMessage } from '../../runtime/content/upload-messages.ts';
import type { Log } from '../../runtime/log.ts';
import type { Metrics } from '../../runtime/metrics.ts';
import { RequestError } from '../../runtime/request-error.ts';
import type { Mirror } from '../../runtime/store/mirror.ts';
import type { CertificateAuthority, Identity } from '../../runtime/tls/authority.ts';
import type { Blobs } from '../blobs/blobs.ts';
import { receiveBlobs } from '../blobs/receive.ts';
import type { Hub } from '../gateway/hub.ts';
import type { TrafficDesk } from '../gateway/traffic-desk.ts';
import type { Tokens } from '../identity/tokens.ts';
import type { TransferKeys } from '../identity/transfer-keys.ts';
import type { ListedUser, Users } from '../identity/users.ts';
import type { Leadership } from '../leadership.ts';
import { authorize, type Permission, permissionsOf, roleOf } from './access.ts';
import { tellForecast } from './forecast.ts';
import { readSiteLogs } from './logs.ts';
import { getObject, listObjects, readHistory } from './read.ts';
import { readTraffic } from './traffic.ts';
import { watchObjects } from './watch.ts';
import { applyObject, deleteObject, updateObject, type WritePorts } from './write.ts';

/** Digests that one FindMissingBlobs call may name. */
export const DIGESTS_MAX = 10_000;

export interface ApiPorts extends WritePorts {
  readonly log: Log;
  readonly metrics: Pick<Metrics, 'count'>;
  readonly mirror: Mirror;
  readonly blobs: Blobs;
  readonly hub: Hub;
  readonly traffic: TrafficDesk;
  readonly tokens: Tokens;
  readonly transferKeys: TransferKeys;
  readonly users: Users;
  readonly authority: Pick<CertificateAuthority, 'caHash'>;
  /** Undefined: this dom follows no Git repositories. */
  readonly forecasts: Forecasts | undefined;
  /** Where nodes dial, for the join command: "host:port". */
  readonly addresses: readonly string[];
  readonly leadership: Pick<Leadership, 'epoch'>;
  readonly version: string;
  /** "sqlite" or "etcd", for `b8sctl version`. */
  readonly storeName: string;
}

/** Who calls, as its client certificate says. */
export interface ApiCaller {
  readonly identity: Identity | undefined;
}

/** ApiService, without its wire: each method checks who asks, then does one thing. */
export class Api {
  readonly #ports: ApiPorts;

  constructor(ports: ApiPorts) {
    this.#ports = ports;
  }

  async apply(request: ApplyRequest, caller: ApiCaller): Promise<ApplyResponse> {
    // To be told what would become of it is to read.
    const user = this.#authorize(caller, request.dryRun ? 'read' : 'write');
    const response = await applyObject(this.#ports, request, user);
    if (response.outcome !== 'unchanged') this.#audit(user, 'apply', response.objectJson, request);
    return response;
  }

  async update(request: UpdateRequest, caller: ApiCaller): Promise<UpdateResponse> {
    const user = this.#authorize(caller, request.dryRun ? 'read' : 'write');
    const response = await updateObject(this.#ports, request, user);
    this.#audit(user, 'update', response.objectJson, request);
    return response;
  }

  async delete(request: DeleteRequest, caller: ApiCaller): Promise<DeleteResponse> {
    const user = this.#authorize(caller, request.dryRun ? 'read' : 'write');
    const response = await deleteObject(this.#ports, request, user);
    this.#audit(user, 'delete', response.objectJson, request);
    return response;
  }

  async get(request: GetRequest, caller: ApiCaller): Promise<GetResponse> {
    this.#authorize(caller, 'read');
    return getObject(this.#ports.store, request);
  }

  async list(request: ListRequest, caller: ApiCaller): Promise<ListResponse> {
    this.#authorize(caller, 'read');
    return listObjects(this.#ports.store, request);
  }

  async *watch(
    request: WatchRequest,
    caller: ApiCaller,
    signal: AbortSignal,
  ): AsyncIterable<WatchResponse> {
    this.#authorize(caller, 'read');
    yield* this.#whileGood(caller, signal, (good) =>
      watchObjects(this.#ports.mirror, request, good),
    );
  }

  async history(request: HistoryRequest, caller: ApiCaller): Promise<HistoryResponse> {
    this.#authorize(caller, 'read');
    return readHistory(this.#ports.store, request);
  }

  async findMissingBlobs(
    request: FindMissingBlobsRequest,
    caller: ApiCaller,
  ): Promise<FindMissingBlobsResponse> {
    this.#authorize(caller, 'write');
    if (request.digests.length > DIGESTS_MAX)
      throw new RequestError('INVALID_ARGUMENT', `ask for at most ${DIGESTS_MAX} digests at once`);
    const { blobs } = this.#ports;
    const there = await Promise.all(request.digests.map((digest) => blobs.has(digest)));
    const digests = request.digests.filter((_, i) => !there[i]);
    const heldBytes = await Promise.all(digests.map((digest) => blobs.heldBytes(digest)));
    return { digests, heldBytes: heldBytes.map(BigInt), takesHttp: true };
  }

  async uploadBlob(
    requests: AsyncIterable<UploadMessage>,
    caller: ApiCaller,
    way: 'grpc' | 'http' = 'grpc',
  ): Promise<UploadBlobResponse> {
    const user = this.#authorize(caller, 'write');
    const { blobs, log, metrics } = this.#ports;
    await receiveBlobs(blobs, this.#fromGood(caller, requests), (digest) => {
      metrics.count('b8s_uploaded_blobs_total', { way });
      log.debug({ user, verb: 'upload', digest }, 'audit');
    });
    return {};
  }

  async createToken(request: CreateTokenRequest, caller: ApiCaller): Promise<CreateTokenResponse> {
    const createdBy = this.#authorize(caller, 'write');
    const { tokens, authority, addresses, log } = this.#ports;
    const created = await tokens.create({ ...request, createdBy });
    const { id: token, expiresMs } = created;
    log.info({ user: createdBy, verb: 'create', token, node: request.node, expiresMs }, 'audit');
    return {
      token: created.token,
      caHash: authority.caHash,
      expiresMs: BigInt(created.expiresMs),
      addresses,
    };
  }

  async listTokens(_request: unknown, caller: ApiCaller): Promise<ListTokensResponse> {
    this.#authorize(caller, 'read');
    const tokens = await this.#ports.tokens.list();
    return { tokens: tokens.map((token) => ({ ...token, expiresMs: BigInt(token.expiresMs) })) };
  }

  async revokeToken(request: RevokeTokenRequest, caller: ApiCaller): Promise<RevokeTokenResponse> {
    const user = this.#authorize(caller, 'write');
    await this.#ports.tokens.revoke(request.id, user);
    this.#ports.log.info({ user, verb: 'revoke', token: request.id }, 'audit');
    return {};
  }

  async createTransferKey(
    request: CreateTransferKeyRequest,
    caller: ApiCaller,
  ): Promise<CreateTransferKeyResponse> {
    const createdBy = this.#authorize(caller, 'write');
    const secret = await this.#ports.transferKeys.create({ ...request, createdBy });
    this.#ports.log.info({ user: createdBy, verb: 'create', transferKey: request.name }, 'audit');
    return { secret: Buffer.from(secret) };
  }

  async listTransferKeys(_request: unknown, caller: ApiCaller): Promise<ListTransferKeysResponse> {
    this.#authorize(caller, 'read');
    const keys = await this.#ports.transferKeys.list();
    return { keys: keys.map((key) => ({ ...key, createdMs: BigInt(key.createdMs) })) };
  }

  async deleteTransferKey(
    { name }: DeleteTransferKeyRequest,
    caller: ApiCaller,
  ): Promise<DeleteTransferKeyResponse> {
    const user = this.#authorize(caller, 'write');
    await this.#ports.transferKeys.delete(name, user);
    this.#ports.log.info({ user, verb: 'delete', transferKey: name }, 'audit');
    return {};
  }

  async explainDns(request: ExplainDnsRequest, caller: ApiCaller): Promise<ExplainDnsResponse> {
    this.#authorize(caller, 'read');
    const { name, type, clientIp, server } = request;
    return { explanation: await this.#ports.hub.explain({ name, type, clientIp }, server) };
  }

  async *readLogs(
    request: ReadLogsRequest,
    caller: ApiCaller,
    signal: AbortSignal,
  ): AsyncIterable<ReadLogsResponse> {
    const user = this.#authorize(caller, 'read');
    yield* this.#whileGood(caller, signal, (good) =>
      readSiteLogs(this.#ports, request, { user, signal: good }),
    );
  }

  async getTraffic(request: GetTrafficRequest, caller: ApiCaller): Promise<GetTrafficResponse> {
    this.#authorize(caller, 'read');
    return readTraffic(this.#ports, request);
  }

  async *forecastRepository(
    request: ForecastRepositoryRequest,
    caller: ApiCaller,
    signal: AbortSignal,
  ): AsyncIterable<ForecastRepositoryResponse> {
    this.#authorize(caller, 'read');
    yield* this.#whileGood(caller, signal, (good) =>
      tellForecast(this.#ports.forecasts, request, good),
    );
  }

  async createUser(request: CreateUserRequest, caller: ApiCaller): Promise<CreateUserResponse> {
    const createdBy = this.#authorize(caller, 'write');
    const created = await this.#ports.users.create({ ...request, createdBy });
    const { name, role } = request;
    const { chainPem: certificate, keyPem: key, notAfterMs: expiresMs } = created;
    this.#ports.log.info({ user: createdBy, verb: 'create', for: name, role, expiresMs }, 'audit');
    return { certificate, key, expiresMs: BigInt(expiresMs) };
  }

  async listUsers(_request: unknown, caller: ApiCaller): Promise<ListUsersResponse> {
    this.#authorize(caller, 'read');
    return { users: this.#ports.users.list().map(userInfo) };
  }

  async revokeUser(
    { name, unlisted }: RevokeUserRequest,
    caller: ApiCaller,
  ): Promise<RevokeUserResponse> {
    const user = this.#authorize(caller, 'write');
    await this.#ports.users.revoke(name, { revokedBy: user, unlisted });
    this.#ports.log.info({ user, verb: 'revoke', for: name }, 'audit');
    return {};
  }

  async getServerInfo(_request: unknown, caller: ApiCaller): Promise<GetServerInfoResponse> {
    const user = this.#authorize(caller, 'read');
    const { version, storeName, leadership, mirror, clock } = this.#ports;
    return {
      version,
      store: storeName,
      epoch: leadership.epoch,
      revision: mirror.revision,
      timeMs: BigInt(clock.nowMs()),
      ...{ user, role: roleOf(caller.identity), permissions: permissionsOf(caller.identity) },
    };
  }

  /** Who calls, if they may: see `authorize`; what was taken back is worth nothing. */
  #authorize({ identity }: ApiCaller, permission: Permission): string {
    this.#ports.users.check(identity);
    return authorize(identity, permission);
  }

  /** A stream that ends, with the reason, when its caller's certificate is taken back. */
  async *#whileGood<Item>(
    { identity }: ApiCaller,
    signal: AbortSignal,
    work: (signal: AbortSignal) => AsyncIterable<Item>,
  ): AsyncGenerator<Item> {
    const revoked = new AbortController();
    const { users } = this.#ports;
    const end = users.onRevoked(identity, (error) => revoked.abort(error));
    try {
      yield* work(AbortSignal.any([signal, revoked.signal]));
      revoked.signal.throwIfAborted();
    } finally {
      end();
    }
  }

  async *#fromGood<Item>(
    { identity }: ApiCaller,
    items: AsyncIterable<Item>,
  ): AsyncGenerator<Item> {
    for await (const item of items) {
      this.#ports.users.check(identity);
      yield item;
    }
  }

  /** One line for each accepted change (INV-37); what changed is in the object's history. */
  #audit(
    user: string,
    verb: 'apply' | 'update' | 'delete',
    objectJson: string,
    { command, dryRun }: { readonly command: string; readonly dryRun: boolean },
  ): void {
    if (dryRun) return;
    const { kind, metadata } = JSON.parse(objectJson) as Resource;
    const { namespace, name, uid, generation } = metadata;
    const fields = { user, verb, kind, namespace, name, uid, generation, command };
    this.#ports.log.info(fields, 'audit');
  }
}

function userInfo({ name, certificates, revoked }: ListedUser): UserInfo {
  return {
    name,
    certificates: certificates.map(({ createdMs, expiresMs, ...certificate }) => ({
      ...certificate,
      ...{ createdMs: BigInt(createdMs), expiresMs: BigInt(expiresMs) },
    })),
    revokedMs: BigInt(revoked?.atMs ?? 0),
    revokedBy: revoked?.by ?? '',
  };
}
