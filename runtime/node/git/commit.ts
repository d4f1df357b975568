import {
  type GitCommit,
  type GitEntry,
  GitError,
  type GitLimits,
  type GitTarget,
} from '../../git/git.ts';
import type { OpenPgp } from '../../git/signature/verify.ts';
import { verifyTarget } from '../../git/signature/verify-target.ts';
import { localAccess } from './access.ts';
import { ObjectReader } from './batch.ts';
import { gitFailure } from './failure.ts';
import { GitComplaint, runGit } from './run.ts';

/** Of a commit or a tag, its message included; what is beyond is not read. */
const COMMIT_BYTES_MAX = 64 * 1024;
const SUBJECT_MAX = 200;
/** Of an entry as it is listed, on average; paths of monorepos are long. */
const ENTRY_BYTES = 400;

interface Opening {
  readonly limits: GitLimits;
  readonly signal: AbortSignal;
  readonly openPgp: OpenPgp;
}

/** A commit that is here, for reading. */
export async function openCommit(
  repository: string,
  target: GitTarget,
  { limits, signal, openPgp }: Opening,
): Promise<GitCommit> {
  const { commit } = target;
  const reader = new ObjectReader(repository, localAccess, signal);
  try {
    const { subject, author } = parseCommit(await firstBytes(reader.read(commit)));
    const raw = async (id: string): Promise<Uint8Array | undefined> => {
      const bytes = await firstBytes(reader.read(id));
      return bytes.length < COMMIT_BYTES_MAX ? bytes : undefined;
    };
    return {
      ...{ commit, subject, author },
      list: (folder) => listFolder({ repository, commit, limits, signal }, folder),
      read: (entry) => reader.read(entry.id),
      verify: (of, signers) => verifyTarget(target, { of, signers }, { raw, openPgp }),
      close: () => reader.close(),
    };
  } catch (error) {
    await reader.close();
    throw error;
  }
}

interface Place {
  readonly repository: string;
  readonly commit: string;
  readonly limits: GitLimits;
  readonly signal: AbortSignal;
}

async function listFolder(
  { repository, commit, limits, signal }: Place,
  folder: string,
): Promise<readonly GitEntry[] | undefined> {
  const { options, env } = localAccess;
  const doing = `list "${folder}" of ${commit}`;
  // Git reads these from where it stands, which is nowhere.
  if (folder.split('/').some((part) => part === '.' || part === '..')) return undefined;
  const git = [...options, '--git-dir', repository];
  try {
    // By its id, for a path in a name of a tree would be read as a pattern of revisions, too.
    const name = folder === '' ? `${commit}^{tree}` : `${commit}:${folder}`;
    const which = [...git, 'rev-parse', '--quiet', '--verify', '--end-of-options', name];
    const found = await unlessNone(runGit({ args: which, env, signal }));
    if (found === undefined) return undefined;
    const id = found.toString('latin1').trim();
    const args = [...git, 'ls-tree', '-r', '-z', '-l', '--full-tree', id];
    const outputBytesMax = limits.filesMax * ENTRY_BYTES;
    const printed = await unlessNone(runGit({ args, env, signal, outputBytesMax }));
    if (printed === undefined) return undefined;
    const entries = parseEntries(printed, folder === '' ? '' : `${folder}/`);
    if (entries.length > limits.filesMax)
      throw new GitError('TooLarge', `${doing}: it has more than ${limits.filesMax} files`);
    return entries;
  } catch (error) {
    throw gitFailure(error, doing);
  }
}

/** Undefined when there is no such path, or a file is there. */
async function unlessNone(printed: Promise<Buffer>): Promise<Buffer | undefined> {
  try {
    return await printed;
  } catch (error) {
    // `rev-parse --quiet` says nothing of what is not there.
    const isNone = /^git ended with 1$|not a tree object/.test(
      error instanceof GitComplaint ? error.message : '',
    );
    if (isNone) return undefined;
    throw error;
  }
}

/** `100644 blob <id>    <size>\t<path>\0`; a submodule has `-` for its size. */
function parseEntries(printed: Buffer, prefix: string): readonly GitEntry[] {
  const entries: GitEntry[] = [];
  for (let start = 0; start < printed.length; ) {
    const end = printed.indexOf(0, start);
    const line = printed.subarray(start, end === -1 ? printed.length : end);
    start = end === -1 ? printed.length : end + 1;
    const tab = line.indexOf(9);
    const [mode = '', , id = '', size = ''] = line.subarray(0, tab).toString('latin1').split(/ +/);
    const path = `${prefix}${line.subarray(tab + 1).toString('utf8')}`;
    const kind = KINDS[mode.slice(0, 3)] ?? 'link';
    entries.push({ path, kind, id, sizeBytes: size === '-' ? 0 : Number(size) });
  }
  return entries;
}

/** By the first digits of a mode: what kind of file the entry stands for. */
const KINDS: Readonly<Record<string, GitEntry['kind']>> = {
  '100': 'file',
  '120': 'link',
  '160': 'submodule',
};

async function firstBytes(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const taken: Uint8Array[] = [];
  let takenBytes = 0;
  for await (const chunk of chunks) {
    taken.push(chunk);
    takenBytes += chunk.length;
    if (takenBytes >= COMMIT_BYTES_MAX) break;
  }
  return Buffer.concat(taken).subarray(0, COMMIT_BYTES_MAX);
}

function parseCommit(bytes: Buffer): { readonly subject: string; readonly author: string } {
  const text = bytes.toString('utf8');
  const end = text.indexOf('\n\n');
  const author = /^author (.*?) <[^\n]*$/m.exec(text.slice(0, Math.max(0, end)))?.[1] ?? '';
  const message = end === -1 ? '' : text.slice(end + 2).trimStart();
  const [subject = ''] = message.split('\n');
  return { subject: shown(subject), author: shown(author) };
}

/** Cut between characters, and without what a terminal would obey. */
function shown(text: string): string {
  const plain = text.replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, ' ').trim();
  return [...plain].slice(0, SUBJECT_MAX).join('');
}
