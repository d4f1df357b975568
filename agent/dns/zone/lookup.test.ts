import { describe, expect, test } from 'vitest';
import {
  ask,
  type Decoded,
  lines,
  NEGATIVE_TTL_S,
  queryBytes,
  records,
  SERIAL,
  snapshotOf,
  zonePlan,
} from '../dns.fixture.ts';
import { EXAMPLE, snapshot } from '../example.fixture.ts';

/** The example zone of RFC 4592 §2.2.1, to the letter. */
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

describe('the wildcards of RFC 4592 §2.2.1', () => {
  const snapshot = snapshotOf({ zones: [RFC_4592] });
  const txt = 'TXT this is a wildcard';
  test.each([
    { name: 'host3.example', type: 'MX', answer: ['host3.example MX 10 host1.example'] },
    { name: 'host3.example', type: 'A', answer: [] },
    { name: 'foo.bar.example', type: 'TXT', answer: [`foo.bar.example ${txt}`] },
    { name: 'host1.example', type: 'MX', answer: [] },
    { name: 'sub.*.example', type: 'MX', answer: [] },
    { name: '_telnet._tcp.host1.example', type: 'SRV', answer: 'NXDOMAIN' },
    { name: 'host.subdel.example', type: 'A', answer: 'referral' },
    { name: 'ghost.*.example', type: 'MX', answer: 'NXDOMAIN' },
    // And around it: empty non-terminals exist, the wildcard's own name is ordinary.
    { name: '_tcp.host1.example', type: 'TXT', answer: [] },
    { name: 'host2.example', type: 'TXT', answer: [] },
    { name: 'x.host2.example', type: 'TXT', answer: 'NXDOMAIN' },
    { name: '*.example', type: 'TXT', answer: [`*.example ${txt}`] },
  ])('$name $type', ({ name, type, answer }) => {
    const reply = ask(snapshot, queryBytes(name, type));
    const soa = reply.authorities?.[0]?.type === 'SOA';
    if (answer === 'referral') {
      expect(reply.flag_aa).toBe(false);
      expect(lines(reply.authorities)).toEqual([
        'subdel.example NS ns.example.com',
        'subdel.example NS ns.example.net',
      ]);
    } else if (answer === 'NXDOMAIN') {
      expect([reply.rcode, reply.flag_aa, soa]).toEqual(['NXDOMAIN', true, true]);
    } else {
      expect(lines(reply.answers)).toEqual(answer);
      expect([reply.rcode, reply.flag_aa, soa]).toEqual(['NOERROR', true, answer.length === 0]);
    }
  });
});

describe('RFC 1034 §4.3.2 in one zone', () => {
  const soa = `example.com SOA ns1.example.com hostmaster.example.com ${SERIAL} 3600 600 86400 300`;
  const glue = ['ns.child.example.com A 192.0.2.99'];
  const child = [
    'child.example.com NS ns.child.example.com',
    'child.example.com NS ns.example.net',
  ];
  test.each([
    { name: 'example.com', type: 'SOA', answers: [soa] },
    {
      name: 'example.com',
      type: 'NS',
      answers: ['example.com NS ns1.example.com', 'example.com NS ns2.example.net'],
      additionals: ['ns1.example.com A 192.0.2.53', 'ns1.example.com AAAA 2001:db8::53'],
    },
    {
      name: 'example.com',
      type: 'MX',
      answers: ['example.com MX 10 mail.example.com', 'example.com MX 20 mail.example.org'],
      additionals: ['mail.example.com A 192.0.2.25'],
    },
    {
      name: 'example.com',
      type: 'CAA',
      answers: ['example.com CAA 0 issue letsencrypt.org false'],
    },
    {
      name: '_sip._udp.example.com',
      type: 'SRV',
      answers: ['_sip._udp.example.com SRV 1 2 5060 mail.example.com'],
      additionals: ['mail.example.com A 192.0.2.25'],
    },
    { name: 'ns1.example.com', type: 'AAAA', answers: ['ns1.example.com AAAA 2001:db8::53'] },
    { name: 'mail.example.com', type: 'AAAA', authorities: [soa] },
    { name: 'nothing.example.com', type: 'A', rcode: 'NXDOMAIN', authorities: [soa] },
    {
      name: 'deep.example.com',
      type: 'A',
      answers: [
        'deep.example.com CNAME www.example.com',
        'www.example.com CNAME mail.example.com',
        'mail.example.com A 192.0.2.25',
      ],
    },
    { name: 'www.example.com', type: 'CNAME', answers: ['www.example.com CNAME mail.example.com'] },
    {
      name: 'www.example.com',
      type: 'AAAA',
      answers: ['www.example.com CNAME mail.example.com'],
      authorities: [soa],
    },
    {
      name: 'out.example.com',
      type: 'A',
      answers: ['out.example.com CNAME elsewhere.example.net'],
    },
    {
      name: 'dead.example.com',
      type: 'A',
      rcode: 'NXDOMAIN',
      answers: ['dead.example.com CNAME nothing.example.com'],
      authorities: [soa],
    },
    {
      name: 'circle.example.com',
      type: 'A',
      answers: [
        'circle.example.com CNAME round.example.com',
        'round.example.com CNAME circle.example.com',
      ],
    },
    { name: 'child.example.com', type: 'NS', aa: false, authorities: child, additionals: glue },
    { name: 'child.example.com', type: 'ANY', aa: false, authorities: child, additionals: glue },
    { name: 'a.b.child.example.com', type: 'A', aa: false, authorities: child, additionals: glue },
    { name: 'ns.child.example.com', type: 'A', aa: false, authorities: child, additionals: glue },
    {
      name: 'into.example.com',
      type: 'A',
      answers: ['into.example.com CNAME www.child.example.com'],
      authorities: child,
      additionals: glue,
    },
    { name: 'example.com', type: 'ANY', answers: ['example.com HINFO RFC8482 '] },
    { name: 'www.example.com', type: 'ANY', answers: ['www.example.com CNAME mail.example.com'] },
    { name: '_udp.example.com', type: 'ANY', authorities: [soa] },
    { name: 'example.org', type: 'A', rcode: 'REFUSED', aa: false },
    { name: 'com', type: 'A', rcode: 'REFUSED', aa: false },
    { name: '.', type: 'NS', rcode: 'REFUSED', aa: false },
    { name: 'example.com', type: 'AXFR', rcode: 'REFUSED', aa: false },
  ])('$name $type', ({ name, type, rcode, aa, answers, authorities, additionals }) => {
    const reply = ask(snapshot, queryBytes(name, type));
    expect(reply.rcode).toBe(rcode ?? 'NOERROR');
    expect(reply.flag_aa).toBe(aa ?? true);
    expect(reply.flag_ra).toBe(false);
    expect(lines(reply.answers)).toEqual(answers ?? []);
    expect(lines(reply.authorities)).toEqual(authorities ?? []);
    expect(lines(reply.additionals)).toEqual(additionals ?? []);
  });

  test('the TTL of "no" is the lesser of the SOA and its last field', () => {
    const ttlOf = (reply: Decoded, section: 'answers' | 'authorities'): unknown =>
      (reply[section]?.[0] as { ttl?: number } | undefined)?.ttl;
    expect(ttlOf(ask(snapshot, queryBytes('no.example.com', 'A')), 'authorities')).toBe(
      NEGATIVE_TTL_S,
    );
    expect(ttlOf(ask(snapshot, queryBytes('example.com', 'SOA')), 'answers')).toBe(3600);
    const slow = snapshotOf({ zones: [zonePlan('slow.example', { negativeTtlS: 9999 })] });
    expect(ttlOf(ask(slow, queryBytes('no.slow.example', 'A')), 'authorities')).toBe(3600);
  });

  test('of nested zones the one with the longest origin answers', () => {
    const inner = zonePlan('child.example.com', { serial: 7 });
    const both = snapshotOf({ zones: [EXAMPLE, inner] });
    expect(lines(ask(both, queryBytes('child.example.com', 'SOA')).answers)[0]).toContain(
      ' 7 3600',
    );
    expect(ask(both, queryBytes('ns.child.example.com', 'A')).rcode).toBe('NXDOMAIN');
  });
});

test('below two delegations the upper one is referred to', () => {
  const zone = zonePlan('t', {
    records: [records('up.t', 'NS', 'ns.t'), records('low.up.t', 'NS', 'ns.low.up.t')],
  });
  const reply = ask(snapshotOf({ zones: [zone] }), queryBytes('x.low.up.t', 'A'));
  expect(lines(reply.authorities)).toEqual(['up.t NS ns.t']);
});
