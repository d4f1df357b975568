import type { Resource } from '../api/object.ts';
import type { DeclaredObject } from './api-client.ts';
import type { ObjectName } from './store/keys.ts';
import type { Operation } from './store/writer.ts';

/** An object to be declared, and in whose name. */
export interface DeclareRequest {
  readonly object: DeclaredObject;
  /** The field manager. */
  readonly manager: string;
  /** For history: what led to it. */
  readonly command: string;
  /** `sealed`: the values of a Secret are as the store keeps them. */
  readonly values: 'plain' | 'sealed';
  /** Whether fields of another manager that say something else are taken over. */
  mayTakeOver(manager: string): boolean;
}

/** What is written in the same transaction as the object; `spec` as declared, values sealed. */
export type Beside = (written: {
  readonly uid: string;
  readonly spec: unknown;
  /** Whether the object was there before. */
  readonly wasThere: boolean;
}) => readonly Operation[];

/** What a declaration makes of an object; of a Secret only the names of its values. */
export interface Effect {
  readonly outcome: 'created' | 'configured' | 'unchanged';
  /** Undefined: there is none. */
  readonly before: Resource | undefined;
  readonly after: Resource;
  /** Of a Secret the names of the values that would be others, sorted. */
  readonly changedValues: readonly string[];
}

export interface RemoveRequest {
  readonly name: ObjectName;
  /** Only this very object. */
  readonly uid: string;
  readonly manager: string;
  readonly command: string;
  readonly beside: readonly Operation[];
}

/**
 * What b8sctl's `apply` and `delete` do, for controllers: server-side apply with managed fields, all
 * rules, the reservation of hosts, and history.
 *
 * Errors: a `RequestError`: INVALID_ARGUMENT with violations, FAILED_PRECONDITION with clashes, or
 * for an object that is being deleted; ABORTED when others keep changing what is written.
 */
export interface Declarer {
  /** What `apply` would say, with nothing written. `willFree`: a host that counts as free. */
  check(
    request: DeclareRequest,
    options: { willFree(host: string, siteUid: string): boolean },
  ): Promise<Effect>;
  apply(request: DeclareRequest, beside: Beside): Promise<'created' | 'configured' | 'unchanged'>;
  /** `gone`: there is no such object, and only what stands beside was written. */
  remove(request: RemoveRequest): Promise<'removed' | 'finalizing' | 'gone'>;
}
