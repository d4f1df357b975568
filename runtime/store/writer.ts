import { isDeepStrictEqual } from 'node:util';
import type { KindName } from '../../api/kinds.ts';
import {
  API_VERSION,
  type CommonStatus,
  type ObjectMeta,
  type OwnerReference,
  type Resource,
} from '../../api/object.ts';
import type { Clock } from '../clock.ts';
import { type Random, uuid } from '../random.ts';
import { sameJson } from '../same-json.ts';
import { historyPrefix, type ObjectName, objectKey, recordKey } from './keys.ts';
import type { RecordKind, Records } from './records.ts';
import {
  type Guard,
  type LeaseId,
  type Revision,
  type Store,
  UncertainError,
  type Write,
} from './store.ts';

/** Who writes, for history: shown by `rollout history`. */
export interface Author {
  /** The field manager: "b8sctl", "certificate-controller". */
  readonly manager: string;
  /** Who was authenticated: "admin", "node:london", "dom". */
  readonly user: string;
  readonly command?: string;
}

export interface NewObject {
  readonly kind: KindName;
  /** A uid is made up unless one is given. */
  readonly metadata: Pick<ObjectMeta, 'name'> &
    Partial<Omit<ObjectMeta, 'generation' | 'resourceVersion' | 'creationTimestamp'>>;
  readonly spec: unknown;
}

/** One step of a write; all of a commit happen together. `base` is the object as it was read. */
export type Operation =
  | { readonly kind: 'create'; readonly object: NewObject }
  /** Spec, labels, annotations, finalizers …; `generation` grows when the spec differs. */
  | { readonly kind: 'replace'; readonly base: Resource; readonly next: Resource }
  | { readonly kind: 'status'; readonly base: Resource; readonly status: CommonStatus }
  /** Marks for deletion while finalizers are left, deletes otherwise. */
  | { readonly kind: 'delete'; readonly base: Resource }
  /** Nothing is written, but the commit conflicts unless the object is still as it was read. */
  | { readonly kind: 'expect'; readonly base: Resource }
  /** Likewise, unless nothing bears that name. */
  | { readonly kind: 'expectNone'; readonly name: ObjectName }
  | RecordOperation;

export type RecordOperation = {
  [R in RecordKind]: {
    readonly kind: 'record';
    readonly record: R;
    readonly id: string;
    /** Undefined: delete it. */
    readonly value: Records[R] | undefined;
    /** The revision that was read; 0n: there was none; undefined: whatever it is. */
    readonly modRevision: Revision | undefined;
    readonly lease?: LeaseId;
  };
}[RecordKind];

export type WriteOutcome =
  | { readonly outcome: 'written'; readonly revision: Revision }
  /** Everything is so already; nothing was written. */
  | { readonly outcome: 'unchanged' }
  /** Something changed since it was read, or this dom no longer leads: read and decide again. */
  | { readonly outcome: 'conflict' };

/** What history keeps of one change of a spec. */
export interface HistoryEntry {
  readonly uid: string;
  readonly generation: number;
  readonly timeMs: number;
  readonly change: 'created' | 'configured' | 'deleted';
  readonly author: Author;
  readonly spec: unknown;
  /** As they were then; absent: there were none, or they were not kept yet. */
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Proof of leadership that every write carries: the epoch's key at the revision we wrote. */
export type Fence = () => readonly Guard[];

/**
 * A write of which nobody knows the fate may take effect later: an object that was made by the next
 * try, and then deleted, would come back. So before the next write the fence is renewed.
 */
export interface Doubts {
  /** A write is in doubt by now. */
  doubt(): void;
  /**
   * Undefined: none is. Otherwise resolves once none of them can take effect any more; rejects where
   * that cannot be told yet.
   */
  settled(): Promise<void> | undefined;
}

export interface WriterPorts {
  readonly store: Pick<Store, 'commit'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly fence: Fence;
  /** Left out: there is no fence to renew. */
  readonly doubts?: Doubts | undefined;
}

/**
 * Writes objects and records: conditional on what was read, fenced by the leader's epoch, with the
 * history of each change of a spec in the same transaction.
 */
export class Writer {
  readonly #store: Pick<Store, 'commit'>;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #fence: Fence;
  readonly #doubts: Doubts | undefined;

  constructor(ports: WriterPorts) {
    this.#store = ports.store;
    this.#clock = ports.clock;
    this.#random = ports.random;
    this.#fence = ports.fence;
    this.#doubts = ports.doubts;
  }

  async commit(operations: readonly Operation[], author: Author): Promise<WriteOutcome> {
    const steps = operations.map((operation) => this.#step(operation, author));
    const writes = steps.flatMap((step) => step.writes);
    if (writes.length === 0) return { outcome: 'unchanged' };
    const settled = this.#doubts?.settled();
    if (settled !== undefined) await settled;
    const guards = [...this.#fence(), ...steps.flatMap((step) => step.guards)];
    const outcome = await this.#store.commit({ guards, writes }).catch((error: unknown) => {
      if (error instanceof UncertainError) this.#doubts?.doubt();
      throw error;
    });
    return outcome.outcome === 'committed'
      ? { outcome: 'written', revision: outcome.revision }
      : { outcome: 'conflict' };
  }

  #step(operation: Operation, author: Author): Step {
    switch (operation.kind) {
      case 'create':
        return this.#create(operation.object, author);
      case 'replace':
        return this.#replace(operation.base, operation.next, author);
      case 'status':
        return this.#status(operation.base, operation.status);
      case 'delete':
        return this.#delete(operation.base, author);
      case 'expect':
        return { guards: [guardOf(operation.base)], writes: [] };
      case 'expectNone':
        return { guards: [{ key: objectKey(operation.name), modRevision: 0n }], writes: [] };
      case 'record':
        return recordStep(operation);
    }
  }

  #create(object: NewObject, author: Author): Step {
    const nowMs = this.#clock.nowMs();
    const created: Resource = {
      apiVersion: API_VERSION,
      kind: object.kind,
      metadata: {
        ...object.metadata,
        uid: object.metadata.uid ?? uuid(this.#random),
        resourceVersion: '',
        generation: 1,
        creationTimestamp: new Date(nowMs).toISOString(),
      },
      spec: object.spec,
    };
    return {
      guards: [{ key: objectKey(nameOf(created)), modRevision: 0n }],
      writes: [put(created), ...history(created, 'created', author, nowMs)],
    };
  }

  #replace(base: Resource, next: Resource, author: Author): Step {
    const specChanged = !isDeepStrictEqual(base.spec, next.spec);
    const replaced: Resource = {
      ...next,
      metadata: {
        ...next.metadata,
        uid: base.metadata.uid,
        creationTimestamp: base.metadata.creationTimestamp,
        resourceVersion: base.metadata.resourceVersion,
        generation: base.metadata.generation + (specChanged ? 1 : 0),
      },
    };
    if (sameJson(textOf(replaced), textOf(base))) return NOTHING;
    if (isGone(replaced)) return { guards: [guardOf(base)], writes: [remove(base)] };
    const past = specChanged ? history(replaced, 'configured', author, this.#clock.nowMs()) : [];
    return { guards: [guardOf(base)], writes: [put(replaced), ...past] };
  }

  #status(base: Resource, status: CommonStatus): Step {
    if (sameJson(JSON.stringify(status), JSON.stringify(base.status))) return NOTHING;
    return { guards: [guardOf(base)], writes: [put({ ...base, status })] };
  }

  #delete(base: Resource, author: Author): Step {
    if (base.metadata.deletionTimestamp !== undefined && !isGone(base)) return NOTHING;
    const nowMs = this.#clock.nowMs();
    const past = history(base, 'deleted', author, nowMs);
    if ((base.metadata.finalizers ?? []).length === 0)
      return { guards: [guardOf(base)], writes: [remove(base), ...past] };
    const marked = {
      ...base,
      metadata: { ...base.metadata, deletionTimestamp: new Date(nowMs).toISOString() },
    };
    return { guards: [guardOf(base)], writes: [put(marked), ...past] };
  }
}

interface Step {
  readonly guards: readonly Guard[];
  readonly writes: readonly Write[];
}

/** Kinds that are history themselves. */
const UNRECORDED: ReadonlySet<string> = new Set(['Event']);

const NOTHING: Step = { guards: [], writes: [] };

/** `OwnerReference` to an object: what it owns goes when it goes. */
export function ownedBy(owner: Resource): OwnerReference {
  return { kind: owner.kind, name: owner.metadata.name, uid: owner.metadata.uid };
}

/** What makes an object somebody's own too; where it is so already, it stays so until the commit. */
export function owning(base: Resource, owner: OwnerReference): Operation {
  const { ownerReferences = [] } = base.metadata;
  if (ownerReferences.some(({ uid }) => uid === owner.uid)) return { kind: 'expect', base };
  const metadata = { ...base.metadata, ownerReferences: [...ownerReferences, owner] };
  return { kind: 'replace', base, next: { ...base, metadata } };
}

export function nameOf(object: Resource): ObjectName {
  return {
    kind: object.kind as KindName,
    namespace: object.metadata.namespace,
    name: object.metadata.name,
  };
}

/** Marked for deletion, and nobody has anything left to clean up. */
function isGone(object: Resource): boolean {
  const { deletionTimestamp, finalizers = [] } = object.metadata;
  return deletionTimestamp !== undefined && finalizers.length === 0;
}

function recordStep(operation: RecordOperation): Step {
  const key = recordKey(operation.record, operation.id);
  const guards =
    operation.modRevision === undefined ? [] : [{ key, modRevision: operation.modRevision }];
  if (operation.value === undefined) return { guards, writes: [{ kind: 'delete', key }] };
  const value = JSON.stringify(operation.value);
  const lease = operation.lease === undefined ? {} : { lease: operation.lease };
  return { guards, writes: [{ kind: 'put', key, value, ...lease }] };
}

function guardOf(object: Resource): Guard {
  return { key: objectKey(nameOf(object)), modRevision: BigInt(object.metadata.resourceVersion) };
}

function put(object: Resource): Write {
  return { kind: 'put', key: objectKey(nameOf(object)), value: textOf(object) };
}

function remove(object: Resource): Write {
  return { kind: 'delete', key: objectKey(nameOf(object)) };
}

/** JSON without the resourceVersion, which is the store's to say. */
function textOf(object: Resource): string {
  const { resourceVersion: _, ...metadata } = object.metadata;
  return JSON.stringify({ ...object, metadata });
}

/** Time first, so that records sort as they happened; the uid tells namesakes apart. */
function history(
  object: Resource,
  change: HistoryEntry['change'],
  author: Author,
  timeMs: number,
): readonly Write[] {
  if (UNRECORDED.has(object.kind)) return [];
  const { uid, generation, labels, annotations } = object.metadata;
  const entry: HistoryEntry = {
    ...{ uid, generation, timeMs, change, author, spec: object.spec },
    ...(labels !== undefined && { labels }),
    ...(annotations !== undefined && { annotations }),
  };
  const id = `${String(timeMs).padStart(15, '0')}-${uid.slice(0, 8)}-${String(generation).padStart(8, '0')}-${change}`;
  return [
    { kind: 'put', key: `${historyPrefix(nameOf(object))}${id}`, value: JSON.stringify(entry) },
  ];
}
