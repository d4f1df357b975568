import { SessionResponse } from '../../proto/gen/b8s/v1/agent.ts';
import type { SeededRandom } from '../engine/random.ts';
import type { NetFaults } from '../faults/net-faults.ts';

/** Plans that are remembered of each node. */
const SAID_MAX = 8;
/** No plan is as small: most frames are heartbeats. */
const PLAN_BYTES_MIN = 40;

/**
 * Plans that a Node was sent before, by whichever dom. One of them may reach it once more: so it is
 * when a dom that has been deposed speaks on, and does not know it (INV-14).
 */
export class Echoes {
  readonly #random: SeededRandom;
  readonly #faults: () => Pick<NetFaults, 'echo'>;
  /** By uid of the Node. */
  readonly #said = new Map<string, Uint8Array[]>();

  constructor(ports: {
    readonly random: SeededRandom;
    readonly faults: () => Pick<NetFaults, 'echo'>;
  }) {
    this.#random = ports.random.fork('echoes');
    this.#faults = ports.faults;
  }

  /** Takes note of what a Node is sent, and gives what it hears besides; undefined: nothing. */
  after(nodeUid: string, frame: Uint8Array): Uint8Array | undefined {
    const said = this.#said.get(nodeUid) ?? [];
    const isHeard = this.#random.chance(this.#faults().echo) && said.length > 0;
    const echo = isHeard ? this.#random.pick(said) : undefined;
    if (isPlan(frame)) this.#said.set(nodeUid, [...said, frame.slice()].slice(-SAID_MAX));
    return echo;
  }
}

function isPlan(frame: Uint8Array): boolean {
  if (frame.length < PLAN_BYTES_MIN) return false;
  return SessionResponse.decode(frame).message?.$case === 'plan';
}
