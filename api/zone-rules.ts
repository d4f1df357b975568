import type { Violation } from './kind.ts';
import { domainProblem, hostProblem } from './names.ts';
import { parseName } from './rdata/name.ts';
import { absoluteName, ownerProblem, recordTypeProblem, valueProblem } from './records.ts';
import { about, aboutField, check, checkEach } from './rules.ts';
import type { Zone, ZoneRecord } from './zone.ts';
import { dnssecViolations } from './zone-dnssec.ts';
import { secondaryViolations } from './zone-secondaries.ts';
import { setViolations } from './zone-sets.ts';

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
    ...secondaryViolations(zone.spec),
    ...dnssecViolations(zone.spec),
  ];
}

function mailboxProblem(mailbox: string): string | undefined {
  if (mailbox.includes('@')) {
    const [local = '', domain = ''] = mailbox.split('@');
    return `write it as a name: ${local.replaceAll('.', '\\.')}.${domain}`;
  }
  // RFC 1035 §8: a dot before the @ is escaped.
  if (!mailbox.includes('\\')) return domainProblem(mailbox);
  return parseName(mailbox) === undefined || mailbox.endsWith('.')
    ? 'is not a name without a final dot, e.g. jane\\.doe.example.com'
    : undefined;
}

function recordViolations(record: ZoneRecord, index: number, origin: string): readonly Violation[] {
  const steps = ['spec', 'records', index];
  return [
    ...check([...steps, 'name'], record.name, (name) => ownerProblem(name, origin)),
    ...check([...steps, 'type'], record.type, recordTypeProblem),
    ...checkEach([...steps, 'values'], record.values, (value) =>
      valueProblem(record.type, value, origin),
    ),
    ...apexViolations(record, index, origin),
  ];
}

/** What the origin itself cannot have, and what an alias cannot be. */
function apexViolations(record: ZoneRecord, index: number, origin: string): readonly Violation[] {
  const steps = ['spec', 'records', index];
  const name = absoluteName(record.name, origin);
  const isApex = name === origin;
  if (record.type === 'NS' && isApex) {
    return [
      about([...steps, 'type'], 'NS', 'name servers of the zone itself go into spec.nameservers'),
    ];
  }
  if (record.type === 'NS' && name.startsWith('*.')) {
    const mend = 'a wildcard cannot be delegated (RFC 4592 §4.2); write the names one by one';
    return [about([...steps, 'type'], 'NS', mend)];
  }
  if (record.type === 'DS' && isApex) {
    const mend = 'the DS of the zone itself stands in its parent; give it to the registrar';
    return [about([...steps, 'type'], 'DS', mend)];
  }
  if (record.type !== 'CNAME' && record.type !== 'ALIAS') return [];
  if (isApex && record.type === 'CNAME') {
    const mend = 'the origin cannot be a CNAME; use ALIAS, A and AAAA, or a Site';
    return [about([...steps, 'type'], 'CNAME', mend)];
  }
  if (record.values.length > 1) {
    return [aboutField([...steps, 'values'], 'has several values, and an alias has one target')];
  }
  const target = absoluteName(record.values[0] ?? '', origin);
  return target === name
    ? [about([...steps, 'values', 0], record.values[0], 'is an alias of itself')]
    : [];
}
