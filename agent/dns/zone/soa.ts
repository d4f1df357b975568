import type { ZonePlan } from '../../../proto/gen/b8s/v1/plan.ts';
import { RecordType } from '../message/codes.ts';
import { type NameKey, parseName, ROOT } from '../message/name.ts';
import type { RecordData, Rrset } from './rrset.ts';

/** The SOA of one version, made when it is first asked for: each zone has two, most of them idle. */
export class SoaRrset implements Rrset {
  readonly type: number = RecordType.SOA;
  readonly ttlS: number;
  readonly targets: readonly NameKey[] = NO_TARGETS;
  readonly #plan: ZonePlan;
  #records: readonly RecordData[] | undefined;

  /** The plan's names have been found to be right. */
  constructor(plan: ZonePlan, ttlS: number) {
    this.#plan = plan;
    this.ttlS = ttlS;
  }

  get records(): readonly RecordData[] {
    this.#records ??= [soaData(this.#plan)];
    return this.#records;
  }
}

const NO_TARGETS: readonly NameKey[] = [];

function soaData(plan: ZonePlan): RecordData {
  const { primaryNameserver, mailbox } = plan;
  const numbers = [plan.serial, plan.refreshS, plan.retryS, plan.expireS, plan.negativeTtlS];
  const fixed = Buffer.alloc(4 * numbers.length);
  for (const [index, number] of numbers.entries()) fixed.writeUInt32BE(number, 4 * index);
  const names = [primaryNameserver, mailbox].map((name) => parseName(name) ?? ROOT);
  return {
    parts: [...names, fixed],
    text: `${primaryNameserver}. ${mailbox}. ${numbers.join(' ')}`,
  };
}
