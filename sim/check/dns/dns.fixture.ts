import packet from 'dns-packet';
import type { NodePlan } from '../../../proto/gen/b8s/v1/plan.ts';
import type { GeoNameRecord, ZoneRecord } from '../../../runtime/store/records.ts';
import { TYPE_A } from '../../load/dns-client.ts';
import { type DnsQuery, encodeQuery } from '../../load/dns-query.ts';
import type { AppliedSnapshot, Check, CheckPorts, Commit, DnsExchange } from '../check.ts';
import { ZONES_PREFIX } from './served-zones.ts';

/** A check with what it finds, by the numbers of invariants, and the time that it is told. */
export interface Watched {
  readonly check: Check;
  readonly found: readonly string[];
  nowMs: number;
}

export function watched(make: (ports: CheckPorts) => Check): Watched {
  const found: string[] = [];
  const ports: CheckPorts = {
    violated: (number, what) => void found.push(`INV-${number}: ${what}`),
    reached: () => undefined,
    nowMs: () => it.nowMs,
  };
  const it: Watched = { check: {}, found, nowMs: 0 };
  return Object.assign(it, { check: make(ports) });
}

export const BLOG: GeoNameRecord = {
  name: 'blog.example.test',
  siteUid: 'blog-1',
  ttlS: 30,
  candidates: ['london', 'tokyo'],
  policy: 'nearest',
  answersMax: 1,
  weights: [],
};

/** `a=` and `b=` its serial, at the origin. */
export function zoneVersion(serial: number, changes: Partial<ZoneRecord> = {}): ZoneRecord {
  return {
    ...{ zoneUid: 'zone-1', generation: 1, serial, origin: 'example.test' },
    ...{ primaryNameserver: 'ns.example.test', mailbox: 'hostmaster.example.test' },
    ...{ refreshS: 1, retryS: 1, expireS: 1, negativeTtlS: 60 },
    records: [
      {
        ...{ name: 'example.test', type: 'TXT', ttlS: 300 },
        values: [`a=${serial}`, `b=${serial}`],
      },
    ],
    geoNames: [BLOG],
    ...changes,
  };
}

export function commitOf(record: ZoneRecord | 'deletion'): Commit {
  const key = `${ZONES_PREFIX}default/example-test`;
  const write =
    record === 'deletion'
      ? ({ kind: 'delete', key } as const)
      : ({ kind: 'put', key, value: JSON.stringify(record) } as const);
  const transaction = { guards: [], writes: [write] };
  return { revision: 1n, transaction, before: new Map(), process: 'dom#1' };
}

export function nodePlan(name: string, changes: Partial<NodePlan> = {}): NodePlan {
  const place = PLACES[name] ?? { latitude: 0, longitude: 0 };
  return {
    ...{ uid: name, name, ipv4: [ADDRESSES[name] ?? ''], ipv6: [], ...place },
    ...{ roles: ['edge', 'nameserver'], ready: true, unschedulable: false },
    ...{ httpPort: 80, httpsPort: 443, dnsPort: 53, ...changes },
  };
}

export const ADDRESSES: Readonly<Record<string, string>> = {
  london: '198.18.0.1',
  tokyo: '198.18.0.4',
};
export const MACHINES = Object.entries(ADDRESSES).map(([name, ipv4]) => ({ name, ipv4 }));
const PLACES: Readonly<Record<string, { latitude: number; longitude: number }>> = {
  london: { latitude: 51.51, longitude: -0.13 },
  tokyo: { latitude: 35.68, longitude: 139.69 },
};

/** A nameserver in london that serves this version of the zone, and knows both nodes. */
export function appliedZone(
  { zoneUid: uid, serial }: ZoneRecord,
  nodes: readonly NodePlan[] = [nodePlan('london'), nodePlan('tokyo')],
): AppliedSnapshot {
  const digest = `sha256-${'0'.repeat(64)}` as const;
  return {
    node: 'london',
    snapshot: {
      sequence: 1,
      dns: { zones: [], nodes, databases: [digest], health: {} },
      edge: { sites: [], certificates: [], httpsPort: 443 },
    },
    report: {
      ...{ sites: [], challenges: [], problems: [], databases: [digest] },
      zones: [{ uid, name: 'example.test', serial, error: undefined }],
    },
  };
}

type Sections = Pick<packet.Packet, 'answers' | 'authorities' | 'additionals' | 'flags'>;

/** What london answers to a client in London. */
export function exchangeOf(
  question: Partial<DnsQuery>,
  sections: Sections & { readonly rcode?: number },
  changes: Partial<DnsExchange> = {},
): DnsExchange {
  const query = { id: 7, name: BLOG.name, type: TYPE_A, ...question };
  const { rcode = 0, flags = 0, ...rest } = sections;
  const type = ({ 1: 'A', 2: 'NS', 6: 'SOA', 16: 'TXT' } as const)[query.type] ?? 'AAAA';
  const reply = packet.encode({
    ...{ type: 'response', id: query.id, flags: flags | rcode, ...rest },
    questions: [{ type, name: query.name }],
  });
  return {
    ...{ nameserver: 'london', name: query.name, type: query.type, client: '81.2.69.142' },
    ...{ transport: 'udp', query: encodeQuery(query), reply, ...changes },
  };
}

export function addressOf(name: string, ttl = 30): packet.Answer {
  return { type: 'A', name: BLOG.name, ttl, data: ADDRESSES[name] ?? name };
}

export function soaOf(serial: number): packet.Answer {
  const names = { mname: 'ns.example.test', rname: 'hostmaster.example.test' };
  return { type: 'SOA', name: 'example.test', ttl: 60, data: { ...names, serial } };
}

export function txtOf(...values: readonly string[]): packet.Answer[] {
  return values.map((data) => ({ type: 'TXT', name: 'example.test', ttl: 300, data }));
}
