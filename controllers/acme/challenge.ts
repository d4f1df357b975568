import { createHash } from 'node:crypto';
import { recordNameProblem } from '../../api/names.ts';
import { absoluteName, isWithin } from '../../api/records.ts';
import type { Zone } from '../../api/zone.ts';
import type { AcmeAuthorization, AcmeChallenge, ChallengeType } from '../../runtime/acme/acme.ts';
import type { ProofRecord } from '../../runtime/acme/records.ts';
import type { PublicDns } from '../../runtime/dns/public-dns.ts';
import { type ZonesByOrigin, zoneOfHost } from '../../runtime/dns/zones.ts';
import { qualifiedName } from '../../runtime/store/keys.ts';
import type { AcmeSpec } from './ports.ts';
import { OrderError } from './trouble.ts';

/** Where the record of a dns-01 challenge goes. */
export interface RecordPlace {
  readonly recordName: string;
  /** `namespace/name` of the Zone. */
  readonly zone: string;
}

/** Aliases that are followed one after another; resolvers do not follow many more. */
const ALIASES_MAX = 8;

/**
 * Where a Zone of ours holds what a CA looks for: `_acme-challenge.<name>` (RFC 8555 §8.4), or what
 * that is an alias of, declared in our own zones or, as `lookup` finds, by others. Undefined: none.
 */
export async function placeOfRecord(
  name: string,
  zones: ZonesByOrigin,
  lookup: (name: string) => Promise<string | undefined>,
): Promise<RecordPlace | undefined> {
  let recordName = `_acme-challenge.${name}`;
  for (let followed = 0; followed <= ALIASES_MAX; followed += 1) {
    // With the label in front it may be too long; and others may write anything into their alias.
    if (recordNameProblem(recordName) !== undefined) return undefined;
    const zone = zoneOfHost(zones, recordName);
    if (zone === undefined || isDelegated(recordName, zone)) {
      const target = await lookup(recordName);
      if (target === undefined) return undefined;
      recordName = target;
      continue;
    }
    const { origin, records } = zone.spec;
    const wanted = recordName;
    const alias = records.find(
      (each) => each.type === 'CNAME' && absoluteName(each.name, origin) === wanted,
    );
    const [target] = alias?.values ?? [];
    if (target === undefined) return { recordName, zone: qualifiedName(zone.metadata) };
    recordName = absoluteName(target, origin);
  }
  return undefined;
}

/** Whether the Zone names others who answer for it (RFC 1034 §4.2): what it holds there nobody sees. */
function isDelegated(recordName: string, { spec: { origin, records } }: Zone): boolean {
  return records.some(({ name, type }) => {
    const owner = absoluteName(name, origin);
    return type === 'NS' && owner !== origin && isWithin(recordName, owner);
  });
}

/** What others have declared `_acme-challenge` names as aliases of; whoever cannot tell says none. */
export function publicAlias(
  publicDns: PublicDns | undefined,
  signal: AbortSignal,
): (name: string) => Promise<string | undefined> {
  return async (name) => {
    if (publicDns === undefined) return undefined;
    const [target] = await publicDns.lookup(name, 'CNAME', signal).catch(() => []);
    return target;
  };
}

/**
 * Pure: the ways to prove a name, the best first. A wildcard can be proven by dns-01 alone (RFC
 * 8555 §7.1.3), whatever is chosen for others.
 */
export function waysOf(
  { wildcard }: { readonly wildcard: boolean },
  chosen: AcmeSpec['challenge'],
  place: RecordPlace | undefined,
): readonly ChallengeType[] {
  const byDns: readonly ChallengeType[] = place === undefined ? [] : ['dns-01'];
  if (wildcard || chosen === 'dns-01') return byDns;
  return chosen === undefined ? [...byDns, 'http-01', 'tls-alpn-01'] : [chosen];
}

/** What is wrong, and the mend, when a name cannot be proven at all. */
export function noWayMessage(name: string, chosen: AcmeSpec['challenge']): string {
  const record = `_acme-challenge.${name.replace(/^\*\./, '')}`;
  const mend = `declare the Zone, or a CNAME from ${record} into a Zone of ours`;
  const why =
    chosen === 'dns-01' ? 'spec.acme.challenge is dns-01' : 'a wildcard is proven by DNS alone';
  return `${name}: ${why}, and no Zone of ours holds ${record}: ${mend}`;
}

/** What is to be put up for an authorization. Throws what a person must mend. */
export function proofOf(
  authorization: AcmeAuthorization,
  given: {
    readonly chosen: AcmeSpec['challenge'];
    readonly place: RecordPlace | undefined;
    /** A way that is open where the best one is not; undefined: the best. */
    readonly open: ChallengeType | undefined;
    readonly keyAuthorization: (token: string) => string;
    readonly nowMs: number;
  },
): ProofRecord {
  const { name, wildcard, challenges } = authorization;
  const { chosen, place, open, keyAuthorization, nowMs } = given;
  const all = waysOf(authorization, chosen, place);
  const ways = [...all.filter((way) => way === open), ...all.filter((way) => way !== open)];
  const shown = wildcard ? `*.${name}` : name;
  if (ways.length === 0) throw new OrderError('noChallenge', noWayMessage(shown, chosen));
  const found = ways.flatMap((way) => challenges.find(({ type }) => type === way) ?? [])[0];
  if (found === undefined) throw new OrderError('noChallenge', notOffered(shown, ways, challenges));
  const { url, token } = found;
  const answer = keyAuthorization(token);
  const common = {
    ...{ url, token, sinceMs: nowMs },
    ...(place === undefined ? ({ withoutZone: true } as const) : {}),
  };
  const digest = createHash('sha256').update(answer).digest();
  switch (found.type) {
    case 'dns-01': {
      // Of the ways it is one only where there is a place for it.
      if (place === undefined) throw new OrderError('noChallenge', noWayMessage(shown, chosen));
      return { ...common, ...place, type: 'dns-01', recordValue: digest.toString('base64url') };
    }
    case 'http-01':
      return { ...common, type: 'http-01', keyAuthorization: answer };
    case 'tls-alpn-01':
      return { ...common, type: 'tls-alpn-01', digest: digest.toString('hex') };
  }
}

function notOffered(
  name: string,
  ways: readonly ChallengeType[],
  challenges: readonly AcmeChallenge[],
): string {
  const offered = challenges.map(({ type }) => type).join(', ') || 'nothing that we know';
  return `${name}: the CA offers ${offered}, and not ${ways.join(' or ')}: change spec.acme.challenge, or declare the Zone of the name`;
}
