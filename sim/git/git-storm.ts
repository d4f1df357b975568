import type { SeededRandom } from '../engine/random.ts';
import type { Scheduler } from '../engine/scheduler.ts';
import type { SimulatedGit } from './simulated-git.ts';

const OUTAGE_MS_MAX = 30_000;

/** Lets the remote be away at drawn times within `lengthMs`; then all goes well. */
export function startGitStorm(
  git: SimulatedGit,
  ports: {
    readonly scheduler: Scheduler;
    readonly random: SeededRandom;
    readonly lengthMs: number;
  },
): void {
  const { scheduler, random, lengthMs } = ports;
  for (let number = 1; number <= git.setting.outages; number += 1) {
    const own = random.fork(`outage ${number}`);
    scheduler.after(own.integer(0, lengthMs - 1), () => {
      git.isReachable = false;
      scheduler.after(own.integer(1, OUTAGE_MS_MAX), () => {
        git.isReachable = true;
      });
    });
  }
  scheduler.after(lengthMs, () => git.clearUp());
}
