import type { Zone } from '../../api/zone.ts';

/** The Zone that answers for each origin. */
export type ZonesByOrigin = ReadonlyMap<string, Zone>;

/** Pure: of several Zones with one origin the oldest answers: a newcomer takes nothing away. */
export function zonesByOrigin(zones: readonly Zone[]): ZonesByOrigin {
  const byOrigin = new Map<string, Zone>();
  for (const zone of zones) {
    if (zone.metadata.deletionTimestamp !== undefined) continue;
    const known = byOrigin.get(zone.spec.origin);
    if (known === undefined || isOlder(zone, known)) byOrigin.set(zone.spec.origin, zone);
  }
  return byOrigin;
}

/** Pure: the Zone with the longest origin that a host lies under; undefined: none does. */
export function zoneOfHost(zones: ZonesByOrigin, host: string): Zone | undefined {
  for (let name = host; name !== ''; name = parentOf(name)) {
    const zone = zones.get(name);
    if (zone !== undefined) return zone;
  }
  return undefined;
}

/** `a.example.com` to `example.com`; the parent of the last label is empty. */
function parentOf(name: string): string {
  const cut = name.indexOf('.');
  return cut < 0 ? '' : name.slice(cut + 1);
}

function isOlder(one: Zone, other: Zone): boolean {
  const [a, b] = [one.metadata, other.metadata];
  if (a.creationTimestamp !== b.creationTimestamp) return a.creationTimestamp < b.creationTimestamp;
  return a.uid < b.uid;
}
