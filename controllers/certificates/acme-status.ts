import type { CertificateStatus } from '../../api/certificate.ts';
import type { Issuer } from '../../api/issuer.ts';
import { type ProofFacts, proofStanding } from '../../runtime/acme/proof-standing.ts';
import { proofsUp } from '../../runtime/acme/proofs.ts';
import type {
  AcmeAccountRecord,
  AcmeOrderRecord,
  IssuanceFailure,
  IssuanceRecord,
} from '../../runtime/acme/records.ts';
import { iso, type Words } from './words.ts';

/** What is known of getting a certificate from an ACME CA. */
export interface AcmeFacts {
  readonly issuer: Issuer;
  /** Of the declared Issuer; undefined: none yet. */
  readonly account: AcmeAccountRecord | undefined;
  readonly order: AcmeOrderRecord | undefined;
  readonly issuance: IssuanceRecord | undefined;
  readonly proofs: ProofFacts;
}

/**
 * Pure: where getting it stands. `obstacle`: it does not go on by itself, or not soon; undefined
 * where nothing is under way and nothing stands in the way.
 */
export function acmeProgress(
  facts: AcmeFacts,
  nowMs: number,
): (Words & { readonly kind: 'obstacle' | 'progress' }) | undefined {
  const { issuer, account, order, issuance } = facts;
  const { name } = issuer.metadata;
  if (issuer.spec.acme?.termsOfServiceAgreed === false)
    return { kind: 'obstacle', reason: 'TermsNotAgreed', message: termsMessage(issuer) };
  if (order !== undefined) return orderProgress(facts, order, nowMs);
  if (issuance?.failure !== undefined)
    return { kind: 'obstacle', ...failureWords(issuance.failure) };
  if (account?.failure !== undefined) {
    const message = `Issuer "${name}": ${account.failure.message}; next try at ${iso(account.failure.nextTryMs)}`;
    return { kind: 'obstacle', reason: 'AccountFailed', message };
  }
  if (account?.url === undefined)
    return {
      kind: 'progress',
      reason: 'Registering',
      message: `Issuer "${name}" is about to get its account`,
    };
  return undefined;
}

export function termsMessage({ metadata }: Issuer): string {
  return `Issuer "${metadata.name}": read the terms of the CA, then set spec.acme.termsOfServiceAgreed to true`;
}

/** What a status tells of it beside its conditions. */
export function acmeFields({
  order,
  issuance,
}: AcmeFacts): Pick<CertificateStatus, 'lastError' | 'nextTry' | 'order' | 'tries'> {
  const { trouble, notBeforeMs = 0 } = order ?? {};
  const rests = trouble === undefined ? undefined : { ...trouble, nextTryMs: notBeforeMs };
  const failure = rests ?? issuance?.failure;
  const tries = (issuance?.tries ?? []).map(
    ({ startedMs, endedMs, issuer, outcome, detail, orderUrl }) => ({
      time: iso(endedMs),
      started: iso(startedMs),
      issuer,
      outcome,
      detail,
      ...(orderUrl === undefined ? {} : { order: orderUrl }),
    }),
  );
  return {
    ...(failure === undefined
      ? {}
      : { lastError: failure.message, nextTry: iso(failure.nextTryMs) }),
    ...(order?.url === undefined ? {} : { order: order.url }),
    ...(tries.length > 0 && { tries }),
  };
}

function orderProgress(
  facts: AcmeFacts,
  order: AcmeOrderRecord,
  nowMs: number,
): Words & { readonly kind: 'obstacle' | 'progress' } {
  const kind = 'progress';
  if (facts.account?.failure !== undefined) {
    const { message, nextTryMs } = facts.account.failure;
    const words = `the order waits for the CA: ${message}; next try at ${iso(nextTryMs)}`;
    return { kind: 'obstacle', reason: 'AccountFailed', message: words };
  }
  const { trouble, notBeforeMs = 0 } = order;
  if (trouble !== undefined) {
    const words = `the order waits: ${trouble.message}; next try at ${iso(notBeforeMs)}`;
    const reason = FAILURE_REASONS[trouble.reason] ?? 'Issuing';
    return { kind: reason === 'Issuing' ? kind : 'obstacle', reason, message: words };
  }
  switch (order.phase) {
    case 'placing':
      return { kind, reason: 'Issuing', message: 'the order is being placed' };
    case 'validating':
      return { kind, ...provingWords(facts, order, nowMs) };
    case 'finalizing':
      return { kind, reason: 'Issuing', message: 'all names are proven; the CA is issuing it' };
    case 'downloading':
      return { kind, reason: 'Issuing', message: 'it is issued, and being fetched' };
  }
}

/** What the first name that is not proven is waiting for. */
function provingWords({ proofs }: AcmeFacts, order: AcmeOrderRecord, nowMs: number): Words {
  const { authorizations } = order;
  const proven = authorizations.filter(({ state }) => state === 'valid').length;
  const count = `${proven}/${authorizations.length} names are proven`;
  for (const up of proofsUp(order)) {
    const standing = proofStanding(up, proofs, nowMs);
    const isAsked = authorizations.some(({ name, state }) => name === up.name && state === 'asked');
    if (!isAsked && standing.kind === 'waiting')
      return { reason: 'WaitingForProof', message: `${count}; waiting for ${standing.what}` };
  }
  const { outside = [] } = order;
  if (outside.length > 0) {
    const who = `secondaries to have the proof (not yet: ${outside.join(', ')})`;
    return { reason: 'WaitingForProof', message: `${count}; waiting for ${who}` };
  }
  const isAsked = authorizations.some(({ state }) => state === 'asked');
  const message = isAsked ? 'the CA is looking for the proof' : 'the CA says what it wants to see';
  return { reason: 'WaitingForProof', message: `${count}; ${message}` };
}

function failureWords({ reason, message, nextTryMs }: IssuanceFailure): Words {
  return {
    reason: FAILURE_REASONS[reason] ?? 'OrderFailed',
    message: `${message}; next try at ${iso(nextTryMs)}`,
  };
}

const FAILURE_REASONS: Readonly<Record<string, string>> = {
  rateLimited: 'RateLimited',
  selfCheck: 'SelfCheckFailed',
};
