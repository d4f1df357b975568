import type { Cluster } from '../cluster/cluster.ts';
import type { SeededRandom } from '../engine/random.ts';
import type { Scheduler } from '../engine/scheduler.ts';
import { startGitStorm } from '../git/git-storm.ts';
import { startCommitter } from '../load/committer.ts';

/** The weather of the Git remote of a world, if it has one, and who pushes to it. */
export async function startGit(
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
  if (cluster.git === undefined) return;
  startGitStorm(cluster.git, { scheduler, lengthMs, random: random.fork('storm') });
  await startCommitter(cluster, { scheduler, random, leftOut });
}
