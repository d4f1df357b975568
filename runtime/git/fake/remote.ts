import { createHash } from 'node:crypto';
import type { GitEntry } from '../git.ts';

/** What lies at a path: the text of a file, or something that is no file. */
export type FakeFile =
  | string
  | Uint8Array
  | { readonly link: string }
  | { readonly submodule: string };

export interface FakeCommit {
  readonly commit: string;
  readonly subject: string;
  readonly author: string;
  readonly entries: readonly GitEntry[];
  readonly bytes: ReadonlyMap<string, Uint8Array>;
}

/** A repository as a server has it, in memory. */
export class FakeRemote {
  /** By full name: `HEAD`, `refs/heads/main`, `refs/tags/v1`. */
  readonly refs = new Map<string, string>();
  readonly commits = new Map<string, FakeCommit>();

  /** Puts a commit at the end of a branch, as a push does; it holds these files and no others. */
  commit(
    files: Readonly<Record<string, FakeFile>>,
    { branch = 'main', subject = 'A commit' }: { branch?: string; subject?: string } = {},
  ): string {
    const listed = Object.entries(files).map(([path, file]) => ({ path, ...stored(file) }));
    const entries = listed
      .map(({ path, kind, id, bytes }) => ({ path, kind, id, sizeBytes: bytes.length }))
      .toSorted((one, other) => Buffer.compare(Buffer.from(one.path), Buffer.from(other.path)));
    const parent = this.refs.get(`refs/heads/${branch}`) ?? '';
    // As in Git, a commit is named by all that it is, its parent included.
    const commit = sha1(JSON.stringify([parent, subject, this.commits.size, entries]));
    const bytes = new Map(listed.map((each) => [each.id, each.bytes]));
    this.commits.set(commit, { commit, subject, author: 'Ada', entries, bytes });
    this.refs.set(`refs/heads/${branch}`, commit);
    if (branch === 'main') this.refs.set('HEAD', commit);
    return commit;
  }

  tag(name: string, commit: string): void {
    this.refs.set(`refs/tags/${name}`, commit);
  }
}

function stored(file: FakeFile): {
  readonly kind: GitEntry['kind'];
  readonly id: string;
  readonly bytes: Uint8Array;
} {
  if (typeof file === 'object' && 'submodule' in file)
    return { kind: 'submodule', id: file.submodule, bytes: new Uint8Array() };
  const isLink = typeof file === 'object' && 'link' in file;
  const bytes = isLink ? Buffer.from(file.link) : Buffer.from(file);
  const id = sha1(Buffer.concat([Buffer.from(`blob ${bytes.length}\0`), bytes]));
  return { kind: isLink ? 'link' : 'file', id, bytes };
}

function sha1(bytes: string | Uint8Array): string {
  return createHash('sha1').update(bytes).digest('hex');
}
