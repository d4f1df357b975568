import type { NameKey } from './name.ts';
import { ownBytes } from './own-bytes.ts';
import { parseRecord } from './record-data.ts';
import { distinctRecords, type RecordData, type Rrset } from './rrset.ts';

/** What an rrset is made from: values in presentation format that were found to be right. */
export interface PlannedRecords {
  readonly type: number;
  readonly ttlS: number;
  /** As the plan has them, shared with it. */
  readonly values: readonly string[];
  readonly targets: readonly NameKey[];
}

/**
 * An rrset whose records are made when they are first asked for. Of a million most never are, and
 * made they take several times the memory of the plan that they come from.
 */
export class PlannedRrset implements Rrset {
  readonly type: number;
  readonly ttlS: number;
  readonly targets: readonly NameKey[];
  readonly #values: readonly string[];
  #records: readonly RecordData[] | undefined;

  constructor({ type, ttlS, values, targets }: PlannedRecords) {
    this.type = type;
    this.ttlS = ttlS;
    this.targets = targets.length === 0 ? NO_TARGETS : targets;
    this.#values = values;
  }

  get records(): readonly RecordData[] {
    this.#records ??= distinctRecords(
      this.#values.map((value) => kept(parseRecord(this.type, value).data)),
    );
    return this.#records;
  }
}

/** With its bytes in memory of their own: it lives as long as the zone. */
function kept({ parts, text }: RecordData): RecordData {
  return { parts: parts.map((part) => (typeof part === 'string' ? part : ownBytes(part))), text };
}

const NO_TARGETS: readonly NameKey[] = [];

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
