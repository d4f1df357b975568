import type { RecordSet } from '../../../proto/gen/b8s/v1/plan.ts';
import { isWithin, type NameKey } from '../message/name.ts';
import { ownBytes } from './own-bytes.ts';
import { parseRecord } from './record-data.ts';
import { distinctRecords, type RecordData, type Rrset } from './rrset.ts';

/** An rrset of a plan whose values were found to be right, for a zone with this origin. */
export function plannedRrset(type: number, set: RecordSet, origin: NameKey): Rrset {
  const targets = new Set<NameKey>();
  const records = set.values.map((value) => {
    const { data, target } = parseRecord(type, value);
    if (target !== undefined && isWithin(target, origin)) targets.add(target);
    return kept(data);
  });
  const ttlS = Math.min(set.ttlS, TTL_S_MAX);
  return { type, ttlS, records: distinctRecords(records), targets: [...targets] };
}

/** RFC 2181 §8: the highest bit of a TTL is never set. */
export const TTL_S_MAX = 0x7fff_ffff;

/** With its bytes in memory of their own: it lives as long as the zone. */
function kept({ parts, text }: RecordData): RecordData {
  return { parts: parts.map((part) => (typeof part === 'string' ? part : ownBytes(part))), text };
}

/** The rrsets of a name that has only one, as nearly all have: a map takes 200 bytes more. */
export class OnlyRrset implements ReadonlyMap<number, Rrset> {
  readonly #rrset: Rrset;

  constructor(rrset: Rrset) {
    this.#rrset = rrset;
  }

  get size(): number {
    return 1;
  }

  get(type: number): Rrset | undefined {
    return type === this.#rrset.type ? this.#rrset : undefined;
  }

  has(type: number): boolean {
    return type === this.#rrset.type;
  }

  forEach(visit: (rrset: Rrset, type: number, map: ReadonlyMap<number, Rrset>) => void): void {
    visit(this.#rrset, this.#rrset.type, this);
  }

  keys(): MapIterator<number> {
    return this.#asMap().keys();
  }

  values(): MapIterator<Rrset> {
    return this.#asMap().values();
  }

  entries(): MapIterator<[number, Rrset]> {
    return this.#asMap().entries();
  }

  [Symbol.iterator](): MapIterator<[number, Rrset]> {
    return this.entries();
  }

  #asMap(): ReadonlyMap<number, Rrset> {
    return new Map([[this.#rrset.type, this.#rrset]]);
  }
}
