import type { Issuer } from '../../api/issuer.ts';
import type { Outcome } from '../../runtime/control/controller.ts';
import type { World } from '../../runtime/store/world.ts';
import { Lanes } from './lanes.ts';
import type { WorkPorts } from './ports.ts';
import { Rooms } from './rooms.ts';

/** Of the reconciles, those that ask one CA at a time. */
export const LANE_MAX = 12;
/** Orders of one Issuer that are under way at a time. */
export const ORDERS_MAX = 50;

/** Who waits for what; one for all reconciles. */
export interface Waiting {
  readonly lanes: Lanes;
  /** Of orders that are under way, by the uid of their Issuer. */
  readonly orders: Rooms;
  /** Names that began an order at their last look: it may not be seen in the mirror yet. */
  readonly begun: Set<string>;
}

/** What one reconcile has. */
export interface Context extends Waiting {
  readonly ports: WorkPorts;
  /** That is reconciled. */
  readonly name: string;
  readonly signal: AbortSignal;
}

/** `call` has a name looked at again. */
export function waitingFor(world: World, call: (name: string) => void): Waiting {
  const taken = (issuerUid: string): number =>
    world.records('acmeOrder').filter(([, { value }]) => value.issuerUid === issuerUid).length;
  return {
    lanes: new Lanes(LANE_MAX, call),
    orders: new Rooms({ max: ORDERS_MAX, taken, call }),
    begun: new Set(),
  };
}

/** Does what asks the CA of this Issuer; when enough others do, the name is called later. */
export async function inLane(
  { lanes, name }: Context,
  issuer: Issuer,
  work: () => Promise<Outcome>,
): Promise<Outcome> {
  const outcome = await lanes.run({ lane: issuer.metadata.uid, name }, work);
  return outcome === 'busy' ? 'settled' : outcome;
}

/** Begins an order of this Issuer; when enough are under way, the name is called later. */
export async function inOrder(
  context: Context,
  issuer: Issuer,
  work: () => Promise<Outcome>,
): Promise<Outcome> {
  const { orders, begun, name } = context;
  if (orders.enter(issuer.metadata.uid, name) === 'full') return 'settled';
  return await inLane(context, issuer, () => {
    begun.add(name);
    return work();
  });
}

/** A name has been looked at: what it did not take, or gave back, is for others. */
export function looked({ lanes, orders, begun }: Waiting, name: string): void {
  lanes.looked(name);
  // Its place among the orders is kept while it waits for its CA, and until its order is seen.
  const isKept = begun.delete(name) || lanes.isWaiting(name);
  if (!isKept && orders.isGiven(name)) orders.leave(name);
  orders.callNext();
}
