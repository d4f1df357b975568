import type { RecordSet, ZonePlan } from '../../../proto/gen/b8s/v1/plan.ts';
import { packZone } from '../../../runtime/dns/packed-zone.ts';
import { compileSigning } from '../dnssec/keys.ts';
import { RecordType, recordTypeOf } from '../message/codes.ts';
import { type NameKey, nameText, parseName } from '../message/name.ts';
import { TTL_S_MAX } from './planned-rrset.ts';
import { parseRecord } from './record-data.ts';
import { distinctRecords, type Rrset } from './rrset.ts';
import { SoaRrset } from './soa.ts';
import type { CompiledZone } from './zone.ts';
import { ZoneDraft } from './zone-draft.ts';
import { MadeNodes, ZoneNodes } from './zone-nodes.ts';

export const SOA_TTL_S = 3600;
/** A declared type without a number, for it is never sent. */
const ALIAS = 'ALIAS';
/** Characters of a malformed value that an error repeats. */
const VALUE_SHOWN_MAX = 80;

/** Throws a RangeError that names the zone and what is wrong in it; nothing is served by halves. */
export function compileZone(given: ZonePlan, made: MadeNodes = new MadeNodes()): CompiledZone {
  try {
    const plan = packZone(given);
    const origin = nameOf(plan.origin);
    const soa = soaOf(plan, SOA_TTL_S);
    const draft = new ZoneDraft(origin);
    for (const { place, set } of plan.placedRecords()) addRecordSet(draft, set, place);
    for (const geo of plan.geoNames) {
      draft.addGeoName(nameOf(geo.name), { ...geo, ttlS: Math.min(geo.ttlS, TTL_S_MAX) });
    }
    const signing = compileSigning(plan, origin);
    const { geoNames, borrowed } = draft;
    const parts = { plan, origin, soa, keyRrsets: signing?.rrsets ?? [], geoNames, borrowed, made };
    const { uid, name, serial } = plan;
    const keyTags = signing?.keyTags;
    return {
      ...{ uid, name, origin, serial },
      outcome: { uid, name, serial, ...(keyTags && { keyTags }), error: undefined },
      nodes: new ZoneNodes({ ...parts, ...draft.finish() }),
      soa,
      loans: [...borrowed.values()],
      negativeSoa: soaOf(plan, Math.min(SOA_TTL_S, plan.negativeTtlS)),
      signing,
    };
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new RangeError(`zone ${given.origin} serial ${given.serial}: ${why}`, { cause });
  }
}

function addRecordSet(draft: ZoneDraft, set: RecordSet, place: number): void {
  const key = nameOf(set.name);
  if (set.type === ALIAS) return addBorrowed(draft, set, place);
  const type = recordTypeOf(set.type);
  if (type === undefined) throw refused(set, 'unknown type');
  if (set.values.length === 0) throw refused(set, 'no values');
  const records = set.values.map((value) => {
    try {
      return parseRecord(type, value).data;
    } catch (cause) {
      const shown = value.slice(0, VALUE_SHOWN_MAX);
      const what = `${set.name} ${set.type} ${shown}: ${(cause as Error).message}`;
      throw new RangeError(what, { cause });
    }
  });
  if (type === RecordType.CNAME && distinctRecords(records).length > 1) {
    throw new RangeError(`${nameText(key)}: more than one CNAME (RFC 2181 §10.1)`);
  }
  const outcome = draft.addRecordSet(key, type, place);
  if (outcome === 'twice') throw refused(set, 'more than one rrset');
}

function refused({ name, type }: RecordSet, why: string): RangeError {
  return new RangeError(`${name} ${type}: ${why}`);
}

function addBorrowed(draft: ZoneDraft, set: RecordSet, place: number): void {
  const [value = '', ...more] = set.values;
  if (more.length > 0) throw new RangeError(`${set.name}: more than one ALIAS`);
  const borrowed = { target: nameOf(value), ttlS: Math.min(set.ttlS, TTL_S_MAX) };
  draft.addBorrowed(nameOf(set.name), borrowed, place);
}

function soaOf(plan: ZonePlan, ttlS: number): Rrset {
  nameOf(plan.primaryNameserver);
  nameOf(plan.mailbox);
  return new SoaRrset(plan, ttlS);
}

function nameOf(text: string): NameKey {
  const key = parseName(text);
  if (key === undefined) throw new RangeError(`"${text}" is not a name`);
  return key;
}
