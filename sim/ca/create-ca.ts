import type { Cluster, ClusterPorts } from '../cluster/cluster.ts';
import type { CaSetting } from './ca-setting.ts';
import { SimulatedCa } from './simulated-ca.ts';
import { simulatedValidation } from './validation.ts';

/** The CAs of a world, which look for proofs in the cluster. */
export function createCa(
  cluster: Cluster,
  { scheduler, trace, random: worlds }: ClusterPorts,
  setting: CaSetting | undefined,
): SimulatedCa | undefined {
  if (setting === undefined) return undefined;
  const { checks } = cluster;
  const random = worlds.fork('ca');
  const looking = { cluster, scheduler, random: random.fork('validation') };
  const validate = simulatedValidation(looking);
  return new SimulatedCa({ scheduler, trace, checks, random, validate }, setting);
}
