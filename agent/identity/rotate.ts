import { X509Certificate } from 'node:crypto';
import type { Clock } from '../../runtime/clock.ts';
import { type BackoffLimits, backoffMs } from '../../runtime/control/backoff.ts';
import { withDeadline } from '../../runtime/deadline.ts';
import type { Disk } from '../../runtime/disk/disk.ts';
import type { Log } from '../../runtime/log.ts';
import type { Random } from '../../runtime/random.ts';
import type { KeyMaker, Renewal } from '../../runtime/session/enrolment.ts';
import { isKeyOf, type NodeIdentity, replaceCertificate } from './identity-file.ts';

/** A third of the lifetime is left for a dom that is away. */
export const RENEW_AT = 2 / 3;
export const RENEW_BACKOFF: BackoffLimits = { baseMs: 5_000, capMs: 10 * 60_000 };
/** Wall time may jump while one sleeps: look at it at least this often. */
const LOOK_INTERVAL_MS = 60 * 60_000;
const RENEW_MS_MAX = 30_000;

export type RenewalPlan =
  | { readonly kind: 'renew' }
  /** Until the next look. */
  | { readonly kind: 'wait'; readonly ms: number };

/** When a certificate is to be renewed: once two thirds of its lifetime are over. */
export function planRenewal(lifetime: {
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  readonly nowMs: number;
}): RenewalPlan {
  const { notBeforeMs, notAfterMs, nowMs } = lifetime;
  const dueMs = notBeforeMs + (notAfterMs - notBeforeMs) * RENEW_AT;
  if (nowMs >= dueMs) return { kind: 'renew' };
  return { kind: 'wait', ms: Math.min(Math.ceil(dueMs - nowMs), LOOK_INTERVAL_MS) };
}

export interface RotationOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly disk: Disk;
  readonly keys: KeyMaker;
  readonly renewal: Renewal;
  readonly identity: () => NodeIdentity;
  /** The new identity is durable; use it from the next dial on. */
  readonly onRenewed: (identity: NodeIdentity) => void;
}

/** Keeps the node's certificate fresh until `signal` is aborted. Never throws. */
export async function rotateCertificate(
  options: RotationOptions,
  signal: AbortSignal,
): Promise<void> {
  const { clock, random, log } = options;
  for (let failures = 0; !signal.aborted; ) {
    const plan = planRenewal({ ...lifetimeOf(options.identity()), nowMs: clock.nowMs() });
    let waitMs = plan.kind === 'wait' ? plan.ms : 0;
    if (plan.kind === 'renew') {
      try {
        await renew(options, signal);
        failures = 0;
      } catch (error) {
        if (signal.aborted) return;
        failures += 1;
        waitMs = backoffMs(failures, RENEW_BACKOFF, random);
        const fields = { error: messageOf(error), failures, retryInMs: Math.round(waitMs) };
        log.warn(fields, "the node's certificate could not be renewed");
      }
    }
    await clock.sleep(waitMs, signal).catch(() => undefined);
  }
}

async function renew(options: RotationOptions, signal: AbortSignal): Promise<void> {
  const { clock, disk, keys, renewal, log } = options;
  const identity = options.identity();
  const { keyPem, csr } = await keys.create(identity.name);
  const late = 'renew the certificate: no answer';
  const { chainPem, caPem } = await withDeadline((scope) => renewal.renew(csr, scope), {
    ...{ clock, signal, late, ms: RENEW_MS_MAX },
  });
  if (!isKeyOf(keyPem, chainPem))
    throw new Error('dom answered with a certificate for another key');
  const renewed = { ...identity, keyPem, certificatePem: chainPem, caPem };
  await replaceCertificate(disk, { before: identity, after: renewed });
  options.onRenewed(renewed);
  const { notAfterMs } = lifetimeOf(renewed);
  log.info({ notAfter: new Date(notAfterMs).toISOString() }, "the node's certificate is renewed");
}

/** Of the leaf, in milliseconds since the Unix epoch. */
export function lifetimeOf({ certificatePem }: NodeIdentity): {
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
} {
  const { validFromDate, validToDate } = new X509Certificate(certificatePem);
  return { notBeforeMs: validFromDate.getTime(), notAfterMs: validToDate.getTime() };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
