import type { Cluster } from '../cluster/cluster.ts';

/** Once the faults stop and the users are content, all is as wished within this time (INV-1). */
export const CONVERGENCE_MS_MAX = 90_000;
const RENEWED_MS_MAX = 15 * 60_000;

/**
 * So much longer it may take with an ACME CA: tries that failed are put off, and what is good for
 * minutes is renewed until all that there is lasts; the later, the further a clock of dom is behind.
 */
export function renewedMsMax({ ca, doms }: Pick<Cluster, 'ca' | 'doms'>): number {
  if (ca === undefined) return 0;
  return RENEWED_MS_MAX + Math.max(0, ...doms.map(({ host }) => -host.clock.offMs));
}
