import type { Certificate } from '../../api/certificate.ts';
import type { AcmeAccount } from '../../runtime/acme.ts';
import type {
  AcmeAccountRecord,
  AcmeOrderRecord,
  IssuanceRecord,
} from '../../runtime/acme-records.ts';
import { backoffMs } from '../../runtime/backoff.ts';
import { afterWrite, type Outcome } from '../../runtime/controller.ts';
import type { MaterialRecord, Stored } from '../../runtime/records.ts';
import type { Operation } from '../../runtime/writer.ts';
import { type AcmeIssuer, type AcmePorts, AUTHOR } from './ports.ts';
import type { Trouble } from './trouble.ts';

/** All that a step of an order works with, read at one moment. */
export interface OrderScene {
  readonly ports: AcmePorts;
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
/** Failures in a row, of whichever order, until nobody asks the CA for a while. */
const FAILURES_BEFORE_HOLD = 3;
const RETRY_AFTER_MS_MAX = 7 * 86_400_000;

/** Stores how far the order has come; the change calls for the next step by itself. */
export async function advance(
  scene: OrderScene,
  change: Partial<AcmeOrderRecord>,
): Promise<Outcome> {
  const { notBeforeMs: _, troubles: __, ...kept } = scene.order.value;
  const value = { ...kept, progressMs: scene.nowMs, ...change };
  const outcome = await scene.ports.writer.commit([orderWrite(scene, value)], AUTHOR);
  return afterWrite(outcome);
}

/** Nothing has changed yet; the CA is asked again after that time. */
export async function pause(scene: OrderScene, waitMs: number): Promise<Outcome> {
  const { troubles: _, ...kept } = scene.order.value;
  const value = { ...kept, notBeforeMs: scene.nowMs + waitMs };
  const outcome = await scene.ports.writer.commit([orderWrite(scene, value)], AUTHOR);
  return afterWrite(outcome, waitMs);
}

/** The order waits for the CA, the longer the oftener it could not be asked. */
export async function rest(scene: OrderScene, trouble: Trouble): Promise<Outcome> {
  const { ports, nowMs, order } = scene;
  const troubles = (order.value.troubles ?? 0) + 1;
  const waitMs = waitFor(trouble, backoffMs(troubles, REST, ports.random));
  const value = { ...order.value, troubles, notBeforeMs: nowMs + waitMs };
  return afterWrite(await ports.writer.commit([orderWrite(scene, value)], AUTHOR), waitMs);
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
 * order alone that the CA chokes on does not hold the others up (INV-5): their successes count.
 */
export async function noteAccount(
  ports: AcmePorts,
  issuer: AcmeIssuer,
  trouble: Trouble | undefined,
): Promise<void> {
  const { uid: id } = issuer.metadata;
  const stored = ports.world.record('acmeAccount', id);
  if (stored === undefined) return;
  const { failures = 0, failure: _, url: __, ...kept } = stored.value;
  const url = stored.value.url === undefined ? {} : { url: stored.value.url };
  const write = async (value: AcmeAccountRecord): Promise<void> => {
    const { modRevision } = stored;
    await ports.writer.commit(
      [{ kind: 'record', record: 'acmeAccount', id, value, modRevision }],
      AUTHOR,
    );
  };
  if (trouble === undefined) {
    if (failures > 0 || stored.value.failure !== undefined) await write({ ...kept, ...url });
    return;
  }
  // Registered anew with the key that it has: at a CA that lost it, as test CAs do.
  if (trouble.kind === 'forgotten') return await write(kept);
  const isHeld = trouble.kind === 'account' || failures + 1 >= FAILURES_BEFORE_HOLD;
  if (!isHeld) return await write({ ...kept, ...url, failures: failures + 1 });
  const waitMs = waitFor(trouble, backoffMs(failures + 1, HOLD, ports.random));
  const { reason, message } = trouble;
  const failure = { reason, message, nextTryMs: ports.clock.nowMs() + waitMs };
  await write({ ...kept, ...url, failures: failures + 1, failure });
}
