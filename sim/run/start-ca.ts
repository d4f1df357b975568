import { startCaStorm } from '../ca/ca-storm.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { SeededRandom } from '../engine/random.ts';
import type { Scheduler } from '../engine/scheduler.ts';
import { startApplicant } from '../load/applicant.ts';

/** The weather of the CA of a world, if it has one, and who gets certificates there. */
export async function startCa(
  cluster: Cluster,
  ports: {
    readonly scheduler: Scheduler;
    readonly random: SeededRandom;
    readonly lengthMs: number;
    /** As in `Setting`. */
    readonly leftOut: readonly string[];
  },
): Promise<void> {
  const { scheduler, random, lengthMs, leftOut } = ports;
  if (cluster.ca === undefined) return;
  startCaStorm(cluster.ca, { scheduler, lengthMs, random: random.fork('storm') });
  await startApplicant(cluster, { scheduler, random, leftOut });
}
