/** The one API version there is. */
export const API_VERSION = 'b8s.dev/v1';

/** The namespace of an object that names none. */
export const DEFAULT_NAMESPACE = 'default';

export interface OwnerReference {
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
}

/** The fields of `spec`, `metadata.labels` and `metadata.annotations` that one manager applied. */
export interface ManagedFields {
  readonly manager: string;
  /** `apply`: removed from the object when the manager no longer names them. */
  readonly operation: 'apply' | 'update';
  /** RFC 3339. */
  readonly time: string;
  /** JSON Pointers (RFC 6901) of the leaves, sorted; lists count as one leaf. */
  readonly fields: readonly string[];
}

export interface ObjectMeta {
  readonly name: string;
  /** Absent for cluster-scoped kinds. */
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  /** Set by dom; another object of the same name has another uid. */
  readonly uid: string;
  /** The store's revision that last changed the object, as a decimal. */
  readonly resourceVersion: string;
  /** Grows by one with each change of `spec`; starts at 1. */
  readonly generation: number;
  /** RFC 3339. */
  readonly creationTimestamp: string;
  /** RFC 3339; set once someone asked for deletion while finalizers were left. */
  readonly deletionTimestamp?: string;
  readonly finalizers?: readonly string[];
  readonly ownerReferences?: readonly OwnerReference[];
  readonly managedFields?: readonly ManagedFields[];
}

/** One aspect of what was observed. `reason` is for scripts, `message` for people. */
export interface Condition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  /** CamelCase. */
  readonly reason: string;
  /** A sentence that a person can act on. */
  readonly message: string;
  /** RFC 3339; when `status` last changed. */
  readonly lastTransitionTime: string;
  readonly observedGeneration?: number;
}

/** What every kind's status has. */
export interface CommonStatus {
  readonly observedGeneration?: number;
  readonly conditions?: readonly Condition[];
}

export interface Resource<Spec = unknown, Status extends CommonStatus = CommonStatus> {
  readonly apiVersion: typeof API_VERSION;
  readonly kind: string;
  readonly metadata: ObjectMeta;
  readonly spec: Spec;
  readonly status?: Status;
}

/** The condition of that type, if the object has one. */
export function condition(object: Resource, type: string): Condition | undefined {
  return object.status?.conditions?.find((each) => each.type === type);
}
