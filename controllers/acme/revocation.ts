import type { Certificate } from '../../api/certificate.ts';
import type { AcmeAccount } from '../../runtime/acme/acme.ts';
import type { RevocationRecord } from '../../runtime/acme/records.ts';
import { backoffMs } from '../../runtime/backoff.ts';
import { afterWrite, type Outcome } from '../../runtime/controller.ts';
import { hasRole, type NodeView } from '../../runtime/node-view.ts';
import type { MaterialRecord, Stored } from '../../runtime/records.ts';
import { requestsOf } from '../../runtime/renewal.ts';
import type { Operation } from '../../runtime/writer.ts';
import { troubleAsking } from './closed.ts';
import { leftMs } from './plan.ts';
import { type AcmeIssuer, type AcmePorts, AUTHOR, SOURCE } from './ports.ts';
import { noteAccount, waitFor } from './scene.ts';

/** How long it is remembered that something was revoked. */
const KEPT_MS = 7 * 86_400_000;
const RETRY = { baseMs: 60_000, capMs: 6 * 60 * 60_000 };

export interface RevocationFacts {
  readonly record: RevocationRecord;
  readonly fingerprint: string;
  /** Of the Certificate now; undefined: it is gone, or has none. */
  readonly material: MaterialRecord | undefined;
  readonly nodes: readonly NodeView[];
}

export type RevocationPlan =
  | { readonly kind: 'wait'; readonly recheckInMs: number }
  | { readonly kind: 'revoke' }
  /** Long done: it is forgotten. */
  | { readonly kind: 'forget' };

/** What calls for a revocation, to be stored: it outlives the certificate's replacement. */
export function newRevocation(
  certificate: Certificate,
  material: MaterialRecord | undefined,
  nowMs: number,
): RevocationRecord | undefined {
  const { revoke } = requestsOf(certificate);
  if (material?.directory === undefined || revoke?.fingerprint !== material.fingerprint)
    return undefined;
  const { namespace = '', name, uid } = certificate.metadata;
  return {
    certificate: { namespace, name, uid },
    issuerUid: material.issuerUid,
    chainPem: material.chainPem,
    reason: revoke.reason,
    requestedMs: nowMs,
  };
}

/**
 * Pure: a key that others have is revoked at once; else clients are not to be shown anything that
 * was revoked, so every connected edge has the replacement first.
 */
export function planRevocation(facts: RevocationFacts, nowMs: number): RevocationPlan {
  const { record, fingerprint, material, nodes } = facts;
  const isInUse = material?.fingerprint === fingerprint;
  if (record.revokedMs !== undefined) {
    const keptMs = record.revokedMs + KEPT_MS - nowMs;
    if (isInUse) return { kind: 'wait', recheckInMs: Infinity };
    return keptMs <= 0 ? { kind: 'forget' } : { kind: 'wait', recheckInMs: keptMs };
  }
  const heldMs = leftMs(record.failure, nowMs);
  if (heldMs > 0) return { kind: 'wait', recheckInMs: heldMs };
  if (AT_ONCE.has(record.reason)) return { kind: 'revoke' };
  const isServed = nodes.some((node) => serves(node, fingerprint));
  return isInUse || isServed ? { kind: 'wait', recheckInMs: Infinity } : { kind: 'revoke' };
}

const AT_ONCE: ReadonlySet<string> = new Set(['keyCompromise', 'cessationOfOperation']);

/** One that has said nothing yet may serve anything. */
function serves(node: NodeView, fingerprint: string): boolean {
  if (!hasRole(node, 'edge') || !node.connected) return false;
  return node.report?.sites.some(({ certificate }) => certificate === fingerprint) ?? true;
}

export interface RevocationScene {
  readonly ports: AcmePorts;
  readonly facts: RevocationFacts;
  readonly stored: Stored<RevocationRecord>;
  /** Undefined: they are gone, or cannot be used. */
  readonly issuer: AcmeIssuer | undefined;
  readonly account: AcmeAccount | undefined;
  readonly nowMs: number;
  readonly signal: AbortSignal;
}

/** One that is revoked already counts as done: a lost answer does no harm. */
export async function reconcileRevocation(scene: RevocationScene): Promise<Outcome> {
  const { ports, facts, stored, issuer, account, nowMs, signal } = scene;
  const plan = planRevocation(facts, nowMs);
  if (plan.kind === 'wait') {
    const { recheckInMs } = plan;
    return recheckInMs === Infinity ? 'settled' : { recheckInMs };
  }
  // Without its Issuer there is nobody to tell; and what has ended CAs revoke no more.
  if (plan.kind === 'forget' || issuer === undefined || hasEnded(scene))
    return afterWrite(await ports.writer.commit([write(scene, undefined)], AUTHOR));
  if (account === undefined) return 'settled';
  const { failure: _, failures = 0, ...kept } = stored.value;
  const { chainPem, reason } = kept;
  try {
    await ports.acme.revoke(account, { chainPem, reason }, signal);
  } catch (error) {
    const trouble = await troubleAsking({ ports, account, signal }, error);
    if (trouble === undefined) throw error;
    // Registered anew: a change that calls for this name again.
    if (trouble.kind === 'forgotten' || trouble.kind === 'closed')
      await noteAccount(ports, issuer, trouble);
    const waitMs = waitFor(trouble, backoffMs(failures + 1, RETRY, ports.random));
    const { message } = trouble;
    const failure = { reason: trouble.reason, message, sinceMs: nowMs, nextTryMs: nowMs + waitMs };
    const value = { ...kept, failures: failures + 1, failure };
    return afterWrite(await ports.writer.commit([write(scene, value)], AUTHOR), waitMs);
  }
  const done = await ports.writer.commit([write(scene, { ...kept, revokedMs: nowMs })], AUTHOR);
  if (done.outcome === 'written') tell(scene);
  return afterWrite(done, KEPT_MS);
}

function hasEnded({ ports, stored, nowMs }: RevocationScene): boolean {
  try {
    return ports.certificateReader.read(stored.value.chainPem).notAfterMs <= nowMs;
  } catch {
    return false;
  }
}

function tell({ ports, facts, issuer }: RevocationScene): void {
  const { certificate, reason } = facts.record;
  const regarding = ports.world.get('Certificate', certificate);
  if (regarding?.metadata.uid !== certificate.uid) return;
  const message = `${issuer?.metadata.name} revoked ${facts.fingerprint.slice(0, 16)}… (${reason})`;
  const note = { type: 'Normal', reason: 'CertificateRevoked', message } as const;
  ports.events.record({ regarding, source: SOURCE, ...note });
}

function write({ facts, stored }: RevocationScene, value: RevocationRecord | undefined): Operation {
  const { modRevision } = stored;
  return { kind: 'record', record: 'revocation', id: facts.fingerprint, value, modRevision };
}
