import type { VersionCount } from '../check/content/routed.ts';
import type { SeededRandom } from '../engine/random.ts';
import type { Trace } from '../engine/trace.ts';
import { type Code, PRESENT } from '../hosts/code.ts';

export interface VersionsPorts {
  /** Undefined: there is but one version. */
  readonly older: Code | undefined;
  /** Hosts of nodes. */
  readonly nodes: ReadonlySet<string>;
  readonly random: SeededRandom;
  readonly trace: Trace;
}

/**
 * Which version of the production code each process runs. While a cluster is upgraded, a machine
 * that starts again may run either. Doms go to the present version, back, and to it once more;
 * nodes only forward, for what one has written down since of its plan (`agent/session/plan-file.ts`)
 * is nothing to the older version, which starts afresh.
 */
export class Versions {
  readonly #ports: VersionsPorts;
  /** By host: that of its latest process. */
  readonly #running = new Map<string, Code>();
  #phase: 'mixed' | 'upgraded';

  /** How many versions processes run in the course of time. */
  readonly count: VersionCount;

  constructor(ports: VersionsPorts) {
    this.#ports = ports;
    this.count = ports.older === undefined ? 'one' : 'several';
    this.#phase = ports.older === undefined ? 'upgraded' : 'mixed';
  }

  /** For the process that is about to start there. */
  next(host: string): Code {
    const code = this.#draw(host);
    this.#running.set(host, code);
    return code;
  }

  /** Whether what runs there, or ran last, is not the present version. */
  isOlder(host: string): boolean {
    const code = this.#running.get(host);
    return code !== undefined && code !== PRESENT;
  }

  /** From now on only the present version is started. Returns the hosts that run another one. */
  finish(): readonly string[] {
    this.#phase = 'upgraded';
    return [...this.#running].filter(([, code]) => code !== PRESENT).map(([host]) => host);
  }

  #draw(host: string): Code {
    const { older, nodes, random, trace } = this.#ports;
    if (older === undefined || this.#phase === 'upgraded' || random.chance(0.5)) return PRESENT;
    if (nodes.has(host) && this.#running.get(host) === PRESENT) return PRESENT;
    trace.add(host, 'runs the OLDER version', { kind: 'fault' });
    return older;
  }
}
