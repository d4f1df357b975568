import type { AcmeAccount } from '../../runtime/acme/acme.ts';
import type { AcmeAccountRecord } from '../../runtime/acme/records.ts';
import { afterWrite, type Outcome } from '../../runtime/control/controller.ts';
import type { Stored } from '../../runtime/store/records.ts';
import type { Operation } from '../../runtime/store/writer.ts';
import { type Asking, troubleAsking } from './closed.ts';
import { requestedRollover } from './plan.ts';
import { type AcmeIssuer, AUTHOR, accountKeyContext, SOURCE, type WorkPorts } from './ports.ts';

/** While orders with the old key are finished. */
export const ROLLOVER_WAIT_MS = 5_000;

/** All that a step of an account works with, read at one moment. */
export interface AccountScene {
  readonly ports: WorkPorts;
  readonly issuer: AcmeIssuer;
  readonly stored: Stored<AcmeAccountRecord> | undefined;
  readonly nowMs: number;
  readonly signal: AbortSignal;
}

/** One step of a change of an account that the CA has. */
export function changeAccount(
  scene: AccountScene,
  stored: Stored<AcmeAccountRecord>,
  { account, step }: { readonly account: AcmeAccount; readonly step: AccountChange },
): Promise<Outcome> {
  switch (step) {
    case 'tellContact':
      return tellContact(scene, stored, account);
    case 'makeNextKey':
      return makeNextKey(scene, stored);
    case 'changeKey':
      return changeKey(scene, stored, account);
  }
}

export type AccountChange = 'tellContact' | 'makeNextKey' | 'changeKey';

async function tellContact(
  scene: AccountScene,
  stored: Stored<AcmeAccountRecord>,
  account: AcmeAccount,
): Promise<Outcome> {
  const { ports, issuer, signal } = scene;
  const contact = contactOf(issuer);
  const change = (): Promise<void> => ports.acme.updateContact(account, contact, signal);
  const refused = await refusalOf({ ports, account, signal }, change);
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
  return afterWrite(await ports.writer.commit([accountWrite(scene, stored, value)], AUTHOR));
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
      ? await refusalOf({ ports, account, signal }, () =>
          ports.acme.changeKey(account, nextKeyPem, signal),
        )
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
  const written = await ports.writer.commit([accountWrite(scene, stored, value)], AUTHOR);
  if (refused !== undefined && written.outcome === 'written') {
    const message = `${what} for the account: ${refused}; it stays as it is until asked again`;
    const note = { type: 'Warning', reason: 'AccountChangeRefused', message } as const;
    ports.events.record({ regarding, source: SOURCE, ...note });
  }
  return afterWrite(written);
}

/** What the CA says when it was reached and said no to just this; undefined: it took it. */
async function refusalOf(asking: Asking, change: () => Promise<void>): Promise<string | undefined> {
  try {
    await change();
    return undefined;
  } catch (error) {
    const trouble = await troubleAsking(asking, error);
    if (trouble?.kind !== 'order') throw error;
    return trouble.message;
  }
}

/** What is left once the CA has answered. */
export function untroubled(record: AcmeAccountRecord): AcmeAccountRecord {
  const { failure: _, failures: __, troubled: ___, failedGeneration: ____, ...kept } = record;
  return kept;
}

/** RFC 8555 §7.3: as URLs. */
export function contactOf(issuer: AcmeIssuer): readonly string[] {
  return issuer.spec.acme.contact.map((address) => `mailto:${address}`);
}

export function accountWrite(
  { issuer }: AccountScene,
  stored: Stored<AcmeAccountRecord> | undefined,
  value: AcmeAccountRecord,
): Operation {
  const { uid: id } = issuer.metadata;
  const modRevision = stored?.modRevision ?? 0n;
  return { kind: 'record', record: 'acmeAccount', id, value, modRevision };
}
