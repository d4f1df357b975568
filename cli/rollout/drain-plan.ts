import { type Node } from '../../api/node.ts';
import { condition } from '../../api/object.ts';
import { previewHost, previewWildcard } from '../../api/previews.ts';
import type { Site } from '../../api/site.ts';
import type { Zone } from '../../api/zone.ts';
import type { DnsExplanation } from '../../proto/gen/b8s/v1/agent.ts';
import type { HistoryEntry } from '../../runtime/api-client.ts';
import { isSerialGreater } from '../../runtime/dns/serial.ts';
import { zoneOfHost, zonesByOrigin } from '../../runtime/dns/zones.ts';

/** Who is there when a node is taken out of service. */
export interface Surroundings {
  readonly nodes: readonly Node[];
  readonly sites: readonly Site[];
  readonly zones: readonly Zone[];
}

/** What nameservers are asked: for a name that one of our Zones has, as DNS may answer it. */
export type DrainQuestion =
  /**
   * Of a Site there are always candidates; of previews, once a release is there; of a Site that is new,
   * those of the one before, while dom has not looked at it.
   */
  | { readonly host: string; readonly of: 'site' | 'previews' | 'new site' }
  /** One from before `serial` may name the node for what is no Site, or another one, by now. */
  | {
      readonly host: string;
      readonly of: 'zone';
      /** Of the object, as nameservers call it. */
      readonly name: string;
      readonly serial: number;
    };

/** Pure: the Sites that DNS may answer with the node for, previews among them. */
export function sitesNaming(name: string, { sites, zones }: Surroundings): readonly Site[] {
  const origins = zonesByOrigin(zones);
  return sites.filter(({ spec: { previews }, status }) => {
    const isNamed = status?.dns?.candidates.includes(name) ?? false;
    const wildcard = previews && previewWildcard(previews);
    return isNamed || (wildcard !== undefined && zoneOfHost(origins, wildcard) !== undefined);
  });
}

/**
 * Pure: the Sites that a nameserver which was behind may have named the node for: all that are served
 * under names of our Zones, and those that dom has not looked at.
 */
export function sitesNamedBefore({ sites, zones }: Surroundings): readonly Site[] {
  const origins = zonesByOrigin(zones);
  return sites.filter(({ spec: { hosts, previews }, status }) => {
    const names = previews === undefined ? hosts : [...hosts, previewWildcard(previews)];
    const isServed = status?.release !== undefined || status?.dns === undefined;
    return isServed && names.some((name) => zoneOfHost(origins, name) !== undefined);
  });
}

/**
 * Pure: one question for each Zone; one for each set of nodes that Sites have, for each is another
 * answer when others are down; and one for each domain of previews.
 */
export function drainQuestions(
  name: string,
  { sites, zones }: Pick<Surroundings, 'sites' | 'zones'>,
): readonly DrainQuestion[] {
  const origins = zonesByOrigin(zones);
  const lies = (host: string): boolean => zoneOfHost(origins, host) !== undefined;
  const questions = new Map<string, DrainQuestion>();
  for (const [origin, { metadata, status }] of origins) {
    const { serial } = status ?? {};
    const asked = { host: origin, of: 'zone', name: metadata.name } as const;
    if (serial !== undefined) questions.set(`zone ${origin}`, { ...asked, serial });
  }
  for (const { metadata, spec, status } of sites) {
    const { candidates } = status?.dns ?? {};
    if (candidates === undefined)
      for (const host of spec.hosts.filter(lies)) questions.set(host, { host, of: 'new site' });
    const host = candidates?.includes(name) ? spec.hosts.find(lies) : undefined;
    if (host !== undefined) questions.set(`of ${candidates?.join()}`, { host, of: 'site' });
    const { previews } = spec;
    if (previews === undefined || !lies(previewWildcard(previews))) continue;
    const shown = previewHost(metadata.name, NO_RELEASE, previews);
    questions.set(`previews ${previews.domain}`, { host: shown, of: 'previews' });
  }
  return [...questions.values()];
}

/** None has it; the wildcard of the previews stands for all names. */
const NO_RELEASE = `sha256-${'0'.repeat(64)}`;

/** Pure: why the node may still be answered with by who says so; undefined: it is left out. */
export function reasonToWait(
  name: string,
  question: DrainQuestion,
  { candidates, zone, serial }: Pick<DnsExplanation, 'candidates' | 'zone' | 'serial'>,
): string | undefined {
  const { host, of } = question;
  if (of === 'zone') {
    if (zone !== question.name) return `it does not know ${host} yet`;
    return isSerialGreater(question.serial, serial) ? `its ${host} is of before` : undefined;
  }
  const own = candidates.find(({ node }) => node === name);
  if (own === undefined)
    return of === 'site' && candidates.length === 0 ? `it does not know ${host} yet` : undefined;
  if (own.health === 'up') return 'it has not heard of it yet';
  const isOtherUp = candidates.some(({ node, health }) => node !== name && health === 'up');
  return isOtherUp ? undefined : `it answers with it all the same: no other is up for ${host}`;
}

/**
 * Pure: for how many seconds resolvers may keep an answer for a Site that they were given until now,
 * by each TTL that it had and that may not have passed yet.
 */
export function forgottenInS(
  { spec }: Site,
  history: readonly Pick<HistoryEntry, 'timeMs' | 'spec'>[],
  nowMs: number,
): number {
  const entries = history.toSorted((one, other) => one.timeMs - other.timeMs);
  const lefts = entries.slice(0, -1).map((entry, index) => {
    const { ttl = 0 } = entry.spec as { readonly ttl?: number };
    const endedMs = entries[index + 1]?.timeMs ?? nowMs;
    return Math.min(ttl, ttl - Math.floor((nowMs - endedMs) / 1000));
  });
  return Math.max(spec.ttl, ...lefts);
}

/** Pure: why a node must not be taken out of service, for a person; undefined: it may be. */
export function whyLast(node: Node, { nodes, sites, zones }: Surroundings): string | undefined {
  const { name } = node.metadata;
  const others = nodes.filter((each) => isUp(each) && each.metadata.name !== name);
  if (node.spec.roles.includes('edge')) {
    const edges = new Set(
      others
        .filter(({ spec }) => !spec.unschedulable && spec.roles.includes('edge'))
        .map(({ metadata }) => metadata.name),
    );
    const lonely = sites.filter((site) => isLonely(name, site, edges));
    if (lonely.length > 0) {
      const names = shortList(lonely.map(({ metadata }) => metadata.name));
      return `${name} is the last edge that is up for ${names}: nobody else would answer; add or uncordon another edge first`;
    }
  }
  const isAsked = node.spec.roles.includes('nameserver') && zones.length > 0;
  if (!isAsked || others.some(({ spec }) => spec.roles.includes('nameserver'))) return undefined;
  return `${name} is the last nameserver that is up: once it is stopped nobody answers DNS; add another nameserver first`;
}

function isLonely(name: string, { status }: Site, others: ReadonlySet<string>): boolean {
  if (status?.release === undefined) return false;
  const { candidates } = status.dns ?? {};
  if (candidates === undefined) return others.size === 0;
  return candidates.includes(name) && !candidates.some((each) => others.has(each));
}

function isUp(node: Node): boolean {
  const isReady = condition(node, 'Ready')?.status === 'True';
  return isReady && node.metadata.deletionTimestamp === undefined;
}

/** So many names that a person still reads them. */
const SHOWN_MAX = 5;

export function shortList(items: readonly string[]): string {
  const more = items.length - SHOWN_MAX;
  const shown = items.slice(0, SHOWN_MAX).join(', ');
  return more > 0 ? `${shown} and ${more} more` : shown;
}
