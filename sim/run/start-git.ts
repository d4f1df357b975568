import type { Cluster } from '../cluster/cluster.ts';
import { startGitStorm } from '../git/git-storm.ts';
import { startCommitter } from '../load/committer.ts';
import type { LoadPorts } from '../load/load-ports.ts';

/** The weather of the Git remote of a world, if it has one, and who pushes to it. */
export async function startGit(
  cluster: Cluster,
  ports: LoadPorts & { readonly lengthMs: number },
): Promise<void> {
  const { scheduler, random, lengthMs, leftOut } = ports;
  if (cluster.git === undefined) return;
  startGitStorm(cluster.git, { scheduler, lengthMs, random: random.fork('storm') });
  await startCommitter(cluster, { scheduler, random, leftOut });
}
