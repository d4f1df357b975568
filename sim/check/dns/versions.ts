import type { GeoNameRecord, ZoneRecord } from '../../../runtime/store/records.ts';
import {
  type DnsRecord,
  type DnsReply,
  TYPE_A,
  TYPE_AAAA,
  TYPE_DNSKEY,
  TYPE_NS,
  TYPE_SOA,
  TYPE_TXT,
} from '../../load/dns-client.ts';
import type { Check, CheckPorts, DnsExchange } from '../check.ts';
import { queryOf, replyOf } from './exchange.ts';
import { aliasAt, isSigned, type ServedZones, sourceOf, ZoneHistory } from './served-zones.ts';

const NOERROR = 0;
const SERVFAIL = 2;
const NXDOMAIN = 3;
const REFUSED = 5;
const TYPE_NAMES: ReadonlyMap<number, string> = new Map([
  [TYPE_A, 'A'],
  [TYPE_NS, 'NS'],
  [TYPE_TXT, 'TXT'],
]);

/**
 * INV-23: every answer is, whole, what one version of the zone says: the one that the nameserver
 * has told dom that it serves. "No such thing" carries that version's serial, the addresses of a
 * site are those of its candidates, every other record is to the letter what dom has written.
 */
export function versionsCheck({ violated }: CheckPorts): Check {
  const history = new ZoneHistory();
  return {
    committed: (commit) => history.committed(commit),
    applied(applied) {
      for (const zone of history.applied(applied))
        violated(23, `${applied.node} serves ${zone}, which dom never made`);
    },
    installed: (node) => history.installed(node),
    asked(exchange) {
      const { nameserver, name, type } = exchange;
      const reply = replyOf(exchange);
      const served = history.servedBy(nameserver);
      if (name === '' || reply === undefined || served === undefined) return;
      const problem = problemOf(exchange, reply, {
        served,
        zone: history.zoneOf(nameserver, name),
        geoName: history.geoNameAt(nameserver, name),
        zoneOf: (other) => history.zoneOf(nameserver, other),
      });
      if (problem !== undefined)
        violated(23, `${nameserver} answers for ${name} type ${type}: ${problem}`);
    },
  };
}

interface Known {
  readonly served: ServedZones;
  readonly zone: ZoneRecord | undefined;
  /** Whose addresses the name has. */
  readonly geoName: GeoNameRecord | undefined;
  readonly zoneOf: (name: string) => ZoneRecord | undefined;
}

function problemOf(
  exchange: DnsExchange,
  reply: DnsReply,
  { served, zone, geoName, zoneOf }: Known,
): string | undefined {
  const { name, type } = exchange;
  // Keys are for another check to see.
  if (reply.form === 'cut' || type === TYPE_DNSKEY) return undefined;
  const rcodeIs = (rcode: number): string | undefined =>
    reply.rcode === rcode ? undefined : `rcode ${reply.rcode} instead of ${rcode}`;
  if (zone === undefined) return rcodeIs(REFUSED);
  const alias = aliasAt(zone, name);
  const isBorrowed = alias !== undefined && (type === TYPE_A || type === TYPE_AAAA);
  // Whoever could be asked for it is not in this world.
  if (isBorrowed && zoneOf(alias.target) === undefined) return rcodeIs(SERVFAIL);
  if (geoName !== undefined && type === TYPE_A) {
    const addresses = addressesOf(geoName, served);
    if (addresses.length === 0) return rcodeIs(NOERROR) ?? negative(reply, zone);
    return rcodeIs(NOERROR) ?? isOf(reply, geoName, addresses);
  }
  const expected = recordsOf(zone, name, type);
  if (expected.length > 0) return rcodeIs(NOERROR) ?? positive(reply, zone, expected);
  // RFC 9824 §3.1: a signed "no such name" is a "no such type" that is made up for it.
  const isCompact = isSigned(zone) && queryOf(exchange)?.proof !== undefined;
  const rcode = sourceOf(zone, name) !== undefined || isCompact ? NOERROR : NXDOMAIN;
  return rcodeIs(rcode) ?? negative(reply, zone);
}

/** Of the candidates that the nameserver's directory knows as edges. */
function addressesOf({ candidates }: GeoNameRecord, { nodes }: ServedZones): readonly string[] {
  return nodes
    .filter(({ name, roles }) => candidates.includes(name) && roles.includes('edge'))
    .flatMap(({ ipv4 }) => ipv4);
}

function isOf(
  { answer }: DnsReply,
  { name, ttlS }: GeoNameRecord,
  addresses: readonly string[],
): string | undefined {
  if (answer.length === 0) return 'no address at all';
  const odd = answer.find(
    (each) =>
      each.type !== TYPE_A ||
      each.name !== name ||
      each.ttlS !== ttlS ||
      !addresses.includes(each.text),
  );
  if (odd !== undefined) return `${textOf(odd)} is not among ${addresses.join(', ')} for ${ttlS} s`;
  return new Set(answer.map(({ text }) => text)).size < answer.length ? 'a node twice' : undefined;
}

function positive(
  { answer, additional }: DnsReply,
  zone: ZoneRecord,
  expected: readonly string[],
): string | undefined {
  const actual = answer.map(textOf).toSorted();
  if (actual.join() !== expected.toSorted().join())
    return `${actual.join(', ')} instead of ${expected.join(', ')}, of serial ${zone.serial}`;
  const all = zone.records.flatMap((set) => set.values.map((value) => setText(set, value)));
  const odd = additional.map(textOf).find((text) => !all.includes(text));
  return odd === undefined
    ? undefined
    : `${odd} besides, which serial ${zone.serial} does not have`;
}

function negative(
  { answer, serial }: DnsReply,
  { serial: expected }: ZoneRecord,
): string | undefined {
  if (answer.length > 0) return `${answer.map(textOf).join(', ')}, which there is not`;
  return serial === expected ? undefined : `nothing as of serial ${serial} instead of ${expected}`;
}

/** As `textOf` has them. */
function recordsOf(zone: ZoneRecord, name: string, type: number): readonly string[] {
  if (type === TYPE_SOA && name === zone.origin) return [`${name} ${type} 3600 ${zone.serial}`];
  const source = sourceOf(zone, name);
  return zone.records
    .filter((set) => set.name === source && set.type === TYPE_NAMES.get(type))
    .flatMap((set) => set.values.map((value) => setText({ ...set, name }, value)));
}

function setText({ name, type, ttlS }: ZoneRecord['records'][number], value: string): string {
  const number = [...TYPE_NAMES].find(([, each]) => each === type)?.[0];
  // The client leaves out what is only of presentation: the final dot, and the quotes.
  const bare = { NS: value.replace(/\.$/, ''), TXT: value.replace(/^"(.*)"$/, '$1') };
  return `${name} ${number} ${ttlS} ${type === 'NS' || type === 'TXT' ? bare[type] : value}`;
}

function textOf({ name, type, ttlS, text }: DnsRecord): string {
  return `${name} ${type} ${ttlS} ${text}`;
}
