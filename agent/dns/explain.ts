import type { DnsCandidate, DnsExplanation } from '../../proto/gen/b8s/v1/agent.ts';
import { formatAddress, maskAddress, parsePeerAddress } from './geo/address.ts';
import { type Candidate, isImpossible, type Routing } from './geo/route.ts';
import { rcodeText, recordTypeOf } from './message/codes.ts';
import { parseName } from './message/name.ts';
import { type GeoResolution, type Resolution, resolve } from './resolve.ts';
import type { DnsSnapshot } from './snapshot.ts';

export interface ExplainInput {
  readonly snapshot: DnsSnapshot;
  readonly name: string;
  /** "A" or "AAAA"; any other type that is served is fine, too. */
  readonly type: string;
  readonly clientIp: string;
}

export type ExplainOutcome =
  | { readonly kind: 'explained'; readonly explanation: DnsExplanation }
  | { readonly kind: 'refused'; readonly error: string };

/** What this nameserver would answer a client, and why: by the very code that answers. */
export function explainAnswer({ snapshot, name, type, clientIp }: ExplainInput): ExplainOutcome {
  const key = parseName(name);
  if (key === undefined) return { kind: 'refused', error: `"${name}" is not a domain name` };
  const code = recordTypeOf(type.toUpperCase());
  if (code === undefined) return { kind: 'refused', error: `"${type}" is not a type served here` };
  const address = parsePeerAddress(clientIp);
  if (address === undefined)
    return { kind: 'refused', error: `"${clientIp}" is not an IPv4 or IPv6 address` };
  const vantage = { address, knownBits: 8 * address.length };
  const resolution = resolve(snapshot, { name: key, type: code }, vantage);
  return { kind: 'explained', explanation: explanationOf(snapshot, resolution, address) };
}

function explanationOf(
  snapshot: DnsSnapshot,
  { reply, zone, geo }: Resolution,
  client: Uint8Array,
): DnsExplanation {
  const ttlsS = [...reply.answer, ...reply.authority].map(({ rrset }) => rrset.ttlS);
  return {
    nameserver: snapshot.nameserver,
    zone: zone?.name ?? '',
    serial: zone?.serial ?? 0,
    rcode: rcodeText(reply.rcode),
    ttlS: ttlsS.length === 0 ? 0 : Math.min(...ttlsS),
    answers: reply.answer.flatMap(({ rrset }) => rrset.records.map(({ text }) => text)),
    clientLatitude: geo?.location?.latitude,
    clientLongitude: geo?.location?.longitude,
    locationSource: locationSource(geo, client),
    candidates: geo?.routing.candidates.map((one) => explainCandidate(one, geo.routing)) ?? [],
    scopeBits: reply.scopeBits,
    decision: zone === undefined ? NO_ZONE : geo === undefined ? '' : decisionText(geo.routing),
    clientCountry: geo?.location?.country ?? '',
  };
}

function locationSource(geo: GeoResolution | undefined, client: Uint8Array): string {
  if (geo === undefined) return 'not looked up: the answer is the same for everyone';
  if (geo.location === undefined) return `no database knows ${formatAddress(client)}`;
  const { source, prefixBits } = geo.location;
  const prefix = `${formatAddress(maskAddress(client, prefixBits))}/${prefixBits}`;
  return `database ${source}, prefix ${prefix}`;
}

function explainCandidate(candidate: Candidate, routing: Routing): DnsCandidate {
  return {
    node: candidate.name,
    addresses: candidate.addresses.map(formatAddress),
    distanceKm: candidate.distanceKm,
    chosen: candidate.chosen,
    reason: candidate.chosen ? whyChosen(candidate, routing) : whyNot(candidate, routing),
    health: candidate.state,
    weight: candidate.weight,
  };
}

const NO_ZONE = 'no zone that this nameserver serves holds the name: see b8sctl get zones';

/** "2 of 5 candidates can serve, of those for country DE; in the order …" */
function decisionText({ candidates, pool, tier, order, from }: Routing): string {
  const able = candidates.filter((one) => isInPool(one, pool)).length;
  const of = `${able} of ${candidates.length} candidates`;
  const turn = tier.kind === 'any' ? '' : `; it is the turn of the nodes for ${tierText(tier)}`;
  const measured =
    order === 'nearest' && from?.kind === 'fallback'
      ? ', measured from the fallback, for the place of the client is unknown'
      : '';
  return `${POOL_TEXT[pool](of)}${turn}; ${ORDER_TEXT[order]}${measured}`;
}

const POOL_TEXT: Readonly<Record<Routing['pool'], (of: string) => string>> = {
  up: (of) => `${of} are up`,
  unschedulable: (of) => `none is up, ${of} are only cordoned`,
  all: () => 'all look down: each counts as up (last known good)',
};

function tierText({ kind, of }: Routing['tier']): string {
  return kind === 'country' || kind === 'continent' ? `${kind} ${of}` : of;
}

function isInPool({ state }: Candidate, pool: Routing['pool']): boolean {
  return pool === 'all' ? !isImpossible(state) : state === pool;
}

const ORDER_TEXT: Readonly<Record<Routing['order'], string>> = {
  nearest: 'nearest to the client',
  rotation: "by rotation on the client's address prefix",
  failover: 'first in the order of failover',
};

function whyChosen(candidate: Candidate, { pool, order }: Routing): string {
  const how = ORDER_TEXT[order];
  switch (pool) {
    case 'up':
      return how;
    case 'unschedulable':
      return `${how}; it is cordoned, but no other candidate is up`;
    case 'all':
      return `${how}; ${STATE_TEXT[candidate.state]}, but so is every candidate: last known good`;
  }
}

const STATE_TEXT: Readonly<Record<Candidate['state'], string>> = {
  'not-in-directory': 'there is no such node in the directory',
  'not-an-edge': 'it does not have the role edge',
  'no-address': 'it has no address of the family that was asked for',
  'not-ready': 'not ready: its lease at dom has ended',
  unreachable: "unreachable by this nameserver's probes",
  unschedulable: 'cordoned',
  up: 'up',
};

function whyNot(candidate: Candidate, { pool, order, tier }: Routing): string {
  const { name, state, distanceKm } = candidate;
  if (!isInPool(candidate, pool)) return STATE_TEXT[state];
  if (tier.nodes?.includes(name) === false) {
    return `${STATE_TEXT[state]}, but it is the turn of the nodes for ${tierText(tier)}`;
  }
  if (order !== 'nearest') return `not its turn: others come first ${ORDER_TEXT[order]}`;
  return distanceKm === undefined ? 'its location is unknown' : 'others are nearer';
}
