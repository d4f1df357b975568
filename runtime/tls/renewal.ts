import type { Certificate, CertificateSpec } from '../../api/certificate.ts';
import { parseDurationMs } from '../../api/duration.ts';
import type { Issuer } from '../../api/issuer.ts';
import { RENEW_REQUESTED, REVOKE_REQUESTED } from '../../api/requests.ts';
import { REVOCATION_REASONS, type RevocationReason } from '../acme/acme.ts';
import type { RenewalRecord } from '../acme/records.ts';
import type { MaterialRecord } from '../store/records.ts';
import { lastOpening, nextOpening } from './renewal-hours.ts';

/**
 * The part of its life after which a certificate is renewed at the latest. A little less than two
 * thirds, so that the renewal is done before the last third begins (INV-31).
 */
export const RENEW_AFTER = 0.65;
/** For lives of minutes: what an order may take, before that third begins. */
const ORDER_MS = 30_000;
const ORDER_SHARE_MAX = 0.15;
/** The shortest time between two renewals: as a CA nears its own end, lives become short. */
export const RENEW_INTERVAL_MIN_MS = 5_000;
/** Certificates that were ordered together are not renewed together: the spread, as part of life. */
const JITTER = 0.05;
/**
 * The part of its life that a certificate is left alone, by dom's own clock: whatever a CA says of
 * renewal, and however far the clocks differ, the CA is not asked in a loop.
 */
const REST = 0.1;
/** Certificates are valid from so long before they are issued, for clocks that differ. */
export const AHEAD_MS_MAX = 5 * 60 * 1000;

export interface RenewalFacts {
  readonly spec: CertificateSpec;
  readonly material: MaterialRecord;
  /** What the CA says of it; undefined: nothing. */
  readonly renewal: RenewalRecord | undefined;
}

/** When a certificate is to be renewed, seen from now: only the hours depend on that. */
export function renewalMs({ spec, material, renewal }: RenewalFacts, nowMs: number): number {
  const { issuedMs, notBeforeMs, notAfterMs, fingerprint, directory } = material;
  const isPublic = directory !== undefined;
  // A clock that was ahead, and was set right: what the certificate says is all there is to go by.
  const isOfFuture = issuedMs - nowMs > AHEAD_MS_MAX;
  // CAs date certificates back, some by more than they live from then on.
  const sinceMs = isOfFuture ? notBeforeMs : usableFromMs(material);
  const lifeMs = notAfterMs - sinceMs;
  const latestMs = sinceMs + latestShareMs(lifeMs);
  const window = renewal?.fingerprint === fingerprint ? renewal.window : undefined;
  const jitterMs = isPublic ? shareOf(fingerprint) * JITTER * lifeMs : 0;
  const suggestedMs = window?.renewMs ?? latestMs - jitterMs;
  const before = parseDurationMs(spec.renewal?.before ?? '');
  // However long it says, a third of its life a certificate has.
  const beforeMs =
    before === undefined ? Infinity : Math.max(notAfterMs - before, sinceMs + lifeMs / 3);
  const dueMs = Math.min(latestMs, suggestedMs, beforeMs);
  const atMs = inHours({ spec, material, nowMs, dueMs, earliestMs: sinceMs + lifeMs / 3 });
  const restMs = isPublic && !isOfFuture ? REST * lifeMs : RENEW_INTERVAL_MIN_MS;
  return Math.floor(Math.max(atMs, sinceMs + restMs));
}

/** When only a third of its life is left: it should have been renewed (INV-31). */
export function lastThirdMs(material: MaterialRecord): number {
  const { notAfterMs } = material;
  return Math.floor(notAfterMs - (notAfterMs - usableFromMs(material)) / 3);
}

/** Since when anybody could have used it. */
export function usableFromMs({ issuedMs, notBeforeMs }: MaterialRecord): number {
  return Math.max(issuedMs, notBeforeMs);
}

/** What people ask of a Certificate by its annotations. */
export function requestsOf({ metadata: { annotations = {} } }: Certificate): {
  /** Whatever it says: another text is another request. */
  readonly renew: string | undefined;
  readonly revoke: { readonly fingerprint: string; readonly reason: RevocationReason } | undefined;
} {
  const [fingerprint = '', reason = ''] = (annotations[REVOKE_REQUESTED] ?? '').split(' ');
  const isKnown = Object.hasOwn(REVOCATION_REASONS, reason);
  return {
    renew: annotations[RENEW_REQUESTED],
    revoke:
      fingerprint !== '' && isKnown
        ? { fingerprint, reason: reason as RevocationReason }
        : undefined,
  };
}

/** Why a certificate calls for another one whatever its age; undefined: it does not. */
export type Shortcoming = 'missing' | 'changed' | 'requested' | 'revoked';

/**
 * `issuers`: those that it may come from; empty: none is there, so that only its names can tell. A
 * request is known again by its text, not by its time: clocks differ.
 */
export function shortcomingOf(
  certificate: Certificate,
  material: MaterialRecord | undefined,
  issuers: readonly Issuer[],
): Shortcoming | undefined {
  if (material === undefined) return 'missing';
  if (!isAsDeclared(certificate.spec, material, issuers)) return 'changed';
  const { renew, revoke } = requestsOf(certificate);
  if (revoke?.fingerprint === material.fingerprint) return 'revoked';
  return renew === undefined || renew === material.renewRequest ? undefined : 'requested';
}

/** What is revoked because it is of no use any more is not replaced (RFC 5280 §5.3.1). */
export function isCeased(certificate: Certificate, material: MaterialRecord | undefined): boolean {
  const { revoke } = requestsOf(certificate);
  return revoke?.reason === 'cessationOfOperation' && revoke.fingerprint === material?.fingerprint;
}

/** Whether what is there is what is declared now. */
export function isAsDeclared(
  spec: CertificateSpec,
  material: MaterialRecord,
  issuers: readonly Issuer[],
): boolean {
  if (!areSameNames(material.names, spec.names)) return false;
  if (material.keyType !== spec.keyType) return false;
  if (issuers.length === 0) return true;
  const issuer = issuers.find(({ metadata }) => metadata.uid === material.issuerUid);
  if (issuer !== undefined) return issuer.spec.acme?.directory === material.directory;
  return material.directory !== undefined && issuers.some((each) => isOfSameCa(each, material));
}

/**
 * An Issuer that was made anew, or another one of the same CA: what that would give out is what is
 * there, and a thousand certificates are not ordered again for that.
 */
function isOfSameCa({ spec: { acme } }: Issuer, { directory, profile }: MaterialRecord): boolean {
  return acme?.directory === directory && acme?.profile === profile;
}

export function areSameNames(some: readonly string[], others: readonly string[]): boolean {
  const names = new Set(some);
  return names.size === new Set(others).size && others.every((name) => names.has(name));
}

function latestShareMs(lifeMs: number): number {
  const orderMs = Math.min(ORDER_MS, ORDER_SHARE_MAX * lifeMs);
  const shareMs = Math.min(RENEW_AFTER * lifeMs, (2 * lifeMs) / 3 - orderMs);
  return Math.max(RENEW_INTERVAL_MIN_MS, Math.floor(shareMs));
}

/** From 0 to 1, the same for the same certificate. */
function shareOf(fingerprint: string): number {
  const value = Number.parseInt(fingerprint.slice(0, 8), 16);
  return Number.isNaN(value) ? 0 : value / 2 ** 32;
}

/** In the last opening hours before it is due; once they are missed in the next ones, if those do. */
function inHours(when: {
  readonly spec: CertificateSpec;
  readonly material: MaterialRecord;
  readonly nowMs: number;
  readonly dueMs: number;
  readonly earliestMs: number;
}): number {
  const { spec, material, nowMs, dueMs, earliestMs } = when;
  const hours = spec.renewal?.window;
  if (hours === undefined) return dueMs;
  const last = lastOpening(hours, { fromMs: earliestMs, untilMs: dueMs });
  if (last === undefined) return dueMs;
  // Spread over their first half, so that there is time for another try.
  const plannedMs =
    last.opensMs + (shareOf(material.fingerprint) * (last.closesMs - last.opensMs)) / 2;
  if (nowMs <= plannedMs) return plannedMs;
  const nextMs = nextOpening(hours, nowMs);
  return nextMs === undefined ? dueMs : Math.min(dueMs, nextMs);
}
