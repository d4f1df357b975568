import type { KindName } from '../../api/kinds.ts';
import type { CommonStatus, ObjectMeta, Resource } from '../../api/object.ts';
import { API_VERSION } from '../../api/object.ts';
import { SessionResponse } from '../../proto/gen/b8s/v1/agent.ts';
import type { PlanObject } from '../../proto/gen/b8s/v1/plan.ts';
import { historyPrefix, objectKey, recordKey, WORLD_PREFIX } from '../../runtime/store/keys.ts';
import type { RecordKind, Records } from '../../runtime/store/records.ts';
import type { Change, Guard, KeyValue, Write } from '../../runtime/store/store.ts';
import type { HistoryEntry } from '../../runtime/store/writer.ts';
import type { Check, CheckPorts, Commit, SentFrame } from './check.ts';
import { ObjectChanges } from './objects/object-changes.ts';
import type { StoreEvent } from './store-event.ts';
import { StoreHistory } from './store-history.ts';

/** A world made by hand: what happens in it is told to the checks under test. */
export class Scene {
  readonly history: StoreHistory = new StoreHistory();
  readonly changes: ObjectChanges = new ObjectChanges();
  /** Numbers of what was violated, and what was said, in order: "18 commit 3: …". */
  readonly violations: string[] = [];
  readonly ports: CheckPorts;
  nowMs = 0;
  #checks: readonly Check[] = [];

  constructor() {
    this.ports = {
      violated: (number, what) => void this.violations.push(`${number} ${what}`),
      reached: () => undefined,
      nowMs: () => this.nowMs,
    };
  }

  /** The numbers alone. */
  get numbers(): readonly number[] {
    return this.violations.map((each) => Number.parseInt(each, 10));
  }

  watch(...checks: readonly Check[]): this {
    this.#checks = [...this.#checks, ...checks];
    return this;
  }

  tell(what: (check: Check) => unknown): void {
    for (const check of this.#checks) void what(check);
  }

  stored(event: StoreEvent): void {
    this.history.learn(event);
    this.tell((check) => check.stored?.(event));
  }

  /** `guards` left out: on each key that is written, as it ought to be. */
  commit(writes: readonly Write[], guards?: readonly Guard[]): bigint {
    const revision = this.history.head + 1n;
    const before = new Map(
      writes.map(({ key }) => [key, this.history.get(key, revision)] as const),
    );
    const guarded = writes.map(({ key }) => ({
      key,
      modRevision: before.get(key)?.modRevision ?? 0n,
    }));
    const changes = writes.map((write): Change => {
      if (write.kind === 'delete') return { ...write, modRevision: revision };
      return { kind: 'put', item: itemOf(write, revision, before.get(write.key)) };
    });
    this.stored({ kind: 'revision', by: 'commit', revision, changes });
    const transaction = { guards: guards ?? guarded, writes };
    const commit: Commit = { revision, transaction, before, process: 'dom#1' };
    this.tell((check) => check.committed?.(commit));
    return revision;
  }

  /** Puts them as they are. */
  put(...objects: readonly Resource[]): bigint {
    return this.commit(objects.map(putObject));
  }

  putRecord<R extends RecordKind>(kind: R, id: string, value: Records[R]): bigint {
    return this.commit([{ kind: 'put', key: recordKey(kind, id), value: JSON.stringify(value) }]);
  }

  remove(key: string): bigint {
    return this.commit([{ kind: 'delete', key }]);
  }

  /** A process of dom has seen all up to now. */
  show(process: string): void {
    const { signal } = new AbortController();
    const watch = { process, prefix: WORLD_PREFIX, afterRevision: 0n, signal };
    const event = { kind: 'progress', revision: this.history.head } as const;
    this.stored({ kind: 'delivered', watch, event });
  }

  /** A plan of that revision, from dom to a node. */
  sendPlan(
    to: Pick<SentFrame, 'node' | 'nodeUid'>,
    revision: bigint,
    upserts: readonly PlanObject[],
  ): void {
    const position = { epoch: 1n, revision };
    const plan = { position, base: undefined, upserts, removals: [], digest: '' };
    const value = { ...plan, heartbeatIntervalMs: 1_000 };
    const bytes = SessionResponse.encode({ message: { $case: 'plan', value } }).finish();
    this.tell((check) => check.sent?.({ ...to, from: 'dom', dom: 'dom#1', bytes }));
  }
}

export interface ObjectParts extends Partial<Omit<ObjectMeta, 'name'>> {
  readonly spec?: unknown;
  readonly status?: CommonStatus & Readonly<Record<string, unknown>>;
}

/** In the namespace `default`, unless its kind has none; its uid is `<kind>-<name>`. */
export function object(kind: KindName, name: string, parts: ObjectParts = {}): Resource {
  const { spec = {}, status, ...metadata } = parts;
  const isCluster = kind === 'Node' || kind === 'Issuer';
  return {
    apiVersion: API_VERSION,
    kind,
    metadata: {
      ...{ name, uid: `${kind}-${name}`, generation: 1, resourceVersion: '' },
      ...(isCluster ? {} : { namespace: 'default' }),
      creationTimestamp: '2026-01-01T00:00:00.000Z',
      ...metadata,
    },
    spec,
    ...(status === undefined ? {} : { status }),
  };
}

export function keyOfObject({ kind, metadata }: Resource): string {
  return objectKey({ ...metadata, kind: kind as KindName });
}

export function putObject(resource: Resource): Write {
  return { kind: 'put', key: keyOfObject(resource), value: JSON.stringify(resource) };
}

/** What is to be written beside an object. */
export function record(
  { kind, metadata, spec }: Resource,
  change: HistoryEntry['change'],
  parts: Partial<HistoryEntry> & { readonly id?: string } = {},
): Write {
  const { id = `1-${metadata.generation}-${change}`, ...entry } = parts;
  const author = { manager: 'b8sctl', user: 'admin' };
  const { uid, generation } = metadata;
  const value = { uid, generation, timeMs: 0, change, author, spec, ...entry };
  const prefix = historyPrefix({ ...metadata, kind: kind as KindName });
  return { kind: 'put', key: `${prefix}${id}`, value: JSON.stringify(value) };
}

function itemOf(
  { key, value }: Extract<Write, { kind: 'put' }>,
  modRevision: bigint,
  before: KeyValue | undefined,
): KeyValue {
  return { key, value, modRevision, createRevision: before?.createRevision ?? modRevision };
}
