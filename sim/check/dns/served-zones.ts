import type { NodePlan } from '../../../proto/gen/b8s/v1/plan.ts';
import type { GeoNameRecord, ZoneRecord } from '../../../runtime/store/records.ts';
import type { AppliedSnapshot, Commit } from '../check.ts';

/** What a nameserver answers from. */
export interface ServedZones {
  readonly zones: readonly ZoneRecord[];
  /** The directory that it routes by. */
  readonly nodes: readonly NodePlan[];
  /** Whether it has a database of where clients are. */
  readonly geography: 'absent' | 'present';
}

export const ZONES_PREFIX = '/b8s/system/zone/';

/**
 * Remembers every version of every zone, as dom has written it, and which of them each node says
 * that it serves. Feed it `committed`, `applied` and `installed`.
 */
export class ZoneHistory {
  /** By uid and serial. */
  readonly #versions = new Map<string, ZoneRecord>();
  readonly #served = new Map<string, ServedZones>();

  committed({ transaction }: Commit): void {
    for (const write of transaction.writes) {
      if (write.kind !== 'put' || !write.key.startsWith(ZONES_PREFIX)) continue;
      const record = JSON.parse(write.value) as ZoneRecord;
      this.#versions.set(`${record.zoneUid} ${record.serial}`, record);
    }
  }

  /** The zones that the node says it serves but that dom never made, in words. */
  applied({ node, snapshot, report }: AppliedSnapshot): readonly string[] {
    const unknown: string[] = [];
    const zones = report.zones.flatMap(({ uid, name, serial }) => {
      if (serial === undefined) return [];
      const version = this.#versions.get(`${uid} ${serial}`);
      if (version === undefined) unknown.push(`${name} with serial ${serial}`);
      return version ?? [];
    });
    const geography = report.databases.length > 0 ? 'present' : 'absent';
    this.#served.set(node, { zones, nodes: snapshot.dns.nodes, geography });
    return unknown;
  }

  installed(node: string): void {
    this.#served.delete(node);
  }

  /** Undefined: it serves nothing. */
  servedBy(nameserver: string): ServedZones | undefined {
    return this.#served.get(nameserver);
  }

  /**
   * Whose addresses a name there has: its own site's, or those of the host that it is an ALIAS of,
   * under its own name. Undefined: it has none of a site.
   */
  geoNameAt(nameserver: string, name: string): GeoNameRecord | undefined {
    const zone = this.zoneOf(nameserver, name);
    const source = zone && sourceOf(zone, name);
    const own = zone?.geoNames.find((each) => each.name === source);
    const alias = zone === undefined ? undefined : aliasAt(zone, name);
    if (own !== undefined || alias === undefined) return own && { ...own, name };
    const found = this.zoneOf(nameserver, alias.target)?.geoNames.find(
      (each) => each.name === alias.target,
    );
    return found && { ...found, name, ttlS: Math.min(found.ttlS, alias.ttlS) };
  }

  /** The zone there that a name lies in; undefined: none. */
  zoneOf(nameserver: string, name: string): ZoneRecord | undefined {
    const zones = this.#served.get(nameserver)?.zones ?? [];
    return zones
      .filter(({ origin }) => name === origin || name.endsWith(`.${origin}`))
      .toSorted((a, b) => b.origin.length - a.origin.length)[0];
  }
}

/**
 * The name whose data a name has: its own, or those of the wildcard right below its closest ancestor
 * that exists (RFC 4592 §3.3.1). Undefined: there is no such name.
 */
export function sourceOf(
  { origin, records, geoNames }: ZoneRecord,
  name: string,
): string | undefined {
  const names = [origin, ...records.map((set) => set.name), ...geoNames.map((geo) => geo.name)];
  const exists = (wanted: string): boolean =>
    names.some((each) => each === wanted || each.endsWith(`.${wanted}`));
  if (exists(name)) return name;
  let encloser = name;
  while (encloser !== origin && !exists(encloser))
    encloser = encloser.slice(encloser.indexOf('.') + 1);
  const wildcard = `*.${encloser}`;
  return names.includes(wildcard) ? wildcard : undefined;
}

/** The host whose addresses a name borrows; undefined: it does not. */
export function aliasAt(
  { records }: ZoneRecord,
  name: string,
): { readonly target: string; readonly ttlS: number } | undefined {
  const set = records.find((each) => each.name === name && each.type === 'ALIAS');
  const [target] = set?.values ?? [];
  if (set === undefined || target === undefined) return undefined;
  return { target: target.replace(/\.$/, ''), ttlS: set.ttlS };
}

/** By that version's keys: with those that are only published nothing but they are signed. */
export function isSigned({ keys = [] }: ZoneRecord): boolean {
  return keys.some(({ role }) => role === 'active');
}
