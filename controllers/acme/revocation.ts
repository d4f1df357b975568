import type { Certificate } from '../../api/certificate.ts';
import { type AcmeAccount, AcmeProblem } from '../../runtime/acme/acme.ts';
import type { RevocationRecord } from '../../runtime/acme/records.ts';
import { backoffMs } from '../../runtime/control/backoff.ts';
import { afterWrite, type Outcome } from '../../runtime/control/controller.ts';
import { hasRole, type NodeView } from '../../runtime/session/node-view.ts';
import type { MaterialRecord, Stored } from '../../runtime/store/records.ts';
import type { Operation } from '../../runtime/store/writer.ts';
import { canOpen } from '../../runtime/tls/authority.ts';
import { requestsOf } from '../../runtime/tls/renewal.ts';
import { troubleAsking } from './closed.ts';
import { leftMs } from './plan.ts';
import { type AcmeIssuer, AUTHOR, SOURCE, type WorkPorts } from './ports.ts';
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
    sealedKey: material.sealedKey,
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
  readonly ports: WorkPorts;
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
  try {
    await askFor(scene, account);
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
  const { sealedKey: __, ...revoked } = kept;
  const done = await ports.writer.commit([write(scene, { ...revoked, revokedMs: nowMs })], AUTHOR);
  if (done.outcome === 'written') tell(scene);
  return afterWrite(done, KEPT_MS);
}

/**
 * In the name of the account; where the CA says that the certificate is not of it, because the
 * Issuer was made anew or the CA forgot the account, with the certificate's own key: whoever has
 * that may, too (RFC 8555 §7.6).
 */
async function askFor(scene: RevocationScene, account: AcmeAccount): Promise<void> {
  const { ports, signal } = scene;
  const { chainPem, reason } = scene.stored.value;
  try {
    await ports.acme.revoke(account, { chainPem, reason }, signal);
  } catch (error) {
    const isOfAnother = error instanceof AcmeProblem && error.document.type === 'unauthorized';
    const keyPem = isOfAnother ? ownKey(scene) : undefined;
    if (keyPem === undefined) throw error;
    await ports.acme.revoke(account, { chainPem, reason, keyPem }, signal);
  }
}

function ownKey({ ports, stored }: RevocationScene): string | undefined {
  const { certificate, sealedKey: sealed } = stored.value;
  const context = certificate.uid;
  if (sealed === undefined || !canOpen(ports.sealer, { sealed, context })) return undefined;
  return ports.sealer.open(sealed, context);
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
