import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Git,
  type GitCommit,
  GitError,
  type GitLimits,
  type GitRef,
  type GitRemote,
  type GitTarget,
  shortCommit,
} from '../../git/git.ts';
import { refName } from '../../git/ref-name.ts';
import type { OpenPgp } from '../../git/signature/verify.ts';
import { type Access, type AccessRules, localAccess, withAccess } from './access.ts';
import { openCommit } from './commit.ts';
import { gitFailure } from './failure.ts';
import { judgeOpenPgp } from './gpg.ts';
import { GitComplaint, runGit } from './run.ts';

/** What fetches have left grows to so many times the limit of one before all is fetched anew. */
const KEPT_FETCHES = 3;
/** As many packs are kept: git looks for an object in one after the other. */
const PACKS_MAX = 200;

export interface NodeGitOptions extends AccessRules {
  /** Its own; whatever is in it is removed. */
  readonly folder: string;
}

/**
 * Debian's git behind the port: bare repositories in a folder of its own, no history but the commits
 * that were asked for, read object by object. Nothing is ever checked out.
 */
export async function createGit(options: NodeGitOptions): Promise<Git> {
  const { folder } = options;
  // A git that outlived the dom that started it may still write here.
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const ways = { folder, rules: options };
  return {
    resolve: (remote, ref, signal) =>
      withAccess(remote, ways, (access) => resolve(remote, { ref, access }, signal)),
    async open(remote, target, { limits, signal }): Promise<GitCommit> {
      const repository = join(folder, `${remote.id}.git`);
      if (!(await isHere(repository, target, signal))) {
        const call = { remote, target, repository, limits };
        await withAccess(remote, ways, (access) => fetchCommit(call, access, signal));
      }
      const openPgp: OpenPgp = (asked) => judgeOpenPgp(asked, { folder, id: remote.id, signal });
      return await openCommit(repository, target, { limits, signal, openPgp });
    },
    async keepOnly(ids) {
      const kept = new Set(ids);
      for (const name of await readdir(folder))
        if (!kept.has(name.split('.')[0] ?? ''))
          await rm(join(folder, name), { recursive: true, force: true });
    },
  };
}

interface Asked {
  readonly ref: GitRef;
  readonly access: Access;
}

async function resolve(
  remote: GitRemote,
  { ref, access }: Asked,
  signal: AbortSignal,
): Promise<GitTarget> {
  if (ref.kind === 'commit') return { commit: ref.commit, name: undefined };
  const args = [...access.options, 'ls-remote', '--quiet', '--', remote.url, ...patternsOf(ref)];
  const printed = await runGit({ args, env: access.env, signal }).catch((error: unknown) => {
    throw gitFailure(error, `ask ${remote.url}`);
  });
  const refs = parseRefs(printed.toString('latin1'));
  // Patterns fit the ends of names, too, so that the whole name is looked at here.
  const name = refName(ref, refs.keys());
  // An annotated tag is an object of its own; `^{}` is the commit that it is of.
  const found = name === undefined ? undefined : refs.get(name);
  const peeled = refs.get(`${name}^{}`);
  if (peeled !== undefined && found !== undefined) return { commit: peeled, name, tag: found };
  if (found !== undefined) return { commit: found, name };
  throw new GitError('RefNotFound', `${remote.url} has no ${wordsOf(ref)}`);
}

function patternsOf(ref: Exclude<GitRef, { readonly kind: 'commit' }>): readonly string[] {
  switch (ref.kind) {
    case 'head':
      return ['HEAD'];
    case 'branch':
      return [`refs/heads/${ref.name}`];
    case 'tag':
      return [`refs/tags/${ref.name}`, `refs/tags/${ref.name}^{}`];
    case 'semver':
      return ['refs/tags/*'];
  }
}

function wordsOf(ref: Exclude<GitRef, { readonly kind: 'commit' }>): string {
  switch (ref.kind) {
    case 'head':
      return 'commit yet';
    case 'branch':
      return `branch "${ref.name}"`;
    case 'tag':
      return `tag "${ref.name}"`;
    case 'semver':
      return `tag that is a version within "${ref.range}"`;
  }
}

function parseRefs(printed: string): ReadonlyMap<string, string> {
  const lines = printed.split('\n').map((line) => /^([0-9a-f]{40})\t(.+)$/.exec(line));
  return new Map(
    lines.flatMap((match) => (match === null ? [] : [[match[2] ?? '', match[1] ?? '']])),
  );
}

interface Fetch {
  readonly remote: GitRemote;
  readonly target: GitTarget;
  readonly repository: string;
  readonly limits: GitLimits;
}

async function fetchCommit(call: Fetch, access: Access, signal: AbortSignal): Promise<void> {
  const { remote, target, repository, limits } = call;
  const doing = `fetch ${shortCommit(target.commit)} from ${remote.url}`;
  try {
    if (await isFull(repository, limits)) await rm(repository, { recursive: true, force: true });
    await init(repository, signal);
    try {
      await fetchRef(call, { access, name: idOf(target) }, signal);
    } catch (error) {
      // Servers of old give what they have a name for, and nothing else.
      const isUnnamed = error instanceof GitComplaint && /unadvertised/.test(error.message);
      if (!isUnnamed || target.name === undefined) throw error;
      await fetchRef(call, { access, name: target.name }, signal);
    }
    if (await isHere(repository, target, signal)) return;
    throw new GitError('RefNotFound', `${doing}: it is another commit by now`);
  } catch (error) {
    const isLarge = (await largestPackBytes(repository)) >= limits.fetchBytesMax;
    // What was cut off may have left locks and halves.
    await rm(repository, { recursive: true, force: true });
    if (signal.aborted || !isLarge) throw gitFailure(error, doing);
    const limit = `it is larger than ${limits.fetchBytesMax} bytes`;
    const message = `${doing}: ${limit}; keep large files elsewhere, or split the repository`;
    throw new GitError('TooLarge', message, { cause: error });
  }
}

async function init(repository: string, signal: AbortSignal): Promise<void> {
  const { options, env } = localAccess;
  const how = ['--quiet', '--bare', '--template=', '--object-format=sha1'];
  await runGit({ args: [...options, 'init', ...how, '--', repository], env, signal });
}

async function fetchRef(
  { remote, target, repository, limits }: Fetch,
  { access, name }: { readonly access: Access; readonly name: string },
  signal: AbortSignal,
): Promise<void> {
  const how = [
    ...['--quiet', '--depth=1', '--no-tags', '--no-recurse-submodules', '--no-write-fetch-head'],
    ...['--no-auto-maintenance', '--no-write-commit-graph', '--force'],
  ];
  // Under a name of its own for each, so that the next fetch need not bring it again.
  const refs = `${name}:refs/b8s/${idOf(target)}`;
  const args = ['--git-dir', repository, 'fetch', ...how, '--', remote.url, refs];
  const fileBytesMax = limits.fetchBytesMax;
  await runGit({ args: [...access.options, ...args], env: access.env, signal, fileBytesMax });
}

/** A tag that is an object is fetched with the commit that it leads to. */
function idOf({ commit, tag }: GitTarget): string {
  return tag ?? commit;
}

/** A ref is written once all that it needs is there. */
async function isHere(
  repository: string,
  target: GitTarget,
  signal: AbortSignal,
): Promise<boolean> {
  const { options, env } = localAccess;
  const name = `refs/b8s/${idOf(target)}^{commit}`;
  const args = ['--git-dir', repository, 'rev-parse', '--quiet', '--verify', name];
  try {
    const printed = await runGit({ args: [...options, ...args], env, signal });
    return printed.toString('latin1').trim() === target.commit;
  } catch (error) {
    if (error instanceof GitComplaint) return false;
    throw error;
  }
}

/** Each fetch leaves a pack, a ref and a line in `shallow`, and nothing of it is ever packed anew. */
async function isFull(repository: string, { fetchBytesMax }: GitLimits): Promise<boolean> {
  const packs = await packsOf(repository);
  const sizeBytes = packs.reduce((sum, pack) => sum + pack.sizeBytes, 0);
  const count = packs.filter(({ name }) => name.endsWith('.pack')).length;
  return sizeBytes > KEPT_FETCHES * fetchBytesMax || count >= PACKS_MAX;
}

/** Git does not say that it hit the limit: what it left says so. */
async function largestPackBytes(repository: string): Promise<number> {
  return Math.max(0, ...(await packsOf(repository)).map(({ sizeBytes }) => sizeBytes));
}

interface PackFile {
  readonly name: string;
  readonly sizeBytes: number;
}

async function packsOf(repository: string): Promise<readonly PackFile[]> {
  const packs = join(repository, 'objects', 'pack');
  const names = await readdir(packs).catch(() => []);
  return await Promise.all(
    names.map(async (name) => ({ name, sizeBytes: (await stat(join(packs, name))).size })),
  );
}
