import type { Cluster } from '../../cluster/cluster.ts';
import { EPOCH_MS } from '../../engine/scheduler.ts';
import type { Sub } from '../../hosts/sub-host.ts';
import type { Check, CheckPorts } from '../check.ts';
import { deletedSitesCheck } from '../content/deleted-sites.ts';
import { type DomBlobsParts, domBlobsCheck } from '../content/dom-blobs.ts';
import { poisonCheck } from '../content/poison.ts';
import { rolloutsCheck } from '../content/rollouts.ts';
import { routedCheck } from '../content/routed.ts';
import { repositoriesCheck } from '../git/repositories.ts';
import { repositoryChangesCheck } from '../git/repository-changes.ts';
import { plansCheck } from '../session/plans.ts';
import { type NodeFiles, secretsCheck } from '../session/secrets.ts';
import type { StoreHistory } from '../store-history.ts';
import { proofTimesCheck } from '../tls/proof-times.ts';
import { proofsCheck } from '../tls/proofs.ts';
import { refusalsCheck } from '../tls/refusals.ts';
import { renewalsCheck } from '../tls/renewals.ts';
import { revocationsCheck } from '../tls/revocations.ts';
import { auditsCheck } from './audits.ts';
import { deletionsCheck } from './deletions.ts';
import { generationsCheck } from './generations.ts';
import { type NodeAtRest, nodeOrphansCheck } from './node-orphans.ts';
import { ObjectChanges } from './object-changes.ts';
import { ordersCheck } from './orders.ts';
import { orphansCheck } from './orphans.ts';
import { readinessCheck } from './readiness.ts';

/** All that is checked of objects, of what becomes of them, and of who may see them. */
export function objectChecks(
  ports: CheckPorts,
  { cluster, history }: { readonly cluster: Cluster; readonly history: StoreHistory },
): readonly Check[] {
  const changes = new ObjectChanges();
  const nodes = (): readonly NodeAtRest[] =>
    cluster.subs.filter((sub) => isConnected(cluster, sub)).flatMap(atRest);
  const disks = (): readonly NodeFiles[] => [
    ...cluster.doms.map(({ host }) => ({ node: host.name, roles: [], files: host.disk.files() })),
    ...cluster.subs.map(({ host, machine }) => ({
      ...{ node: host.name, roles: machine.roles, files: host.disk.files() },
    })),
  ];
  const earliestMsOf = (process: string, withinMs: number): number => {
    const host = process.slice(0, process.lastIndexOf('#'));
    return cluster.doms.find((dom) => dom.host.name === host)?.host.clock.earliestMs(withinMs) ?? 0;
  };
  return [
    auditsCheck(ports, changes),
    deletedSitesCheck(ports),
    deletionsCheck(ports, { changes, history }),
    domBlobsCheck(ports, { history, ...domDisks(cluster), followed: () => followed(cluster) }),
    generationsCheck(ports, changes),
    nodeOrphansCheck(ports, { history, nodes }),
    ordersCheck(ports),
    orphansCheck(ports, history),
    plansCheck(ports, history),
    proofsCheck(ports, { history, nodes }),
    poisonCheck(ports, { history, poisoned: () => cluster.wish.poisoned }),
    readinessCheck(
      { ...ports, earliestMsOf },
      { changes, history, versions: cluster.versions.count },
    ),
    refusalsCheck({ ...ports, limitsAre: () => cluster.ca?.setting.limitsAre ?? 'unknown' }),
    proofTimesCheck(ports, {
      leads: () => cluster.runningDoms().some(({ dom }) => dom.leads),
      isConnected: (node) => {
        const sub = cluster.sub(node);
        return sub !== undefined && isConnected(cluster, sub);
      },
    }),
    renewalsCheck(ports, {
      ...{ history, sky: () => cluster.ca?.sky },
      wallMs: () => EPOCH_MS + ports.nowMs(),
    }),
    repositoriesCheck(ports, { history, pushed: () => cluster.git }),
    repositoryChangesCheck(ports, { changes, history, pushed: () => cluster.git }),
    revocationsCheck(ports, changes),
    // An older dom knows nothing of it, and leaves it out of what it writes.
    ...(cluster.versions.count === 'one' ? [rolloutsCheck(ports, changes)] : []),
    routedCheck(ports, history, cluster.versions.count),
    secretsCheck(ports, { history, disks }),
  ];
}

/** A removed node has no say; it may serve what it has. */
function isConnected({ wish }: Cluster, { host, running }: Sub): boolean {
  return wish.nodes.has(host.name) && running?.agent.state().session.phase === 'connected';
}

/** Several doms see one disk, which none of them clears; and an older one does not know how to. */
function domDisks(cluster: Cluster): Pick<DomBlobsParts, 'disk' | 'cleaners'> {
  const domOf = (name: string) => cluster.doms.find(({ host }) => host.name === name);
  const clears = (): boolean => cluster.doms.length === 1 && cluster.versions.count === 'one';
  return {
    disk: (name) => domOf(name)?.host.disk.files(),
    cleaners: () =>
      cluster.doms.flatMap(({ host }) => (clears() && !host.mayMisread ? host.name : [])),
  };
}

function followed({ git }: Cluster): ReadonlySet<string> {
  const contents = git?.head === undefined ? [] : git.contents(git.head);
  return new Set(contents.flatMap(({ digest, blobs }) => [digest, ...blobs.map(([each]) => each)]));
}

function atRest({ host, running }: Sub): readonly NodeAtRest[] {
  if (running?.inEffect === undefined) return [];
  const { snapshot } = running.inEffect;
  return [{ node: host.name, snapshot, files: host.disk.files() }];
}
