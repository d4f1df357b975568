import type { AcmeOrderRecord } from '../../runtime/acme/records.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Outcome } from '../../runtime/control/controller.ts';
import { scopeOf } from '../../runtime/scope.ts';
import { troubleAsking } from './closed.ts';
import { fail } from './end.ts';
import { downloadCertificate, finalizeOrder } from './finish.ts';
import { placeOrder, recoverOrder } from './place.ts';
import { proveNames } from './prove.ts';
import { noteAccount, type OrderScene, rest } from './scene.ts';
import { OrderError } from './trouble.ts';

/**
 * What one reconcile may take for all that it asks a CA, so that it is over, and what it found out
 * stored, before the loop ends it.
 */
export const ASK_TIMEOUT_MS = 25_000;

/** The step that an order is at. */
export async function stepOrder(scene: OrderScene): Promise<Outcome> {
  const { phase } = scene.order.value;
  if (phase !== 'placing') return await stepped(scene, STEPS[phase]);
  let again: OrderScene | undefined;
  const outcome = await stepped(scene, async (each) => {
    const found = await recoverOrder(each);
    if (typeof found === 'string' || !('again' in found)) return found;
    again = found.again;
    return 'settled';
  });
  // A step of its own: what the CA says now is stored with the order as it is by now.
  return again === undefined ? outcome : await stepped(again, placeOrder);
}

type Step = (scene: OrderScene) => Promise<Outcome>;

const STEPS: Readonly<Record<Exclude<AcmeOrderRecord['phase'], 'placing'>, Step>> = {
  validating: proveNames,
  finalizing: finalizeOrder,
  downloading: downloadCertificate,
};

/** What goes wrong with the CA is stored; what goes wrong with the store is for the loop. */
export async function stepped(
  scene: OrderScene,
  step: (scene: OrderScene) => Promise<Outcome>,
): Promise<Outcome> {
  const { ports, certificate, issuer, order } = scene;
  try {
    const outcome = await step(scene);
    await noteAccount(ports, issuer, undefined);
    return outcome;
  } catch (error) {
    const trouble = await troubleAsking(scene, error, order.value.phase);
    if (trouble === undefined) throw error;
    if (trouble.kind === 'order')
      return await fail(scene, trouble, error instanceof OrderError ? error.unproven : []);
    await noteAccount(ports, issuer, trouble, certificate.metadata.uid);
    return await rest(scene, trouble);
  }
}

/** The work with a signal that is aborted in time for its end to be stored. */
export async function inTime<Result>(
  clock: Clock,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const scope = scopeOf(signal);
  clock.sleep(ASK_TIMEOUT_MS, scope.signal).then(
    () => scope.abort(new Error(`no answer within ${ASK_TIMEOUT_MS / 1000} s`)),
    () => undefined,
  );
  try {
    return await work(scope.signal);
  } finally {
    scope.end();
  }
}
