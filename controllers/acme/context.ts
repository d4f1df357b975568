import type { Issuer } from '../../api/issuer.ts';
import { backoffMs } from '../../runtime/backoff.ts';
import type { Outcome } from '../../runtime/controller.ts';
import type { Lanes } from './lanes.ts';
import type { AcmePorts } from './ports.ts';

/** What one reconcile has. */
export interface Context {
  readonly ports: AcmePorts;
  readonly lanes: Lanes;
  readonly signal: AbortSignal;
}

/** When its lane is full a reconcile is tried again after this, or a little earlier. */
const BUSY = { baseMs: 200, capMs: 200 };

/** Does what asks the CA of this Issuer, unless enough others do. */
export async function inLane(
  { lanes, ports }: Context,
  issuer: Issuer,
  work: () => Promise<Outcome>,
): Promise<Outcome> {
  const outcome = await lanes.run(issuer.metadata.uid, work);
  return outcome === 'busy' ? { recheckInMs: backoffMs(1, BUSY, ports.random) } : outcome;
}
