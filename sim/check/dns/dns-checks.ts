import type { Health } from '../../../agent/plane/plane.ts';
import { recordKey } from '../../../runtime/store/keys.ts';
import type { GeoRecord } from '../../../runtime/store/records.ts';
import type { Cluster } from '../../cluster/cluster.ts';
import { EPOCH_MS } from '../../engine/scheduler.ts';
import type { Sub } from '../../hosts/sub-host.ts';
import { ask } from '../../load/clients.ts';
import { CLIENTS } from '../../load/places.ts';
import { viewOfAll } from '../../load/view.ts';
import { hostOf, ZONE_NAME } from '../../load/wish.ts';
import type { Check, CheckPorts } from '../check.ts';
import { certificatesCheck } from '../tls/certificates.ts';
import { downNodesCheck } from './down-nodes.ts';
import { drainedCheck } from './drained.ts';
import { hysteresisCheck } from './hysteresis.ts';
import { Outages } from './outages.ts';
import { repliesCheck } from './replies.ts';
import { type RestAnswer, routingCheck } from './routing.ts';
import { serialsCheck } from './serials.ts';
import { signedCheck } from './signed.ts';
import { steadyCheck } from './steady.ts';
import { versionsCheck } from './versions.ts';

/** What is watched of DNS, of routing and of certificates in use. */
export function dnsChecks(ports: CheckPorts, cluster: Cluster): readonly Check[] {
  const { machines, wish } = cluster;
  const { nowMs } = ports;
  const wallMs = (): number => EPOCH_MS + nowMs();
  const subs = new Map<string, Sub>();
  const subOf = (name: string): Sub | undefined => {
    if (subs.size === 0) for (const sub of cluster.subs) subs.set(sub.host.name, sub);
    return subs.get(name);
  };
  const healthAt = (nameserver: string): Health => subOf(nameserver)?.running?.health ?? {};
  const outages = new Outages({
    nodes: machines.map(({ name }) => name),
    nameservers: machines
      .filter(({ roles }) => roles.includes('nameserver'))
      .map(({ name }) => name),
    servedBy: (node) => subOf(node)?.running?.serving,
    reaches: (from, to) => cluster.network.reaches(from, to),
    changes: () => cluster.network.changes,
    nowMs,
  });
  const wallMsAt = (node: string): number => subOf(node)?.host.clock.nowMs() ?? wallMs();
  return [
    certificatesCheck({ ...ports, wallMsAt }),
    drainedCheck({ ...ports, isNode: (name) => wish.nodes.has(name) }),
    downNodesCheck({ ...ports, machines, outages, healthAt }),
    hysteresisCheck(ports),
    repliesCheck(ports),
    routingCheck({ ...ports, machines, wish, healthAt, askAll: () => askAll(cluster, wallMs()) }),
    serialsCheck(ports),
    signedCheck({ ...ports, wallMsAt }),
    steadyCheck({
      ...ports,
      view: () => viewOfAll({ cluster, nowMs: wallMs(), of: 'everything' }),
    }),
    versionsCheck(ports),
  ];
}

/** Of the nodes that are wished: others answer as they were last told. */
async function askAll(cluster: Cluster, nowMs: number): Promise<readonly RestAnswer[]> {
  const stored = await cluster.store.get(recordKey('geo', 'current'));
  const geo = stored === undefined ? undefined : (JSON.parse(stored.value) as GeoRecord);
  const geography = (geo?.databases.length ?? 0) > 0 ? ('present' as const) : ('absent' as const);
  if (!cluster.wish.zones.has(ZONE_NAME)) return [];
  return cluster.subs
    .filter(({ host }) => cluster.wish.nodes.has(host.name))
    .flatMap((nameserver) =>
      [...cluster.wish.sites.keys()].flatMap((site) =>
        CLIENTS.flatMap((client) => {
          const reply = ask(cluster, { nameserver, client, nowMs, name: hostOf(site) });
          if (reply === undefined || reply === 'down') return [];
          const addresses = reply.answer.map(({ text }) => text);
          return [{ nameserver: nameserver.host.name, site, client, geography, addresses }];
        }),
      ),
    );
}
