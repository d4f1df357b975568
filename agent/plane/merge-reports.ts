import type { ZoneOutcome } from '../dns/snapshot.ts';
import type { SiteState } from '../edge/edge.ts';
import type { AppliedReport, PlaneSnapshot } from './plane.ts';

/** What all workers serve alike: nobody is sent to a node of which one worker is not ready. */
export function mergeReports(
  snapshot: PlaneSnapshot,
  edges: readonly AppliedReport[],
  nameservers: readonly AppliedReport[],
): AppliedReport {
  const [nameserver] = nameservers;
  const zonesOf = nameservers.map(({ zones }) => new Map(zones.map((zone) => [zone.uid, zone])));
  return {
    sites: edges.length === 0 ? [] : snapshot.edge.sites.map(({ uid }) => mergeSite(uid, edges)),
    zones: nameserver === undefined ? [] : nameserver.zones.map((zone) => mergeZone(zone, zonesOf)),
    databases: (nameserver?.databases ?? []).filter((digest) =>
      nameservers.every(({ databases }) => databases.includes(digest)),
    ),
    challenges: commonTokens(edges.map(({ challenges }) => challenges)),
    problems: [...new Set([...edges, ...nameservers].flatMap(({ problems }) => problems))],
  };
}

function mergeSite(uid: string, edges: readonly AppliedReport[]): SiteState {
  const states = edges.map(({ sites }) => sites.find((site) => site.uid === uid));
  const release = common(states.map((state) => state?.release));
  const certificate = common(states.map((state) => state?.certificate));
  const problem = states.find((state) => state?.problem !== undefined)?.problem;
  return {
    uid,
    ...(release === undefined ? {} : { release }),
    ...(certificate === undefined ? {} : { certificate }),
    ...(problem === undefined ? {} : { problem }),
  };
}

function commonTokens([first = [], ...others]: readonly (readonly string[])[]): readonly string[] {
  const known = others.map((tokens) => new Set(tokens));
  return first.filter((token) => known.every((tokens) => tokens.has(token)));
}

function common<T>(values: readonly T[]): T | undefined {
  const [first] = values;
  return values.every((value) => value === first) ? first : undefined;
}

function mergeZone(
  zone: ZoneOutcome,
  nameservers: readonly ReadonlyMap<string, ZoneOutcome>[],
): ZoneOutcome {
  const others = nameservers.map((zones) => zones.get(zone.uid));
  const isCommon = others.every((other) => other?.serial === zone.serial);
  const error = others.find((other) => other?.error !== undefined)?.error;
  return { ...zone, serial: isCommon ? zone.serial : undefined, error };
}
