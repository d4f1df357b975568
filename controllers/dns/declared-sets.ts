import { absoluteName, canonicalValue } from '../../api/records.ts';
import type { ZoneRecord as StaticRecord, Zone } from '../../api/zone.ts';
import { RecentMap } from '../../runtime/recent-map.ts';
import type { RecordSetRecord } from '../../runtime/store/records.ts';

/** A set that a Zone declares. */
export interface DeclaredSet {
  /** With names made whole, in its values, too. */
  readonly set: RecordSetRecord;
  /** Of the values that are left out: why, for a person. */
  readonly wrong: readonly string[];
}

/** Characters of a wrong value that a problem repeats. */
const VALUE_SHOWN_MAX = 80;
/** Of all Zones together that are kept read; the one that was asked for last is, however large. */
export const KEPT_RECORDS_MAX = 50_000;

const recent = new RecentMap<Zone['spec'], readonly DeclaredSet[]>();
const kept = { records: 0 };

/**
 * What the records of a Zone say, one for each, in their order. A Zone is compiled whenever a node
 * reports something new, and to read 10,000 records takes 50 ms: they are read once for each spec.
 */
export function declaredSets(spec: Zone['spec']): readonly DeclaredSet[] {
  const known = recent.get(spec);
  if (known !== undefined) return known;
  const sets = spec.records.map((record) => absoluteSet(record, spec));
  recent.set(spec, sets);
  kept.records += sets.length;
  while (kept.records > KEPT_RECORDS_MAX && recent.size > 1)
    kept.records -= recent.takeOldest()?.length ?? 0;
  return sets;
}

function absoluteSet(record: StaticRecord, { origin, ttl }: Zone['spec']): DeclaredSet {
  const { type } = record;
  const name = absoluteName(record.name, origin);
  const values: string[] = [];
  const wrong: string[] = [];
  for (const value of record.values) {
    const outcome = canonicalValue(type, value, origin);
    if (outcome.kind === 'value') values.push(outcome.value);
    else wrong.push(`${name} ${type} ${value.slice(0, VALUE_SHOWN_MAX)} ${outcome.message}`);
  }
  return { set: { name, type, ttlS: record.ttl ?? ttl, values: [...new Set(values)] }, wrong };
}
