import type { Cluster } from '../cluster/cluster.ts';
import type { CrashPoint } from '../faults/crash-point.ts';

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

/** What people in a story do one after the other waits for dom this often. */
const STEPS_MAX = 60;

/** So much longer it may take where dom, since it was restarted, sees whatever it does so late. */
export function lateMsMax(crash: CrashPoint | undefined): number {
  return STEPS_MAX * (crash?.lagMs ?? 0);
}
