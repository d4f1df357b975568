import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { Secret } from '../../api/secret.ts';
import type { Site } from '../../api/site.ts';
import { afterWrite, type Controller, type Outcome } from '../../runtime/control/controller.ts';
import { PASSWORD_BYTES_MAX, type PasswordHasher } from '../../runtime/secret/password-hash.ts';
import { createSecrets, SecretLostError } from '../../runtime/secret/secrets.ts';
import { qualifiedName, splitName } from '../../runtime/store/keys.ts';
import type { AccessRecord, AccessUser, Stored } from '../../runtime/store/records.ts';
import { isBeyondStatus, isKind, type World, type WorldChange } from '../../runtime/store/world.ts';
import type { Author, Operation, Writer } from '../../runtime/store/writer.ts';
import type { Sealer } from '../../runtime/tls/authority.ts';

const AUTHOR: Author = { manager: 'access-controller', user: 'dom' };

export interface AccessPorts {
  readonly world: World;
  readonly writer: Writer;
  readonly sealer: Sealer;
  readonly hasher: PasswordHasher;
}

/**
 * Hashes the passwords that Sites ask for, once each; a name is a Site's. Nodes are told the hashes
 * alone, which stay as they are for as long as the passwords do, whichever dom leads. What cannot
 * be read is said in the record, and no hash of it is left: the Site is closed, not open.
 */
export function accessController(ports: AccessPorts): Controller {
  return {
    name: 'access',
    // Hashing takes a processor as it is.
    concurrency: 1,
    affected: (change) => affected(ports.world, change),
    reconcile: (name, signal) => reconcile(ports, name, signal),
  };
}

function affected(world: World, change: WorldChange): readonly string[] {
  if (change.kind === 'record') return change.record === 'access' ? [change.id] : [];
  const { object } = change;
  if (isKind(object, 'Site')) return isBeyondStatus(change) ? [qualifiedName(object.metadata)] : [];
  if (!isKind(object, 'Secret')) return [];
  const { namespace, name } = object.metadata;
  return world
    .list('Site')
    .filter(({ metadata }) => metadata.namespace === namespace)
    .filter(({ spec }) => spec.auth?.secret === name)
    .map(({ metadata }) => qualifiedName(metadata));
}

async function reconcile(ports: AccessPorts, name: string, signal: AbortSignal): Promise<Outcome> {
  const { world, writer } = ports;
  const site = world.get('Site', splitName(name));
  const stored = world.record('access', name);
  const modRevision = stored?.modRevision ?? 0n;
  const value = site && (await accessOf(ports, site, stored, signal));
  if (isDeepStrictEqual(value, stored?.value)) return 'settled';
  const operations: Operation[] = [
    { kind: 'record', record: 'access', id: name, value, modRevision },
    // Another spec may name another Secret.
    ...(site === undefined ? [] : [{ kind: 'expect', base: site } as const]),
  ];
  return afterWrite(await writer.commit(operations, AUTHOR));
}

/** Undefined: nobody is asked for a password. */
async function accessOf(
  ports: AccessPorts,
  { metadata, spec }: Site,
  stored: Stored<AccessRecord> | undefined,
  signal: AbortSignal,
): Promise<AccessRecord | undefined> {
  if (spec.auth === undefined) return undefined;
  const { namespace = '' } = metadata;
  const { secret: name } = spec.auth;
  const base = { siteUid: metadata.uid, secret: name };
  const secret = ports.world.get('Secret', { namespace, name });
  const users = secret === undefined ? [] : Object.keys(secret.spec.data).toSorted();
  if (secret === undefined || users.length === 0) {
    const what =
      secret === undefined ? `there is no Secret "${name}"` : `Secret "${name}" is empty`;
    const mend = 'until it has a password for each user name, what it guards is closed';
    const reason = secret === undefined ? 'SecretNotFound' : 'SecretEmpty';
    return { ...base, users: [], problem: { reason, message: `${what}: ${mend}` } };
  }
  const isSame = stored?.value.siteUid === metadata.uid && stored.value.secret === name;
  const known = new Map(isSame ? stored.value.users.map((user) => [user.name, user]) : []);
  try {
    const hashed: AccessUser[] = [];
    const unusable: string[] = [];
    for (const user of users) {
      signal.throwIfAborted();
      const each = await hashOf(ports, { secret, user, known: known.get(user) });
      if (each === undefined) unusable.push(user);
      else hashed.push(each);
    }
    if (unusable.length === 0) return { ...base, users: hashed };
    const which = `Secret "${name}": the password of ${unusable.join(', ')}`;
    const why = 'has a control character, perhaps a line break at its end';
    const message = `${which} ${why}, or more than ${PASSWORD_BYTES_MAX} bytes, and cannot be sent: write another`;
    return { ...base, users: hashed, problem: { reason: 'PasswordUnusable', message } };
  } catch (error) {
    if (!(error instanceof SecretLostError)) throw error;
    return { ...base, users: [], problem: { reason: 'SecretLost', message: error.message } };
  }
}

/** RFC 7617 §2: neither has control characters. */
const CONTROL = /[\u0000-\u001f\u007f]/u;

/**
 * The one that is known, as long as the password is the same: nothing flaps. Undefined: nobody
 * could send that password.
 */
async function hashOf(
  { world, sealer, hasher }: AccessPorts,
  given: { readonly secret: Secret; readonly user: string; readonly known: AccessUser | undefined },
): Promise<AccessUser | undefined> {
  const { secret, user: name, known } = given;
  const of = createHash('sha256')
    .update(secret.spec.data[name] ?? '')
    .digest('hex');
  if (known?.of === of) return known;
  const password = createSecrets({ world, sealer }).read(qualifiedName(secret.metadata), name);
  // The world has moved on: the change calls for the name again.
  if (password === undefined) throw new Error(`Secret "${secret.metadata.name}" has just changed`);
  const isSendable = !CONTROL.test(password) && Buffer.byteLength(password) <= PASSWORD_BYTES_MAX;
  if (!isSendable) return undefined;
  // Written anew, it is sealed anew, and may still be the same.
  if (known !== undefined && (await hasher.verify(password, known.hash))) return { ...known, of };
  return { name, of, hash: await hasher.hash(password) };
}
