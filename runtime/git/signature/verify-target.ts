import { type GitTarget, shortCommit } from '../git.ts';
import { type SignedRead, splitCommit, splitTag } from './signed.ts';
import type { Signer } from './signer.ts';
import { type OpenPgp, type Verification, verifySigned } from './verify.ts';

export interface TargetPorts {
  /** The bytes of an object; undefined: more than a commit or a tag may have. */
  raw(id: string): Promise<Uint8Array | undefined>;
  readonly openPgp: OpenPgp;
}

const TAGS = 'refs/tags/';

/** Whether one of the signers has signed the commit of a target, or the tag that leads to it. */
export async function verifyTarget(
  target: GitTarget,
  { of, signers }: { readonly of: 'commit' | 'tag'; readonly signers: readonly Signer[] },
  { raw, openPgp }: TargetPorts,
): Promise<Verification> {
  const { commit, name, tag } = target;
  if (of === 'commit') {
    const what = `commit ${shortCommit(commit)}`;
    return await verifySigned(await read(raw, commit, what, splitCommit), signers, openPgp);
  }
  if (name === undefined || !name.startsWith(TAGS)) {
    const message = `commit ${shortCommit(commit)} was not asked for by a tag, and only tags are verified; name one in spec.ref, or verify the commit (mode: HEAD)`;
    return { kind: 'refused', message };
  }
  const own = name.slice(TAGS.length);
  const what = `tag ${own}`;
  if (tag === undefined) {
    const message = `${what} is a name alone, which nobody can have signed; make it with git tag -s`;
    return { kind: 'refused', message };
  }
  const split = (bytes: Uint8Array): SignedRead => splitTag(bytes, { name: own, commit, what });
  return await verifySigned(await read(raw, tag, what, split), signers, openPgp);
}

async function read(
  raw: TargetPorts['raw'],
  id: string,
  what: string,
  split: (bytes: Uint8Array, what: string) => SignedRead,
): Promise<SignedRead> {
  const bytes = await raw(id);
  if (bytes !== undefined) return split(bytes, what);
  return { kind: 'problem', problem: `${what} cannot be verified: its message is too long` };
}
