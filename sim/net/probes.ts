import { PROBE_TIMEOUT_MS } from '../../agent/dns/health/health.ts';
import type { Probe } from '../../runtime/probe.ts';
import type { SeededRandom } from '../engine/random.ts';
import type { Trace } from '../engine/trace.ts';
import type { NetFaults } from '../faults/net-faults.ts';
import type { Caller } from './caller.ts';
import type { Ways } from './ways.ts';

export interface ProbesPorts {
  readonly random: SeededRandom;
  readonly trace: Trace;
  readonly faults: () => NetFaults;
  readonly ways: Ways;
  /** Whether the edge of a node answers. */
  readonly isServing: (node: string) => boolean;
}

/** A connection, then a request and its answer. */
const CROSSINGS = 4;

/** How nameservers ask edges whether they serve. */
export class Probes {
  readonly #ports: ProbesPorts;

  constructor(ports: ProbesPorts) {
    this.#ports = { ...ports, random: ports.random.fork('probes') };
  }

  probe({ node, process }: Caller): Probe {
    return process.wrap<Probe>({
      probe: async (target, signal) => {
        const { random, faults, ways, isServing, trace } = this.#ports;
        const route = { from: node, to: target.node };
        const isLost = random.chance(faults().probeLoss);
        const takesMs = ways.delayMs(route, { crossings: CROSSINGS });
        await ways.pause(Math.min(takesMs, PROBE_TIMEOUT_MS));
        if (signal.aborted || !ways.connects(route)) return false;
        const comes = !isLost && takesMs < PROBE_TIMEOUT_MS && isServing(target.node);
        if (comes) {
          trace.learns(node, trace.known(target.node));
          return true;
        }
        // A lost packet is waited for, a closed port says so.
        if (isLost) await ways.pause(PROBE_TIMEOUT_MS - takesMs);
        return false;
      },
    });
  }
}
