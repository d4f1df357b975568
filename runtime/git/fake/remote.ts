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
  /** As Git would store it, with its signature. */
  readonly raw: Uint8Array;
}

/** Makes an armored signature of what is to be signed. */
export type FakeSign = (payload: Uint8Array) => string;

/** A repository as a server has it, in memory. */
export class FakeRemote {
  /** By full name: `HEAD`, `refs/heads/main`, `refs/tags/v1`. */
  readonly refs = new Map<string, string>();
  readonly commits = new Map<string, FakeCommit>();
  /** Those that are objects of their own, by full name. */
  readonly tags = new Map<string, { readonly id: string; readonly raw: Uint8Array }>();

  /** Puts a commit at the end of a branch, as a push does; it holds these files and no others. */
  commit(
    files: Readonly<Record<string, FakeFile>>,
    {
      branch = 'main',
      subject = 'A commit',
      sign,
    }: { branch?: string; subject?: string; sign?: FakeSign } = {},
  ): string {
    const listed = Object.entries(files).map(([path, file]) => ({ path, ...stored(file) }));
    const entries = listed
      .map(({ path, kind, id, bytes }) => ({ path, kind, id, sizeBytes: bytes.length }))
      .toSorted((one, other) => Buffer.compare(Buffer.from(one.path), Buffer.from(other.path)));
    const parent = this.refs.get(`refs/heads/${branch}`) ?? '';
    // As in Git, a commit is named by all that it is, its parent included.
    const commit = sha1(JSON.stringify([parent, subject, this.commits.size, entries]));
    const bytes = new Map(listed.map((each) => [each.id, each.bytes]));
    const raw = signedCommit(`tree ${sha1(commit)}\nauthor ${ADA}\ncommitter ${ADA}\n`, {
      ...{ subject, sign },
    });
    this.commits.set(commit, { commit, subject, author: 'Ada', entries, bytes, raw });
    this.refs.set(`refs/heads/${branch}`, commit);
    if (branch === 'main') this.refs.set('HEAD', commit);
    return commit;
  }

  /** Signed, it is an object of its own; `inside`: the name that it says itself. */
  tag(
    name: string,
    commit: string,
    { sign, inside = name }: { readonly sign?: FakeSign; readonly inside?: string } = {},
  ): void {
    this.refs.set(`refs/tags/${name}`, commit);
    this.tags.delete(`refs/tags/${name}`);
    if (sign === undefined) return;
    const head = `object ${commit}\ntype commit\ntag ${inside}\ntagger ${ADA}\n`;
    const payload = `${head}\n${name}\n`;
    const raw = Buffer.from(`${payload}${sign(Buffer.from(payload))}`);
    this.tags.set(`refs/tags/${name}`, { id: sha1(raw), raw });
  }
}

const ADA = 'Ada <ada@example.com> 1700000000 +0000';

/** The signature goes between the headers and the message. */
export function signedCommit(
  headers: string,
  { subject, sign }: { readonly subject: string; readonly sign?: FakeSign | undefined },
): Uint8Array {
  if (sign === undefined) return Buffer.from(`${headers}\n${subject}`);
  const signature = sign(Buffer.from(`${headers}\n${subject}`)).trimEnd();
  return Buffer.from(`${headers}gpgsig ${signature.replaceAll('\n', '\n ')}\n\n${subject}`);
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
