import type { GeoName } from '../../../proto/gen/b8s/v1/plan.ts';
import type { PackedZone } from '../../../runtime/dns/packed-zone.ts';
import { RecordType, recordTypeOf } from '../message/codes.ts';
import { type NameKey, parentOf, parseName, ROOT } from '../message/name.ts';
import type { NameTable } from './name-table.ts';
import { OnlyRrset, plannedRrset } from './planned-rrset.ts';
import type { Rrset } from './rrset.ts';
import type { Borrowed, ZoneNode } from './zone.ts';

export interface ZoneNodesParts {
  readonly plan: PackedZone;
  readonly origin: NameKey;
  /** Of all names that some record set of the plan is at or below. */
  readonly table: NameTable;
  /** Of all others. */
  readonly bare: ReadonlySet<NameKey>;
  readonly soa: Rrset;
  /** Of a signed zone: what is at its origin, whatever the records say. */
  readonly keyRrsets: readonly Rrset[];
  readonly geoNames: ReadonlyMap<NameKey, GeoName>;
  readonly borrowed: ReadonlyMap<NameKey, Borrowed>;
  readonly delegates: 'nothing' | 'some';
  readonly made: MadeNodes;
}

/** Names of all zones together that are kept: some 50 MB at most. */
export const MADE_NODES_MAX = 65_536;

/**
 * The names that were made of several zones, for as long as the zones are there. When there are too
 * many, all are forgotten: those that are asked for are made again at once.
 */
export class MadeNodes {
  readonly #max: number;
  #byZone: WeakMap<ZoneNodes, Map<NameKey, ZoneNode>> = new WeakMap();
  #count = 0;

  constructor(max: number = MADE_NODES_MAX) {
    this.#max = max;
  }

  find(zone: ZoneNodes, key: NameKey): ZoneNode | undefined {
    return this.#byZone.get(zone)?.get(key);
  }

  keep(zone: ZoneNodes, key: NameKey, node: ZoneNode): void {
    if (this.#count >= this.#max) {
      this.#byZone = new WeakMap();
      this.#count = 0;
    }
    this.#count += 1;
    const known = this.#byZone.get(zone);
    if (known === undefined) this.#byZone.set(zone, new Map([[key, node]]));
    else known.set(key, node);
  }
}

/**
 * The names of a zone that were found to be right. Of a million most are never asked for, so each is
 * made of the plan's bytes when it first is, and kept while there is room: `made` bounds the memory,
 * whatever is asked for. Whoever goes through all of them leaves nothing behind.
 */
export class ZoneNodes implements ReadonlyMap<NameKey, ZoneNode> {
  readonly #parts: ZoneNodesParts;

  constructor(parts: ZoneNodesParts) {
    this.#parts = parts;
  }

  get size(): number {
    return this.#parts.table.size + this.#parts.bare.size;
  }

  get(key: NameKey): ZoneNode | undefined {
    const { made } = this.#parts;
    const known = made.find(this, key);
    if (known !== undefined) return known;
    const node = this.#make(key);
    if (node !== undefined) made.keep(this, key, node);
    return node;
  }

  has(key: NameKey): boolean {
    const { bare, made } = this.#parts;
    return bare.has(key) || made.find(this, key) !== undefined || this.#rowOf(key) >= 0;
  }

  *keys(): MapIterator<NameKey> {
    for (let row = 0; row < this.#parts.table.size; row += 1) yield this.#nameAt(row);
    yield* this.#parts.bare;
    return undefined;
  }

  *entries(): MapIterator<[NameKey, ZoneNode]> {
    for (const key of this.keys()) {
      const node = this.#peek(key);
      if (node !== undefined) yield [key, node];
    }
    return undefined;
  }

  *values(): MapIterator<ZoneNode> {
    for (const [, node] of this.entries()) yield node;
    return undefined;
  }

  [Symbol.iterator](): MapIterator<[NameKey, ZoneNode]> {
    return this.entries();
  }

  forEach(
    visit: (node: ZoneNode, key: NameKey, map: ReadonlyMap<NameKey, ZoneNode>) => void,
  ): void {
    for (const [key, node] of this.entries()) visit(node, key, this);
  }

  /** As `get`, for those who need not be remembered. */
  #peek(key: NameKey): ZoneNode | undefined {
    return this.#parts.made.find(this, key) ?? this.#make(key);
  }

  #make(key: NameKey): ZoneNode | undefined {
    const { bare, geoNames, borrowed } = this.#parts;
    const row = this.#rowOf(key);
    if (row < 0 && !bare.has(key)) return undefined;
    const rrsets = this.#rrsetsAt(key, row);
    const [only, ...others] = rrsets;
    return {
      rrsets:
        only !== undefined && others.length === 0
          ? new OnlyRrset(only)
          : new Map(rrsets.map((rrset) => [rrset.type, rrset])),
      geo: geoNames.get(key),
      borrowed: borrowed.get(key),
      cut: this.#cutAt(key, rrsets),
    };
  }

  #rrsetsAt(key: NameKey, row: number): readonly Rrset[] {
    const { plan, origin, table, soa, keyRrsets } = this.#parts;
    const rrsets: Rrset[] = [];
    for (const place of row < 0 ? [] : table.places(row)) {
      const set = plan.recordSetAt(place);
      const type = recordTypeOf(set.type);
      if (type !== undefined) rrsets.push(plannedRrset(type, set, origin));
    }
    return key === origin ? [soa, ...rrsets, ...keyRrsets] : rrsets;
  }

  /** The topmost delegation counts, so it is asked for from the top. */
  #cutAt(key: NameKey, rrsets: readonly Rrset[]): NameKey | undefined {
    const { origin, delegates } = this.#parts;
    if (delegates === 'nothing' || key === origin) return undefined;
    const parent = parentOf(key);
    const above = parent === origin ? undefined : this.#peek(parent)?.cut;
    return above ?? (rrsets.some(({ type }) => type === RecordType.NS) ? key : undefined);
  }

  #rowOf(key: NameKey): number {
    return this.#parts.table.find(key, (row) => this.#nameAt(row) === key);
  }

  #nameAt(row: number): NameKey {
    const { plan, table } = this.#parts;
    const owner = parseName(plan.recordSetAt(table.witness(row)).name) ?? ROOT;
    return owner.slice(owner.length - table.length(row)) as NameKey;
  }
}
