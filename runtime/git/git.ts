import type { Signer } from './signature/signer.ts';
import type { Verification } from './signature/verify.ts';

/** A repository that somebody else keeps, and how one gets in. */
export interface GitRemote {
  /** What is kept of it between two fetches is kept under this name: letters, digits and `-`. */
  readonly id: string;
  /** See `gitUrlProblem`. */
  readonly url: string;
  readonly credentials: GitCredentials;
}

/** What a remote asks for; absent: nothing. */
export interface GitCredentials {
  /** For https: HTTP Basic (RFC 7617). */
  readonly login?: { readonly user: string; readonly token: string };
  /** For ssh. `knownHosts`: as in ssh's file of that name; no other host is spoken to. */
  readonly ssh?: { readonly privateKey: string; readonly knownHosts: string };
  /** For https: certificates (PEM) of the CAs to trust in place of the system's. */
  readonly caBundle?: string;
}

/** What of a repository is meant. */
export type GitRef =
  /** What the remote itself calls HEAD. */
  | { readonly kind: 'head' }
  | { readonly kind: 'branch'; readonly name: string }
  | { readonly kind: 'tag'; readonly name: string }
  /** The greatest version among the tags. */
  | { readonly kind: 'semver'; readonly range: string }
  | { readonly kind: 'commit'; readonly commit: string };

/** The commit that a ref means, and by which name the remote has it; undefined: by no name. */
export interface GitTarget {
  /** 40 hex digits. */
  readonly commit: string;
  /** `refs/heads/main` */
  readonly name: string | undefined;
  /** The tag that leads to it, where that is an object of its own; 40 hex digits. */
  readonly tag?: string;
}

/** How much of a repository is taken. */
export interface GitLimits {
  /** Of what is fetched at once. */
  readonly fetchBytesMax: number;
  /** Of one `list`. */
  readonly filesMax: number;
}

export interface GitEntry {
  /** Relative to the root of the repository; bytes that are not UTF-8 read as U+FFFD. */
  readonly path: string;
  readonly kind: 'file' | 'link' | 'submodule';
  /** Equal for equal bytes; 40 hex digits. */
  readonly id: string;
  /** 0 for a submodule. */
  readonly sizeBytes: number;
}

/** One commit, fetched whole. */
export interface GitCommit {
  readonly commit: string;
  /** The first line of its message, at most 200 characters. */
  readonly subject: string;
  readonly author: string;
  /**
   * Every file below a folder, sorted by its bytes; empty path: the root. Undefined: there is no such
   * folder.
   */
  list(folder: string): Promise<readonly GitEntry[] | undefined>;
  /** The bytes of a file, or where a link points to. */
  read(entry: GitEntry): AsyncIterable<Uint8Array>;
  /** Whether one of the signers has signed it, or the tag that it was asked for by. */
  verify(of: 'commit' | 'tag', signers: readonly Signer[]): Promise<Verification>;
  /** Nothing is read any more. */
  close(): Promise<void>;
}

/**
 * Git, as a client of remotes.
 *
 * Guarantees: nothing that a repository holds is run or written anywhere: no hooks, submodules,
 * filters, or checkouts. What is fetched, listed and waited for has a bound. A call ends soon after
 * its signal is aborted, and leaves nothing running.
 * Assumptions: of one `id`, one call is under way at a time.
 * Errors: a `GitError` for what the remote or the network is the cause of.
 */
export interface Git {
  resolve(remote: GitRemote, ref: GitRef, signal: AbortSignal): Promise<GitTarget>;
  /** Makes a commit readable: fetches it, unless it is here. */
  open(
    remote: GitRemote,
    target: GitTarget,
    options: { readonly limits: GitLimits; readonly signal: AbortSignal },
  ): Promise<GitCommit>;
  /** Drops what is kept of remotes, but of these. */
  keepOnly(ids: readonly string[]): Promise<void>;
}

/** `RefNotFound`, `Unreachable`, `AccessDenied`, `TooLarge`, `NotAllowed`, `Failed`. */
export type GitFailure =
  /** The remote answers, and has no such branch, tag, version or commit. */
  | 'RefNotFound'
  /** Nobody answers, or not in time, or not as a Git server. */
  | 'Unreachable'
  /** It wants other credentials, or is not the host that was pinned. */
  | 'AccessDenied'
  | 'TooLarge'
  /** This dom does not speak to such URLs. */
  | 'NotAllowed'
  | 'Failed';

/** Why a remote could not be read, for a person. */
export class GitError extends Error {
  override readonly name = 'GitError';
  readonly reason: GitFailure;

  constructor(reason: GitFailure, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, options);
    this.reason = reason;
  }
}

/** A commit for a table: its first seven digits, as Git shows them. */
export function shortCommit(commit: string): string {
  return commit.slice(0, 7);
}
