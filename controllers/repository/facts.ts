import type { KindName } from '../../api/kinds.ts';
import type { Resource } from '../../api/object.ts';
import type { Repository } from '../../api/repository.ts';
import type { DeclaredObject } from '../../runtime/api-client.ts';
import type { GitFailure } from '../../runtime/git/git.ts';
import type {
  RepositoryObjectRecord,
  RepositoryRecord,
  RepositoryUndoRecord,
} from '../../runtime/repository-records.ts';
import type { ObjectName } from '../../runtime/store/keys.ts';
import type { Stored } from '../../runtime/store/records.ts';
import type { Drift } from './plan/drift.ts';

/** An object that a commit declares. */
export interface Desired {
  /** `Site/default/blog`; of a cluster-scoped kind `Node//london`. */
  readonly key: string;
  /** Of a Site with a folder: it names the release that the folder is. */
  readonly object: DeclaredObject;
  readonly file: string;
  /** The release of a Site's folder, to be made with it. */
  readonly release?: DesiredRelease;
  /** The line of a field, for messages. */
  locate(path: string): number;
}

export interface DesiredRelease {
  readonly digest: string;
  readonly files: number;
  readonly sizeBytes: number;
}

/** All that a commit declares, or what is wrong with it. */
export interface CommitSet {
  readonly commit: string;
  readonly subject: string;
  /** Absent: it is not known. */
  readonly author?: string;
  /** In the order of files and lines, each with both. */
  readonly problems: readonly string[];
  /** Why there are problems, as a word of Ready; absent: `Invalid`. */
  readonly reason?: 'NotVerified';
  /** Who signed it, where a signature is asked for. */
  readonly signedBy?: string;
  /** In the order of ranks, then of keys. Empty when there are problems. */
  readonly desired: readonly Desired[];
}

/** What is known of the remote. */
export interface RemoteView {
  /** What the ref means there; undefined: nobody has asked yet, or it failed. */
  readonly head: string | undefined;
  /** The commit to follow, read; undefined: not yet. */
  readonly set: CommitSet | undefined;
  /** The commit that is half applied, read, where that is another one; undefined: not yet. */
  readonly attempt?: CommitSet | undefined;
  /** Why the last look failed; undefined: it did not. */
  readonly failure: { readonly reason: GitFailure; readonly message: string } | undefined;
  readonly phase: 'idle' | 'looking';
  /** The request that the last look was for. */
  readonly request: string | undefined;
  /** When the next look is due, in milliseconds; Infinity: when this one has ended. */
  readonly nextInMs: number;
}

/** What dom itself said when it was asked to apply a commit without doing it. */
export interface Verdict {
  readonly commit: string;
  readonly problems: readonly string[];
  /** Of what its changes come to, see `changeDigest`; absent: nobody asks. */
  readonly digest?: string;
}

/** A field of an object of the inventory, or the object itself. */
export interface Drifted {
  readonly key: string;
  readonly drift: Drift;
}

/** All that is decided from. */
export interface Facts {
  readonly repository: Repository;
  readonly record: RepositoryRecord;
  readonly inventory: ReadonlyMap<string, Stored<RepositoryObjectRecord>>;
  readonly undo: ReadonlyMap<string, Stored<RepositoryUndoRecord>>;
  readonly remote: RemoteView;
  readonly verdict: Verdict | undefined;
  /**
   * How long this dom knows the attempt that is under way, by its steady clock. What counts is this
   * alone: while no dom was there nothing could become Ready, and the clock of another may be ahead.
   */
  readonly attemptForMs: number;
  /** Why the last step failed; undefined: it did not. */
  readonly trouble: string | undefined;
  /** What of `dependsOn` is not Ready; undefined: all is. */
  readonly blockedBy: string | undefined;
  live(key: string): Resource | undefined;
  /** Whether two declarations say the same; those of Secrets are opened for it. */
  same(kept: DeclaredObject, desired: DeclaredObject): boolean;
  /** What of the inventory is not as it was declared, in the order of keys. */
  drifted(): readonly Drifted[];
  /** Other Repositories that keep the object, `namespace/name`. */
  keepers(key: string): readonly string[];
  /** Another Repository of the same remote that the same commit declares the object for. */
  claimant(key: string): string | undefined;
  /** Whether that Repository, of the same remote, declares the object no more by the same commit. */
  gives(name: string, key: string): boolean;
  /** Another Repository of the same remote that has not looked at this commit yet. */
  behind(commit: string): string | undefined;
  /**
   * Another Repository of the same remote, `namespace/name`, of which nobody knows what it declares by
   * this commit: it is new, is suspended, refuses the commit, or has not looked at it.
   */
  unread(commit: string): string | undefined;
}

export function keyOf(object: {
  readonly kind: string;
  readonly metadata: { readonly namespace?: string; readonly name: string };
}): string {
  return `${object.kind}/${object.metadata.namespace ?? ''}/${object.metadata.name}`;
}

/** The other way round. */
export function nameOfKey(key: string): ObjectName {
  const [kind = '', namespace = '', name = ''] = key.split('/');
  return {
    kind: kind as KindName,
    ...(namespace !== '' && { namespace }),
    name,
  };
}

/** For people: without the empty namespace of cluster-scoped kinds. */
export function shownKey(key: string): string {
  return key.replace('//', '/');
}

/** The field manager of a Repository. b8sctl cannot write in its name: it has a slash. */
export function managerOf({ metadata }: Repository): string {
  return `${REPOSITORY_MANAGER}${metadata.namespace ?? ''}/${metadata.name}`;
}

export const REPOSITORY_MANAGER = 'repository/';
