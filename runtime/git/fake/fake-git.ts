import { type Git, type GitCommit, GitError, type GitLimits, type GitTarget } from '../git.ts';
import { refName } from '../ref-name.ts';
import type { OpenPgp } from '../signature/verify.ts';
import { verifyTarget } from '../signature/verify-target.ts';
import type { FakeCommit, FakeRemote } from './remote.ts';

export interface FakeGitOptions {
  readonly remotes: ReadonlyMap<string, FakeRemote>;
  /** Called before each call to a remote: it may take its time, or throw. */
  readonly weather?: (url: string, signal: AbortSignal) => Promise<void>;
  /** Left out: no signature of OpenPGP is good. */
  readonly openPgp?: OpenPgp;
}

/** Git without a machine: remotes by URL, in memory. */
export function fakeGit({ remotes, weather, openPgp = nobody }: FakeGitOptions): Git {
  const at = async (url: string, signal: AbortSignal): Promise<FakeRemote> => {
    signal.throwIfAborted();
    await weather?.(url, signal);
    signal.throwIfAborted();
    const remote = remotes.get(url);
    if (remote === undefined) throw new GitError('Unreachable', `nobody answers at ${url}`);
    return remote;
  };
  return {
    async resolve({ url }, ref, signal): Promise<GitTarget> {
      if (ref.kind === 'commit') return { commit: ref.commit, name: undefined };
      const remote = await at(url, signal);
      const name = refName(ref, remote.refs.keys());
      const commit = name === undefined ? undefined : remote.refs.get(name);
      const tag = name === undefined ? undefined : remote.tags.get(name)?.id;
      if (commit !== undefined) return { commit, name, ...(tag !== undefined && { tag }) };
      throw new GitError('RefNotFound', `${url} has no ${name ?? 'version in that range'}`);
    },
    async open({ url }, target, { limits, signal }): Promise<GitCommit> {
      const remote = await at(url, signal);
      const found = remote.commits.get(target.commit);
      if (found === undefined)
        throw new GitError('RefNotFound', `${url} has no commit ${target.commit}`);
      refuseLarge(found, limits);
      const raw = async (id: string): Promise<Uint8Array | undefined> =>
        id === target.commit
          ? found.raw
          : [...remote.tags.values()].find((each) => each.id === id)?.raw;
      return {
        ...reading(found, limits),
        verify: (of, signers) => verifyTarget(target, { of, signers }, { raw, openPgp }),
      };
    },
    async keepOnly() {},
  };
}

function refuseLarge({ bytes }: FakeCommit, { fetchBytesMax }: GitLimits): void {
  const sizeBytes = [...bytes.values()].reduce((sum, each) => sum + each.length, 0);
  if (sizeBytes > fetchBytesMax)
    throw new GitError('TooLarge', `it is larger than ${fetchBytesMax} bytes`);
}

const nobody: OpenPgp = async () => ({ kind: 'unknown', key: 'unknown' });

function reading(found: FakeCommit, { filesMax }: GitLimits): Omit<GitCommit, 'verify'> {
  const { commit, subject, author, entries, bytes } = found;
  return {
    ...{ commit, subject, author },
    async list(folder) {
      const prefix = folder === '' ? '' : `${folder}/`;
      const listed = entries.filter(({ path }) => path.startsWith(prefix));
      if (listed.length > filesMax)
        throw new GitError('TooLarge', `it has more than ${filesMax} files`);
      // Git keeps no empty folders but the root.
      return listed.length === 0 && folder !== '' ? undefined : listed;
    },
    async *read({ id }) {
      const all = bytes.get(id);
      if (all === undefined) throw new GitError('Failed', `read object ${id}: it is missing`);
      if (all.length > 0) yield all;
    },
    async close() {},
  };
}
