import type { Certificate, CertificateSpec, CertificateStatus } from '../../api/certificate.ts';
import { INTERNAL_ISSUER, type Issuer } from '../../api/issuer.ts';
import type { Site } from '../../api/site.ts';
import type { ConditionInput } from '../../runtime/control/conditions.ts';
import type { MaterialRecord } from '../../runtime/store/records.ts';
import type { NewObject } from '../../runtime/store/writer.ts';
import {
  AHEAD_MS_MAX,
  isCeased,
  lastThirdMs,
  renewalMs,
  type Shortcoming,
  shortcomingOf,
} from '../../runtime/tls/renewal.ts';
import { type AcmeFacts, acmeFields, acmeProgress } from './acme-status.ts';
import { lifetimeOf } from './plan-issuer.ts';
import { inConditions, iso, type Words } from './words.ts';

/** How long a failed try is left alone. */
export const ISSUE_RETRY_MS = 60_000;

export interface CertificateFacts {
  readonly certificate: Certificate;
  readonly issuer: Issuer | undefined;
  /** Undefined: there is none, or none whose key can be opened. */
  readonly material: MaterialRecord | undefined;
  /** There is one, sealed with another seal key: it can be given to no node. Left out: no. */
  readonly isKeyLost?: boolean;
  /** Issuers that may have issued it beside the declared one; left out: none. */
  readonly fallbacks?: readonly Issuer[];
  /** When the declared Issuer is an ACME CA. */
  readonly acme?: AcmeFacts | undefined;
}

export type CertificatePlan =
  /** To be issued now. */
  | { readonly kind: 'issue'; readonly lifetimeMs: number }
  /** Nothing to issue; look again after that time, or never (Infinity). */
  | { readonly kind: 'keep'; readonly recheckInMs: number }
  /** It failed a short while ago and is left alone until the next try. */
  | { readonly kind: 'wait'; readonly recheckInMs: number; readonly failure: Failure };

/** Why the last try failed, and when the next one is. */
export interface Failure {
  readonly message: string;
  readonly nextTryMs: number;
}

/** Decides whether the built-in CA is to issue a certificate now. */
export function planCertificate(facts: CertificateFacts, nowMs: number): CertificatePlan {
  const { certificate, issuer, material } = facts;
  const lifetimeMs = lifetimeOf(issuer);
  if (lifetimeMs === undefined) return { kind: 'keep', recheckInMs: turnInMs(material, nowMs) };
  const isFit = shortcoming(facts) === undefined;
  if (material !== undefined && (isFit || isCeased(certificate, material))) {
    const { spec } = certificate;
    const renewInMs = renewalMs({ spec, material, renewal: undefined }, nowMs) - nowMs;
    // Issued in the future: the clock was ahead and was set right. Nobody takes it yet.
    const isOfFuture = material.issuedMs - nowMs > AHEAD_MS_MAX;
    if (renewInMs > 0 && !isOfFuture) return { kind: 'keep', recheckInMs: renewInMs };
  }
  const { status, metadata } = certificate;
  const nextTryMs = Date.parse(status?.nextTry ?? '');
  const waitMs = nextTryMs - nowMs;
  const isSameTry = status?.observedGeneration === metadata.generation;
  // More than the interval: the clock went back since. That must not put the try off.
  if (!isSameTry || !(waitMs > 0 && waitMs <= ISSUE_RETRY_MS)) return { kind: 'issue', lifetimeMs };
  const failure = { message: status?.lastError ?? '', nextTryMs };
  return { kind: 'wait', recheckInMs: waitMs, failure };
}

/** The time until something else is to be said of what is in use. */
export function turnInMs(material: MaterialRecord | undefined, nowMs: number): number {
  if (material === undefined) return Infinity;
  const { notAfterMs } = material;
  const turns = [lastThirdMs(material), expiringMs(material), notAfterMs].map((ms) => ms - nowMs);
  return Math.min(...turns.filter((ms) => ms > 0), Infinity);
}

/** What is said of a certificate. `failure`: why it could not be issued; undefined: it could. */
export function certificateStatus(
  facts: CertificateFacts,
  failure: Failure | undefined,
  nowMs: number,
): CertificateStatus {
  const { certificate, material } = facts;
  const inputs = [
    readyOf(facts, failure, nowMs),
    renewableOf(facts, failure, nowMs),
    ...(material === undefined ? [] : [currentOf(material, nowMs)]),
  ];
  return {
    ...inConditions(certificate, inputs, nowMs),
    ...(material === undefined ? {} : describeMaterial(facts, material, nowMs)),
    ...(facts.acme === undefined ? {} : acmeFields(facts.acme)),
    ...(failure === undefined
      ? {}
      : { lastError: failure.message, nextTry: iso(failure.nextTryMs) }),
  };
}

/** The Certificate that a Site is to have. */
export function siteCertificate(site: Site): CertificateSpec {
  const { hosts: names, tls } = site.spec;
  const { issuer, secret } = tls;
  return { names, issuer, keyType: 'ecdsa-p256', ...(secret !== undefined && { secret }) };
}

/** The Issuer that is always there; to be created when dom first starts. */
export function defaultIssuer(): NewObject {
  const spec = { ca: { lifetime: '90d' } };
  return { kind: 'Issuer', metadata: { name: INTERNAL_ISSUER }, spec };
}

/** Why what is there is not what is wanted; undefined: it is. */
function shortcoming(facts: CertificateFacts): Shortcoming | undefined {
  const { certificate, material, issuer, fallbacks = [] } = facts;
  return shortcomingOf(certificate, material, issuer === undefined ? [] : [issuer, ...fallbacks]);
}

function describeMaterial(
  { certificate, acme }: CertificateFacts,
  material: MaterialRecord,
  nowMs: number,
): CertificateStatus {
  const renewal = acme?.issuance?.renewal;
  const dueMs = renewalMs({ spec: certificate.spec, material, renewal }, nowMs);
  return {
    notBefore: iso(material.notBeforeMs),
    notAfter: iso(material.notAfterMs),
    renewalTime: iso(dueMs),
    fingerprint: material.fingerprint,
    serialNumber: material.serialNumber,
  };
}

function readyOf(
  facts: CertificateFacts,
  failure: Failure | undefined,
  nowMs: number,
): ConditionInput {
  const { certificate, material } = facts;
  const type = 'Ready';
  const isGood = material !== undefined && nowMs < material.notAfterMs;
  if (isGood && isCeased(certificate, material)) {
    const mend = 'remove the annotation b8s.dev/revoke-requested to have another one';
    return { type, status: 'False', reason: 'Revoked', message: `it is revoked for good; ${mend}` };
  }
  const short = shortcoming(facts);
  if (isGood && (short === undefined || short === 'requested')) {
    const message = `good until ${iso(material.notAfterMs)}`;
    return { type, status: 'True', reason: 'Issued', message };
  }
  const kept = isGood
    ? '; the certificate from before goes on being served'
    : facts.isKeyLost === true
      ? '; the key of the one from before was sealed with another seal key: only nodes that hold it go on serving it'
      : '';
  const found = obstacle(facts, failure, nowMs) ?? progress(facts, nowMs);
  const { reason, message } = found ?? { reason: 'Issuing', message: 'it is being issued' };
  return { type, status: 'False', reason, message: `${message}${kept}` };
}

function renewableOf(
  facts: CertificateFacts,
  failure: Failure | undefined,
  nowMs: number,
): ConditionInput {
  const type = 'Renewable';
  const found = obstacle(facts, failure, nowMs);
  if (found !== undefined) return { type, status: 'False', ...found };
  const under = facts.acme?.order === undefined ? undefined : progress(facts, nowMs);
  if (under !== undefined) return { type, status: 'True', ...under };
  const { material } = facts;
  const { renewalTime } = material === undefined ? {} : describeMaterial(facts, material, nowMs);
  const message =
    renewalTime === undefined ? 'nothing to renew yet' : `it is renewed at ${renewalTime}`;
  return { type, status: 'True', reason: 'RenewalPlanned', message };
}

/** Under a tenth of its life: whoever can help should do so now. */
const EXPIRING = 0.1;

function expiringMs({ issuedMs, notAfterMs }: MaterialRecord): number {
  return Math.floor(notAfterMs - (notAfterMs - issuedMs) * EXPIRING);
}

/** Whether what is in use is renewed in time (INV-31); each change of the reason is an event. */
export function currentOf(material: MaterialRecord, nowMs: number): ConditionInput {
  const type = 'Current';
  const until = `until ${iso(material.notAfterMs)}`;
  const mend = 'see the condition Renewable';
  if (nowMs >= material.notAfterMs) {
    const message = `it ended at ${iso(material.notAfterMs)}: ${mend}`;
    return { type, status: 'False', reason: 'CertificateExpired', message };
  }
  if (nowMs >= expiringMs(material)) {
    const message = `it is good ${until} only: ${mend}`;
    return { type, status: 'False', reason: 'CertificateExpiring', message };
  }
  if (nowMs >= lastThirdMs(material)) {
    const message = `less than a third of its life is left, ${until}: ${mend}`;
    return { type, status: 'False', reason: 'RenewalOverdue', message };
  }
  return {
    type,
    status: 'True',
    reason: 'InTime',
    message: 'more than a third of its life is left',
  };
}

/** What stands in the way of issuing, and the mend. */
function obstacle(
  { certificate, issuer, acme }: CertificateFacts,
  failure: Failure | undefined,
  nowMs: number,
): Words | undefined {
  const { issuer: name } = certificate.spec;
  if (issuer === undefined) {
    const mend = `declare it, or use "${INTERNAL_ISSUER}"`;
    const message = `spec.issuer "${name}": there is no such Issuer; ${mend}`;
    return { reason: 'IssuerNotFound', message };
  }
  if (acme !== undefined) {
    const found = acmeProgress(acme, nowMs);
    return found?.kind === 'obstacle' ? wordsOf(found) : undefined;
  }
  if (lifetimeOf(issuer) === undefined) {
    return { reason: 'IssuerNotReady', message: `Issuer "${name}" has no valid spec.ca.lifetime` };
  }
  return failure === undefined ? undefined : { reason: 'IssueFailed', message: failure.message };
}

/** What is under way. */
function progress({ acme }: CertificateFacts, nowMs: number): Words | undefined {
  const found = acme === undefined ? undefined : acmeProgress(acme, nowMs);
  return found?.kind === 'progress' ? wordsOf(found) : undefined;
}

function wordsOf({ reason, message }: Words): Words {
  return { reason, message };
}
