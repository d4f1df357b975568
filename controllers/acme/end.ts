import type {
  AcmeOrderRecord,
  IssuanceFailure,
  IssuanceRecord,
  IssuanceTry,
} from '../../runtime/acme/records.ts';
import { backoffMs } from '../../runtime/control/backoff.ts';
import { afterWrite, type Outcome } from '../../runtime/control/controller.ts';
import type { MaterialRecord } from '../../runtime/store/records.ts';
import type { Operation } from '../../runtime/store/writer.ts';
import { requestsOf } from '../../runtime/tls/renewal.ts';
import { countEnd } from './counts.ts';
import { AUTHOR, SOURCE } from './ports.ts';
import { type OrderScene, orderWrite, waitFor } from './scene.ts';
import type { Trouble } from './trouble.ts';

const TRIES_MAX = 20;
const STORINGS_MAX = 3;
/** Until the mirror shows what somebody else has written. */
const MIRROR_LOOK_MS = 50;
const MIRROR_LOOKS_MAX = 40;
const BACKOFF_BASE_MS = 60_000;
const BACKOFF_CAP_MS = 86_400_000;
/** A certificate that lives for minutes cannot wait for an hour: a part of its life is the most. */
const BACKOFF_PARTS = 30;
const BACKOFF_CAP_MS_MIN = 10_000;

/**
 * The certificate is there: in one write it takes its place, the order goes, and the proofs with it
 * (INV-29, INV-32).
 */
export async function succeed(scene: OrderScene, material: MaterialRecord): Promise<Outcome> {
  const { ports, certificate, issuance } = scene;
  const { uid: id } = certificate.metadata;
  const tries = triesWith(scene, { outcome: 'issued', detail: material.fingerprint });
  const { failure: _, renewal: __, ...kept } = issuance?.value ?? NOTHING_YET;
  const value: IssuanceRecord = {
    ...kept,
    tries,
    failures: 0,
    generation: scene.order.value.generation,
  };
  const modRevision = scene.material?.modRevision ?? 0n;
  const outcome = await ports.writer.commit(
    [
      { kind: 'record', record: 'material', id, value: material, modRevision },
      ...orderEnd(scene),
      issuanceWrite(scene, value),
    ],
    AUTHOR,
  );
  if (outcome.outcome === 'written') {
    const until = new Date(material.notAfterMs).toISOString();
    const message = `${scene.issuer.metadata.name} issued a certificate, good until ${until}`;
    const note = { type: 'Normal', reason: 'CertificateIssued', message } as const;
    ports.events.record({ regarding: certificate, source: SOURCE, ...note });
  }
  return afterWrite(outcome);
}

/**
 * The CA refused, or it cannot succeed: in one write the order goes, and when to try again stays. What
 * else is noted of the Certificate may change meanwhile; what the CA said is not asked for again.
 */
export async function fail(
  scene: OrderScene,
  trouble: Trouble,
  unproven: readonly string[] = [],
): Promise<Outcome> {
  let latest: OrderScene | undefined = scene;
  for (let left = STORINGS_MAX; latest !== undefined && left > 0; left -= 1) {
    const outcome = await storeFailure(latest, trouble, unproven);
    if (outcome !== 'conflict') return outcome;
    latest = await changed(latest);
  }
  return 'conflict';
}

/** The same order with what is noted by now; undefined: it is not that which has changed. */
async function changed(scene: OrderScene): Promise<OrderScene | undefined> {
  const { ports, certificate, order, signal } = scene;
  const { uid } = certificate.metadata;
  for (let left = MIRROR_LOOKS_MAX; left > 0; left -= 1) {
    await ports.clock.sleep(MIRROR_LOOK_MS, signal);
    const issuance = ports.world.record('issuance', uid);
    if (ports.world.record('acmeOrder', uid)?.modRevision !== order.modRevision) return undefined;
    if (issuance?.modRevision !== scene.issuance?.modRevision) return { ...scene, issuance };
  }
  return undefined;
}

async function storeFailure(
  scene: OrderScene,
  trouble: Trouble,
  unproven: readonly string[],
): Promise<Outcome> {
  const tries = triesWith(scene, {
    outcome: 'failed',
    detail: trouble.message,
    ...(unproven.length > 0 && { unproven }),
  });
  const value = failedIssuance(scene, trouble, tries);
  // It holds for whoever asks for these names, also for another Certificate.
  const isRefused = trouble.reason === 'rateLimited' && trouble.retryAfterMs !== undefined;
  const refusedUntilMs = isRefused ? value.failure?.nextTryMs : undefined;
  const outcome = await scene.ports.writer.commit(
    [...orderEnd(scene, refusedUntilMs), issuanceWrite(scene, value)],
    AUTHOR,
  );
  if (outcome.outcome === 'written') {
    const { certificate, ports } = scene;
    const next = new Date(value.failure?.nextTryMs ?? scene.nowMs).toISOString();
    const message = `${trouble.message}; next try at ${next}`;
    const note = { type: 'Warning', reason: 'OrderFailed', message } as const;
    ports.events.record({ regarding: certificate, source: SOURCE, ...note });
  }
  return afterWrite(outcome);
}

/** It is not wanted any more: nobody is to blame, and another one may begin at once. */
export async function abandon(
  scene: Omit<OrderScene, 'account' | 'issuer'> & {
    readonly issuer: OrderScene['issuer'] | undefined;
  },
  why: string,
): Promise<Outcome> {
  const tries = triesWith(scene, { outcome: 'abandoned', detail: why });
  const value: IssuanceRecord = { ...(scene.issuance?.value ?? NOTHING_YET), tries };
  const outcome = await scene.ports.writer.commit(
    [...orderEnd(scene), issuanceWrite(scene, value)],
    AUTHOR,
  );
  return afterWrite(outcome);
}

/** The order goes, and its count says that it did. */
function orderEnd(
  scene: Pick<OrderScene, 'ports' | 'certificate' | 'order' | 'nowMs'>,
  refusedUntilMs?: number,
): readonly Operation[] {
  const { ports, certificate, order, nowMs } = scene;
  const end = { order, nowMs, refusedUntilMs };
  const count = countEnd(ports.world, certificate.metadata.uid, end);
  return [orderWrite(scene, undefined), ...count];
}

type Facts = Pick<OrderScene, 'ports' | 'certificate' | 'issuance' | 'material' | 'nowMs'>;

/** Before there was an order: what stands in the way, and until when. It is no try of ours. */
export async function hold(facts: Facts, failure: IssuanceFailure): Promise<Outcome> {
  const { renewRequest: _, ...kept } = facts.issuance?.value ?? NOTHING_YET;
  const value = { ...kept, ...saying(facts), failure };
  const outcome = await facts.ports.writer.commit([issuanceWrite(facts, value)], AUTHOR);
  return afterWrite(outcome, Math.max(1, failure.nextTryMs - facts.nowMs));
}

/** What is left of a try that failed. */
export function failedIssuance(
  facts: Facts,
  trouble: Trouble,
  tries: readonly IssuanceTry[] = facts.issuance?.value.tries ?? [],
): IssuanceRecord {
  const { ports, material, issuance } = facts;
  // Not when the step began: the CA may have taken long to say when to come back.
  const nowMs = ports.clock.nowMs();
  const { renewRequest: _, ...kept } = issuance?.value ?? NOTHING_YET;
  const failures = kept.failures + 1;
  const lifeMs =
    material === undefined ? Infinity : material.value.notAfterMs - material.value.issuedMs;
  const capMs = Math.min(BACKOFF_CAP_MS, Math.max(BACKOFF_CAP_MS_MIN, lifeMs / BACKOFF_PARTS));
  const waitMs = waitFor(
    trouble,
    backoffMs(failures, { baseMs: BACKOFF_BASE_MS, capMs }, ports.random),
  );
  const { reason, message } = trouble;
  const failure = { reason, message, sinceMs: nowMs, nextTryMs: nowMs + waitMs };
  return { ...kept, ...saying(facts), tries, failures, failure };
}

export const NOTHING_YET: IssuanceRecord = { tries: [], failures: 0, generation: 0 };

export function issuanceWrite(
  { certificate, issuance }: Pick<Facts, 'certificate' | 'issuance'>,
  value: IssuanceRecord,
): Operation {
  const { uid: id } = certificate.metadata;
  const modRevision = issuance?.modRevision ?? 0n;
  return { kind: 'record', record: 'issuance', id, value, modRevision };
}

/** What was declared and asked for at this try: something else is tried at once. */
function saying({ certificate }: Facts): Pick<IssuanceRecord, 'generation' | 'renewRequest'> {
  const { renew } = requestsOf(certificate);
  const { generation } = certificate.metadata;
  return renew === undefined ? { generation } : { generation, renewRequest: renew };
}

function triesWith(
  scene: {
    readonly issuer: OrderScene['issuer'] | undefined;
    readonly order: { readonly value: AcmeOrderRecord };
    readonly issuance: OrderScene['issuance'];
    readonly nowMs: number;
  },
  end: Pick<IssuanceTry, 'outcome' | 'detail' | 'unproven'>,
): readonly IssuanceTry[] {
  const { startedMs, names, url } = scene.order.value;
  const issuer = scene.issuer?.metadata.name ?? '';
  const ended: IssuanceTry = {
    ...{ startedMs, endedMs: scene.nowMs, issuer, names },
    ...(url === undefined ? {} : { orderUrl: url }),
    ...end,
  };
  return [...(scene.issuance?.value.tries ?? []), ended].slice(-TRIES_MAX);
}
