import { parsePublicKey } from '../../../api/public-key.ts';
import type { Repository } from '../../../api/repository.ts';
import type { RepositoryReason } from '../../../api/repository-reasons.ts';
import type { GitCommit } from '../../../runtime/git/git.ts';
import { parseSigners, type Signer } from '../../../runtime/git/signature/signer.ts';
import type { Secrets } from '../../../runtime/secret/secrets.ts';
import type { World } from '../../../runtime/store/world.ts';
import type { CommitSet } from '../facts.ts';
import { secretEntries } from './secret-entries.ts';

/** Whose signature a commit must have, and on what. */
export interface Verify {
  readonly mode: NonNullable<Repository['spec']['verify']>['mode'];
  readonly signers: readonly Signer[];
}

interface VerifyPorts {
  readonly secrets: Secrets;
  readonly world: World;
}

type Found =
  | { readonly verify: Verify | undefined; readonly version: string }
  | { readonly reason: RepositoryReason; readonly message: string };

/** What `spec.verify` asks for; `version` is another one when its Secret is. */
export function verifyOf(repository: Repository, ports: VerifyPorts): Found {
  const { verify } = repository.spec;
  if (verify === undefined) return { verify: undefined, version: '' };
  const signers: Signer[] = verify.signers.flatMap((each) => {
    const key = parsePublicKey(each.key);
    if (key === undefined) return [];
    const { name, validAfter, validBefore, revoked } = each;
    return {
      ...{ name, key, isRevoked: revoked },
      ...(validAfter !== undefined && { fromMs: Date.parse(validAfter) }),
      ...(validBefore !== undefined && { untilMs: Date.parse(validBefore) }),
    };
  });
  const { mode, secretRef } = verify;
  if (secretRef === undefined) return { verify: { mode, signers }, version: '' };
  const found = secretEntries(repository, secretRef, ports);
  if ('reason' in found) return found;
  for (const [entry, text] of found.entries) {
    const read = parseSigners(text, entry);
    if (read.kind === 'problem') {
      const message = `Secret ${found.name}, which spec.verify names: ${read.problem}`;
      return { reason: 'SignersInvalid', message };
    }
    signers.push(...read.signers);
  }
  return { verify: { mode, signers }, version: found.version };
}

type Verified =
  | { readonly kind: 'taken'; readonly told: { readonly signedBy?: string } }
  | { readonly kind: 'refused'; readonly message: string };

/** Whether a commit has the signatures that it must have. */
export async function verifyCommit(from: GitCommit, verify: Verify | undefined): Promise<Verified> {
  if (verify === undefined) return { kind: 'taken', told: {} };
  const told: string[] = [];
  for (const of of WHAT[verify.mode]) {
    const verified = await from.verify(of, verify.signers);
    if (verified.kind === 'refused') return verified;
    told.push(verified.by);
  }
  return { kind: 'taken', told: { signedBy: [...new Set(told)].join(', ') } };
}

const WHAT: Readonly<Record<Verify['mode'], readonly ('commit' | 'tag')[]>> = {
  HEAD: ['commit'],
  Tag: ['tag'],
  TagAndHEAD: ['tag', 'commit'],
};

/** For the status: what was told last, while the commit is not read. */
export function signedBy(
  { spec, status }: Repository,
  set: CommitSet | undefined,
): string | undefined {
  if (spec.verify === undefined) return undefined;
  return set === undefined ? status?.signedBy : set.signedBy;
}
