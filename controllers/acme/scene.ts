import type { Certificate } from '../../api/certificate.ts';
import type { AcmeAccount } from '../../runtime/acme/acme.ts';
import type {
  AcmeAccountRecord,
  AcmeOrderRecord,
  IssuanceRecord,
} from '../../runtime/acme/records.ts';
import { backoffMs } from '../../runtime/control/backoff.ts';
import { afterWrite, type Outcome } from '../../runtime/control/controller.ts';
import type { MaterialRecord, Stored } from '../../runtime/store/records.ts';
import type { Operation } from '../../runtime/store/writer.ts';
import { accountHeldMs } from './plan.ts';
import { type AcmeIssuer, type AcmePorts, AUTHOR, type WorkPorts } from './ports.ts';
import type { Trouble } from './trouble.ts';

/** All that a step of an order works with, read at one moment. */
export interface OrderScene {
  readonly ports: WorkPorts;
  readonly certificate: Certificate;
  readonly issuer: AcmeIssuer;
  readonly account: AcmeAccount;
  readonly order: Stored<AcmeOrderRecord>;
  readonly issuance: Stored<IssuanceRecord> | undefined;
  readonly material: Stored<MaterialRecord> | undefined;
  readonly nowMs: number;
  readonly signal: AbortSignal;
}

/** The CA alone could not be asked: the order itself has done nothing wrong. */
const REST = { baseMs: 2_000, capMs: 5 * 60_000 };
/** The same, for all that the account asks for. */
const HOLD = { baseMs: 2_000, capMs: 10 * 60_000 };
/** Certificates in a row that have to be in trouble until nobody asks the CA for a while. */
const TROUBLED_MAX = 3;
/** Longer nobody waits because a CA says so. */
export const RETRY_AFTER_MS_MAX = 7 * 86_400_000;
/** A CA that closes one account after the other has its reasons: a person should know them. */
export const REPLACE_MS_MIN = 86_400_000;

/** Stores how far the order has come; the change calls for the next step by itself. */
export async function advance(
  scene: OrderScene,
  change: Partial<AcmeOrderRecord>,
): Promise<Outcome> {
  const { notBeforeMs: _, heldSinceMs: __, ...rested } = scene.order.value;
  const { troubles: ___, trouble: ____, outside: _____, ...kept } = rested;
  const value = { ...kept, progressMs: scene.nowMs, ...change };
  const outcome = await scene.ports.writer.commit([orderWrite(scene, value)], AUTHOR);
  return afterWrite(outcome);
}

/** Nothing has changed yet; the CA is asked again after that time. */
export async function pause(scene: OrderScene, waitMs: number): Promise<Outcome> {
  const { troubles: _, trouble: __, ...kept } = scene.order.value;
  const value = { ...kept, ...holdFor(scene, waitMs) };
  const outcome = await scene.ports.writer.commit([orderWrite(scene, value)], AUTHOR);
  return afterWrite(outcome, waitMs);
}

/** The order waits for the CA, the longer the oftener it could not be asked. */
export async function rest(scene: OrderScene, trouble: Trouble): Promise<Outcome> {
  const { ports, order } = scene;
  const troubles = (order.value.troubles ?? 0) + 1;
  const waitMs = waitFor(trouble, backoffMs(troubles, REST, ports.random));
  const { reason, message } = trouble;
  const value = {
    ...order.value,
    troubles,
    trouble: { reason, message },
    ...holdFor(scene, waitMs),
  };
  return afterWrite(await ports.writer.commit([orderWrite(scene, value)], AUTHOR), waitMs);
}

/**
 * With when it was noted: the dom that leads next may have a clock that is far behind. Counted from
 * now, not from when the step began: the CA may have taken long to say so.
 */
function holdFor(
  { ports, order }: OrderScene,
  waitMs: number,
): Pick<AcmeOrderRecord, 'progressMs' | 'notBeforeMs' | 'heldSinceMs'> {
  const nowMs = ports.clock.nowMs();
  const progressMs = Math.min(order.value.progressMs, nowMs);
  return { progressMs, notBeforeMs: nowMs + waitMs, heldSinceMs: nowMs };
}

export function orderWrite(
  { certificate, order }: Pick<OrderScene, 'certificate' | 'order'>,
  value: AcmeOrderRecord | undefined,
): Operation {
  const { uid: id } = certificate.metadata;
  return { kind: 'record', record: 'acmeOrder', id, value, modRevision: order.modRevision };
}

/** What the CA says of when to come back counts, within reason. */
export function waitFor({ retryAfterMs = 0 }: Trouble, backoff: number): number {
  return Math.max(backoff, Math.min(retryAfterMs, RETRY_AFTER_MS_MAX));
}

/**
 * Stores how an account fares. A conflict is no matter: somebody else has just told the same. One
 * order alone that the CA chokes on does not hold the others up (INV-5): it takes several. `by`:
 * uid of the Certificate; undefined: it was the account's own affair.
 */
export async function noteAccount(
  ports: AcmePorts,
  issuer: AcmeIssuer,
  trouble: Trouble | undefined,
  by?: string,
): Promise<void> {
  const { uid: id } = issuer.metadata;
  const stored = ports.world.record('acmeAccount', id);
  if (stored === undefined) return;
  // Nobody asks while it is held: what succeeds now began before, and the CA's word is newer.
  const isHeld = accountHeldMs({ issuer, account: stored.value }, ports.clock.nowMs()) > 0;
  if (trouble === undefined && isHeld) return;
  const value = accountAfter(ports, stored.value, trouble, by);
  const failedGeneration = issuer.metadata.generation;
  if (value === undefined) return;
  const { modRevision } = stored;
  const written = value.failure === undefined ? value : { ...value, failedGeneration };
  const operation = {
    kind: 'record',
    record: 'acmeAccount',
    id,
    value: written,
    modRevision,
  } as const;
  await ports.writer.commit([operation], AUTHOR);
}

/** Undefined: as it is. The word of who asked with the account from before says nothing of this one. */
function closedAfter(
  nowMs: number,
  { url, ...kept }: AcmeAccountRecord & { readonly failures: number },
  { reason, message, accountUrl }: Trouble,
): AcmeAccountRecord | undefined {
  if (url !== accountUrl || kept.closed !== undefined) return undefined;
  const { replacedMs, failures } = kept;
  const isAgain = replacedMs !== undefined && Math.abs(nowMs - replacedMs) < REPLACE_MS_MIN;
  const again =
    'again, within a day: ask the CA why; "b8sctl issuer rollover" registers another at once';
  const failure = {
    reason,
    message: isAgain ? `${message}; ${again}` : `${message}; another one is registered`,
    sinceMs: nowMs,
    nextTryMs: isAgain ? nowMs + REPLACE_MS_MIN : nowMs,
  };
  return { ...kept, closed: message, failures: failures + 1, failure };
}

/** Undefined: as it is. */
function accountAfter(
  { clock, random }: AcmePorts,
  before: AcmeAccountRecord,
  trouble: Trouble | undefined,
  by: string | undefined,
): AcmeAccountRecord | undefined {
  const { failures = 0, failure, troubled = [], failedGeneration: _, ...kept } = before;
  if (trouble === undefined)
    return failure === undefined && failures === 0 && troubled.length === 0 ? undefined : kept;
  if (trouble.kind === 'forgotten') {
    // Registered anew with the key that it has: at a CA that lost it, as test CAs do.
    const { url: __, ...unknown } = kept;
    return unknown;
  }
  if (trouble.kind === 'closed') return closedAfter(clock.nowMs(), { ...kept, failures }, trouble);
  const all = by === undefined ? troubled : [...new Set([...troubled, by])].toSorted();
  const isHeld = trouble.kind === 'account' || by === undefined || all.length >= TROUBLED_MAX;
  if (!isHeld) return all.length === troubled.length ? undefined : { ...before, troubled: all };
  const backoff = backoffMs(failures + 1, HOLD, random);
  // Several in a row: it seems to be of the account, but what was said is of one order.
  const waitMs = trouble.kind === 'later' ? backoff : waitFor(trouble, backoff);
  const { reason, message } = trouble;
  return {
    ...kept,
    troubled: all.slice(0, TROUBLED_MAX),
    failures: failures + 1,
    failure: { reason, message, sinceMs: clock.nowMs(), nextTryMs: clock.nowMs() + waitMs },
  };
}
