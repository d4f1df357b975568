import { describe, expect, test } from 'vitest';
import { answerQuery } from './answer.ts';
import {
  ask,
  clientSubnet,
  type Decoded,
  geoName,
  lines,
  NEGATIVE_TTL_S,
  node,
  opt,
  queryBytes,
  records,
  SERIAL,
  snapshotOf,
  UDP_CLIENT,
  zonePlan,
} from './dns.fixture.ts';

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

const EXAMPLE = zonePlan('example.com', {
  records: [
    records('example.com', 'NS', 'ns1.example.com', 'ns2.example.net'),
    records('example.com', 'MX', '10 mail.example.com', '20 mail.example.org'),
    records('example.com', 'CAA', '0 issue "letsencrypt.org"'),
    records('ns1.example.com', 'A', '192.0.2.53'),
    records('ns1.example.com', 'AAAA', '2001:db8::53'),
    records('mail.example.com', 'A', '192.0.2.25'),
    records('_sip._udp.example.com', 'SRV', '1 2 5060 mail.example.com'),
    records('www.example.com', 'CNAME', 'mail.example.com'),
    records('deep.example.com', 'CNAME', 'www.example.com'),
    records('out.example.com', 'CNAME', 'elsewhere.example.net'),
    records('dead.example.com', 'CNAME', 'nothing.example.com'),
    records('circle.example.com', 'CNAME', 'round.example.com'),
    records('round.example.com', 'CNAME', 'circle.example.com'),
    records('*.any.example.com', 'CNAME', 'site.example.com'),
    records('child.example.com', 'NS', 'ns.child.example.com', 'ns.example.net'),
    records('ns.child.example.com', 'A', '192.0.2.99'),
    records('into.example.com', 'CNAME', 'www.child.example.com'),
    records('big.example.com', 'TXT', ...Array.from({ length: 60 }, (_, i) => `${i} `.repeat(9))),
  ],
  geoNames: [
    geoName('site.example.com', { candidates: ['berlin', 'tokyo'] }),
    geoName('new.example.com'),
    geoName('order.example.com', { candidates: ['berlin', 'tokyo'], policy: 'failover' }),
  ],
});
const NODES = [
  node('berlin', { ipv4: ['192.0.2.1'], latitude: 52.5, longitude: 13.4 }),
  node('tokyo', { ipv4: ['192.0.2.2'], latitude: 35.7, longitude: 139.7 }),
];
/** 1.0.0.0/8 is in Japan, 2.0.0.0/20 in Germany, the rest nowhere. */
const locate = (address: Uint8Array | string): ReturnType<typeof located> | undefined => {
  if (address[0] === 1) return located(36, 140, 8);
  return address[0] === 2 ? located(52, 13, 20) : undefined;
};
const located = (latitude: number, longitude: number, prefixBits: number) => {
  return { latitude, longitude, prefixBits, source: 'test' };
};
const snapshot = snapshotOf({ zones: [EXAMPLE], nodes: NODES, locate });

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

describe('the header', () => {
  const patched = (change: (query: Buffer) => void, given = opt()): Buffer => {
    const query = queryBytes('mail.example.com', 'A', given);
    change(query);
    return query;
  };
  test.each([
    {
      when: 'it is a response',
      query: patched((q) => q.writeUInt16BE(0x8000, 2)),
      rcode: undefined,
    },
    { when: 'it is shorter than a header', query: Buffer.alloc(11), rcode: undefined },
    { when: 'it is empty', query: Buffer.alloc(0), rcode: undefined },
    { when: 'it is only a header', query: Buffer.alloc(12), rcode: 1 },
    { when: 'it has two questions', query: patched((q) => q.writeUInt16BE(2, 4)), rcode: 1 },
    { when: 'it is a NOTIFY', query: patched((q) => q.writeUInt16BE(4 << 11, 2)), rcode: 4 },
    {
      when: 'it is an UPDATE without a zone',
      query: patched((q) => {
        q.writeUInt16BE(5 << 11, 2);
        q.writeUInt16BE(0, 4);
      }),
      rcode: 4,
    },
    { when: 'it claims an answer', query: patched((q) => q.writeUInt16BE(1, 6)), rcode: 1 },
    {
      when: 'it claims one record too many',
      query: patched((q) => q.writeUInt16BE(2, 10)),
      rcode: 1,
    },
    {
      when: 'it claims one record too few',
      query: patched((q) => q.writeUInt16BE(0, 10)),
      rcode: 1,
    },
    { when: 'it ends early', query: patched(() => undefined).subarray(0, -1), rcode: 1 },
    {
      when: 'it goes on after its end',
      query: Buffer.concat([patched(() => undefined), Buffer.of(0)]),
      rcode: 1,
    },
    { when: 'its question points', query: patched((q) => q.writeUInt16BE(0xc00c, 12)), rcode: 1 },
    {
      when: 'its class is CHAOS',
      query: patched((q) => q.writeUInt16BE(3, 12 + 18 + 2)),
      rcode: 5,
    },
    {
      when: 'its class is ANY',
      query: patched((q) => q.writeUInt16BE(255, 12 + 18 + 2)),
      rcode: 5,
    },
    { when: 'its type is OPT', query: patched((q) => q.writeUInt16BE(41, 12 + 18)), rcode: 1 },
    { when: 'all is well', query: patched(() => undefined), rcode: 0 },
  ])('rcode $rcode when $when', ({ query, rcode }) => {
    const reply = answerQuery(query, { snapshot, client: UDP_CLIENT, nowMs: 0 });
    expect(reply && (reply[3] ?? 0) & 0xf).toBe(rcode);
    if (reply === undefined) return;
    expect(Buffer.from(reply).readUInt16BE(0)).toBe(Buffer.from(query).readUInt16BE(0));
    expect((reply[2] ?? 0) & 0x80).toBe(0x80);
  });

  test.each([0, 0x0100])('RD %i is echoed and RA never set', (flags) => {
    const reply = ask(snapshot, queryBytes('mail.example.com', 'A', { flags }));
    expect([reply.flag_rd, reply.flag_ra, reply.flag_aa]).toEqual([flags !== 0, false, true]);
  });

  test('letter case comes back as it was sent (0x20)', () => {
    const reply = ask(snapshot, queryBytes('mAiL.exAMPle.cOm', 'A'));
    expect(reply.questions?.[0]?.name).toBe('mAiL.exAMPle.cOm');
    expect(lines(reply.answers)).toEqual(['mAiL.exAMPle.cOm A 192.0.2.25']);
  });
});

describe('EDNS', () => {
  const sizeOf = (query: Buffer, client = UDP_CLIENT): { bytes: number; tc: boolean } => {
    const reply = answerQuery(query, { snapshot, client, nowMs: 0 });
    return { bytes: reply?.length ?? 0, tc: ((reply?.[2] ?? 0) & 2) !== 0 };
  };

  test('there is an OPT in the reply if there was one in the query', () => {
    expect(ask(snapshot, queryBytes('mail.example.com', 'A')).additionals).toEqual([]);
    const reply = ask(snapshot, queryBytes('mail.example.com', 'A', opt([], { flags: 0x8000 })));
    expect(reply.additionals).toMatchObject([
      { type: 'OPT', udpPayloadSize: 1232, ednsVersion: 0, flag_do: true, options: [] },
    ]);
  });

  test('a version that is not spoken is BADVERS', () => {
    const reply = ask(snapshot, queryBytes('mail.example.com', 'A', opt([], { ednsVersion: 1 })));
    expect(reply.rcode).toBe('NOERROR');
    expect(reply.answers).toEqual([]);
    expect(reply.additionals).toMatchObject([{ extendedRcode: 1, ednsVersion: 0 }]);
  });

  test.each([
    { when: 'no EDNS', given: {}, max: 512 },
    { when: 'EDNS of 0', given: opt([], { udpPayloadSize: 0 }), max: 512 },
    { when: 'EDNS of 600', given: opt([], { udpPayloadSize: 600 }), max: 600 },
    { when: 'EDNS of 65535', given: opt([], { udpPayloadSize: 65_535 }), max: 1232 },
  ])(
    'with $when an answer that is too long is cut to its question, and TC says so',
    ({ given, max }) => {
      const { bytes, tc } = sizeOf(queryBytes('big.example.com', 'TXT', given));
      expect(tc).toBe(true);
      expect(bytes).toBeLessThanOrEqual(max);
      const reply = ask(snapshot, queryBytes('big.example.com', 'TXT', given));
      expect([reply.questions?.length, reply.answers]).toEqual([1, []]);
    },
  );

  test('over TCP the same answer is whole', () => {
    const client = { ...UDP_CLIENT, transport: 'tcp' } as const;
    expect(sizeOf(queryBytes('big.example.com', 'TXT'), client).tc).toBe(false);
    expect(ask(snapshot, queryBytes('big.example.com', 'TXT'), client).answers?.length).toBe(60);
  });

  test.each([11, 12])(
    'glue that does not fit is a cut, other additions are left out (%i)',
    (count) => {
      const hosts = Array.from({ length: count }, (_, i) => `host-with-a-long-name-${i}`);
      const world = snapshotOf({
        zones: [
          zonePlan('t', {
            records: [
              records('sub.t', 'NS', ...hosts.map((host) => `${host}.sub.t`)),
              records('t', 'MX', ...hosts.map((host) => `10 ${host}.t`)),
              ...hosts.map((host) => records(`${host}.sub.t`, 'A', '192.0.2.1')),
              ...hosts.map((host) => records(`${host}.t`, 'AAAA', '2001:db8::1')),
            ],
          }),
        ],
      });
      const referral = ask(world, queryBytes('x.sub.t', 'A'));
      expect(referral.flag_tc).toBe(true);
      const mail = ask(world, queryBytes('t', 'MX'));
      expect([mail.flag_tc, mail.answers?.length]).toEqual([false, count]);
      expect(mail.additionals?.length).toBeLessThan(count);
    },
  );

  const root = '00';
  const optFields = '0029 04d0 00000000 0000';
  const other = '0010 0001 00000000 0000';
  test.each([
    { when: 'one OPT', records: [root + optFields], rcode: 'NOERROR' },
    {
      when: 'a stranger before the OPT',
      records: [root + other, root + optFields],
      rcode: 'NOERROR',
    },
    { when: 'a name that points back', records: [`c00c${other}`], rcode: 'NOERROR' },
    { when: 'two OPTs', records: [root + optFields, root + optFields], rcode: 'FORMERR' },
    { when: 'an OPT that is not at the root', records: [`017800${optFields}`], rcode: 'FORMERR' },
    { when: 'a name that points into the header', records: [`c00b${other}`], rcode: 'FORMERR' },
    { when: 'a name that points to itself', records: [`c022${other}`], rcode: 'FORMERR' },
    { when: 'a name that points ahead', records: [`c0ff${other}`], rcode: 'FORMERR' },
    { when: 'a reserved kind of label', records: [`80${other}`], rcode: 'FORMERR' },
    { when: 'data that ends early', records: ['0000290400000000000001'], rcode: 'FORMERR' },
    {
      when: 'an option that ends early',
      records: ['00002904d0000000000004000a0001'],
      rcode: 'FORMERR',
    },
    { when: 'half an option header', records: ['00002904d0000000000002000a'], rcode: 'FORMERR' },
  ])('additional records: $when: $rcode', ({ records, rcode }) => {
    const extra = Buffer.from(records.join('').replaceAll(' ', ''), 'hex');
    const query = Buffer.concat([queryBytes('mail.example.com', 'A'), extra]);
    query.writeUInt16BE(records.length, 10);
    expect(ask(snapshot, query).rcode).toBe(rcode);
  });
});

describe('name compression', () => {
  const over = { ...UDP_CLIENT, transport: 'tcp' } as const;

  test('never points to what was taken back', () => {
    const far = Array.from({ length: 40 }, (_, index) => `192.0.2.${index}`);
    const world = snapshotOf({
      zones: [
        zonePlan('t', {
          records: [
            records('t', 'MX', '10 far.away.t', '20 also.away.t'),
            records('far.away.t', 'A', ...far),
            records('also.away.t', 'A', '192.0.2.99'),
            records('srv.t', 'SRV', '1 1 1 far.hidden.t', '1 1 1 near.hidden.t'),
            records('far.hidden.t', 'A', ...far),
            records('near.hidden.t', 'A', '192.0.2.98'),
          ],
        }),
      ],
    });
    expect(lines(ask(world, queryBytes('t', 'MX')).additionals)).toEqual([
      'also.away.t A 192.0.2.99',
    ]);
    // The target of an SRV is not compressed, so its name is first seen in what does not fit.
    expect(lines(ask(world, queryBytes('srv.t', 'SRV')).additionals)).toEqual([
      'near.hidden.t A 192.0.2.98',
    ]);
  });

  test('points no farther than 14 bits go', () => {
    const hosts = Array.from({ length: 900 }, (_, index) => `${index % 2}.host-${index >> 1}.t`);
    const all = hosts.map((host) => `10 ${host}`);
    const world = snapshotOf({ zones: [zonePlan('t', { records: [records('t', 'MX', ...all)] })] });
    const reply = ask(world, queryBytes('t', 'MX'), over);
    expect(lines(reply.answers)).toEqual(hosts.map((host) => `t MX 10 ${host}`));
  });
});

test('below two delegations the upper one is referred to', () => {
  const zone = zonePlan('t', {
    records: [records('up.t', 'NS', 'ns.t'), records('low.up.t', 'NS', 'ns.low.up.t')],
  });
  const reply = ask(snapshotOf({ zones: [zone] }), queryBytes('x.low.up.t', 'A'));
  expect(lines(reply.authorities)).toEqual(['up.t NS ns.t']);
});

test.each([
  { bytes: 255, rcode: 3 },
  { bytes: 256, rcode: 1 },
])('a name of $bytes bytes: rcode $rcode', ({ bytes, rcode }) => {
  const com = snapshotOf({ zones: [zonePlan('com')] });
  const odd = bytes % 2;
  const labels = `${odd === 1 ? '' : '\x02bb'}${'\x01a'.repeat((bytes - 5 - 3 * (1 - odd)) / 2)}`;
  const name = Buffer.from(`${labels}\x03com\0`);
  expect(name.length).toBe(bytes);
  const header = queryBytes('com', 'A').subarray(0, 12);
  const query = Buffer.concat([header, name, Buffer.of(0, 1, 0, 1)]);
  const reply = answerQuery(query, { snapshot: com, client: UDP_CLIENT, nowMs: 0 });
  expect((reply?.[3] ?? 0) & 0xf).toBe(rcode);
});

describe('client subnet (RFC 7871)', () => {
  const askFrom = (name: string, subnet: object, type = 'A'): Decoded =>
    ask(snapshot, queryBytes(name, type, opt([subnet])));
  const optionOf = (reply: Decoded): unknown =>
    (reply.additionals?.find(({ type }) => type === 'OPT') as { options?: object[] } | undefined)
      ?.options?.[0];

  test.each([
    {
      when: 'the database knows a shorter prefix',
      ip: '1.2.3.0',
      bits: 24,
      scope: 8,
      edge: 'tokyo',
    },
    {
      when: 'the database knows a longer prefix',
      ip: '2.0.0.0',
      bits: 16,
      scope: 16,
      edge: 'berlin',
    },
    { when: 'all bits are sent', ip: '2.0.0.255', bits: 32, scope: 20, edge: 'berlin' },
  ])('scope $scope when $when', ({ ip, bits, scope, edge }) => {
    const reply = askFrom('site.example.com', clientSubnet(ip, bits));
    const address = NODES.find(({ name }) => name === edge)?.ipv4[0];
    expect(lines(reply.answers)).toEqual([`site.example.com A ${address}`]);
    expect(optionOf(reply)).toMatchObject({
      ip,
      sourcePrefixLength: bits,
      scopePrefixLength: scope,
    });
  });

  test.each([
    {
      when: 'the place is unknown: the address itself decided',
      name: 'site.example.com',
      ip: '9.9.9.0',
      scope: 24,
    },
    { when: 'the answer is the same for all', name: 'mail.example.com', ip: '1.2.3.0', scope: 0 },
    { when: 'the order is fixed', name: 'order.example.com', ip: '1.2.3.0', scope: 0 },
    { when: 'there is no such name', name: 'no.example.com', ip: '1.2.3.0', scope: 0 },
    { when: 'the zone is not ours', name: 'example.org', ip: '1.2.3.0', scope: 0 },
    { when: 'an alias leads to a geo name', name: 'x.any.example.com', ip: '1.2.3.0', scope: 8 },
  ])('scope $scope when $when', ({ name, ip, scope }) => {
    const reply = askFrom(name, clientSubnet(ip, 24));
    expect(optionOf(reply)).toMatchObject({ ip, sourcePrefixLength: 24, scopePrefixLength: scope });
  });

  test('a source of 0 bits: the resolver itself is located, and the scope is 0', () => {
    const query = queryBytes('site.example.com', 'A', opt([clientSubnet('0.0.0.0', 0)]));
    const reply = ask(snapshot, query, { address: '1.1.1.1', transport: 'udp' });
    expect(lines(reply.answers)).toEqual(['site.example.com A 192.0.2.2']);
    expect(optionOf(reply)).toMatchObject({ sourcePrefixLength: 0, scopePrefixLength: 0 });
  });

  test('without the option the resolver is located', () => {
    for (const [address, edge] of [
      ['1.1.1.1', '192.0.2.2'],
      ['::ffff:2.0.0.1', '192.0.2.1'],
    ] as const) {
      const reply = ask(snapshot, queryBytes('site.example.com', 'A'), {
        address,
        transport: 'udp',
      });
      expect(lines(reply.answers)).toEqual([`site.example.com A ${edge}`]);
    }
  });

  test.each([
    { when: 'too few bytes', data: [0, 1, 24, 0, 1, 2] },
    { when: 'too many bytes', data: [0, 1, 16, 0, 1, 2, 3] },
    { when: 'stray bits', data: [0, 1, 20, 0, 1, 2, 0x0f] },
    { when: 'a scope in the query', data: [0, 1, 8, 8, 1] },
    { when: 'more bits than IPv4 has', data: [0, 1, 33, 0, 1, 2, 3, 4, 0] },
    { when: 'an unknown family', data: [0, 3, 8, 0, 1] },
    { when: 'bits of no family', data: [0, 0, 8, 0, 1] },
    { when: 'half a header', data: [0, 1, 0] },
  ])('$when: FORMERR', ({ data }) => {
    const query = queryBytes('site.example.com', 'A', opt([{ code: 8, data: Buffer.from(data) }]));
    expect(ask(snapshot, query).rcode).toBe('FORMERR');
  });

  test.each([[[0, 0, 0, 0]], [[0, 1, 20, 0, 1, 2, 0x10]], [[0, 2, 0, 0]]])('%j is fine', (data) => {
    const query = queryBytes('site.example.com', 'A', opt([{ code: 8, data: Buffer.from(data) }]));
    expect(ask(snapshot, query).rcode).toBe('NOERROR');
  });
});

describe('geo names', () => {
  test('never released: no data, but the name exists', () => {
    const reply = ask(snapshot, queryBytes('new.example.com', 'A'));
    expect([reply.rcode, reply.answers, reply.authorities?.[0]?.type]).toEqual([
      'NOERROR',
      [],
      'SOA',
    ]);
  });

  test('no candidate has an IPv6 address: no data for AAAA', () => {
    const reply = ask(snapshot, queryBytes('site.example.com', 'AAAA'));
    expect([reply.rcode, reply.answers, reply.authorities?.[0]?.type]).toEqual([
      'NOERROR',
      [],
      'SOA',
    ]);
  });

  test('the TTL is the geo name’s, wildcards and aliases lead to it', () => {
    const reply = ask(snapshot, queryBytes('x.any.example.com', 'A'), {
      address: '1.1.1.1',
      transport: 'udp',
    });
    expect(lines(reply.answers)).toEqual([
      'x.any.example.com CNAME site.example.com',
      'site.example.com A 192.0.2.2',
    ]);
    expect(reply.answers?.[1]).toMatchObject({ ttl: 30 });
  });
});
