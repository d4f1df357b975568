import type {
  GetTrafficRequest,
  GetTrafficResponse,
  TrafficRates,
} from '../../proto/gen/b8s/v1/api.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Mirror } from '../../runtime/store/mirror.ts';
import type { Rates } from '../../runtime/traffic/traffic-window.ts';
import type { TrafficDesk } from '../gateway/traffic-desk.ts';
import { notFound } from './names.ts';

/** Told at once. */
const SITES_MAX = 1_000;
const NODES_MAX = 10_000;

export interface TrafficPorts {
  readonly mirror: Pick<Mirror, 'get' | 'list'>;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly traffic: TrafficDesk;
}

/** What was answered lately. Sites and nodes that are gone are left out. */
export function readTraffic(
  { mirror, clock, traffic }: TrafficPorts,
  { node }: GetTrafficRequest,
): GetTrafficResponse {
  if (node !== '' && mirror.get('Node', { name: node }) === undefined)
    throw notFound({ kind: 'Node', namespace: undefined, name: node });
  const nowMs = clock.monotonicMs();
  const known = new Map(mirror.list('Site').map((site) => [site.metadata.uid, site.metadata]));
  const sites = traffic.lately
    .sites(nowMs, node === '' ? undefined : node)
    .flatMap(({ uid, nodes, ...rates }) => {
      const site = known.get(uid);
      if (site === undefined) return [];
      const { namespace = '', name } = site;
      return [{ namespace, name, nodes, rates: ratesOf(rates) }];
    })
    .toSorted((a, b) => b.rates.requests - a.rates.requests)
    .slice(0, SITES_MAX);
  const nodes = traffic.lately
    .nodes(nowMs)
    .filter((each) => node === '' || each.node === node)
    .filter((each) => mirror.get('Node', { name: each.node }) !== undefined)
    .slice(0, NODES_MAX)
    .map(({ node: name, load, cpu, ...rates }) => ({
      ...{ node: name, cpu, rates: ratesOf(rates) },
      rssBytes: BigInt(load?.rssBytes ?? 0),
      connections: load?.connections ?? 0,
    }));
  return { sites, nodes, gatheredS: traffic.lately.seconds(nowMs) };
}

function ratesOf(rates: Rates): TrafficRates {
  const { requests, succeeded, redirects, clientErrors, serverErrors, bytes, p50Ms, p99Ms } = rates;
  return { requests, succeeded, redirects, clientErrors, serverErrors, bytes, p50Ms, p99Ms };
}
