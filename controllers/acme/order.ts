import type { Certificate } from '../../api/certificate.ts';
import type { Outcome } from '../../runtime/control/controller.ts';
import { splitName } from '../../runtime/store/keys.ts';
import { canOpen } from '../../runtime/tls/authority.ts';
import { keptMaterial } from '../../runtime/tls/material-key.ts';
import { areSameNames } from '../../runtime/tls/renewal.ts';
import { type Context, inLane, inOrder } from './context.ts';
import { limitOf, replacedBy } from './counts.ts';
import { abandon, fail, hold } from './end.ts';
import { type IssuerFacts, type OrderPlan, planOrder, QUEUE_MS } from './plan.ts';
import {
  type AcmeIssuer,
  type AcmePorts,
  AUTHOR,
  accountOf,
  isAcme,
  issuerOfMaterial,
  keptAccount,
} from './ports.ts';
import { newRevocation } from './revocation.ts';
import { noteAccount, type OrderScene } from './scene.ts';
import { startOrder } from './start.ts';
import { stepOrder } from './step.ts';
import { cut, troubleOf } from './trouble.ts';

/** What is read of a Certificate, whatever its order is at. */
type Common = Omit<OrderScene, 'issuer' | 'account' | 'order'>;

/** One step towards the certificate that is declared, for a Certificate `namespace/name`. */
export async function reconcileOrder(context: Context, name: string): Promise<Outcome> {
  const { ports, signal } = context;
  const { world, clock } = ports;
  const certificate = world.get('Certificate', splitName(name));
  if (certificate === undefined) return 'settled';
  const { uid, deletionTimestamp } = certificate.metadata;
  const issuance = world.record('issuance', uid);
  const material = world.record('material', uid);
  const order = world.record('acmeOrder', uid);
  const nowMs = clock.nowMs();
  const common: Common = { ports, certificate, issuance, material, nowMs, signal };
  if (deletionTimestamp !== undefined) {
    if (order === undefined) return 'settled';
    return await abandon({ ...common, order, issuer: undefined }, 'it is being deleted');
  }
  if ((await storeRevocation(ports, certificate, nowMs)) === 'conflict') return 'conflict';
  const issuers = issuersOf(ports, certificate);
  if (
    order !== undefined &&
    !canOpen(ports.sealer, { sealed: order.value.sealedKey, context: uid })
  )
    return await abandon(
      { ...common, order, issuer: undefined },
      'its key was sealed with another seal key, and cannot be read',
    );
  const facts = {
    certificate,
    issuers,
    material: keptMaterial(ports.sealer, uid, material?.value),
    order: order?.value,
    issuance: issuance?.value,
    hasTwin: hasTwin(ports, certificate, issuers),
    limitOf: ({ issuer }: IssuerFacts) => {
      const placing = { ...common, issuer };
      return limitOf(ports, { ...placing, replaces: replacedBy(placing) });
    },
  };
  return await act(context, { common, issuers, order, plan: planOrder(facts, nowMs) });
}

async function act(
  context: Context,
  found: {
    readonly common: Common;
    readonly issuers: readonly IssuerFacts[];
    readonly order: OrderScene['order'] | undefined;
    readonly plan: OrderPlan;
  },
): Promise<Outcome> {
  const { common, issuers, order, plan } = found;
  if (plan.kind === 'none' || plan.kind === 'wait') return recheck(context.ports, plan.recheckInMs);
  if (plan.kind === 'hold') {
    const { nowMs } = common;
    const { inMs, message } = plan.limit;
    const failure = { reason: 'rateLimited', message: cut(message), sinceMs: nowMs };
    return await hold(common, { ...failure, nextTryMs: nowMs + inMs });
  }
  if (plan.kind === 'start') {
    const scene = asked(common, plan.with);
    return scene === undefined
      ? 'settled'
      : await inOrder(context, scene.issuer, () => begin(scene));
  }
  if (order === undefined) return 'settled';
  const placedWith = issuers.find(({ issuer }) => issuer.metadata.uid === order.value.issuerUid);
  if (plan.kind === 'abandon')
    return await abandon({ ...common, order, issuer: placedWith?.issuer }, plan.why);
  const scene = placedWith === undefined ? undefined : asked(common, placedWith);
  if (scene === undefined) return 'settled';
  if (plan.kind === 'step')
    return await inLane(context, scene.issuer, () => stepOrder({ ...scene, order }));
  const trouble = { kind: 'order', reason: 'expired', message: plan.why } as const;
  return await fail({ ...scene, order }, { ...trouble, retryAfterMs: undefined });
}

/** Those that queue come at different times. */
function recheck({ random }: AcmePorts, recheckInMs: number): Outcome {
  if (recheckInMs === Infinity) return 'settled';
  const moreMs = recheckInMs === QUEUE_MS ? random.next() * QUEUE_MS : 0;
  return { recheckInMs: Math.ceil(recheckInMs + moreMs) };
}

function asked(
  common: Common,
  { issuer, account: record }: IssuerFacts,
): Omit<OrderScene, 'order'> | undefined {
  const account = accountOf(common.ports, issuer, record);
  return account === undefined ? undefined : { ...common, issuer, account };
}

/** What is wrong with the CA before there is an order is the account's affair. */
async function begin(scene: Parameters<typeof startOrder>[0]): Promise<Outcome> {
  try {
    return await startOrder(scene);
  } catch (error) {
    const trouble = troubleOf(error);
    if (trouble === undefined) throw error;
    const kind = trouble.kind === 'order' ? 'account' : trouble.kind;
    // Nothing is stored that would make this Certificate wait: all of the account do, at once.
    await noteAccount(scene.ports, scene.issuer, { ...trouble, kind });
    return { recheckInMs: QUEUE_MS };
  }
}

/** Before anything else: the certificate is replaced next, and would be forgotten. */
async function storeRevocation(
  { world, writer }: AcmePorts,
  certificate: Certificate,
  nowMs: number,
): Promise<'conflict' | 'done'> {
  const material = world.record('material', certificate.metadata.uid)?.value;
  const wanted = newRevocation(certificate, material, nowMs);
  if (wanted === undefined || material === undefined) return 'done';
  // Who has proven the names may revoke it, too (RFC 8555 §7.6).
  const issuer = issuerOfMaterial(world, material);
  const value = issuer === undefined ? wanted : { ...wanted, issuerUid: issuer.metadata.uid };
  const id = material.fingerprint;
  if (world.record('revocation', id) !== undefined) return 'done';
  const operation = { kind: 'record', record: 'revocation', id, value, modRevision: 0n } as const;
  const { outcome } = await writer.commit([operation], AUTHOR);
  return outcome === 'conflict' ? 'conflict' : 'done';
}

/** The declared Issuer and its fallbacks, as far as they are there and ACME. */
function issuersOf({ world, sealer }: AcmePorts, { spec }: Certificate): readonly IssuerFacts[] {
  // A certificate that is brought is asked of nobody.
  if (spec.secret !== undefined) return [];
  const declared = world.get('Issuer', { name: spec.issuer });
  if (!isAcme(declared)) return [];
  const fallbacks = declared.spec.acme.fallbacks.flatMap((name): AcmeIssuer[] => {
    const issuer = world.get('Issuer', { name });
    return isAcme(issuer) ? [issuer] : [];
  });
  return [declared, ...fallbacks].map((issuer) => {
    const record = world.record('acmeAccount', issuer.metadata.uid)?.value;
    return { issuer, account: keptAccount(sealer, issuer, record) };
  });
}

/** CAs hand one order out for the same names twice, and it takes one key (RFC 8555 §7.4). */
function hasTwin(
  { world }: AcmePorts,
  { metadata, spec }: Certificate,
  issuers: readonly IssuerFacts[],
): boolean {
  const uids = new Set(issuers.map(({ issuer }) => issuer.metadata.uid));
  return world
    .records('acmeOrder')
    .some(
      ([uid, { value }]) =>
        uid !== metadata.uid && uids.has(value.issuerUid) && areSameNames(value.names, spec.names),
    );
}
