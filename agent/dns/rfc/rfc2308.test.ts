import { describe, expect, test } from 'vitest';
import { answerQuery } from '../answer.ts';
import {
  ask,
  type Decoded,
  geoName,
  node,
  queryBytes,
  records,
  snapshotOf,
  zonePlan,
} from '../dns.fixture.ts';
import { compileZone } from '../zone/compile-zone.ts';
import { compileZones } from '../zone/compile-zones.ts';
import { askFor, whole } from './rfc.fixture.ts';

const ttlsOf = (reply: Decoded, section: 'answers' | 'authorities' | 'additionals') =>
  (reply[section] ?? []).map((entry) => (entry as { ttl?: number }).ttl);

describe('RFC 2308 §2, §3 and §5: what is not there', () => {
  const zones = [
    zonePlan('low.test', {
      negativeTtlS: 60,
      records: [
        records('host.low.test', 'TXT', 'x'),
        records('www.low.test', 'CNAME', 'no.low.test'),
      ],
    }),
    zonePlan('high.test', { negativeTtlS: 86_400 }),
    zonePlan('zero.test', { negativeTtlS: 0 }),
  ];
  const snapshot = snapshotOf({ zones });
  test.each([
    { when: 'no such name (§2.1)', name: 'no.low.test', rcode: 'NXDOMAIN', ttlS: 60 },
    { when: 'no such data (§2.2)', name: 'host.low.test', rcode: 'NOERROR', ttlS: 60 },
    { when: 'after an alias (§2.1, type 1)', name: 'www.low.test', rcode: 'NXDOMAIN', ttlS: 60 },
    { when: 'the SOA’s own TTL is less (§3)', name: 'no.high.test', rcode: 'NXDOMAIN', ttlS: 3600 },
    { when: 'it is not to be kept at all', name: 'no.zero.test', rcode: 'NXDOMAIN', ttlS: 0 },
  ])('$when: the SOA for $ttlS s, and no NS', ({ name, rcode, ttlS }) => {
    const reply = ask(snapshot, queryBytes(name, 'A'));
    expect([reply.rcode, reply.flag_aa, reply.additionals]).toEqual([rcode, true, []]);
    expect(reply.authorities?.map(({ type }) => type)).toEqual(['SOA']);
    expect(ttlsOf(reply, 'authorities')).toEqual([ttlS]);
  });

  test('an SOA that is asked for has its own TTL', () => {
    expect(ttlsOf(ask(snapshot, queryBytes('low.test', 'SOA')), 'answers')).toEqual([3600]);
  });
});

describe('RFC 2181 §5: rrsets', () => {
  const world = snapshotOf({
    zones: [
      zonePlan('t', {
        records: [
          { ...records('t', 'MX', '10 mail.t', '10 post.t', '5 mail.t'), ttlS: 77 },
          { ...records('mail.t', 'A', '192.0.2.1', '192.0.2.2'), ttlS: 88 },
          { ...records('post.t', 'A', '192.0.2.3'), ttlS: 99 },
        ],
      }),
    ],
  });

  test('§5.2: one TTL for all records of a set, also beside an answer', () => {
    const reply = ask(world, queryBytes('t', 'MX'));
    expect(ttlsOf(reply, 'answers')).toEqual([77, 77, 77]);
    expect(ttlsOf(reply, 'additionals')).toEqual([88, 88, 99]);
  });

  test('§5.5: a set comes once, whatever leads to it', () => {
    expect(askFor(world, 't', 'MX')).toEqual(
      whole({
        answers: ['t MX 10 mail.t', 't MX 10 post.t', 't MX 5 mail.t'],
        additionals: ['mail.t A 192.0.2.1', 'mail.t A 192.0.2.2', 'post.t A 192.0.2.3'],
      }),
    );
  });

  test('§5: a record that is written in two ways is one', () => {
    const nodes = [node('a', { ipv4: ['192.0.2.9'] }), node('b', { ipv4: ['192.0.2.9'] })];
    const zone = zonePlan('t', {
      records: [
        records('six.t', 'AAAA', '::1', '0::1', '::2'),
        records('c.t', 'NS', 'ns.c.t', 'NS.C.t.'),
        records('ns.c.t', 'A', '192.0.2.1'),
        records('alias.t', 'CNAME', 'six.t', 'SIX.t'),
      ],
      geoNames: [geoName('geo.t', { candidates: ['a', 'b'], answersMax: 2 })],
    });
    const snapshot = snapshotOf({ zones: [zone], nodes });
    const six = ['six.t AAAA ::1', 'six.t AAAA ::2'];
    expect(askFor(snapshot, 'six.t', 'AAAA')).toEqual(whole({ answers: six }));
    expect(askFor(snapshot, 'alias.t', 'AAAA').answers).toEqual(['alias.t CNAME six.t', ...six]);
    expect(askFor(snapshot, 'geo.t', 'A').answers).toEqual(['geo.t A 192.0.2.9']);
    expect(askFor(snapshot, 'x.c.t', 'A')).toEqual(
      whole({
        aa: false,
        authorities: ['c.t NS ns.c.t'],
        additionals: ['ns.c.t A 192.0.2.1'],
      }),
    );
  });

  test('§9: a set that does not fit is no reason for TC where it only helps', () => {
    const many = Array.from({ length: 30 }, (_, index) => `192.0.2.${index}`);
    const zone = zonePlan('t', {
      records: [
        records('t', 'MX', '10 big.t', '20 small.t'),
        records('big.t', 'A', ...many),
        records('small.t', 'A', '192.0.2.99'),
      ],
    });
    const reply = ask(snapshotOf({ zones: [zone] }), queryBytes('t', 'MX'));
    expect([reply.flag_tc, ttlsOf(reply, 'additionals').length]).toEqual([false, 1]);
  });

  test.each([
    { ttlS: 0x7fff_ffff, served: 0x7fff_ffff },
    { ttlS: 0x8000_0000, served: 0x7fff_ffff },
    { ttlS: 0xffff_ffff, served: 0x7fff_ffff },
    { ttlS: 0, served: 0 },
  ])('§8: a TTL of $ttlS is served as $served', ({ ttlS, served }) => {
    const zone = zonePlan('t', { records: [{ ...records('a.t', 'A', '192.0.2.1'), ttlS }] });
    const reply = ask(snapshotOf({ zones: [zone] }), queryBytes('a.t', 'A'));
    expect(ttlsOf(reply, 'answers')).toEqual([served]);
  });

  test('§10.1: a CNAME stands alone, §10.3: what MX and NS lead to need not', () => {
    const both = [records('a.t', 'CNAME', 'b.t'), records('a.t', 'TXT', 'x')];
    expect(() => compileZone(zonePlan('t', { records: both }))).toThrow('CNAME beside');
  });
});

describe('RFC 1034 §3.6 and RFC 3597 §4: names in data', () => {
  /** The name of the SRV's target is in the reply already, and would be compressed if it could be. */
  test('are compressed only in types that were there before RFC 3597', () => {
    const zone = zonePlan('t', {
      records: [
        records('x.t', 'MX', '10 x.t'),
        records('x.t', 'SRV', '1 2 3 x.t'),
        records('x.t', 'NAPTR', '1 2 "s" "x" "" x.t'),
        records('x.t', 'HTTPS', '1 x.t'),
        records('x.t', 'TYPE65280', '\\# 3 01 78 00'),
      ],
    });
    const snapshot = snapshotOf({ zones: [zone] });
    const dataOf = (type: number): string => {
      const query = queryBytes('x.t', 'A');
      query.writeUInt16BE(type, query.length - 4);
      const client = { address: '192.0.2.1', transport: 'udp' } as const;
      const reply = answerQuery(query, { snapshot, client, nowMs: 0 });
      const bytes = Buffer.from(reply ?? []);
      const at = query.length + 10;
      return bytes.subarray(at + 2, at + 2 + bytes.readUInt16BE(at)).toString('hex');
    };
    expect(dataOf(15)).toBe('000ac00c');
    expect(dataOf(33)).toBe('0001000200030178017400');
    expect(dataOf(35)).toBe('00010002017301780001780174 00'.replace(' ', ''));
    expect(dataOf(65)).toBe('00010178017400');
    expect(dataOf(65_280)).toBe('017800');
  });
});

test('INV-23: every rrset of an answer is of one version of the zone', () => {
  const version = (serial: number) =>
    zonePlan('t', {
      serial,
      records: [
        records('a.t', 'CNAME', 'b.t'),
        records('b.t', 'CNAME', 'c.t'),
        records('c.t', 'A', `192.0.2.${serial}`),
        records('c.t', 'TXT', `version ${serial}`),
      ],
    });
  const first = snapshotOf({ zones: [version(1)] });
  const second = { ...first, zones: compileZones([version(2)], first.zones).zones };
  for (const [snapshot, serial] of [
    [first, 1],
    [second, 2],
    [first, 1],
  ] as const) {
    expect(askFor(snapshot, 'a.t', 'A').answers.at(-1)).toBe(`c.t A 192.0.2.${serial}`);
    expect(askFor(snapshot, 'no.t', 'A').authorities[0]).toContain(` ${serial} 3600`);
  }
});
