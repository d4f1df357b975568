import type { SeededRandom } from '../engine/random.ts';
import type { Scheduler } from '../engine/scheduler.ts';
import type { SimulatedCa } from './simulated-ca.ts';

const OUTAGE_MS_MAX = 30_000;
const FORGETS = 0.1;

/** Lets the CA be away and have its whims at drawn times within `lengthMs`; then all goes well. */
export function startCaStorm(
  ca: SimulatedCa,
  ports: {
    readonly scheduler: Scheduler;
    readonly random: SeededRandom;
    readonly lengthMs: number;
  },
): void {
  const { scheduler, random, lengthMs } = ports;
  const { outages, whims } = ca.setting;
  const during = (count: number, action: (own: SeededRandom) => void): void => {
    for (let number = 1; number <= count; number += 1) {
      const own = random.fork(`${action.name} ${number}`);
      scheduler.after(own.integer(0, lengthMs - 1), () => action(own));
    }
  };
  const away = (own: SeededRandom): void => {
    ca.isReachable = false;
    scheduler.after(own.integer(1, OUTAGE_MS_MAX), () => {
      ca.isReachable = true;
    });
  };
  const whim = (own: SeededRandom): void => {
    const { first } = ca;
    if (own.chance(FORGETS)) return first.forgetAccounts();
    const { certificates } = first;
    if (certificates.length === 0) return first.revokeAuthorizations();
    const { serialNumber } = own.pick(certificates);
    const nowMs = scheduler.clock().nowMs();
    if (own.chance(0.5)) first.revoke(serialNumber);
    else first.suggestRenewal(serialNumber, { startMs: nowMs - 1, endMs: nowMs });
  };
  during(outages, away);
  during(whims, whim);
  scheduler.after(lengthMs, () => ca.clearUp());
}
