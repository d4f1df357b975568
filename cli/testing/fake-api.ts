import { isDeepStrictEqual } from 'node:util';
import { kindOf } from '../../api/kinds.ts';
import { API_VERSION, type ObjectMeta, type Resource } from '../../api/object.ts';
import type { DnsExplanation } from '../../proto/gen/b8s/v1/agent.ts';
import {
  type Api,
  ApiError,
  type Applied,
  type ApplyOptions,
  type Blob,
  type CreatedToken,
  type CreatedUser,
  type DeclaredObject,
  type ForecastQuery,
  type HistoryEntry,
  type Listed,
  type ListedUser,
  type ListOptions,
  type LogPiece,
  type LogQuery,
  type MissingBlob,
  type Moment,
  type ObjectReference,
  type RepositoryForecast,
  type ServerInfo,
  type TokenInfo,
  type TrafficSummary,
  type TransferKeyInfo,
  type WatchEvent,
  type WatchOptions,
} from '../../runtime/api-client.ts';
import type { Clock } from '../../runtime/clock.ts';
import { digestOf } from '../../runtime/content/digest.ts';
import { isMatch, keyOf, referenceTo, refuseOther } from './fake-names.ts';
import { FakeUsers } from './fake-users.ts';

/** What a test puts into the world; the rest is filled in. */
export interface GivenObject {
  readonly kind: string;
  readonly metadata: Partial<ObjectMeta> & { readonly name: string };
  readonly spec?: unknown;
  readonly status?: object;
}

/**
 * A dom for tests of b8sctl: a world that commands change, and means to disturb it. It knows
 * nothing of managers: an apply replaces all.
 */
export class FakeApi implements Api {
  version = '0.1.0';
  permissions: readonly string[] = ['read', 'write'];
  explanation: DnsExplanation | undefined;
  /** By nameserver, before the one of all. */
  readonly explanations: Map<string, DnsExplanation> = new Map();
  tokens: readonly TokenInfo[] = [];
  transferKeys: readonly TransferKeyInfo[] = [];
  readonly users: FakeUsers;
  /** Of transfer keys, as they were given. */
  secrets: readonly Uint8Array[] = [];
  readonly blobs = new Map<string, Uint8Array>();
  /** Beginnings of blobs. */
  readonly partials = new Map<string, Uint8Array>();
  uploadedBytes = 0;
  /** What nodes have noted, in order; those that come later are told to whoever follows. */
  logs: readonly LogPiece[] = [];
  /** What dom would do for a commit, and what was asked of it last. */
  forecasted: RepositoryForecast | undefined;
  forecastQuery: ForecastQuery | undefined;
  lately: TrafficSummary = { sites: [], nodes: [], gatheredS: 60 };
  /** Of which node that was asked for last. */
  trafficNode: string | undefined;
  /** What was asked for last. */
  logQuery: LogQuery | undefined;

  readonly #clock: Clock;
  #revision = 100;
  readonly #store = new Map<string, Resource>();
  readonly #past: {
    readonly revision: number;
    readonly timeMs: number;
    readonly key: string;
    readonly object?: Resource;
  }[] = [];
  readonly #history: (HistoryEntry & { readonly key: string })[] = [];
  readonly #watchers = new Set<(event: WatchEvent) => void>();
  readonly #failures: { readonly call: keyof Api; readonly error: ApiError }[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
    this.users = new FakeUsers(clock);
  }

  /** Every object, sorted by kind, namespace and name. */
  objects(): readonly Resource[] {
    return [...this.#store.keys()].toSorted().flatMap((key) => this.#store.get(key) ?? []);
  }

  /** Puts an object there as some controller would: with status, finalizers and all. */
  put(given: GivenObject): Resource {
    const object = this.#complete({ apiVersion: API_VERSION, ...given });
    return this.#write(given.status === undefined ? object : { ...object, status: given.status });
  }

  /** Takes an object away at once, finalizers or not. */
  remove(reference: ObjectReference): void {
    const key = keyOf(reference);
    const object = this.#store.get(key);
    if (object === undefined) return;
    this.#revision += 1;
    this.#store.delete(key);
    const past = { revision: this.#revision, timeMs: this.#clock.nowMs(), key };
    this.#past.push(past);
    this.#record(object, { key, manager: 'test', change: 'deleted' });
    this.#tell({ type: 'deleted', object });
  }

  /** Answers the next call of that name with this error. */
  failNext(call: keyof Api, error: ApiError): void {
    this.#failures.push({ call, error });
  }

  /** How many watches are open. */
  watchers(): number {
    return this.#watchers.size;
  }

  async apply(object: DeclaredObject, options: ApplyOptions): Promise<Applied> {
    const { manager, dryRun, resourceVersion } = options;
    this.#failIfAsked('apply');
    const before = this.#store.get(keyOf(referenceTo(object)));
    refuseOther(before, resourceVersion);
    const wanted = this.#complete(object);
    const isSame =
      before !== undefined &&
      isDeepStrictEqual([before.spec, before.metadata], [wanted.spec, wanted.metadata]);
    const outcome = before === undefined ? 'created' : isSame ? 'unchanged' : 'configured';
    const after = dryRun === true || isSame ? wanted : this.#write(wanted, manager);
    const previous = before === undefined ? {} : { previous: before };
    return { outcome, object: after, warnings: [], ...previous };
  }

  async update(object: Resource, { manager }: { readonly manager: string }): Promise<Resource> {
    this.#failIfAsked('update');
    const current = this.#find(referenceTo(object));
    refuseOther(current, object.metadata.resourceVersion);
    return this.#write(object, manager);
  }

  async get(reference: ObjectReference, at?: Moment): Promise<Resource> {
    this.#failIfAsked('get');
    if (at === undefined) return this.#find(reference);
    const object = this.#then(keyOf(reference), at);
    if (object !== undefined) return object;
    throw new ApiError('NotFound', `${keyOf(reference)} not found`);
  }

  async list(options: ListOptions): Promise<Listed> {
    this.#failIfAsked('list');
    const { at } = options;
    const keys = [...new Set(this.#past.map(({ key }) => key))].toSorted();
    const all =
      at === undefined ? this.objects() : keys.flatMap((key) => this.#then(key, at) ?? []);
    const objects = all.filter((object) => isMatch(object, options));
    return { objects, revision: BigInt(this.#revision) };
  }

  async *watch(options: WatchOptions, signal: AbortSignal): AsyncGenerator<WatchEvent> {
    this.#failIfAsked('watch');
    const queue: WatchEvent[] = [];
    let wake = Promise.withResolvers<void>();
    const push = (event: WatchEvent) => {
      if (event.type !== 'synced' && !isMatch(event.object, options)) return;
      queue.push(event);
      wake.resolve();
    };
    if (options.afterRevision === undefined) {
      for (const object of this.objects()) push({ type: 'added', object });
      push({ type: 'synced' });
    }
    const stop = () => wake.reject(signal.reason);
    this.#watchers.add(push);
    signal.addEventListener('abort', stop, { once: true });
    try {
      for (;;) {
        signal.throwIfAborted();
        yield* queue.splice(0);
        if (queue.length === 0) await wake.promise;
        wake = Promise.withResolvers<void>();
      }
    } finally {
      this.#watchers.delete(push);
      signal.removeEventListener('abort', stop);
    }
  }

  async delete(
    reference: ObjectReference,
    { uid, dryRun, resourceVersion }: Parameters<Api['delete']>[1] = {},
  ): Promise<{ readonly object: Resource; readonly finalizing: boolean }> {
    this.#failIfAsked('delete');
    const object = this.#find(reference);
    if (uid !== undefined && uid !== object.metadata.uid) {
      throw new ApiError('Aborted', 'another object has this name now');
    }
    refuseOther(object, resourceVersion);
    const finalizing = (object.metadata.finalizers ?? []).length > 0;
    if (dryRun === true) return { object, finalizing };
    if (finalizing) {
      const deletionTimestamp = this.#time();
      this.#write({ ...object, metadata: { ...object.metadata, deletionTimestamp } });
    } else this.remove(reference);
    return { object, finalizing };
  }

  async history(reference: ObjectReference): Promise<readonly HistoryEntry[]> {
    return this.#history.filter((entry) => entry.key === keyOf(reference));
  }

  async findMissingBlobs(digests: readonly string[]): Promise<readonly MissingBlob[]> {
    return digests
      .filter((digest) => !this.blobs.has(digest))
      .map((digest) => ({ digest, heldBytes: this.partials.get(digest)?.length ?? 0 }));
  }

  async uploadBlobs(blobs: AsyncIterable<Blob>): Promise<void> {
    this.#failIfAsked('uploadBlobs');
    for await (const { digest, chunks, offsetBytes = 0 } of blobs) {
      const held = this.partials.get(digest) ?? new Uint8Array();
      if (offsetBytes > held.length) throw new ApiError('Aborted', `${digest}: begin anew`);
      const parts: Uint8Array[] = [held.subarray(0, offsetBytes)];
      for await (const chunk of chunks) parts.push(chunk);
      const bytes = Buffer.concat(parts);
      if (digestOf(bytes) !== digest) throw new ApiError('Invalid', `the bytes are not ${digest}`);
      this.uploadedBytes += bytes.length - offsetBytes;
      this.blobs.set(digest, bytes);
    }
  }

  async createToken({ node, ttlS }: Parameters<Api['createToken']>[0]): Promise<CreatedToken> {
    const expiresMs = this.#clock.nowMs() + ttlS * 1000;
    const id = `t${this.tokens.length + 1}`;
    this.tokens = [...this.tokens, { id, node, expiresMs, createdBy: 'admin' }];
    const addresses = ['127.0.0.1:7444', '127.0.0.2:7444'];
    return { token: `${id}.secret`, caHash: 'sha256:c0ffee', expiresMs, addresses };
  }

  listTokens = async (): Promise<readonly TokenInfo[]> => this.tokens;

  async revokeToken(id: string): Promise<void> {
    const left = this.tokens.filter((token) => token.id !== id);
    if (left.length === this.tokens.length) throw new ApiError('NotFound', `token ${id} not found`);
    this.tokens = left;
  }

  async createTransferKey(request: {
    readonly name: string;
    readonly algorithm: string;
    readonly secret: Uint8Array;
  }): Promise<Uint8Array> {
    const { name, algorithm, secret } = request;
    const created = { createdBy: 'admin', createdMs: this.#clock.nowMs() };
    this.transferKeys = [...this.transferKeys, { name, algorithm, ...created }];
    this.secrets = [...this.secrets, secret];
    return secret.length === 0 ? Buffer.from('a secret that was made') : new Uint8Array();
  }

  listTransferKeys = async (): Promise<readonly TransferKeyInfo[]> => this.transferKeys;

  async deleteTransferKey(name: string): Promise<void> {
    this.transferKeys = this.transferKeys.filter((key) => key.name !== name);
  }

  async explainDns({ server }: { readonly server: string }): Promise<DnsExplanation> {
    const explanation = this.explanations.get(server) ?? this.explanation;
    if (explanation !== undefined) return explanation;
    throw new ApiError('Unavailable', 'no nameserver is connected');
  }

  async *readLogs(query: LogQuery, signal: AbortSignal): AsyncGenerator<LogPiece> {
    this.#failIfAsked('readLogs');
    this.logQuery = query;
    yield* this.logs;
    if (!query.follow) return;
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    signal.throwIfAborted();
  }

  async traffic(node: string): Promise<TrafficSummary> {
    this.#failIfAsked('traffic');
    this.trafficNode = node;
    return this.lately;
  }

  async forecast(query: ForecastQuery): Promise<RepositoryForecast> {
    this.#failIfAsked('forecast');
    this.forecastQuery = query;
    if (this.forecasted !== undefined) return this.forecasted;
    throw new ApiError('NotFound', `repositories "${query.name}" not found`);
  }

  async createUser({ name, ...how }: Parameters<Api['createUser']>[0]): Promise<CreatedUser> {
    this.#failIfAsked('createUser');
    return this.users.create(name, how);
  }

  listUsers = async (): Promise<readonly ListedUser[]> => this.users.list;
  revokeUser: Api['revokeUser'] = async (name, options) => this.users.revoke(name, options);

  async serverInfo(): Promise<ServerInfo> {
    const { version } = this;
    const [revision, timeMs] = [BigInt(this.#revision), this.#clock.nowMs()];
    const { permissions } = this;
    const who = { user: 'admin', role: permissions.includes('write') ? 'admin' : 'viewer' };
    return { version, store: 'sqlite', epoch: 1n, revision, timeMs, ...who, permissions };
  }

  close(): void {}

  /** As of a time, only what was declared. */
  #then(key: string, at: Moment): Resource | undefined {
    const then = this.#past.findLast((entry) => {
      const isBefore =
        'revision' in at ? entry.revision <= Number(at.revision) : entry.timeMs <= at.timeMs;
      return entry.key === key && isBefore;
    });
    if (then?.object === undefined || 'revision' in at) return then?.object;
    const { status: _, ...declared } = then.object;
    return declared;
  }

  #failIfAsked(call: keyof Api): void {
    const index = this.#failures.findIndex((failure) => failure.call === call);
    const [failure] = index === -1 ? [] : this.#failures.splice(index, 1);
    if (failure !== undefined) throw failure.error;
  }

  #find(reference: ObjectReference): Resource {
    const object = this.#store.get(keyOf(reference));
    if (object !== undefined) return object;
    throw new ApiError('NotFound', `${keyOf(reference)} not found`);
  }

  /** As dom stores it: with defaults, a uid and a time; the status stays. */
  #complete({ kind, metadata, spec }: DeclaredObject): Resource {
    const before = this.#store.get(keyOf(referenceTo({ kind, metadata })));
    const given = { uid: `uid-${this.#revision}`, resourceVersion: '', generation: 0 };
    return {
      apiVersion: API_VERSION,
      kind,
      metadata: { ...given, creationTimestamp: this.#time(), ...before?.metadata, ...metadata },
      spec: kindOf(kind)?.normalize(spec ?? {}),
      ...(before?.status !== undefined && { status: before.status }),
    };
  }

  #write(object: Resource, manager = 'test'): Resource {
    this.#revision += 1;
    const key = keyOf(referenceTo(object));
    const before = this.#store.get(key);
    const isNewSpec = before === undefined || !isDeepStrictEqual(before.spec, object.spec);
    const generation = (before?.metadata.generation ?? 0) + (isNewSpec ? 1 : 0);
    const resourceVersion = String(this.#revision);
    const written = { ...object, metadata: { ...object.metadata, generation, resourceVersion } };
    this.#store.set(key, written);
    const past = { revision: this.#revision, timeMs: this.#clock.nowMs(), key };
    this.#past.push({ ...past, object: written });
    const change = before === undefined ? 'created' : 'configured';
    if (isNewSpec) this.#record(written, { key, manager, change });
    this.#tell({ type: before === undefined ? 'added' : 'modified', object: written });
    return written;
  }

  #record(
    { metadata, spec }: Resource,
    about: Pick<HistoryEntry, 'manager' | 'change'> & { readonly key: string },
  ): void {
    this.#history.push({
      ...about,
      generation: metadata.generation,
      revision: BigInt(this.#revision),
      timeMs: this.#clock.nowMs(),
      user: 'admin',
      command: 'b8sctl apply',
      uid: metadata.uid,
      spec,
      labels: metadata.labels ?? {},
      annotations: metadata.annotations ?? {},
    });
  }

  #tell(event: WatchEvent): void {
    for (const watcher of [...this.#watchers]) watcher(event);
  }

  #time(): string {
    return new Date(this.#clock.nowMs()).toISOString();
  }
}
