import type { NodePlan } from '../../proto/gen/b8s/v1/plan.ts';
import type { ZoneRecord } from '../../runtime/records.ts';
import type { AppliedSnapshot, Commit } from './check.ts';

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

  /** The zone there that a name lies in; undefined: none. */
  zoneOf(nameserver: string, name: string): ZoneRecord | undefined {
    const zones = this.#served.get(nameserver)?.zones ?? [];
    return zones
      .filter(({ origin }) => name === origin || name.endsWith(`.${origin}`))
      .toSorted((a, b) => b.origin.length - a.origin.length)[0];
  }
}
