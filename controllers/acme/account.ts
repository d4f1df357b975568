import { isDeepStrictEqual } from 'node:util';
import type { ExternalAccount } from '../../runtime/acme/acme.ts';
import type { AcmeAccountRecord, EarlierAccount } from '../../runtime/acme/records.ts';
import { afterWrite, type Outcome } from '../../runtime/control/controller.ts';
import { createSecrets, SecretLostError } from '../../runtime/secret/secrets.ts';
import type { Stored } from '../../runtime/store/records.ts';
import type { Operation } from '../../runtime/store/writer.ts';
import { canOpen } from '../../runtime/tls/authority.ts';
import {
  type AccountChange,
  type AccountScene,
  accountWrite,
  changeAccount,
  contactOf,
  ROLLOVER_WAIT_MS,
  untroubled,
} from './account-change.ts';
import { troubleAsking } from './closed.ts';
import { accountHeldMs, isRolling, requestedRollover } from './plan.ts';
import {
  type AcmeIssuer,
  AUTHOR,
  accountKeyContext,
  accountOf,
  keptAccount,
  SOURCE,
  serverOf,
} from './ports.ts';
import { noteAccount } from './scene.ts';
import { OrderError, type Trouble, troubleOf } from './trouble.ts';

/** Under this name the Secret of an external account holds its MAC key. */
const MAC_KEY = 'mac-key';
const NO_SECRET = 'secretMissing';
/** Accounts of CAs that were asked before, kept for an Issuer that goes back to one. */
const EARLIER_MAX = 4;

/** Pure: the next step towards the one account of an Issuer. */
export function planAccount(
  issuer: AcmeIssuer,
  record: AcmeAccountRecord | undefined,
  nowMs: number,
): AccountPlan {
  const { acme } = issuer.spec;
  if (!acme.termsOfServiceAgreed) return { kind: 'none' };
  const isOfThis =
    record?.directory === acme.directory &&
    (record.url === undefined || record.externalKeyId === acme.externalAccount?.keyId);
  if (record === undefined || !isOfThis) return { kind: 'makeKey' };
  const heldMs = accountHeldMs({ issuer, account: record }, nowMs);
  // Who asks for another key has seen that the CA closed the account, and wants another.
  const isAskedFor = record.closed !== undefined && isRolling(issuer, record);
  if (heldMs > 0 && !isAskedFor) return { kind: 'wait', recheckInMs: heldMs };
  if (record.closed !== undefined) return { kind: 'makeKey' };
  if (record.url === undefined) return { kind: 'register' };
  if (!isDeepStrictEqual(record.contact, contactOf(issuer))) return { kind: 'tellContact' };
  if (!isRolling(issuer, record)) return { kind: 'none' };
  return record.nextSealedKey === undefined ? { kind: 'makeNextKey' } : { kind: 'changeKey' };
}

export type AccountPlan =
  | { readonly kind: 'none' }
  | { readonly kind: 'wait'; readonly recheckInMs: number }
  | {
      readonly kind: 'makeKey' | 'register' | AccountChange;
    };

/** One step, and what came of it stored: a key always before the CA hears of it. */
export async function reconcileAccount(scene: AccountScene): Promise<Outcome> {
  const { ports, issuer, stored, nowMs } = scene;
  const plan = planAccount(issuer, withSecret(scene), nowMs);
  try {
    switch (plan.kind) {
      case 'none':
        return 'settled';
      case 'wait':
        return { recheckInMs: plan.recheckInMs };
      case 'makeKey':
        return await makeKey(scene);
      case 'register':
      case 'tellContact':
      case 'makeNextKey':
      case 'changeKey':
        return stored === undefined ? 'settled' : await act(scene, stored, plan.kind);
    }
  } catch (error) {
    const trouble = await troubleWith(scene, error);
    if (trouble === undefined) throw error;
    // Whatever it refuses here, it refuses to this account.
    const kind = trouble.kind === 'order' ? 'account' : trouble.kind;
    await noteAccount(ports, issuer, { ...trouble, kind });
    return { recheckInMs: ROLLOVER_WAIT_MS };
  }
}

async function troubleWith(scene: AccountScene, error: unknown): Promise<Trouble | undefined> {
  const { ports, issuer, stored, signal } = scene;
  const kept = keptAccount(ports.sealer, issuer, stored?.value);
  if (kept === undefined) return troubleOf(error);
  const keyPem = ports.sealer.open(kept.sealedKey, accountKeyContext(issuer.metadata.uid));
  const account = { server: serverOf(issuer), keyPem, url: kept.url };
  return await troubleAsking({ ports, account, signal }, error);
}

/** The account's record; what a Secret was missing for is over once that is there. */
function withSecret(scene: AccountScene): AcmeAccountRecord | undefined {
  const { ports, issuer, stored } = scene;
  const record = keptAccount(ports.sealer, issuer, stored?.value);
  const { secret } = issuer.spec.acme.externalAccount ?? {};
  if (record?.failure?.reason !== NO_SECRET || secret === undefined) return record;
  return typeof macKeyOf(scene, secret) === 'string' ? untroubled(record) : record;
}

/** Undefined: there is none; an error: nobody can open it. */
function macKeyOf({ ports }: AccountScene, secret: string): string | SecretLostError | undefined {
  try {
    return createSecrets(ports).read(secret, MAC_KEY);
  } catch (error) {
    if (error instanceof SecretLostError) return error;
    throw error;
  }
}

async function act(
  scene: AccountScene,
  stored: Stored<AcmeAccountRecord>,
  step: 'register' | AccountChange,
): Promise<Outcome> {
  if (step === 'register') return await register(scene, stored);
  const account = accountOf(scene.ports, scene.issuer, stored.value);
  return account === undefined ? 'settled' : await changeAccount(scene, stored, { account, step });
}

/** A new key; or that of the account that this Issuer had at this CA before. */
async function makeKey(scene: AccountScene): Promise<Outcome> {
  const { ports, issuer, stored, nowMs } = scene;
  const { uid } = issuer.metadata;
  const { directory, externalAccount } = issuer.spec.acme;
  const had = earlierOf(scene);
  const again = had.findLast(
    (each) => each.directory === directory && each.externalKeyId === externalAccount?.keyId,
  );
  const key = again ?? {
    sealedKey: ports.sealer.seal(await ports.acme.makeKey('ecdsa-p256'), accountKeyContext(uid)),
    keyMs: nowMs,
    contact: [],
  };
  const earlier = had.filter((each) => each !== again).slice(-EARLIER_MAX);
  const rollover = requestedRollover(issuer.metadata.annotations);
  const isReplaced = stored?.value.closed !== undefined && stored.value.directory === directory;
  const { sealedKey, keyMs, contact } = key;
  const value: AcmeAccountRecord = {
    ...{ directory, sealedKey, keyMs, contact },
    ...(rollover === undefined ? {} : { rollover }),
    ...(isReplaced && { replacedMs: nowMs }),
    ...(again !== undefined && { isKnown: true as const }),
    ...(earlier.length > 0 && { earlier }),
  };
  const expected: Operation = { kind: 'expect', base: issuer };
  const operations = [expected, accountWrite(scene, stored, value)];
  const written = await ports.writer.commit(operations, AUTHOR);
  if (written.outcome === 'written') tellReplaced(scene);
  return afterWrite(written);
}

/** Those that can be used again, with the one that is there, the newest last. */
function earlierOf({ ports, issuer, stored }: AccountScene): readonly EarlierAccount[] {
  if (stored === undefined) return [];
  const { url, closed, earlier = [], ...last } = stored.value;
  const { directory, sealedKey, keyMs, contact, externalKeyId } = last;
  const own: EarlierAccount = {
    ...{ directory, sealedKey, keyMs, contact },
    ...(externalKeyId === undefined ? {} : { externalKeyId }),
  };
  const all = url === undefined || closed !== undefined ? earlier : [...earlier, own];
  const context = accountKeyContext(issuer.metadata.uid);
  return all.filter((each) => canOpen(ports.sealer, { sealed: each.sealedKey, context }));
}

/** Once for each account that is lost. */
function tellReplaced({ ports, issuer, stored }: AccountScene): void {
  if (stored === undefined) return;
  const { closed } = stored.value;
  const isLost = keptAccount(ports.sealer, issuer, stored.value) === undefined;
  const lost = 'the key of the account was sealed with another seal key, and cannot be read';
  const why = isLost ? lost : closed;
  if (why === undefined) return;
  const reason = isLost ? 'AccountKeyLost' : 'AccountClosed';
  const note = { type: 'Warning', reason, message: `${why}: another account is made` } as const;
  ports.events.record({ regarding: issuer, source: SOURCE, ...note });
}

/** Doing so twice finds the account of the first time (RFC 8555 §7.3). */
async function register(scene: AccountScene, stored: Stored<AcmeAccountRecord>): Promise<Outcome> {
  const { ports, issuer, signal } = scene;
  const server = serverOf(issuer);
  const directory = await ports.acme.directory(server, signal);
  const externalAccount = externalAccountOf(scene, directory.externalAccountRequired);
  const keyPem = ports.sealer.open(stored.value.sealedKey, accountKeyContext(issuer.metadata.uid));
  const contact = contactOf(issuer);
  const url = await ports.acme.register(server, { keyPem, contact, externalAccount }, signal);
  const { isKnown, ...kept } = untroubled(stored.value);
  const value: AcmeAccountRecord = {
    ...kept,
    url,
    // Of an account that was there the CA knows what it was told then: a change is told next.
    contact: isKnown === true ? kept.contact : contact,
    ...(externalAccount === undefined ? {} : { externalKeyId: externalAccount.keyId }),
    ...(directory.termsOfService === undefined ? {} : { termsOfService: directory.termsOfService }),
  };
  return afterWrite(await ports.writer.commit([accountWrite(scene, stored, value)], AUTHOR));
}

function externalAccountOf(scene: AccountScene, isRequired: boolean): ExternalAccount | undefined {
  const { externalAccount } = scene.issuer.spec.acme;
  if (externalAccount === undefined) {
    if (!isRequired) return undefined;
    const mend = 'take the key from the CA into a Secret, and name it in spec.acme.externalAccount';
    throw new OrderError(
      'externalAccount',
      `the CA wants an account that exists with it already: ${mend}`,
    );
  }
  const { keyId, secret } = externalAccount;
  const macKey = macKeyOf(scene, secret);
  if (typeof macKey === 'string') return { keyId, macKey: macKey.trim() };
  const where = `spec.acme.externalAccount.secret "${secret}"`;
  if (macKey !== undefined) throw new OrderError(NO_SECRET, `${where}: ${macKey.message}`);
  throw new OrderError(NO_SECRET, `${where}: there is no such Secret with "${MAC_KEY}": create it`);
}
