import { kindPrefix, recordKey } from '../../../runtime/store/keys.ts';
import type { GeoNameRecord, ZoneRecord } from '../../../runtime/store/records.ts';
import { TYPE_A } from '../../load/dns-client.ts';
import { ORIGIN } from '../../load/wish.ts';
import type { Check, CheckPorts, DnsExchange } from '../check.ts';
import { isGoing, Past, siteOf } from '../past.ts';
import { replyOf } from './exchange.ts';
import { ZONES_PREFIX } from './served-zones.ts';

const NODES = kindPrefix('Node');
/** What people declare, and what dom makes of it. */
const ZONES = [kindPrefix('Zone'), recordKey('zone', '')];

export interface AnswersPorts extends CheckPorts {
  readonly machines: readonly { readonly name: string; readonly ipv4: string }[];
}

/**
 * INV-21: a nameserver that has named a node for a site which it serves, with a certificate, always
 * names one, unless every node that served the site, or of which dom knew that it does, was removed by
 * hand: then no good answer is known, until it names a node again. (What a node says while no dom
 * leads, or has begun to serve only then, is not known to dom at once.)
 */
export function answersCheck({ violated, machines }: AnswersPorts): Check {
  const past = new Past();
  /** Nameserver and name. */
  const armed = new Set<string>();
  /** Node and name: who was seen to serve what, and is still there. */
  const served = new Set<string>();
  /** Node and name: who has no certificate to serve it with. It may be named for a CA to find. */
  const bare = new Set<string>();
  /** Nodes that were removed: they may not know it yet, and serve on. */
  const removed = new Set<string>();
  /** By name: the nodes that dom named last. */
  const candidatesOf = new Map<string, readonly string[]>();
  const isServed = (name: string): boolean => [...served].some((each) => each.endsWith(` ${name}`));
  const noLongerServes = (node: string): void => {
    forget(served, (each) => each.startsWith(`${node} `));
    forget(armed, (each) => !isServed(each.slice(each.indexOf(' ') + 1)));
  };
  const named = ({ name, candidates }: GeoNameRecord): void => {
    const before = candidatesOf.get(name) ?? [];
    candidatesOf.set(name, candidates);
    if (candidates.length === 0 && before.length > 0 && before.every((node) => removed.has(node)))
      forget(armed, (each) => each.endsWith(` ${name}`));
  };
  return {
    committed(commit) {
      past.committed(commit);
      for (const write of commit.transaction.writes) {
        const { kind, key } = write;
        if (key.startsWith(NODES)) {
          const node = key.slice(NODES.length);
          if (kind === 'put') removed.delete(node);
          else removed.add(node);
          if (kind === 'delete') noLongerServes(node);
        }
        if (kind === 'put' && key.startsWith(ZONES_PREFIX))
          for (const geoName of (JSON.parse(write.value) as ZoneRecord).geoNames) named(geoName);
        if (!isGoing(write)) continue;
        // The name may be unknown anywhere from now on.
        if (ZONES.some((prefix) => key.startsWith(prefix))) armed.clear();
        if (!key.startsWith('/b8s/sites/')) continue;
        for (const known of [armed, served])
          forget(known, (each) => each.endsWith(` ${key.split('/').at(-1)}.${ORIGIN}`));
      }
    },
    moved: (position) => past.moved(position),
    applied({ node, snapshot, report }) {
      forget(bare, (each) => each.startsWith(`${node} `));
      for (const [index, { hosts }] of snapshot.edge.sites.entries())
        if (report.sites[index]?.certificate === undefined)
          for (const host of hosts) bare.add(`${node} ${host}`);
    },
    installed(node) {
      past.installed(node);
      forget(armed, (each) => each.startsWith(`${node} `));
      noLongerServes(node);
    },
    requested({ node, host, answer }) {
      const key = `${node} ${host}`;
      // Who has not heard that the Site was deleted serves that one, and not the one made since.
      const isCurrent = past.knowsSite(node, siteOf(host)) && !removed.has(node);
      if (answer.status === 200 && isCurrent && !bare.has(key)) served.add(key);
    },
    asked(exchange: DnsExchange) {
      const { nameserver, name, type } = exchange;
      if (type !== TYPE_A || !name.endsWith(`.${ORIGIN}`)) return;
      const key = `${nameserver} ${name}`;
      const { rcode, addresses } = replyOf(exchange) ?? NOTHING;
      const isEmpty = rcode !== 0 || addresses.length === 0;
      const isCurrent = past.knowsZone(nameserver) && past.namesSite(nameserver, siteOf(name));
      const namesServer = machines.some(
        (node) => addresses.includes(node.ipv4) && served.has(`${node.name} ${name}`),
      );
      if (namesServer && isCurrent) armed.add(key);
      else if (isEmpty && armed.has(key))
        violated(21, `${nameserver} answers ${replyText(rcode)} for ${name}, which it knew`);
    },
  };
}

const NOTHING: { readonly rcode: number; readonly addresses: readonly string[] } = {
  ...{ rcode: -1, addresses: [] },
};

function forget(known: Set<string>, belongs: (key: string) => boolean): void {
  for (const key of [...known]) if (belongs(key)) known.delete(key);
}

function replyText(rcode: number): string {
  if (rcode === -1) return 'nothing';
  return rcode === 0 ? 'an empty set' : `rcode ${rcode}`;
}
