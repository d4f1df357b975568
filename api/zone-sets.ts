import type { Violation } from './kind.ts';
import { absoluteName } from './records.ts';
import { about, aboutField } from './rules.ts';
import type { ZoneRecord, ZoneSpec } from './zone.ts';

/** What record sets cannot be together: twice the same, an alias beside what it stands for. */
export function setViolations(spec: ZoneSpec): readonly Violation[] {
  const violations: Violation[] = [];
  const known = new Map<string, Map<string, number>>();
  for (const [index, record] of spec.records.entries()) {
    const name = absoluteName(record.name, spec.origin);
    const types = known.get(name) ?? new Map<string, number>();
    const twin = types.get(record.type);
    const clash = clashOf(record.type, types);
    if (twin !== undefined) {
      violations.push(twinViolation(spec, index, twin));
    } else if (clash !== undefined) {
      const message = `stands beside records[${clash.index}], and ${clash.rule}; remove one of them`;
      violations.push(about(['spec', 'records', index, 'name'], record.name, message));
    }
    if (twin === undefined) types.set(record.type, index);
    known.set(name, types);
  }
  return [...violations, ...strayDigests(spec.records, known, spec.origin)];
}

interface Clash {
  readonly index: number;
  readonly rule: string;
}

/** The set of the same name that one of a type cannot stand beside. */
function clashOf(type: string, types: ReadonlyMap<string, number>): Clash | undefined {
  for (const { alias, excludes, rule } of ALIASES) {
    const others =
      type === alias
        ? [...types].filter(([other]) => excludes(other))
        : [...types].filter(([other]) => other === alias && excludes(type));
    const index = others[0]?.[1];
    if (index !== undefined) return { index, rule };
  }
  return undefined;
}

const ALIASES: readonly {
  readonly alias: string;
  readonly rule: string;
  excludes(type: string): boolean;
}[] = [
  {
    alias: 'CNAME',
    rule: 'a CNAME must be alone at its name',
    excludes: (type) => type !== 'CNAME',
  },
  {
    alias: 'ALIAS',
    rule: 'an ALIAS is the only source of addresses at its name',
    excludes: (type) => type === 'A' || type === 'AAAA',
  },
];

function twinViolation(spec: ZoneSpec, index: number, twin: number): Violation {
  const record = spec.records[index];
  const sameTtl = (record?.ttl ?? spec.ttl) === (spec.records[twin]?.ttl ?? spec.ttl);
  const ttl = sameTtl ? '' : ', with one ttl (RFC 2181 §5.2)';
  return aboutField(
    ['spec', 'records', index],
    `declares ${record?.name} ${record?.type} again, as records[${twin}] does; put all values into one of them${ttl}`,
  );
}

/** RFC 4035 §2.4: a DS stands only where the zone delegates. */
function strayDigests(
  records: readonly ZoneRecord[],
  known: ReadonlyMap<string, ReadonlyMap<string, number>>,
  origin: string,
): readonly Violation[] {
  return records.flatMap(({ name, type }, index) => {
    const whole = absoluteName(name, origin);
    // At the origin another rule says where it belongs.
    if (type !== 'DS' || whole === origin || known.get(whole)?.has('NS') === true) return [];
    const mend = 'a DS belongs to a delegation; declare NS records of this name, too';
    return [about(['spec', 'records', index, 'name'], name, mend)];
  });
}
