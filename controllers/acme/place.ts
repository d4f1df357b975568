import { type AcmeOrder, AcmeProblem } from '../../runtime/acme/acme.ts';
import type { AcmeOrderRecord } from '../../runtime/acme/records.ts';
import { afterWrite, type Outcome } from '../../runtime/control/controller.ts';
import { areSameNames } from '../../runtime/tls/renewal.ts';
import { countEnd, countWrite, kindOf, limitOf } from './counts.ts';
import { fail } from './end.ts';
import { AUTHOR } from './ports.ts';
import { advance, type OrderScene, orderWrite } from './scene.ts';
import { cut, OrderError } from './trouble.ts';

/** Times that the CA is asked for one and the same order, when its answers are lost. */
const PLACINGS_MAX = 5;
/** The newest orders that are looked at to find one whose answer was lost. */
const LISTED_MAX = 20;

/**
 * Has the CA begin the order that was stored (INV-30). Whoever finds it stored cannot know whether
 * the CA has heard of it: what it left there is looked for first. `again`: it is to be placed, and
 * is stored and counted for that.
 */
export async function recoverOrder(
  scene: OrderScene,
): Promise<Outcome | { readonly again: OrderScene }> {
  const left = await findLeft(scene);
  if (left !== undefined) return await placed(scene, left);
  const { ports, order, issuer, certificate, nowMs } = scene;
  const placings = order.value.placings + 1;
  if (placings > PLACINGS_MAX)
    throw new OrderError(
      'unreachable',
      'the CA was asked for it several times, and never answered',
    );
  const { replaces } = order.value;
  const reached = limitOf(ports, { ...scene, replaces });
  if (reached !== undefined) {
    const trouble = {
      kind: 'order',
      reason: 'rateLimited',
      message: cut(reached.message),
    } as const;
    return await fail(scene, { ...trouble, retryAfterMs: reached.inMs });
  }
  const { directory } = issuer.spec.acme;
  const counted = { directory, startedMs: nowMs, kind: kindOf({ ...scene, replaces }) };
  const value: AcmeOrderRecord = { ...order.value, placings, counted, progressMs: nowMs };
  const { uid } = certificate.metadata;
  // Nobody will ask for a certificate by the order whose answer was lost.
  const before = countEnd(ports.world, uid, { order, nowMs });
  const writes = [orderWrite(scene, value), ...countWrite(uid, value), ...before];
  const stored = await ports.writer.commit(writes, AUTHOR);
  if (stored.outcome !== 'written') return afterWrite(stored);
  return { again: { ...scene, order: { value, modRevision: stored.revision } } };
}

/** The order is stored as it is, and counted. */
export async function placeOrder(scene: OrderScene): Promise<Outcome> {
  const { ports, account, order, material, signal } = scene;
  const { names, profile, replaces } = order.value;
  const replacesPem =
    replaces !== undefined && material?.value.fingerprint === replaces
      ? material.value.chainPem
      : undefined;
  try {
    const request = { names, profile, replacesPem };
    return await placed(scene, await ports.acme.createOrder(account, request, signal));
  } catch (error) {
    const isRefused = error instanceof AcmeProblem && REPLACING_TYPES.has(error.document.type);
    if (!isRefused || replaces === undefined) throw error;
    const { replaces: _, ...rest } = order.value;
    return afterWrite(await ports.writer.commit([orderWrite(scene, rest)], AUTHOR));
  }
}

/**
 * What a CA says when it does not take an order as the one that replaces a certificate (RFC 9773
 * §5): another order took over already, perhaps one of ours whose answer was lost; the certificate
 * is of another account; it does not know it. Then the order is placed without.
 */
const REPLACING_TYPES: ReadonlySet<string> = new Set([
  ...['alreadyReplaced', 'unauthorized', 'malformed'],
]);

/** What the CA answered, or what it had left. */
async function placed(scene: OrderScene, created: AcmeOrder): Promise<Outcome> {
  const { names } = scene.order.value;
  const { status, url, finalizeUrl, authorizations, problem } = created;
  if (!areSameNames(created.names, names))
    throw new OrderError(
      'nonsense',
      `the CA answered with an order for ${created.names.join(', ')}`,
    );
  if (status === 'ready') return await advance(scene, { phase: 'finalizing', url, finalizeUrl });
  if (status !== 'pending')
    throw new OrderError(
      'nonsense',
      `the CA answered with an order that is ${status}${problem === undefined ? '' : `: ${problem.detail}`}`,
    );
  if (authorizations.length > 2 * names.length)
    throw new OrderError(
      'nonsense',
      `the CA wants ${authorizations.length} proofs for ${names.length} names`,
    );
  return await advance(scene, {
    phase: 'validating',
    url,
    finalizeUrl,
    authorizations: authorizations.map((each) => ({
      url: each,
      name: '',
      wildcard: false,
      state: 'pending',
    })),
  });
}

/** An open order for the same names that none of ours has: the answer to ours was lost. */
async function findLeft({
  ports,
  account,
  order,
  issuance,
  signal,
}: OrderScene): Promise<AcmeOrder | undefined> {
  const { acme, world } = ports;
  const listed = await acme.listOrders(account, signal);
  if (listed === undefined) return undefined;
  const taken = new Set([
    ...world.records('acmeOrder').flatMap(([, { value }]) => value.url ?? []),
    ...(issuance?.value.tries ?? []).flatMap(({ orderUrl }) => orderUrl ?? []),
  ]);
  const candidates = listed
    .filter((url) => !taken.has(url))
    .slice(-LISTED_MAX)
    .toReversed();
  for (const url of candidates) {
    const found = await acme.readOrder(account, url, signal);
    const isOpen = found.status === 'pending' || found.status === 'ready';
    if (isOpen && areSameNames(found.names, order.value.names)) return found;
  }
  return undefined;
}
