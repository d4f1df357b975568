import { describe, expect, test } from 'vitest';
import { geoName, node, records, snapshotOf, zonePlan } from '../dns.fixture.ts';
import { type NameKey, nameText, parseName } from '../message/name.ts';
import { compileZone } from '../zone/compile-zone.ts';
import { lookup } from '../zone/lookup.ts';
import { askFor } from './rfc.fixture.ts';

/** The zone of §2.2.1; its queries stand in `zone/lookup.test.ts`. */
const RFC_4592 = zonePlan('example', {
  records: [
    records('example', 'NS', 'ns.example.com.', 'ns.example.net.'),
    records('*.example', 'TXT', '"this is a wildcard"'),
    records('*.example', 'MX', '10 host1.example.'),
    records('sub.*.example', 'TXT', '"this is not a wildcard"'),
    records('host1.example', 'A', '192.0.2.1'),
    records('_ssh._tcp.host1.example', 'SRV', '0 0 22 host1.example.'),
    records('_ssh._tcp.host2.example', 'SRV', '0 0 22 host1.example.'),
    records('subdel.example', 'NS', 'ns.example.com.', 'ns.example.net.'),
  ],
});

const key = (text: string): NameKey => parseName(text) ?? ('' as NameKey);

describe('RFC 4592 §3.3.1: the closest encloser and the source of synthesis', () => {
  const zone = compileZone(RFC_4592);
  test.each([
    { name: 'host3.example', source: '*.example' },
    { name: '_telnet._tcp.host1.example', source: undefined },
    { name: '_dns._udp.host2.example', source: undefined },
    { name: '_telnet._tcp.host3.example', source: '*.example' },
    { name: '_chat._udp.host3.example', source: '*.example' },
    { name: 'foobar.*.example', source: undefined },
  ])('$name: $source', ({ name, source }) => {
    // Asked for a type that the wildcard has: found there, or there is no such name.
    const found = lookup(zone, key(name), 16);
    const wildcard = found.kind === 'records' ? found.entry.wildcard : undefined;
    expect(wildcard && nameText(wildcard)).toBe(source);
    expect(found.kind).toBe(source === undefined ? 'nxdomain' : 'records');
  });
});

describe('what else a wildcard can hold, and what stops it', () => {
  const snapshot = snapshotOf({
    zones: [
      zonePlan('w.test', {
        records: [
          records('w.test', 'NS', 'ns.w.test'),
          records('*.w.test', 'A', '192.0.2.1'),
          records('*.c.w.test', 'CNAME', 'host.other.test'),
          records('*.cc.w.test', 'CNAME', 'x.c.w.test'),
          records('*.s.w.test', 'SRV', '1 2 3 x.w.test'),
          records('deep.empty.w.test', 'TXT', 'x'),
          records('*.*.star.w.test', 'TXT', 'twice'),
          records('a*.w.test', 'TXT', 'no wildcard'),
          records('d.w.test', 'NS', 'ns.elsewhere.test'),
          records('*.d.w.test', 'A', '192.0.2.66'),
          records('*.loan.w.test', 'ALIAS', 'x.w.test'),
        ],
        geoNames: [geoName('*.geo.w.test', { candidates: ['edge'] })],
      }),
      zonePlan('other.test', { records: [records('host.other.test', 'A', '192.0.2.7')] }),
    ],
    nodes: [node('edge', { ipv4: ['192.0.2.50'] })],
  });

  test.each([
    // §2.1.1: only a whole label of one asterisk is one.
    { name: 'b.w.test', type: 'A', answers: ['b.w.test A 192.0.2.1'] },
    { name: 'a*.w.test', type: 'TXT', answers: ['a*.w.test TXT no wildcard'] },
    { name: 'ab.w.test', type: 'TXT', answers: [] },
    // §2.1.3: an asterisk that is asked for stands for itself.
    { name: '*.w.test', type: 'A', answers: ['*.w.test A 192.0.2.1'] },
    // Any number of labels.
    { name: 'a.b.c.d.e.w.test', type: 'A', answers: ['a.b.c.d.e.w.test A 192.0.2.1'] },
    // §2.2.2: an empty non-terminal exists, and so hides the wildcard beside it.
    { name: 'empty.w.test', type: 'A', answers: [] },
    { name: 'other.empty.w.test', type: 'A', answers: 'NXDOMAIN' },
    // A wildcard makes the names above it exist, too.
    { name: 'star.w.test', type: 'A', answers: [] },
    { name: 'x.star.w.test', type: 'TXT', answers: [] },
    { name: 'x.*.star.w.test', type: 'TXT', answers: ['x.*.star.w.test TXT twice'] },
    // §3.3.3: a CNAME at a wildcard is as any other CNAME.
    {
      name: 'x.c.w.test',
      type: 'A',
      answers: ['x.c.w.test CNAME host.other.test', 'host.other.test A 192.0.2.7'],
    },
    { name: 'x.c.w.test', type: 'CNAME', answers: ['x.c.w.test CNAME host.other.test'] },
    {
      name: 'x.cc.w.test',
      type: 'TXT',
      answers: ['x.cc.w.test CNAME x.c.w.test', 'x.c.w.test CNAME host.other.test'],
    },
    // §4.5: SRV is nothing special either.
    { name: '_sip._tcp.s.w.test', type: 'SRV', answers: ['_sip._tcp.s.w.test SRV 1 2 3 x.w.test'] },
    // §4.6: nor is DS, which the wildcard here does not have.
    { name: 'b.w.test', type: 'DS', answers: [] },
    // A delegation hides a wildcard below it.
    { name: 'x.d.w.test', type: 'A', answers: 'referral' },
    // Our own kinds of names.
    { name: 'x.geo.w.test', type: 'A', answers: ['x.geo.w.test A 192.0.2.50'] },
    { name: 'x.geo.w.test', type: 'TXT', answers: [] },
    { name: 'x.loan.w.test', type: 'A', answers: ['x.loan.w.test A 192.0.2.1'] },
  ])('$name $type', ({ name, type, answers }) => {
    const reply = askFor(snapshot, name, type);
    if (answers === 'referral') {
      expect([reply.aa, reply.answers]).toEqual([false, []]);
      expect(reply.authorities).toEqual(['d.w.test NS ns.elsewhere.test']);
    } else if (answers === 'NXDOMAIN') {
      expect([reply.rcode, reply.answers]).toEqual(['NXDOMAIN', []]);
    } else {
      expect([reply.rcode, reply.answers]).toEqual(['NOERROR', answers]);
    }
  });
});

test('a reply tells from which wildcard each of its rrsets was made', () => {
  const zone = compileZone(RFC_4592);
  const found = lookup(zone, key('host3.example'), 15);
  expect(found).toMatchObject({
    kind: 'records',
    entry: { owner: key('host3.example'), wildcard: key('*.example'), zone: { name: 'example' } },
  });
  expect(lookup(zone, key('host3.example'), 1)).toMatchObject({
    kind: 'nodata',
    match: { owner: key('host3.example'), wildcard: key('*.example') },
  });
});
