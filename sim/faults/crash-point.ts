/**
 * One crash at one place: after the `effect`th side effect of a run (a commit, a change of a disk, or
 * of something at a CA) took effect, and before whoever caused it learns of it.
 */
export interface CrashPoint {
  /** From 1 on. */
  readonly effect: number;
  /** So long after its restart a dom sees nothing new in the store; a sub stays away as long. */
  readonly lagMs: number;
}

export interface CrashPointPorts {
  /** Left out: side effects are only counted. */
  readonly point: CrashPoint | undefined;
  /** The power of that host goes, and comes back. */
  readonly crash: (host: string, lagMs: number) => void;
  readonly note: (host: string, what: string) => void;
}

/** Counts the side effects of all processes in a world, and ends the one that comes to its place. */
export class CrashPoints {
  count = 0;
  readonly #ports: CrashPointPorts;

  constructor(ports: CrashPointPorts) {
    this.#ports = ports;
  }

  /** Called by whatever took effect: "disk write plan.bin", "commit 12", "createOrder at ca.test". */
  effect(host: string, what: string): void {
    const { point, crash, note } = this.#ports;
    this.count += 1;
    if (this.count !== point?.effect) return;
    note(host, `crashes right after ${what}, its effect number ${this.count} in all`);
    crash(host, point.lagMs);
  }
}
