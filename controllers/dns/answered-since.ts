import type { GeoNameRecord } from '../../runtime/store/records.ts';

/**
 * The names of a new version, each with the serial since when it leads to nodes that serve its Site:
 * as the version before has it, and for names that have just begun to `serial`.
 */
export function answeredSince(
  names: readonly GeoNameRecord[],
  previous: readonly GeoNameRecord[] | undefined,
  serial: number | undefined,
): readonly GeoNameRecord[] {
  const known = new Map(previous?.map((each) => [each.name, each]));
  return names.map((name) => {
    if (!isAnswered(name)) return name;
    const before = known.get(name.name);
    const isNew = before === undefined || !isAnswered(before) || before.siteUid !== name.siteUid;
    const since = isNew ? serial : before.since;
    return since === undefined ? name : { ...name, since };
  });
}

/** Whether it leads to nodes that serve the Site. */
function isAnswered({ candidates, standIn }: GeoNameRecord): boolean {
  return candidates.length > 0 && standIn === undefined;
}
