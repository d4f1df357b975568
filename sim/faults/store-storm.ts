import type { Cluster } from '../cluster/cluster.ts';
import type { StormPorts } from './storm.ts';

/** What happens to the store at drawn times. Returns what ends that which still lasts. */
export function stormStore(_cluster: Cluster, _ports: StormPorts): () => void {
  return () => undefined;
}
