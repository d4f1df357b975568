import type { DecodedPacket, Packet } from 'dns-packet';
import packet from 'dns-packet';
import type { GeoName, NodePlan, RecordSet, ZonePlan } from '../../proto/gen/b8s/v1/plan.ts';
import { answerQuery, type DnsClient } from './answer.ts';
import { compileDirectory, type HealthMap } from './geo/directory.ts';
import { type Locate, locateNothing } from './geo/geography.ts';
import { type DnsSnapshot } from './snapshot.ts';
import { compileZones } from './zone/compile-zones.ts';

/** Builders for tests: worlds of nameservers in one line, and an independent codec to look at them. */

export const SERIAL = 2026;
export const NEGATIVE_TTL_S = 300;

export function records(name: string, type: string, ...values: string[]): RecordSet {
  return { name, type, ttlS: 600, values };
}

export function geoName(name: string, given: Partial<GeoName> = {}): GeoName {
  return {
    name,
    ttlS: 30,
    candidates: [],
    policy: 'nearest',
    answersMax: 1,
    weights: [],
    regions: [],
    ...given,
  };
}

export function zonePlan(origin: string, given: Partial<ZonePlan> = {}): ZonePlan {
  return {
    uid: `uid-${origin}`,
    namespace: 'default',
    name: origin.replaceAll('.', '-'),
    origin,
    serial: SERIAL,
    primaryNameserver: `ns1.${origin}`,
    mailbox: `hostmaster.${origin}`,
    refreshS: 3600,
    retryS: 600,
    expireS: 86_400,
    negativeTtlS: NEGATIVE_TTL_S,
    records: [],
    geoNames: [],
    keys: [],
    transfer: undefined,
    ...given,
  };
}

export function node(name: string, given: Partial<NodePlan> = {}): NodePlan {
  return {
    uid: `uid-${name}`,
    name,
    ipv4: [],
    ipv6: [],
    roles: ['edge'],
    ready: true,
    unschedulable: false,
    httpPort: 80,
    httpsPort: 443,
    dnsPort: 53,
    ...given,
  };
}

export function snapshotOf(given: {
  readonly zones: readonly ZonePlan[];
  readonly nodes?: readonly NodePlan[];
  readonly health?: HealthMap;
  readonly locate?: Locate;
}): DnsSnapshot {
  const { zones, outcomes } = compileZones(given.zones);
  const error = outcomes.find((outcome) => outcome.error !== undefined)?.error;
  if (error !== undefined) throw new Error(error);
  return {
    nameserver: 'ns1',
    zones,
    nodes: compileDirectory(given.nodes ?? []),
    health: given.health ?? new Map(),
    locate: given.locate ?? locateNothing,
  };
}

export const UDP_CLIENT: DnsClient = { address: '198.51.100.7', transport: 'udp' };

export function queryBytes(name: string, type: string, given: Packet = {}): Buffer {
  const question = { name, type: type as 'A', class: 'IN' as const };
  return packet.encode({ type: 'query', id: 4711, questions: [question], ...given });
}

/** An OPT record for `queryBytes`. */
export function opt(
  options: readonly object[] = [],
  { udpPayloadSize = 1232, ednsVersion = 0, flags = 0 } = {},
): Packet {
  const record = { type: 'OPT', name: '.', udpPayloadSize, ednsVersion, flags, options };
  return { additionals: [record as never] };
}

export function clientSubnet(ip: string, sourcePrefixLength: number): object {
  const family = ip.includes(':') ? 2 : 1;
  return { code: 'CLIENT_SUBNET', family, ip, sourcePrefixLength, scopePrefixLength: 0 };
}

export interface Decoded extends DecodedPacket {
  readonly rcode?: string;
}

/** Asks and decodes; throws when there is no reply. */
export function ask(
  snapshot: DnsSnapshot,
  query: Uint8Array,
  client: DnsClient = UDP_CLIENT,
): Decoded {
  const reply = answerQuery(query, { snapshot, client, nowMs: 0 });
  if (reply === undefined) throw new Error('no reply');
  return packet.decode(Buffer.from(reply)) as Decoded;
}

/** `owner TYPE data` of each record, as text. */
export function lines(section: readonly unknown[] | undefined): readonly string[] {
  return (section ?? []).map((entry) => {
    const { name, type, data } = entry as { name: string; type: string; data?: unknown };
    return `${name} ${type} ${dataText(data)}`;
  });
}

function dataText(data: unknown): string {
  if (typeof data === 'string') return data;
  if (Array.isArray(data)) return data.map(String).join('|');
  if (typeof data !== 'object' || data === null) return '';
  return Object.values(data).map(String).join(' ');
}
