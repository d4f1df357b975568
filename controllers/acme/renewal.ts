import type { Certificate } from '../../api/certificate.ts';
import type { RenewalInfo } from '../../runtime/acme/acme.ts';
import type { IssuanceRecord, RenewalRecord } from '../../runtime/acme/records.ts';
import { afterWrite, type Outcome } from '../../runtime/control/controller.ts';
import type { Random } from '../../runtime/random.ts';
import type { MaterialRecord, Stored } from '../../runtime/store/records.ts';
import { issuanceWrite, NOTHING_YET } from './end.ts';
import { type AcmeIssuer, AUTHOR, serverOf, type WorkPorts } from './ports.ts';
import { troubleOf } from './trouble.ts';

/** When a CA that could not be asked, or does not say, is asked again (RFC 9773 §4.3.3). */
const ASK_AGAIN_MS = 6 * 60 * 60_000;
/** A certificate that lives for minutes is asked about more often: so many times in its life. */
const ASKED_TIMES = 8;
const ASK_AGAIN_MS_MIN = 10_000;

export interface RenewalScene {
  readonly ports: WorkPorts;
  readonly certificate: Certificate;
  /** That issued it. */
  readonly issuer: AcmeIssuer;
  readonly material: MaterialRecord;
  readonly issuance: Stored<IssuanceRecord> | undefined;
  readonly nowMs: number;
  readonly signal: AbortSignal;
}

/** Asks the CA when it wants the certificate in use to be renewed (RFC 9773), now and then. */
export async function reconcileRenewal(scene: RenewalScene): Promise<Outcome> {
  const { ports, certificate, material, issuance, nowMs } = scene;
  const known = issuance?.value.renewal;
  const isOfThis = known?.fingerprint === material.fingerprint;
  const inMs = isOfThis ? known.askAgainMs - nowMs : 0;
  // Further away than it can have been put off: a clock went back.
  if (inMs > 0 && inMs <= 2 * ASK_AGAIN_MS_MAX) return { recheckInMs: inMs };
  const renewal = await ask(scene, isOfThis ? known : undefined);
  const value: IssuanceRecord = { ...(issuance?.value ?? NOTHING_YET), renewal };
  const written = await ports.writer.commit(
    [issuanceWrite({ certificate, issuance }, value)],
    AUTHOR,
  );
  return afterWrite(written, Math.max(1, renewal.askAgainMs - nowMs));
}

const ASK_AGAIN_MS_MAX = 86_400_000;

async function ask(scene: RenewalScene, known: RenewalRecord | undefined): Promise<RenewalRecord> {
  const { ports, issuer, material, nowMs, signal } = scene;
  const { fingerprint, chainPem, notAfterMs, issuedMs } = material;
  const often = Math.max(ASK_AGAIN_MS_MIN, (notAfterMs - issuedMs) / ASKED_TIMES);
  const laterMs = Math.min(ASK_AGAIN_MS, often) * (0.75 + ports.random.next() / 2);
  const unknown: RenewalRecord = { fingerprint, askAgainMs: Math.floor(nowMs + laterMs) };
  try {
    const server = serverOf(issuer);
    const { hasRenewalInfo } = await ports.acme.directory(server, signal);
    const info = hasRenewalInfo
      ? await ports.acme.renewalInfo(server, chainPem, signal)
      : undefined;
    if (info === undefined) return unknown;
    const askAgainMs = ports.clock.nowMs() + Math.min(info.retryAfterMs, ASK_AGAIN_MS_MAX);
    return { fingerprint, askAgainMs, window: windowOf(info, known?.window, ports.random) };
  } catch (error) {
    const trouble = troubleOf(error);
    if (trouble === undefined) throw error;
    const waitMs = Math.min(trouble.retryAfterMs ?? 0, ASK_AGAIN_MS_MAX);
    const saidMs = ports.clock.nowMs() + waitMs;
    const later = { ...unknown, askAgainMs: Math.max(unknown.askAgainMs, saidMs) };
    // What it said before holds on.
    return known?.window === undefined ? later : { ...later, window: known.window };
  }
}

/** The moment is drawn once a window, so that it stays (RFC 9773 §4.2). */
function windowOf(
  { startMs, endMs, explanationUrl }: RenewalInfo,
  known: RenewalRecord['window'],
  random: Random,
): NonNullable<RenewalRecord['window']> {
  const isSame = known?.startMs === startMs && known.endMs === endMs;
  const renewMs = isSame ? known.renewMs : Math.floor(startMs + random.next() * (endMs - startMs));
  return { startMs, endMs, renewMs, ...(explanationUrl === undefined ? {} : { explanationUrl }) };
}
