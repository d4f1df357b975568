import { durationOf, type Repository } from '../../../api/repository.ts';
import type { RepositoryReason } from '../../../api/repository-reasons.ts';
import type { GitCredentials, GitRef } from '../../../runtime/git/git.ts';
import type { RepositoryRecord } from '../../../runtime/repository-records.ts';
import type { Secrets } from '../../../runtime/secret/secrets.ts';
import { qualifiedName } from '../../../runtime/store/keys.ts';
import type { World } from '../../../runtime/store/world.ts';
import { requestOf } from '../request.ts';
import { decryptionOf } from './decryption.ts';
import type { Wanted } from './jobs.ts';
import { verifyOf } from './verify.ts';

interface WantedFacts {
  readonly secrets: Secrets;
  readonly world: World;
  readonly record: RepositoryRecord;
}

export type WantedOutcome =
  | { readonly kind: 'wanted'; readonly wanted: Wanted }
  | { readonly kind: 'refused'; readonly reason: RepositoryReason; readonly message: string };

/** What to look for at the remote, with what it takes to get in. */
export function wantedOf(repository: Repository, facts: WantedFacts): WantedOutcome {
  const { metadata, spec } = repository;
  const found = credentialsOf(repository, facts);
  if ('reason' in found) return { kind: 'refused', ...found };
  const trusted = verifyOf(repository, facts);
  if ('reason' in trusted) return { kind: 'refused', ...trusted };
  const { verify } = trusted;
  const opening = decryptionOf(repository, facts);
  if ('reason' in opening) return { kind: 'refused', ...opening };
  const request = requestOf(repository);
  const isDecided = request?.by === 'person' && request.text !== facts.record.request;
  const { pinned, applied, attempt } = facts.record;
  const { namespace = '' } = metadata;
  return {
    kind: 'wanted',
    wanted: {
      remote: { id: metadata.uid, url: spec.url, credentials: found.credentials },
      ref: refOf(spec.ref),
      prepare: {
        ...{ path: spec.path, namespace },
        ...(verify !== undefined && { verify }),
        ...(opening.decryption !== undefined && { decryption: opening.decryption }),
      },
      key: JSON.stringify([
        ...[metadata.uid, spec.url, spec.ref, spec.path, found.version],
        ...[spec.verify, trusted.version, spec.decryption, opening.version],
      ]),
      request: request?.text,
      intervalMs: durationOf(spec.interval),
      timeoutMs: durationOf(spec.timeout),
      applied: applied?.commit,
      attempt: attempt?.phase === 'applying' ? attempt.commit : undefined,
      targetOf(head) {
        if (isDecided) return request.commit ?? head;
        return pinned?.head === head ? pinned.commit : head;
      },
    },
  };
}

function refOf(ref: Repository['spec']['ref']): GitRef {
  if (ref?.branch !== undefined) return { kind: 'branch', name: ref.branch };
  if (ref?.tag !== undefined) return { kind: 'tag', name: ref.tag };
  if (ref?.semver !== undefined) return { kind: 'semver', range: ref.semver };
  return ref?.commit === undefined ? { kind: 'head' } : { kind: 'commit', commit: ref.commit };
}

type Found =
  | { readonly credentials: GitCredentials; readonly version: string }
  | { readonly reason: RepositoryReason; readonly message: string };

/** What hosts expect beside a token when they do not care for a user. */
const TOKEN_USER = 'git';

function credentialsOf({ metadata, spec }: Repository, { secrets, world }: WantedFacts): Found {
  const isSsh = spec.url.startsWith('ssh:');
  if (spec.secretRef === undefined) {
    if (!isSsh) return { credentials: {}, version: '' };
    const message = 'ssh needs a Secret with sshKey and knownHosts: name it in spec.secretRef';
    return { reason: 'SecretMissing', message };
  }
  const { namespace = '' } = metadata;
  const name = qualifiedName({ namespace, name: spec.secretRef });
  const secret = world.get('Secret', { namespace, name: spec.secretRef });
  if (secret === undefined)
    return { reason: 'SecretMissing', message: `Secret ${name} is not there` };
  const version = secret.metadata.resourceVersion;
  const read = (key: string): string | undefined => secrets.read(name, key);
  if (isSsh) {
    const [privateKey, knownHosts] = [read('sshKey'), read('knownHosts')];
    if (privateKey !== undefined && knownHosts !== undefined)
      return { credentials: { ssh: { privateKey, knownHosts } }, version };
    const message = `Secret ${name} needs sshKey and knownHosts (from ssh-keyscan, checked) for ssh`;
    return { reason: 'SecretMissing', message };
  }
  const [token, caBundle] = [read('token'), read('caBundle')];
  const user = read('username') ?? TOKEN_USER;
  return {
    version,
    credentials: {
      ...(token !== undefined && { login: { user, token } }),
      ...(caBundle !== undefined && { caBundle }),
    },
  };
}
