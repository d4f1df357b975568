import { isDeepStrictEqual } from 'node:util';
import { kindOf } from '../api/kinds.ts';
import { matchesLabels, parseLabelSelector } from '../api/labels.ts';
import { API_VERSION, type Resource } from '../api/object.ts';
import type { DnsExplanation } from '../proto/gen/b8s/v1/agent.ts';
import {
  type Api,
  ApiError,
  type DeclaredObject,
  type HistoryEntry,
  type ObjectReference,
  type TokenInfo,
  type WatchEvent,
  type WatchOptions,
} from '../runtime/api-client.ts';
import type { Clock } from '../runtime/clock.ts';
import { digestOf } from '../runtime/digest.ts';

/** A dom for tests of b8sctl: the world that commands change, and means to disturb it. */
export interface FakeApi extends Api {
  readonly blobs: ReadonlyMap<string, Uint8Array>;
  /** Every object, sorted by key. */
  objects(): readonly Resource[];
  /** Puts an object there as some controller would: status, finalizers and all. */
  put(
    object: Partial<Resource> & {
      readonly kind: string;
      readonly metadata: { readonly name: string };
    },
  ): Resource;
  /** Takes an object away at once, finalizers or not. */
  remove(reference: ObjectReference): void;
  /** Answers one of the next calls of that name with this error. */
  failNext(call: keyof Api, error: ApiError): void;
  readonly tokens: readonly TokenInfo[];
  explanation: DnsExplanation | undefined;
  version: string;
}

/** An empty world at the clock's time. Merging of managers is left out: an apply replaces. */
export function fakeApi(clock: Clock): FakeApi {
  let revision = 100;
  const store = new Map<string, Resource>();
  const past: { readonly revision: number; readonly key: string; readonly object?: Resource }[] =
    [];
  const history: (HistoryEntry & { readonly key: string })[] = [];
  const blobs = new Map<string, Uint8Array>();
  const watchers = new Set<(event: WatchEvent) => void>();
  const failures: { readonly call: keyof Api; readonly error: ApiError }[] = [];
  let tokens: readonly TokenInfo[] = [];

  function failIfAsked(call: keyof Api): void {
    const index = failures.findIndex((failure) => failure.call === call);
    const [failure] = index === -1 ? [] : failures.splice(index, 1);
    if (failure !== undefined) throw failure.error;
  }

  function write(object: Resource, manager = 'test'): Resource {
    revision += 1;
    const key = keyOf(referenceTo(object));
    const before = store.get(key);
    const isSpecSame = before !== undefined && isDeepStrictEqual(before.spec, object.spec);
    const written = {
      ...object,
      metadata: {
        ...object.metadata,
        generation: (before?.metadata.generation ?? 0) + (isSpecSame ? 0 : 1),
        resourceVersion: String(revision),
      },
    };
    store.set(key, written);
    past.push({ revision, key, object: written });
    if (!isSpecSame) {
      history.push({
        key,
        ...{ generation: written.metadata.generation, revision: BigInt(revision) },
        ...{ timeMs: clock.nowMs(), manager, user: 'admin', command: 'b8sctl apply' },
        ...{ uid: written.metadata.uid, spec: written.spec },
        change: before === undefined ? 'created' : 'configured',
      });
    }
    tell({ type: before === undefined ? 'added' : 'modified', object: written });
    return written;
  }

  function erase(key: string): void {
    const object = store.get(key);
    if (object === undefined) return;
    revision += 1;
    store.delete(key);
    past.push({ revision, key });
    tell({ type: 'deleted', object });
  }

  function tell(event: WatchEvent): void {
    for (const watcher of [...watchers]) watcher(event);
  }

  function found(reference: ObjectReference): Resource {
    const object = store.get(keyOf(reference));
    if (object === undefined) throw new ApiError('NotFound', `${keyOf(reference)} not found`);
    return object;
  }

  function completed(object: DeclaredObject): Resource {
    const before = store.get(keyOf(referenceTo(object)));
    const created = {
      uid: `uid-${revision}`,
      ...{ resourceVersion: '', generation: 0 },
      creationTimestamp: new Date(clock.nowMs()).toISOString(),
    };
    return {
      apiVersion: API_VERSION,
      kind: object.kind,
      metadata: { ...created, ...before?.metadata, ...object.metadata },
      spec: kindOf(object.kind)?.normalize(object.spec ?? {}),
      ...(before?.status !== undefined && { status: before.status }),
    };
  }

  function list(options: Omit<WatchOptions, 'afterRevision'>): readonly Resource[] {
    const keys = [...store.keys()].toSorted();
    return keys.flatMap((key) => store.get(key) ?? []).filter((object) => isMatch(object, options));
  }

  const api: FakeApi = {
    blobs,
    objects: () => [...store.keys()].toSorted().flatMap((key) => store.get(key) ?? []),
    put: (object) => write({ ...completed(object as DeclaredObject), ...restOf(object) }),
    remove: (reference) => erase(keyOf(reference)),
    failNext: (call, error) => void failures.push({ call, error }),
    get tokens() {
      return tokens;
    },
    explanation: undefined,
    version: '0.1.0',

    async apply(object, { manager, dryRun = false }) {
      failIfAsked('apply');
      const before = store.get(keyOf(referenceTo(object)));
      const wanted = completed(object);
      const isSame =
        before !== undefined &&
        isDeepStrictEqual([before.spec, before.metadata], [wanted.spec, wanted.metadata]);
      const outcome = before === undefined ? 'created' : isSame ? 'unchanged' : 'configured';
      const result = dryRun || isSame ? wanted : write(wanted, manager);
      const previous = before === undefined ? {} : { previous: before };
      return { outcome, object: result, warnings: [], ...previous };
    },
    async update(object, { manager }) {
      failIfAsked('update');
      const current = found(referenceTo(object));
      if (current.metadata.resourceVersion !== object.metadata.resourceVersion) {
        throw new ApiError('Aborted', 'the object has been changed meanwhile');
      }
      return write(object, manager);
    },
    async get(reference, at) {
      failIfAsked('get');
      if (at === undefined) return found(reference);
      const key = keyOf(reference);
      const then = past.findLast((entry) => entry.key === key && entry.revision <= Number(at));
      if (then?.object === undefined) throw new ApiError('NotFound', `${key} not found`);
      return then.object;
    },
    async list(options) {
      failIfAsked('list');
      return { objects: list(options), revision: BigInt(revision) };
    },
    async *watch(options, signal) {
      failIfAsked('watch');
      const queue: WatchEvent[] = [];
      let wake = Promise.withResolvers<void>();
      const push = (event: WatchEvent) => {
        if (event.type !== 'synced' && !isMatch(event.object, options)) return;
        queue.push(event);
        wake.resolve();
      };
      if (options.afterRevision === undefined) {
        for (const object of list(options)) push({ type: 'added', object });
        push({ type: 'synced' });
      }
      const stop = () => wake.reject(signal.reason);
      watchers.add(push);
      signal.addEventListener('abort', stop, { once: true });
      try {
        for (;;) {
          signal.throwIfAborted();
          yield* queue.splice(0);
          if (queue.length === 0) await wake.promise;
          wake = Promise.withResolvers<void>();
        }
      } finally {
        watchers.delete(push);
        signal.removeEventListener('abort', stop);
      }
    },
    async delete(reference, { uid, dryRun = false } = {}) {
      failIfAsked('delete');
      const object = found(reference);
      if (uid !== undefined && uid !== object.metadata.uid) {
        throw new ApiError('Aborted', 'another object has this name now');
      }
      const finalizing = (object.metadata.finalizers ?? []).length > 0;
      if (dryRun) return { object, finalizing };
      if (!finalizing) erase(keyOf(reference));
      else {
        const deletionTimestamp = new Date(clock.nowMs()).toISOString();
        write({ ...object, metadata: { ...object.metadata, deletionTimestamp } });
      }
      return { object, finalizing };
    },
    async history(reference) {
      return history.filter((entry) => entry.key === keyOf(reference));
    },
    async findMissingBlobs(digests) {
      return digests.filter((digest) => !blobs.has(digest));
    },
    async uploadBlob({ digest, chunks }) {
      failIfAsked('uploadBlob');
      const parts: Uint8Array[] = [];
      for await (const chunk of chunks) parts.push(chunk);
      const bytes = Buffer.concat(parts);
      if (digestOf(bytes) !== digest) throw new ApiError('Invalid', `the bytes are not ${digest}`);
      blobs.set(digest, bytes);
    },
    async createToken({ node, ttlS }) {
      const expiresMs = clock.nowMs() + ttlS * 1000;
      tokens = [...tokens, { id: `t${tokens.length + 1}`, node, expiresMs, createdBy: 'admin' }];
      const addresses = ['127.0.0.1:7444', '127.0.0.2:7444'];
      return { token: `t${tokens.length}.secret`, caHash: 'sha256:c0ffee', expiresMs, addresses };
    },
    listTokens: async () => tokens,
    async revokeToken(id) {
      if (!tokens.some((token) => token.id === id)) {
        throw new ApiError('NotFound', `token ${id} not found`);
      }
      tokens = tokens.filter((token) => token.id !== id);
    },
    async explainDns() {
      if (api.explanation === undefined) {
        throw new ApiError('Unavailable', 'no nameserver is connected');
      }
      return api.explanation;
    },
    async serverInfo() {
      failIfAsked('serverInfo');
      const { version } = api;
      return {
        version,
        store: 'sqlite',
        epoch: 1n,
        revision: BigInt(revision),
        timeMs: clock.nowMs(),
      };
    },
    close: () => undefined,
  };
  return api;
}

function keyOf({ kind, namespace, name }: ObjectReference): string {
  return `${kind}/${namespace}/${name}`;
}

function referenceTo({ kind, metadata }: DeclaredObject): ObjectReference {
  const isNamespaced = kindOf(kind)?.scope === 'namespace';
  const namespace = isNamespaced ? (metadata.namespace ?? 'default') : '';
  return { kind, namespace, name: metadata.name };
}

function isMatch(
  object: Resource,
  { kind, namespace, name, labelSelector = '' }: Omit<WatchOptions, 'afterRevision'>,
): boolean {
  const reference = referenceTo(object);
  if (kind !== object.kind || (namespace !== '' && namespace !== reference.namespace)) return false;
  if (name !== undefined && name !== reference.name) return false;
  const selector = parseLabelSelector(labelSelector);
  if (selector.kind === 'error') throw new ApiError('Invalid', selector.message);
  return matchesLabels(selector.requirements, object.metadata.labels);
}

function restOf(object: Partial<Resource>): Partial<Resource> {
  return object.status === undefined ? {} : { status: object.status };
}
