import type { DeclaredObject } from './api-client.ts';

/** How far dom has come with a Repository. */
export interface RepositoryRecord {
  /** `namespace/name` of the Repository. */
  readonly name: string;
  /** The commit whose objects are in force; absent: none was yet. */
  readonly applied?: { readonly commit: string; readonly subject: string };
  /** The commit that is being brought in; absent: none. */
  readonly attempt?: AttemptRecord;
  /** The commit that was rolled back, and is not tried again. */
  readonly bad?: BadCommitRecord;
  /** The request (`b8s.dev/reconcile-requested`) that was answered last. */
  readonly request?: string;
  /** A request named `commit` while the ref was at `head`: it holds until the ref goes on. */
  readonly pinned?: { readonly commit: string; readonly head: string };
  /** The commit that may take fields over from whoever has them. */
  readonly forced?: string;
  /** The commit that may delete as many objects as it asks for. */
  readonly confirmed?: string;
  /** The commit that may do what its plan says, by the digest of that, and nothing else. */
  readonly expected?: { readonly commit: string; readonly digest: string };
}

export interface AttemptRecord {
  readonly commit: string;
  readonly subject: string;
  readonly sinceMs: number;
  /** `undoing`: it failed, and what it changed is put back. */
  readonly phase: 'applying' | 'waiting' | 'undoing';
  /** Why it failed; while `undoing` only. */
  readonly why?: string;
}

export interface BadCommitRecord {
  readonly commit: string;
  readonly message: string;
  readonly atMs: number;
  /** What the Repository meant by it: another path, say, makes another commit of it. */
  readonly meant: string;
}

/** The calls of its Git host that were taken. */
export interface RepositoryHookRecord {
  /** `namespace/name` of the Repository. */
  readonly name: string;
  /** Of the last one. RFC 3339. */
  readonly time: string;
  /** The last so many, in the order in which they came: one that comes again does nothing. */
  readonly deliveries: readonly string[];
}

/** An object that a Repository keeps, as it was declared last. */
export interface RepositoryObjectRecord {
  /** Of the object. */
  readonly uid: string;
  /** The manifest that declares it, for messages. */
  readonly file: string;
  /** Without defaults; the values of a Secret are sealed. */
  readonly object: DeclaredObject;
  /** Of a Site with a folder: what its release is, which goes with the Site, and comes with it. */
  readonly release?: {
    readonly digest: string;
    readonly files: number;
    readonly sizeBytes: number;
  };
}

/** What an attempt that is not decided yet found, of an object that it has changed. */
export type RepositoryUndoRecord =
  /** The Repository kept it, and declared it so. */
  | { readonly found: 'kept'; readonly before: RepositoryObjectRecord }
  /** It was there, but was not the Repository's. */
  | { readonly found: 'foreign' }
  | { readonly found: 'nothing' };
