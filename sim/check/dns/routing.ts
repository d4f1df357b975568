import type { Health } from '../../../agent/plane/plane.ts';
import type { NodePlan } from '../../../proto/gen/b8s/v1/plan.ts';
import type { GeoNameRecord } from '../../../runtime/store/records.ts';
import type { Machine } from '../../cluster/machines.ts';
import { TYPE_A } from '../../load/dns-client.ts';
import { whereOf } from '../../load/places.ts';
import { CONTINENT_CODES, ORIGIN, type Routing, type Wish } from '../../load/wish.ts';
import type { Check, CheckPorts, DnsExchange } from '../check.ts';
import { queryOf, replyOf } from './exchange.ts';
import { type RouteNode, type RouteRule, rightAnswer, wrongWith } from './route-model.ts';
import { type ServedZones, ZoneHistory } from './served-zones.ts';

export interface RoutingPorts extends CheckPorts {
  readonly machines: readonly Machine[];
  readonly wish: Wish;
  /** What a nameserver thinks of the edges by now. */
  readonly healthAt: (nameserver: string) => Health;
  /** What each nameserver that is a node answers to each client for each site that is wished. */
  readonly askAll: () => Promise<readonly RestAnswer[]>;
}

/** At rest. */
export interface RestAnswer {
  readonly nameserver: string;
  readonly site: string;
  readonly client: string;
  /** Whether dom has a database of where clients are. */
  readonly geography: 'absent' | 'present';
  /** In the order of the answer. */
  readonly addresses: readonly string[];
}

/**
 * Every answer for a site names the nodes that the documentation says (`rightAnswer`). Under faults:
 * given the zone, the directory and the health that the nameserver has; which of them may be late,
 * but not ignored (INV-20, INV-21). At rest: given what the users wished, and where the machines
 * and the clients really are, with all nodes well.
 */
export function routingCheck(ports: RoutingPorts): Check {
  const history = new ZoneHistory();
  const { violated, reached, machines, healthAt } = ports;
  const nameOf = (address: string): string =>
    machines.find(({ ipv4 }) => ipv4 === address)?.name ?? address;
  return {
    committed: (commit) => history.committed(commit),
    applied: (applied) => void history.applied(applied),
    installed: (node) => history.installed(node),
    asked(exchange) {
      const { nameserver, name, type } = exchange;
      const served = history.servedBy(nameserver);
      const geoName = history.geoNameAt(nameserver, name);
      if (type !== TYPE_A || served === undefined || geoName === undefined) return;
      const reply = replyOf(exchange);
      if (reply === undefined || reply.form === 'cut') return;
      const nodes = nodesOf(geoName, served, healthAt(nameserver));
      const client = served.geography === 'absent' ? undefined : whereOf(vantageOf(exchange));
      const right = rightAnswer(ruleOf(geoName), nodes, client);
      const named = reply.answer.map(({ text }) => nameOf(text));
      const wrong = wrongWith(right, named);
      if (name === ORIGIN && named.length > 0) reached('alias answered');
      if (wrong !== undefined)
        violated(21, `${nameserver} names for ${name}, asked for ${vantageOf(exchange)}: ${wrong}`);
    },
    async rested() {
      for (const { nameserver, site, client, geography, addresses } of await ports.askAll()) {
        const routing = ports.wish.sites.get(site)?.routing;
        if (routing === undefined) continue;
        const where = geography === 'absent' ? undefined : whereOf(client);
        const right = rightAnswer(wishedRule(routing), wishedNodes(ports), where);
        const wrong = wrongWith(right, addresses.map(nameOf));
        if (wrong !== undefined)
          violated(1, `at rest ${nameserver} names for ${site}, asked by ${client}: ${wrong}`);
      }
    },
  };
}

function nodesOf(
  { candidates }: GeoNameRecord,
  { nodes }: ServedZones,
  health: Health,
): readonly RouteNode[] {
  const stateOf = ({ name, ready, unschedulable }: NodePlan): RouteNode['state'] => {
    if (!ready || health[name] === false) return 'down';
    return unschedulable ? 'spare' : 'up';
  };
  return nodes
    .filter(({ name }) => candidates.includes(name))
    .filter(({ roles, ipv4 }) => roles.includes('edge') && ipv4.length > 0)
    .map((node) => {
      const { latitude, longitude } = node;
      const isPlaced = latitude !== undefined && longitude !== undefined;
      const place = isPlaced ? { latitude, longitude } : undefined;
      return { name: node.name, place, state: stateOf(node) };
    });
}

function ruleOf(geoName: GeoNameRecord): RouteRule {
  const { policy, answersMax, candidates, weights, regions, fallback } = geoName;
  const { latitude, longitude } = fallback ?? {};
  const isPlaced = latitude !== undefined && longitude !== undefined;
  return {
    regions,
    fallback: fallback && {
      nodes: fallback.nodes,
      location: isPlaced ? { latitude, longitude } : undefined,
    },
    policy,
    answers: answersMax,
    order: candidates,
    weights: Object.fromEntries(candidates.map((name, index) => [name, weights[index] ?? 0])),
  };
}

function wishedRule(routing: Routing): RouteRule {
  const regions = routing.regions?.map((region) => ({
    ...region,
    continents: region.continents?.map((name) => CONTINENT_CODES[name]),
  }));
  return { ...routing, regions };
}

/** Whose place counts: that of whom the resolver asks for, or its own. */
function vantageOf(exchange: DnsExchange): string {
  return queryOf(exchange)?.subnet?.address ?? exchange.client;
}

function wishedNodes({ machines, wish }: RoutingPorts): readonly RouteNode[] {
  return machines.flatMap(({ name, roles, location: place }) => {
    const wished = wish.nodes.get(name);
    if (wished === undefined || !roles.includes('edge')) return [];
    return [{ name, place, state: wished.use === 'in use' ? ('up' as const) : ('spare' as const) }];
  });
}
