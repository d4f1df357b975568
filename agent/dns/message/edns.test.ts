import { describe, expect, test } from 'vitest';
import { answerQuery } from '../answer.ts';
import {
  ask,
  clientSubnet,
  type Decoded,
  lines,
  opt,
  queryBytes,
  records,
  snapshotOf,
  UDP_CLIENT,
  zonePlan,
} from '../dns.fixture.ts';
import { NODES, snapshot } from '../example.fixture.ts';

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
