import { expect, test } from 'vitest';
import { validateObject } from './validate.ts';

/** `path message` of each violation. */
function complaints(spec: object): readonly string[] {
  const metadata = { name: 'example-com' };
  const validation = validateObject({
    apiVersion: 'b8s.dev/v1',
    kind: 'Zone',
    metadata,
    spec: { origin: 'example.com', ...spec },
  });
  const violations = validation.kind === 'invalid' ? validation.violations : [];
  return violations.map(({ path, message }) => `${path} ${message}`);
}

interface Given {
  readonly name: string;
  readonly type: string;
  readonly values?: readonly string[];
}

const DS = `1 13 2 ${'ab'.repeat(32)}`;
const VALUES: Readonly<Record<string, string>> = {
  ...{ A: '192.0.2.1', AAAA: '2001:db8::1', ALIAS: 'a.example.net.', CNAME: 'a.example.net.', DS },
  ...{ HTTPS: '1 .', MX: '10 mail', NS: 'ns1.example.net.', TXT: 'x' },
};

function recordsOf(given: readonly Given[]): object {
  return { records: given.map((each) => ({ values: [VALUES[each.type] ?? '\\# 0'], ...each })) };
}

test.each<{ readonly when: string; readonly given: readonly Given[] }>([
  {
    when: 'an ALIAS stands at the origin, beside what is no address',
    given: ['ALIAS', 'MX', 'TXT', 'HTTPS'].map((type) => ({ name: '@', type })),
  },
  { when: 'an ALIAS stands below', given: [{ name: 'www', type: 'ALIAS' }] },
  {
    when: 'a DS stands beside the delegation, in any order',
    given: [
      { name: 'sub', type: 'DS' },
      { name: 'SUB.example.com.', type: 'NS' },
    ],
  },
  { when: 'a type is known by its number only', given: [{ name: '@', type: 'TYPE13' }] },
  {
    when: 'names hold odd bytes, escaped',
    given: ['my\\032printer._ipp', 'a\\.b', '\\042', '0/25'].map((name) => ({ name, type: 'A' })),
  },
])('nothing is wrong when $when', ({ given }) => {
  expect(complaints(recordsOf(given))).toEqual([]);
});

test.each<{ readonly when: string; readonly given: readonly Given[]; readonly says: string }>([
  {
    when: 'an ALIAS stands beside an address',
    given: [
      { name: '@', type: 'AAAA' },
      { name: '@', type: 'ALIAS' },
    ],
    says: 'spec.records[1].name "@": stands beside records[0], and an ALIAS is the only source of addresses at its name; remove one of them',
  },
  {
    when: 'an address stands beside an ALIAS',
    given: [
      { name: 'www', type: 'ALIAS' },
      { name: 'www', type: 'A' },
    ],
    says: 'spec.records[1].name "www": stands beside records[0], and an ALIAS is the only source of addresses at its name; remove one of them',
  },
  {
    when: 'a CNAME stands beside an ALIAS',
    given: [
      { name: 'www', type: 'ALIAS' },
      { name: 'www', type: 'CNAME' },
    ],
    says: 'spec.records[1].name "www": stands beside records[0], and a CNAME must be alone at its name; remove one of them',
  },
  {
    when: 'an ALIAS has two targets',
    given: [{ name: '@', type: 'ALIAS', values: ['a', 'b'] }],
    says: 'spec.records[0].values has several values, and an alias has one target',
  },
  {
    when: 'an ALIAS leads to itself',
    given: [{ name: 'www', type: 'ALIAS', values: ['WWW'] }],
    says: 'spec.records[0].values[0] "WWW": is an alias of itself',
  },
  {
    when: 'a DS stands at the origin',
    given: [{ name: '@', type: 'DS' }],
    says: 'spec.records[0].type "DS": the DS of the zone itself stands in its parent; give it to the registrar',
  },
  {
    when: 'a DS has no delegation',
    given: [{ name: 'sub', type: 'DS' }],
    says: 'spec.records[0].name "sub": a DS belongs to a delegation; declare NS records of this name, too',
  },
  {
    when: 'a wildcard is delegated',
    given: [{ name: '*.sub', type: 'NS' }],
    says: 'spec.records[0].type "NS": a wildcard cannot be delegated (RFC 4592 §4.2); write the names one by one',
  },
  {
    when: 'a type is written by number that has a name',
    given: [{ name: '@', type: 'TYPE1', values: ['192.0.2.1'] }],
    says: 'spec.records[0].type "TYPE1": is the type A; write that',
  },
  {
    when: 'ALIAS is written by number',
    given: [{ name: '@', type: 'TYPE65401', values: ['a'] }],
    says: 'spec.records[0].type "TYPE65401": is the type ALIAS; write that',
  },
  {
    when: 'a type is known by its number only',
    given: [{ name: '@', type: 'LOC', values: ['\\# 0'] }],
    says: 'spec.records[0].type "LOC": is known by its number only; write TYPE29, and values as \\# LENGTH HEX',
  },
  {
    when: 'a type is no data',
    given: [{ name: '@', type: 'TYPE252' }],
    says: 'spec.records[0].type "TYPE252": is no type of data that a zone can hold',
  },
  {
    when: 'a name is another one, spelled with an escape',
    given: [
      { name: 'www', type: 'A' },
      { name: '\\119ww', type: 'A', values: ['192.0.2.2'] },
    ],
    says: 'spec.records[1] declares \\119ww A again, as records[0] does; put all values into one of them',
  },
  {
    when: 'an escaped dot makes a name seem to be inside',
    given: [{ name: 'www\\.example.com.', type: 'A' }],
    says: 'spec.records[0].name "www\\\\.example.com.": lies outside the zone; it must end in .example.com.',
  },
  {
    when: 'a name has a blank',
    given: [{ name: 'a b', type: 'A' }],
    says: 'spec.records[0].name "a b": label "a b" must be lower-case letters, digits, "_", "/" and "-", and "-" at neither end; write any other byte by number, e.g. \\032',
  },
])('$when', ({ given, says }) => {
  expect(complaints(recordsOf(given))).toEqual([says]);
});

test.each(['RRSIG', 'NSEC', 'NSEC3', 'NSEC3PARAM', 'DNSKEY', 'CDS', 'CDNSKEY', 'ZONEMD'])(
  '%s is made by b8s, whatever its data and by whatever name',
  (type) => {
    const says = `spec.records[0].type "${type}": is made by b8s itself for a signed zone; leave it out`;
    expect(complaints(recordsOf([{ name: '@', type, values: ['x'] }]))).toEqual([says]);
  },
);

test.each([
  { mailbox: 'jane.doe.example.com', says: [] },
  { mailbox: 'jane\\.doe.example.com', says: [] },
  {
    mailbox: 'jane.doe@example.com',
    says: ['spec.soa.mailbox "jane.doe@example.com": write it as a name: jane\\.doe.example.com'],
  },
  {
    mailbox: 'jane\\.doe.example.com.',
    says: [
      'spec.soa.mailbox "jane\\\\.doe.example.com.": is not a name without a final dot, e.g. jane\\.doe.example.com',
    ],
  },
])('the mailbox $mailbox', ({ mailbox, says }) => {
  expect(complaints({ soa: { mailbox } })).toEqual(says);
});
