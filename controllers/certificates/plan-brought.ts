import type { Certificate, CertificateStatus } from '../../api/certificate.ts';
import type { CertificateReader, CertificateFacts as Read } from '../../runtime/acme/acme.ts';
import type { ConditionInput } from '../../runtime/control/conditions.ts';
import { describeError } from '../../runtime/control/control-loop.ts';
import { SecretLostError } from '../../runtime/secret/secrets.ts';
import type { MaterialRecord } from '../../runtime/store/records.ts';
import { coversHost } from '../../runtime/tls/certificate-names.ts';
import { AHEAD_MS_MAX } from '../../runtime/tls/renewal.ts';
import { currentOf, turnInMs } from './plan.ts';
import { inConditions, iso, type Words } from './words.ts';

/** Where a Secret has a chain and its key, as `b8sctl create secret tls` makes it. */
export const CHAIN_KEY = 'tls.crt';
export const PRIVATE_KEY = 'tls.key';

/** What the material of a certificate that was brought says instead of an Issuer's uid. */
const NO_ISSUER = '';

/** A chain and a key, PEM. */
export interface Brought {
  readonly chainPem: string;
  readonly keyPem: string;
}

export interface BroughtFacts {
  readonly certificate: Certificate;
  /**
   * What the Secret holds; undefined: there is no such Secret, or it lacks one of the two; an
   * error: nobody can open it.
   */
  readonly brought: Brought | SecretLostError | undefined;
  readonly material: MaterialRecord | undefined;
}

export type BroughtPlan =
  /** It takes the place of what is in use; its key is to be sealed. */
  | { readonly kind: 'use'; readonly material: Omit<MaterialRecord, 'sealedKey'> }
  | { readonly kind: 'keep'; readonly recheckInMs: number }
  /** Not fit to be served: what is in use stays (INV-29). */
  | { readonly kind: 'refuse'; readonly words: Words; readonly recheckInMs: number };

/** Pure, but for the reader, which throws nothing further. Judges what a person brought. */
export function planBrought(
  facts: BroughtFacts,
  reader: CertificateReader,
  nowMs: number,
): BroughtPlan {
  const { certificate, brought, material } = facts;
  const recheckInMs = turnInMs(material, nowMs);
  const refuse = (reason: string, problem: string): BroughtPlan => {
    const message = `Secret "${certificate.spec.secret}": ${problem}`;
    return { kind: 'refuse', words: { reason, message }, recheckInMs };
  };
  if (brought === undefined) {
    const mend = `b8sctl create secret tls ${certificate.spec.secret} --cert FILE --key FILE`;
    return refuse('SecretNotFound', `has no ${CHAIN_KEY} and ${PRIVATE_KEY}; ${mend}`);
  }
  if (brought instanceof SecretLostError)
    return {
      kind: 'refuse',
      words: { reason: 'SecretLost', message: brought.message },
      recheckInMs,
    };
  let read: Read;
  try {
    read = reader.read(brought.chainPem, brought.keyPem);
  } catch (error) {
    return refuse('SecretUnreadable', `${CHAIN_KEY}: ${describeError(error)}`);
  }
  if (read.fingerprint === material?.fingerprint) return { kind: 'keep', recheckInMs };
  const problem = problemOf(certificate, read, nowMs);
  if (problem === undefined) return { kind: 'use', material: materialOf(brought, read, nowMs) };
  const startsInMs = read.notBeforeMs - nowMs;
  const planned = refuse('SecretUnfit', problem);
  return startsInMs > 0 && planned.kind === 'refuse'
    ? { ...planned, recheckInMs: Math.min(recheckInMs, startsInMs) }
    : planned;
}

/** What is said of it. `words`: why what was brought cannot be used. */
export function broughtStatus(
  { certificate, material }: Pick<BroughtFacts, 'certificate' | 'material'>,
  words: Words | undefined,
  nowMs: number,
): CertificateStatus {
  const inputs = [
    readyOf(certificate, material, { words, nowMs }),
    renewableOf(certificate),
    ...(material === undefined ? [] : [currentOf(material, nowMs)]),
  ];
  return {
    ...inConditions(certificate, inputs, nowMs),
    ...(words === undefined ? {} : { lastError: words.message }),
    ...(material === undefined
      ? {}
      : {
          notBefore: iso(material.notBeforeMs),
          notAfter: iso(material.notAfterMs),
          fingerprint: material.fingerprint,
          serialNumber: material.serialNumber,
        }),
  };
}

function problemOf({ spec }: Certificate, read: Read, nowMs: number): string | undefined {
  const [first] = read.problems;
  if (first !== undefined) return first;
  if (read.notAfterMs <= nowMs) return `the certificate ended at ${iso(read.notAfterMs)}`;
  if (read.notBeforeMs > nowMs + AHEAD_MS_MAX)
    return `the certificate is good from ${iso(read.notBeforeMs)} only`;
  const missing = spec.names.filter((name) => !read.names.some((each) => coversHost(each, name)));
  if (missing.length === 0) return undefined;
  return `the certificate is for ${read.names.join(', ') || 'no name'}, not for ${missing.join(', ')}`;
}

function materialOf(
  { chainPem }: Brought,
  read: Read,
  nowMs: number,
): Omit<MaterialRecord, 'sealedKey'> {
  const { names, keyType, notBeforeMs, notAfterMs, fingerprint, serialNumber } = read;
  return {
    ...{ chainPem, names, keyType, notBeforeMs, notAfterMs, fingerprint, serialNumber },
    issuerUid: NO_ISSUER,
    issuedMs: Math.min(nowMs, Math.max(notBeforeMs, 0)),
  };
}

function readyOf(
  { spec }: Certificate,
  material: MaterialRecord | undefined,
  { words, nowMs }: { readonly words: Words | undefined; readonly nowMs: number },
): ConditionInput {
  const type = 'Ready';
  const isGood = material !== undefined && nowMs < material.notAfterMs;
  if (words !== undefined) {
    const kept = isGood ? '; the certificate from before goes on being served' : '';
    return { type, status: 'False', reason: words.reason, message: words.message + kept };
  }
  if (!isGood) {
    const message = `the certificate ended: put another one into Secret "${spec.secret}"`;
    return { type, status: 'False', reason: 'CertificateExpired', message };
  }
  const message = `from Secret "${spec.secret}", good until ${iso(material.notAfterMs)}`;
  return { type, status: 'True', reason: 'Brought', message };
}

function renewableOf({ spec }: Certificate): ConditionInput {
  const message = `by hand: put a new chain and key into Secret "${spec.secret}"`;
  return { type: 'Renewable', status: 'False', reason: 'ByHand', message };
}
