import { startCaStorm } from '../ca/ca-storm.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { startApplicant } from '../load/applicant.ts';
import type { LoadPorts } from '../load/load-ports.ts';

/** The weather of the CA of a world, if it has one, and who gets certificates there. */
export async function startCa(
  cluster: Cluster,
  ports: LoadPorts & { readonly lengthMs: number },
): Promise<void> {
  const { scheduler, random, lengthMs, leftOut } = ports;
  if (cluster.ca === undefined) return;
  startCaStorm(cluster.ca, { scheduler, lengthMs, random: random.fork('storm') });
  await startApplicant(cluster, { scheduler, random, leftOut });
}
