import type { Certificate } from '../../api/certificate.ts';
import type { AcmeAccount } from '../../runtime/acme/acme.ts';
import type { AcmeOrderRecord, IssuanceRecord } from '../../runtime/acme/records.ts';
import { afterWrite, type Outcome } from '../../runtime/control/controller.ts';
import type { MaterialRecord, Stored } from '../../runtime/store/records.ts';
import { requestsOf } from '../../runtime/tls/renewal.ts';
import { countWrite, kindOf, limitOf, replacedBy } from './counts.ts';
import { failedIssuance, issuanceWrite } from './end.ts';
import { placeOrder } from './place.ts';
import { type AcmeIssuer, AUTHOR, SOURCE, type WorkPorts } from './ports.ts';
import type { OrderScene } from './scene.ts';
import { selfCheck } from './self-check.ts';
import { stepped } from './step.ts';

export interface StartScene {
  readonly ports: WorkPorts;
  readonly certificate: Certificate;
  readonly issuer: AcmeIssuer;
  readonly account: AcmeAccount;
  readonly issuance: Stored<IssuanceRecord> | undefined;
  readonly material: Stored<MaterialRecord> | undefined;
  readonly nowMs: number;
  readonly signal: AbortSignal;
}

/**
 * Begins an order: what can be seen to fail is not asked for. The order, with the key that the
 * certificate will have, and its count are stored before the CA hears of it (INV-30).
 */
export async function startOrder(scene: StartScene): Promise<Outcome> {
  const { ports, certificate, issuer, account, nowMs } = scene;
  const replaces = replacedBy(scene);
  const checked = await selfCheck(scene);
  if (checked.kind === 'wrong') return await heldBack(scene, checked.message);
  const { spec, metadata } = certificate;
  const keyPem = await ports.acme.makeKey(spec.keyType);
  const { renew } = requestsOf(certificate);
  const { profile, directory } = issuer.spec.acme;
  const value: AcmeOrderRecord = {
    certificate: { namespace: metadata.namespace ?? '', name: metadata.name },
    issuerUid: issuer.metadata.uid,
    accountUrl: account.url,
    names: spec.names,
    keyType: spec.keyType,
    generation: metadata.generation,
    sealedKey: ports.sealer.seal(keyPem, metadata.uid),
    startedMs: nowMs,
    progressMs: nowMs,
    placings: 1,
    counted: { directory, startedMs: nowMs, kind: kindOf({ ...scene, replaces }) },
    phase: 'placing',
    authorizations: [],
    ...(Object.keys(checked.ways).length > 0 && { ways: checked.ways }),
    ...(profile === undefined ? {} : { profile }),
    ...(renew === undefined ? {} : { renewRequest: renew }),
    ...(replaces === undefined ? {} : { replaces }),
  };
  // Others may have begun meanwhile.
  if (limitOf(ports, { ...scene, replaces }) !== undefined) return 'conflict';
  const stored = await ports.writer.commit(
    [
      { kind: 'expect', base: certificate },
      { kind: 'record', record: 'acmeOrder', id: metadata.uid, value, modRevision: 0n },
      ...countWrite(metadata.uid, value),
    ],
    AUTHOR,
  );
  if (stored.outcome !== 'written') return afterWrite(stored);
  const order: OrderScene['order'] = { value, modRevision: stored.revision };
  return await stepped({ ...scene, order }, placeOrder);
}

/** No order is burnt, and nothing is counted; it is looked at again as after a failure. */
async function heldBack(scene: StartScene, message: string): Promise<Outcome> {
  const { ports, certificate, nowMs } = scene;
  const trouble = { kind: 'order', reason: 'selfCheck', message, retryAfterMs: undefined } as const;
  const value = failedIssuance(scene, trouble);
  const { failure } = value;
  const nextTryMs = Math.min(failure?.nextTryMs ?? nowMs, nowMs + SELF_CHECK_MS_MAX);
  const written = await ports.writer.commit(
    [
      issuanceWrite(scene, {
        ...value,
        failure: { reason: trouble.reason, message, sinceMs: nowMs, nextTryMs },
      }),
    ],
    AUTHOR,
  );
  if (written.outcome === 'written') {
    const note = { type: 'Warning', reason: 'SelfCheckFailed', message } as const;
    ports.events.record({ regarding: certificate, source: SOURCE, ...note });
  }
  return afterWrite(written, nextTryMs - nowMs);
}

/** Nobody but us is asked, so that a mend may be seen soon. */
const SELF_CHECK_MS_MAX = 15 * 60_000;
