import type { Certificate, CertificateSpec, CertificateStatus } from '../../api/certificate.ts';
import { formatDuration, parseDurationMs } from '../../api/duration.ts';
import { INTERNAL_ISSUER, type Issuer, type IssuerStatus } from '../../api/issuer.ts';
import type { Site } from '../../api/site.ts';
import { type ConditionInput, replaceConditions } from '../../runtime/conditions.ts';
import type { MaterialRecord } from '../../runtime/records.ts';
import type { NewObject } from '../../runtime/writer.ts';

/**
 * The part of its life after which a certificate is renewed. A little less than two thirds, so that
 * the renewal is done before the last third begins (INV-31).
 */
export const RENEW_AFTER = 0.65;
/** The shortest time between two renewals: as the CA nears its own end, lives become short. */
export const RENEW_INTERVAL_MIN_MS = 5_000;
/** How long a failed try is left alone. */
export const ISSUE_RETRY_MS = 60_000;

/** Certificates are valid from so long before they are issued, for clocks that differ. */
const AHEAD_MS_MAX = 5 * 60 * 1000;

export interface CertificateFacts {
  readonly certificate: Certificate;
  readonly issuer: Issuer | undefined;
  readonly material: MaterialRecord | undefined;
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

/** Decides whether a certificate is to be issued now. */
export function planCertificate(facts: CertificateFacts, nowMs: number): CertificatePlan {
  const { certificate, issuer, material } = facts;
  const lifetimeMs = lifetimeOf(issuer);
  if (lifetimeMs === undefined) {
    const endsInMs = (material?.notAfterMs ?? 0) - nowMs;
    return { kind: 'keep', recheckInMs: endsInMs > 0 ? endsInMs : Infinity };
  }
  if (material !== undefined && isAsDeclared(facts)) {
    const renewInMs = renewalMs(material) - nowMs;
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

/** What is said of a certificate. `failure`: why it could not be issued; undefined: it could. */
export function certificateStatus(
  facts: CertificateFacts,
  failure: Failure | undefined,
  nowMs: number,
): CertificateStatus {
  const { certificate, material } = facts;
  const observedGeneration = certificate.metadata.generation;
  const inputs = [readyOf(facts, failure, nowMs), renewableOf(facts, failure)];
  const conditions = replaceConditions(
    certificate.status?.conditions ?? [],
    inputs.map((input) => ({ ...input, observedGeneration })),
    nowMs,
  );
  return {
    observedGeneration,
    conditions,
    ...(material === undefined ? {} : describeMaterial(material)),
    ...(failure === undefined
      ? {}
      : { lastError: failure.message, nextTry: iso(failure.nextTryMs) }),
  };
}

/** The Certificate that a Site is to have. */
export function siteCertificate(site: Site): CertificateSpec {
  return { names: site.spec.hosts, issuer: site.spec.tls.issuer, keyType: 'ecdsa-p256' };
}

/** The Issuer that is always there; to be created when dom first starts. */
export function defaultIssuer(): NewObject {
  const spec = { ca: { lifetime: '90d' } };
  return { kind: 'Issuer', metadata: { name: INTERNAL_ISSUER }, spec };
}

export function planIssuer(issuer: Issuer, nowMs: number): IssuerStatus {
  const lifetimeMs = lifetimeOf(issuer);
  const input: ConditionInput =
    lifetimeMs === undefined
      ? {
          type: 'Ready',
          status: 'False',
          reason: 'InvalidLifetime',
          message: `spec.ca.lifetime "${issuer.spec.ca?.lifetime}": write a duration, e.g. 90d`,
        }
      : {
          type: 'Ready',
          status: 'True',
          reason: 'AuthorityReady',
          message: `the built-in CA signs certificates for ${formatDuration(lifetimeMs)}`,
        };
  const observedGeneration = issuer.metadata.generation;
  const conditions = replaceConditions(
    issuer.status?.conditions ?? [],
    [{ ...input, observedGeneration }],
    nowMs,
  );
  return { observedGeneration, conditions };
}

/** Whether what is there is what is declared now. Without its Issuer only the names can tell. */
function isAsDeclared({ certificate, issuer, material }: CertificateFacts): boolean {
  if (material === undefined) return false;
  const { spec } = certificate;
  const names = new Set(material.names);
  if (names.size !== new Set(spec.names).size || !spec.names.every((name) => names.has(name)))
    return false;
  if (material.keyType !== spec.keyType) return false;
  return issuer === undefined || material.issuerUid === issuer.metadata.uid;
}

/** Undefined when the Issuer is not there, or cannot issue. */
function lifetimeOf(issuer: Issuer | undefined): number | undefined {
  const lifetimeMs = parseDurationMs(issuer?.spec.ca?.lifetime ?? '');
  return lifetimeMs === undefined || lifetimeMs <= 0 ? undefined : lifetimeMs;
}

function renewalMs({ issuedMs, notAfterMs }: MaterialRecord): number {
  const lifeMs = Math.max(RENEW_INTERVAL_MIN_MS, (notAfterMs - issuedMs) * RENEW_AFTER);
  return issuedMs + Math.floor(lifeMs);
}

function describeMaterial(material: MaterialRecord): CertificateStatus {
  return {
    notBefore: iso(material.notBeforeMs),
    notAfter: iso(material.notAfterMs),
    renewalTime: iso(renewalMs(material)),
    fingerprint: material.fingerprint,
    serialNumber: material.serialNumber,
  };
}

function readyOf(
  facts: CertificateFacts,
  failure: Failure | undefined,
  nowMs: number,
): ConditionInput {
  const { material } = facts;
  const type = 'Ready';
  const isGood = material !== undefined && nowMs < material.notAfterMs;
  if (isGood && isAsDeclared(facts)) {
    const message = `good until ${iso(material.notAfterMs)}`;
    return { type, status: 'True', reason: 'Issued', message };
  }
  const kept = isGood ? '; the certificate from before goes on being served' : '';
  const { reason, message } = obstacle(facts, failure) ?? {
    reason: 'Issuing',
    message: 'it is being issued',
  };
  return { type, status: 'False', reason, message: `${message}${kept}` };
}

function renewableOf(facts: CertificateFacts, failure: Failure | undefined): ConditionInput {
  const type = 'Renewable';
  const found = obstacle(facts, failure);
  if (found !== undefined) return { type, status: 'False', ...found };
  const { material } = facts;
  const message =
    material === undefined
      ? 'nothing to renew yet'
      : `it is renewed at ${iso(renewalMs(material))}`;
  return { type, status: 'True', reason: 'RenewalPlanned', message };
}

/** What stands in the way of issuing, and the mend. */
function obstacle(
  { certificate, issuer }: CertificateFacts,
  failure: Failure | undefined,
): { readonly reason: string; readonly message: string } | undefined {
  const { issuer: name } = certificate.spec;
  if (issuer === undefined) {
    const mend = `declare it, or use "${INTERNAL_ISSUER}"`;
    const message = `spec.issuer "${name}": there is no such Issuer; ${mend}`;
    return { reason: 'IssuerNotFound', message };
  }
  if (lifetimeOf(issuer) === undefined) {
    return { reason: 'IssuerNotReady', message: `Issuer "${name}" has no valid spec.ca.lifetime` };
  }
  return failure === undefined ? undefined : { reason: 'IssueFailed', message: failure.message };
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
