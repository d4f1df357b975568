import type { Mirror } from '../../runtime/store/mirror.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { Check, CheckPorts } from './check.ts';
import { etagsCheck } from './content/etags.ts';
import { guardedCheck } from './content/guarded.ts';
import { previewsCheck } from './content/previews.ts';
import { releaseRulesCheck } from './content/release-rules.ts';
import { servingCheck } from './content/serving.ts';
import { answersCheck } from './dns/answers.ts';
import { dnsChecks } from './dns/dns-checks.ts';
import { finalizersCheck } from './objects/finalizers.ts';
import { objectChecks } from './objects/object-checks.ts';
import { boundsCheck } from './session/bounds.ts';
import { commitRateCheck } from './session/commit-rate.ts';
import { deltasCheck } from './session/deltas.ts';
import { positionsCheck } from './session/positions.ts';
import { restCheck } from './session/rest.ts';
import { tokensCheck } from './session/tokens.ts';
import { sometimesCheck } from './sometimes.ts';
import { apiHistoryCheck } from './store/api-history.ts';
import { storeChecks } from './store/store-checks.ts';
import { StoreHistory } from './store-history.ts';

/** Everything that is watched in each run. */
export function allChecks(ports: CheckPorts, cluster: Cluster): readonly Check[] {
  const disks = () => new Map(cluster.subs.map(({ host }) => [host.name, host.disk.files()]));
  const mayMisread = (node: string): boolean => cluster.sub(node)?.host.mayMisread ?? false;
  const leaders = () => cluster.runningDoms().flatMap(({ name, dom }) => (dom.leads ? name : []));
  // A node never gets what is nowhere, and one that was removed gets nothing.
  const isSound = (host: string): boolean =>
    cluster.sub(host) === undefined ||
    (cluster.wish.nodes.has(host) && cluster.wish.poisoned.size === 0);
  const history = new StoreHistory();
  return [
    // First: the others look up in it what has just happened.
    { stored: (event) => history.learn(event) },
    ...storeChecks({ ...ports, mirrors: () => mirrorsOf(cluster) }, history),
    ...dnsChecks(ports, cluster),
    ...objectChecks(ports, { cluster, history }),
    answersCheck({ ...ports, machines: cluster.machines }),
    apiHistoryCheck(ports),
    boundsCheck({
      ...ports,
      doms: () => cluster.doms.length,
      excessFrames: () => cluster.network.excessFramesMax,
    }),
    commitRateCheck(ports, () => cluster.subs.length),
    deltasCheck(ports, (node) => cluster.versions.isOlder(node)),
    etagsCheck(ports),
    finalizersCheck(ports),
    guardedCheck(ports, history),
    positionsCheck(ports),
    previewsCheck(ports),
    releaseRulesCheck(ports),
    restCheck({ ...ports, leaders, isSound }),
    servingCheck({ ...ports, disks, mayMisread }),
    sometimesCheck(ports, cluster),
    tokensCheck(ports),
  ];
}

/** Of the doms that lead: of one that does not, the answer would take time and a look at the store. */
async function mirrorsOf(cluster: Cluster): Promise<ReadonlyMap<string, Mirror>> {
  const mirrors = new Map<string, Mirror>();
  for (const { process, dom } of cluster.runningDoms())
    if (dom.leads) mirrors.set(process.name, (await dom.leading()).mirror);
  return mirrors;
}
