import { isDeepStrictEqual } from 'node:util';
import type { AcmeAccount, ExternalAccount } from '../../runtime/acme/acme.ts';
import type { AcmeAccountRecord } from '../../runtime/acme/records.ts';
import { afterWrite, type Outcome } from '../../runtime/controller.ts';
import type { Stored } from '../../runtime/records.ts';
import { createSecrets } from '../../runtime/secrets.ts';
import type { Operation } from '../../runtime/writer.ts';
import { accountHeldMs, isRolling, requestedRollover } from './plan.ts';
import {
  type AcmeIssuer,
  type AcmePorts,
  AUTHOR,
  accountKeyContext,
  accountOf,
  SOURCE,
  serverOf,
} from './ports.ts';
import { noteAccount } from './scene.ts';
import { OrderError, troubleOf } from './trouble.ts';

/** Under this name the Secret of an external account holds its MAC key. */
const MAC_KEY = 'mac-key';
const NO_SECRET = 'secretMissing';
/** While orders with the old key are finished. */
const ROLLOVER_WAIT_MS = 5_000;

interface AccountScene {
  readonly ports: AcmePorts;
  readonly issuer: AcmeIssuer;
  readonly stored: Stored<AcmeAccountRecord> | undefined;
  readonly nowMs: number;
  readonly signal: AbortSignal;
}

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
  if (heldMs > 0) return { kind: 'wait', recheckInMs: heldMs };
  if (record.url === undefined) return { kind: 'register' };
  if (!isDeepStrictEqual(record.contact, contactOf(issuer))) return { kind: 'tellContact' };
  if (!isRolling(issuer, record)) return { kind: 'none' };
  return record.nextSealedKey === undefined ? { kind: 'makeNextKey' } : { kind: 'changeKey' };
}

export type AccountPlan =
  | { readonly kind: 'none' }
  | { readonly kind: 'wait'; readonly recheckInMs: number }
  | {
      readonly kind: 'makeKey' | 'register' | 'tellContact' | 'makeNextKey' | 'changeKey';
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
    const trouble = troubleOf(error);
    if (trouble === undefined) throw error;
    // Whatever it refuses here, it refuses to this account.
    const kind = trouble.kind === 'order' ? 'account' : trouble.kind;
    await noteAccount(ports, issuer, { ...trouble, kind });
    return { recheckInMs: ROLLOVER_WAIT_MS };
  }
}

/** The account's record; what a Secret was missing for is over once that is there. */
function withSecret({ ports, issuer, stored }: AccountScene): AcmeAccountRecord | undefined {
  const { secret } = issuer.spec.acme.externalAccount ?? {};
  const record = stored?.value;
  if (record?.failure?.reason !== NO_SECRET || secret === undefined) return record;
  return createSecrets(ports).read(secret, MAC_KEY) === undefined ? record : untroubled(record);
}

async function act(
  scene: AccountScene,
  stored: Stored<AcmeAccountRecord>,
  step: 'register' | 'tellContact' | 'makeNextKey' | 'changeKey',
): Promise<Outcome> {
  if (step === 'register') return await register(scene, stored);
  const account = accountOf(scene.ports, scene.issuer, stored.value);
  if (account === undefined) return 'settled';
  switch (step) {
    case 'tellContact':
      return await tellContact(scene, stored, account);
    case 'makeNextKey':
      return await makeNextKey(scene, stored);
    case 'changeKey':
      return await changeKey(scene, stored, account);
  }
}

async function makeKey(scene: AccountScene): Promise<Outcome> {
  const { ports, issuer, stored, nowMs } = scene;
  const { uid } = issuer.metadata;
  const rollover = requestedRollover(issuer.metadata.annotations);
  const value: AcmeAccountRecord = {
    directory: issuer.spec.acme.directory,
    sealedKey: ports.sealer.seal(await ports.acme.makeKey('ecdsa-p256'), accountKeyContext(uid)),
    keyMs: nowMs,
    contact: [],
    ...(rollover === undefined ? {} : { rollover }),
  };
  const expected: Operation = { kind: 'expect', base: issuer };
  const written = await ports.writer.commit([expected, write(scene, stored, value)], AUTHOR);
  return afterWrite(written);
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
  const kept = untroubled(stored.value);
  const value: AcmeAccountRecord = {
    ...kept,
    url,
    contact,
    ...(externalAccount === undefined ? {} : { externalKeyId: externalAccount.keyId }),
    ...(directory.termsOfService === undefined ? {} : { termsOfService: directory.termsOfService }),
  };
  return afterWrite(await ports.writer.commit([write(scene, stored, value)], AUTHOR));
}

function externalAccountOf(
  { ports, issuer }: AccountScene,
  isRequired: boolean,
): ExternalAccount | undefined {
  const { externalAccount } = issuer.spec.acme;
  if (externalAccount === undefined) {
    if (!isRequired) return undefined;
    const mend = 'take the key from the CA into a Secret, and name it in spec.acme.externalAccount';
    throw new OrderError(
      'externalAccount',
      `the CA wants an account that exists with it already: ${mend}`,
    );
  }
  const { keyId, secret } = externalAccount;
  const macKey = createSecrets(ports).read(secret, MAC_KEY);
  if (macKey !== undefined) return { keyId, macKey: macKey.trim() };
  const where = `spec.acme.externalAccount.secret "${secret}"`;
  throw new OrderError(NO_SECRET, `${where}: there is no such Secret with "${MAC_KEY}": create it`);
}

async function tellContact(
  scene: AccountScene,
  stored: Stored<AcmeAccountRecord>,
  account: AcmeAccount,
): Promise<Outcome> {
  const { ports, issuer, signal } = scene;
  const contact = contactOf(issuer);
  const refused = await refusalOf(ports.acme.updateContact(account, contact, signal));
  const value = { ...untroubled(stored.value), contact };
  return await heard(scene, { stored, value, what: 'the contact', refused });
}

async function makeNextKey(
  scene: AccountScene,
  stored: Stored<AcmeAccountRecord>,
): Promise<Outcome> {
  const { ports, issuer } = scene;
  const { uid } = issuer.metadata;
  const keyPem = await ports.acme.makeKey('ecdsa-p256');
  const nextSealedKey = ports.sealer.seal(keyPem, accountKeyContext(uid));
  const value = { ...stored.value, nextSealedKey };
  return afterWrite(await ports.writer.commit([write(scene, stored, value)], AUTHOR));
}

/**
 * Proofs hold the old key's thumbprint, so that orders are finished first; none begins meanwhile.
 * After a crash, or when the answer is lost, the CA knows by which key it has the account.
 */
async function changeKey(
  scene: AccountScene,
  stored: Stored<AcmeAccountRecord>,
  account: AcmeAccount,
): Promise<Outcome> {
  const { ports, issuer, signal, nowMs } = scene;
  const { uid, annotations } = issuer.metadata;
  const { nextSealedKey, rollover: _, ...kept } = untroubled(stored.value);
  if (nextSealedKey === undefined) return 'settled';
  const open = ports.world.records('acmeOrder').some(([, { value }]) => value.issuerUid === uid);
  if (open) return { recheckInMs: ROLLOVER_WAIT_MS };
  const nextKeyPem = ports.sealer.open(nextSealedKey, accountKeyContext(uid));
  const has = await ports.acme.findAccount(account.server, nextKeyPem, signal);
  const refused =
    has === undefined
      ? await refusalOf(ports.acme.changeKey(account, nextKeyPem, signal))
      : undefined;
  const rollover = requestedRollover(annotations);
  const value: AcmeAccountRecord = {
    ...kept,
    ...(refused === undefined ? { sealedKey: nextSealedKey, keyMs: nowMs } : {}),
    ...(rollover === undefined ? {} : { rollover }),
  };
  return await heard(scene, { stored, value, what: 'another key', refused });
}

/**
 * A change that the CA refuses is over, until a person asks for another: orders wait for changes,
 * and a certificate must not end because of one (INV-31).
 */
async function heard(
  scene: AccountScene,
  change: {
    readonly stored: Stored<AcmeAccountRecord>;
    readonly value: AcmeAccountRecord;
    readonly what: string;
    readonly refused: string | undefined;
  },
): Promise<Outcome> {
  const { ports, issuer: regarding } = scene;
  const { stored, value, what, refused } = change;
  const written = await ports.writer.commit([write(scene, stored, value)], AUTHOR);
  if (refused !== undefined && written.outcome === 'written') {
    const message = `${what} for the account: ${refused}; it stays as it is until asked again`;
    const note = { type: 'Warning', reason: 'AccountChangeRefused', message } as const;
    ports.events.record({ regarding, source: SOURCE, ...note });
  }
  return afterWrite(written);
}

/** What the CA says when it was reached and said no to just this; undefined: it took it. */
async function refusalOf(change: Promise<void>): Promise<string | undefined> {
  try {
    await change;
    return undefined;
  } catch (error) {
    const trouble = troubleOf(error);
    if (trouble?.kind !== 'order') throw error;
    return trouble.message;
  }
}

/** What is left once the CA has answered. */
function untroubled(record: AcmeAccountRecord): AcmeAccountRecord {
  const { failure: _, failures: __, troubled: ___, failedGeneration: ____, ...kept } = record;
  return kept;
}

/** RFC 8555 §7.3: as URLs. */
function contactOf(issuer: AcmeIssuer): readonly string[] {
  return issuer.spec.acme.contact.map((address) => `mailto:${address}`);
}

function write(
  { issuer }: AccountScene,
  stored: Stored<AcmeAccountRecord> | undefined,
  value: AcmeAccountRecord,
): Operation {
  const { uid: id } = issuer.metadata;
  const modRevision = stored?.modRevision ?? 0n;
  return { kind: 'record', record: 'acmeAccount', id, value, modRevision };
}
