import type { ZoneOutcome } from '../dns/zone/zone.ts';
import type { SiteState } from '../edge/edge.ts';
import type { AppliedReport, PlaneSnapshot } from './plane.ts';

/**
 * What all workers serve alike: nobody is sent to a node of which one worker is not ready. Zones of
 * which no worker said anything new are not merged again.
 */
export function reportMerger(): (
  snapshot: PlaneSnapshot,
  edges: readonly AppliedReport[],
  nameservers: readonly AppliedReport[],
) => AppliedReport {
  const mergeZones = zoneMerger();
  return (snapshot, edges, nameservers) => ({
    sites: edges.length === 0 ? [] : snapshot.edge.sites.map(({ uid }) => mergeSite(uid, edges)),
    zones: mergeZones(nameservers.map(({ zones }) => zones)),
    databases: (nameservers[0]?.databases ?? []).filter((digest) =>
      nameservers.every(({ databases }) => databases.includes(digest)),
    ),
    challenges: commonTokens(edges.map(({ challenges }) => challenges)),
    problems: [...new Set([...edges, ...nameservers].flatMap(({ problems }) => problems))],
  });
}

function mergeSite(uid: string, edges: readonly AppliedReport[]): SiteState {
  const states = edges.map(({ sites }) => sites.find((site) => site.uid === uid));
  const release = common(states.map((state) => state?.release));
  const certificate = common(states.map((state) => state?.certificate));
  const previews = (states[0]?.previews ?? []).filter((release) =>
    states.every((state) => state?.previews?.includes(release)),
  );
  const problem = states.find((state) => state?.problem !== undefined)?.problem;
  const warning = states.find((state) => state?.warning !== undefined)?.warning;
  return {
    uid,
    ...(release === undefined ? {} : { release }),
    ...(certificate === undefined ? {} : { certificate }),
    ...(problem === undefined ? {} : { problem }),
    ...(warning === undefined ? {} : { warning }),
    ...(previews.length > 0 && { previews }),
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

type Zones = readonly ZoneOutcome[];

/** In the order of the first worker's. */
function zoneMerger(): (workers: readonly Zones[]) => Zones {
  let known = new Map<ZoneOutcome, Merged>();
  return ([first = [], ...others]) => {
    if (others.length === 0) return first;
    const next = new Map<ZoneOutcome, Merged>();
    const byUid = others.map((zones) => outcomesByUid(first, zones));
    const merged = first.map((zone, place) => {
      const parts = byUid.map((outcomeOf) => outcomeOf(zone, place));
      const before = known.get(zone);
      const isSame = before?.parts.every((part, index) => part === parts[index]) === true;
      const entry = isSame && before ? before : { parts, merged: mergeZone(zone, parts) };
      next.set(zone, entry);
      return entry.merged;
    });
    known = next;
    return merged;
  };
}

interface Merged {
  readonly parts: readonly (ZoneOutcome | undefined)[];
  readonly merged: ZoneOutcome;
}

/** Nearly always a worker has them in the same places as the first one. */
function outcomesByUid(
  first: Zones,
  zones: Zones,
): (zone: ZoneOutcome, place: number) => ZoneOutcome | undefined {
  const isAligned =
    zones.length === first.length && zones.every(({ uid }, place) => uid === first[place]?.uid);
  if (isAligned) return (_, place) => zones[place];
  const known = new Map(zones.map((zone) => [zone.uid, zone]));
  return ({ uid }) => known.get(uid);
}

function mergeZone(zone: ZoneOutcome, others: readonly (ZoneOutcome | undefined)[]): ZoneOutcome {
  const isCommon = others.every((other) => other?.serial === zone.serial);
  const error = [zone, ...others].find((other) => other?.error !== undefined)?.error;
  return { ...zone, serial: isCommon ? zone.serial : undefined, error };
}
