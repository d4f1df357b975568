import type { Violation } from './kind.ts';
import { domainProblem, hostProblem } from './names.ts';
import { absoluteName, ownerProblem, valueProblem } from './records.ts';
import { about, aboutField, check, checkEach } from './rules.ts';
import type { Zone, ZoneRecord, ZoneSpec } from './zone.ts';

/** What the schema cannot say of a zone. */
export function zoneRules(zone: Zone): readonly Violation[] {
  const { origin, nameservers, soa } = zone.spec;
  const originProblems = check(['spec', 'origin'], origin, domainProblem);
  // Without an origin no name in the zone means anything.
  if (originProblems.length > 0) return originProblems;
  return [
    ...checkEach(['spec', 'nameservers'], nameservers ?? [], hostProblem),
    ...(soa.mailbox === undefined
      ? []
      : check(['spec', 'soa', 'mailbox'], soa.mailbox, mailboxProblem)),
    ...zone.spec.records.flatMap((record, index) => recordViolations(record, index, origin)),
    ...setViolations(zone.spec),
  ];
}

function mailboxProblem(mailbox: string): string | undefined {
  if (mailbox.includes('@')) return `write it as a name: ${mailbox.replace('@', '.')}`;
  return domainProblem(mailbox);
}

function recordViolations(record: ZoneRecord, index: number, origin: string): readonly Violation[] {
  const steps = ['spec', 'records', index];
  return [
    ...check([...steps, 'name'], record.name, (name) => ownerProblem(name, origin)),
    ...checkEach([...steps, 'values'], record.values, (value) =>
      valueProblem(record.type, value, origin),
    ),
    ...apexViolations(record, index, origin),
  ];
}

/** What the origin itself cannot have, and what a CNAME cannot be. */
function apexViolations(record: ZoneRecord, index: number, origin: string): readonly Violation[] {
  const steps = ['spec', 'records', index];
  const name = absoluteName(record.name, origin);
  const isApex = name === origin;
  if (record.type === 'NS' && isApex) {
    return [
      about([...steps, 'type'], 'NS', 'name servers of the zone itself go into spec.nameservers'),
    ];
  }
  if (record.type !== 'CNAME') return [];
  if (isApex) {
    return [
      about(
        [...steps, 'type'],
        'CNAME',
        'the origin cannot be an alias; use A and AAAA, or a Site',
      ),
    ];
  }
  if (record.values.length > 1) {
    return [aboutField([...steps, 'values'], 'has several values, and an alias has one target')];
  }
  const target = absoluteName(record.values[0] ?? '', origin);
  return target === name
    ? [about([...steps, 'values', 0], record.values[0], 'is an alias of itself')]
    : [];
}

/** What record sets cannot be together: twice the same, or an alias beside anything else. */
function setViolations(spec: ZoneSpec): readonly Violation[] {
  const violations: Violation[] = [];
  const firstOfSet = new Map<string, number>();
  const firstOfName = new Map<string, number>();
  const aliasOfName = new Map<string, number>();
  for (const [index, record] of spec.records.entries()) {
    const steps = ['spec', 'records', index];
    const name = absoluteName(record.name, spec.origin);
    const set = `${name} ${record.type}`;
    const twin = firstOfSet.get(set);
    const other = record.type === 'CNAME' ? firstOfName.get(name) : aliasOfName.get(name);
    if (twin !== undefined) {
      violations.push(twinViolation(spec, index, twin));
    } else if (other !== undefined) {
      const message = `stands beside records[${other}], and a CNAME must be alone at its name; remove one of them`;
      violations.push(about([...steps, 'name'], record.name, message));
    }
    if (twin === undefined) firstOfSet.set(set, index);
    if (!firstOfName.has(name)) firstOfName.set(name, index);
    if (record.type === 'CNAME') aliasOfName.set(name, index);
  }
  return violations;
}

function twinViolation(spec: ZoneSpec, index: number, twin: number): Violation {
  const record = spec.records[index];
  const sameTtl = (record?.ttl ?? spec.ttl) === (spec.records[twin]?.ttl ?? spec.ttl);
  const ttl = sameTtl ? '' : ', with one ttl (RFC 2181 §5.2)';
  return aboutField(
    ['spec', 'records', index],
    `declares ${record?.name} ${record?.type} again, as records[${twin}] does; put all values into one of them${ttl}`,
  );
}
