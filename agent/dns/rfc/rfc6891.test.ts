import packet from 'dns-packet';
import { describe, expect, test } from 'vitest';
import { answerQuery } from '../answer.ts';
import { createCookies } from '../cookie/cookies.ts';
import {
  ask,
  clientSubnet,
  type Decoded,
  opt,
  queryBytes,
  records,
  snapshotOf,
  UDP_CLIENT,
  zonePlan,
} from '../dns.fixture.ts';
import { snapshot as example, NODES } from '../example.fixture.ts';
import { fullRcode, optionsOf, rawReply } from './rfc.fixture.ts';

const snapshot = {
  ...example,
  cookies: createCookies([Buffer.from('e5e973e5a6b2a43f48e7dc849e37bfcf', 'hex')]),
};
const option = (code: number, hex = ''): object => ({ code, data: Buffer.from(hex, 'hex') });
const decode = (reply: Buffer): Decoded => packet.decode(reply) as Decoded;
const given = (options: readonly object[], name = 'mail.example.com', type = 'A'): Buffer =>
  queryBytes(name, type, opt(options));

describe('RFC 6891 §6.1.1 and §7: an OPT is answered with an OPT, whatever the outcome', () => {
  const broken = (bytes: Buffer, change: (query: Buffer) => void): Buffer => {
    change(bytes);
    return bytes;
  };
  const optRecord = Buffer.from('00002904d0000000000000', 'hex');
  const cookie = option(10, '0102030405060708');
  test.each([
    { when: 'an answer', query: given([]), rcode: 0 },
    { when: 'no such name', query: given([], 'no.example.com'), rcode: 3 },
    { when: 'not our zone', query: given([], 'example.org'), rcode: 5 },
    { when: 'a transfer', query: given([], 'example.com', 'AXFR'), rcode: 5 },
    { when: 'another class', query: broken(given([]), (q) => q.writeUInt16BE(3, 32)), rcode: 5 },
    {
      when: 'another opcode',
      query: broken(given([]), (q) => q.writeUInt16BE(0x2800, 2)),
      rcode: 4,
    },
    { when: 'a malformed option', query: given([option(8, '00')]), rcode: 1 },
    { when: 'a malformed cookie', query: given([option(10, '0102')]), rcode: 1 },
    {
      when: 'two OPTs (§6.1.1)',
      query: broken(Buffer.concat([given([]), optRecord]), (q) => q.writeUInt16BE(2, 10)),
      rcode: 1,
    },
    {
      when: 'two questions',
      query: broken(Buffer.concat([given([]).subarray(0, 34), given([]).subarray(12)]), (q) =>
        q.writeUInt16BE(2, 4),
      ),
      rcode: 1,
    },
    { when: 'a byte after the end', query: Buffer.concat([given([]), Buffer.of(0)]), rcode: 1 },
    {
      when: 'a version from the future',
      query: queryBytes('x', 'A', opt([], { ednsVersion: 7 })),
      rcode: 16,
    },
    {
      when: 'no question and no cookie',
      query: broken(Buffer.concat([given([]).subarray(0, 12), optRecord]), (q) =>
        q.writeUInt16BE(0, 4),
      ),
      rcode: 1,
    },
    {
      when: 'no question, but a cookie (RFC 7873 §5.4)',
      query: packet.encode({ type: 'query', ...opt([cookie]) }),
      rcode: 0,
    },
  ])('$when: rcode $rcode', ({ query, rcode }) => {
    const reply = rawReply(snapshot, query);
    expect(optionsOf(decode(reply))).toBeDefined();
    expect(fullRcode(reply, decode(reply))).toBe(rcode);
  });

  test.each([
    { when: 'an answer', query: queryBytes('mail.example.com', 'A') },
    { when: 'an error', query: queryBytes('example.org', 'A') },
  ])('no OPT unless asked: $when', ({ query }) => {
    expect(optionsOf(decode(rawReply(snapshot, query)))).toBeUndefined();
  });
});

describe('RFC 6891 §6.1.3 and §6.2.3: the fields of our OPT', () => {
  const optOf = (reply: Decoded): object | undefined =>
    reply.additionals?.find(({ type }) => type === 'OPT');
  test('version 0, our own size, DO copied (RFC 3225 §3), all other flags clear', () => {
    for (const flags of [0, 0x8000, 0xbfff]) {
      const query = queryBytes('mail.example.com', 'A', opt([], { flags, udpPayloadSize: 4096 }));
      expect(optOf(ask(snapshot, query))).toMatchObject({
        ...{ ednsVersion: 0, udpPayloadSize: 1232, extendedRcode: 0, name: '.' },
        flags: flags & 0x8000,
      });
    }
  });

  test('BADVERS looks at no option, for they may have another form', () => {
    const bad = Buffer.from('000029 04d0 00 01 0000 0003 ffffff'.replaceAll(' ', ''), 'hex');
    const query = Buffer.concat([queryBytes('mail.example.com', 'A'), bad]);
    query.writeUInt16BE(1, 10);
    const reply = rawReply(snapshot, query);
    expect([fullRcode(reply, decode(reply)), optionsOf(decode(reply))]).toEqual([16, []]);
  });

  test.each([
    { code: 5, says: 'DAU' },
    { code: 9, says: 'EXPIRE' },
    { code: 13, says: 'CHAIN' },
    { code: 12, says: 'padding over UDP' },
    { code: 11, says: 'keepalive over UDP (RFC 7828 §3.3.1)' },
    { code: 65_001, says: 'a local one' },
  ])('option $code ($says) is ignored', ({ code }) => {
    const reply = ask(snapshot, given([option(code, '00010203')]));
    expect([reply.rcode, optionsOf(reply)]).toEqual(['NOERROR', []]);
  });
});

describe('RFC 7871: client subnet', () => {
  const subnet = (hex: string) => ask(snapshot, given([option(8, hex)], 'site.example.com'));
  test.each([
    { when: 'IPv4, the database knows 8 bits', hex: '0001180001 0203', scope: '0001180801 0203' },
    { when: 'nothing is told: scope 0 (§7.1.2)', hex: '00010000', scope: '00010000' },
    { when: 'nothing is told, of no family', hex: '00000000', scope: '00000000' },
    {
      when: 'IPv6, nowhere: what was told decided',
      hex: '0002200020 010db8',
      scope: '0002202020 010db8',
    },
  ])('$when', ({ hex, scope }) => {
    const bare = (text: string): string => text.replaceAll(' ', '');
    expect(optionsOf(subnet(bare(hex)))).toEqual([`8 ${bare(scope)}`]);
  });

  test('§7.2.1: it comes back with answers that are the same for all, and with errors', () => {
    for (const name of ['mail.example.com', 'no.example.com', 'example.org', 'example.com']) {
      const reply = ask(snapshot, given([clientSubnet('1.2.3.0', 24)], name));
      expect(optionsOf(reply)?.[0]).toBe('8 00011800010203');
    }
  });

  test.each([
    { when: 'IPv4 with 33 bits', hex: '000121000102030400' },
    { when: 'IPv6 with 129 bits', hex: `00028100${'00'.repeat(17)}` },
    { when: 'a scope', hex: '0001181801 0203'.replace(' ', '') },
    { when: 'a bit after the prefix', hex: '00011700010203' },
    { when: 'too short', hex: '000118000102' },
    { when: 'too long', hex: '0001180001020304' },
    { when: 'an unknown family', hex: '000318000102 03'.replace(' ', '') },
    { when: 'an option of no bytes', hex: '' },
  ])('malformed: $when: FORMERR', ({ hex }) => expect(subnet(hex).rcode).toBe('FORMERR'));

  test('§7.4: a negative answer is for all, for resolvers take it so', () => {
    // Neither edge has an IPv6 address, though for one of them the client's place would decide.
    for (const hex of ['00011800010203', '0002200020010db8']) {
      const reply = ask(snapshot, given([option(8, hex)], 'site.example.com', 'AAAA'));
      expect([reply.rcode, reply.answers, optionsOf(reply)]).toEqual(['NOERROR', [], [`8 ${hex}`]]);
    }
  });

  test('an answer of the chain’s last geo name has that one’s scope', () => {
    const reply = ask(snapshot, given([clientSubnet('2.0.0.0', 24)], 'x.any.example.com'));
    expect(optionsOf(reply)).toEqual(['8 00011814020000']);
    expect(reply.answers?.at(-1)).toMatchObject({ data: NODES[0]?.ipv4[0] });
  });
});

describe('RFC 7873: cookies', () => {
  const client = '2464c4abcf10c957';
  const from = { ...UDP_CLIENT, address: '198.51.100.100' };
  const good = `${client}010000005cf79f111f8130c3eee29480`;
  const nowMs = 1_559_731_985_000;
  const reply = (hex: string, overload = false, transport: 'udp' | 'tcp' = 'udp') => {
    const context = { snapshot, client: { ...from, transport }, nowMs };
    const isOverloaded = (): boolean => overload;
    const bytes = answerQuery(given([option(10, hex)]), { ...context, isOverloaded });
    const decoded = decode(Buffer.from(bytes ?? []));
    return { rcode: fullRcode(Buffer.from(bytes ?? []), decoded), decoded };
  };
  const bad = `${good.slice(0, -1)}1`;

  test.each([
    { when: 'a client cookie alone (§5.2.3)', hex: client },
    { when: 'a good server cookie (§5.2.5)', hex: good },
    { when: 'a bad one (§5.2.4)', hex: bad },
    { when: 'one of the greatest length', hex: client + '11'.repeat(32) },
  ])('$when: an answer, with a good cookie', ({ hex }) => {
    const { rcode, decoded } = reply(hex);
    expect([rcode, decoded.answers?.length, optionsOf(decoded)]).toEqual([0, 1, [`10 ${good}`]]);
  });

  test.each([
    { when: 'a client cookie alone', hex: client, rcode: 23 },
    { when: 'a bad one', hex: bad, rcode: 23 },
    { when: 'a good one', hex: good, rcode: 0 },
    { when: 'over TCP, where nobody forges', hex: client, transport: 'tcp', rcode: 0 },
  ] as const)('under load: $when: rcode $rcode', (row) => {
    const { hex, rcode } = row;
    const said = reply(hex, true, 'transport' in row ? row.transport : 'udp');
    expect([said.rcode, optionsOf(said.decoded)]).toEqual([rcode, [`10 ${good}`]]);
    expect(said.decoded.answers).toHaveLength(rcode === 0 ? 1 : 0);
  });

  test('under load, without a cookie: as ever, for that is for the rate limit', () => {
    const context = { snapshot, client: from, nowMs, isOverloaded: () => true };
    const bytes = answerQuery(queryBytes('mail.example.com', 'A', opt()), context);
    expect(decode(Buffer.from(bytes ?? [])).answers).toHaveLength(1);
  });

  test.each([0, 1, 7, 9, 15, 41])('§5.2.2: %i bytes: FORMERR', (bytes) => {
    expect(reply('11'.repeat(bytes)).rcode).toBe(1);
  });

  test.each([8, 16, 40])('%i bytes are fine', (bytes) => {
    expect(reply('11'.repeat(bytes)).rcode).toBe(0);
  });

  test('of two the first counts (§5.2)', () => {
    const query = given([option(10, client), option(10, 'ffffffffffffffff')]);
    const bytes = answerQuery(query, { snapshot, client: from, nowMs });
    expect(optionsOf(decode(Buffer.from(bytes ?? [])))).toEqual([`10 ${good}`]);
  });

  test.each([
    { when: 'it has none yet', hex: client, rcode: 0 },
    { when: 'its cookie is good', hex: good, rcode: 0 },
    { when: 'its cookie is not', hex: bad, rcode: 23 },
  ])('§5.4: a client asks for a cookie alone: $when: rcode $rcode', ({ hex, rcode }) => {
    const query = packet.encode({ type: 'query', ...opt([option(10, hex)]) });
    const bytes = Buffer.from(answerQuery(query, { snapshot, client: from, nowMs }) ?? []);
    const decoded = decode(bytes);
    expect([fullRcode(bytes, decoded), optionsOf(decoded)]).toEqual([rcode, [`10 ${good}`]]);
    expect(bytes.readUInt16BE(4)).toBe(0);
  });

  test('under load a malformed query is still that', () => {
    const query = Buffer.concat([given([option(10, client)]), Buffer.of(0)]);
    const context = { snapshot, client: from, nowMs, isOverloaded: () => true };
    const bytes = Buffer.from(answerQuery(query, context) ?? []);
    expect(fullRcode(bytes, decode(bytes))).toBe(1);
  });

  test('without a secret the option is one that is not understood', () => {
    const bare = ask(example, given([option(10, client)]));
    expect([bare.rcode, optionsOf(bare)]).toEqual(['NOERROR', []]);
    const empty = packet.encode({ type: 'query', ...opt([option(10, client)]) });
    expect(ask(example, empty).rcode).toBe('FORMERR');
  });
});

describe('RFC 8914: extended errors', () => {
  test.each([
    { when: 'a zone of others: Not Authoritative', name: 'example.org', type: 'A', code: 20 },
    { when: 'a transfer: Prohibited', name: 'example.com', type: 'AXFR', code: 18 },
    { when: 'changes: Prohibited', name: 'example.com', type: 'IXFR', code: 18 },
  ])('$when', ({ name, type, code }) => {
    const reply = ask(snapshot, given([], name, type));
    expect([reply.rcode, optionsOf(reply)]).toEqual([
      'REFUSED',
      [`15 ${code.toString(16).padStart(4, '0')}`],
    ]);
  });

  test('an opcode that is not spoken: Not Supported', () => {
    const query = given([]);
    query.writeUInt16BE(0x2000, 2);
    expect(optionsOf(ask(snapshot, query))).toEqual(['15 0015']);
  });

  test.each([128, 41, 250])('RFC 9824 §3.5: TYPE%i is no data: Invalid Query Type', (type) => {
    const query = given([]);
    query.writeUInt16BE(type, 12 + '\x04mail\x07example\x03com\0'.length);
    const reply = ask(snapshot, query);
    expect([reply.rcode, optionsOf(reply)]).toEqual(['FORMERR', ['15 001e']]);
  });

  test.each(['mail.example.com', 'no.example.com', 'x.child.example.com'])(
    'nothing is wrong with %s',
    (name) => expect(optionsOf(ask(snapshot, given([], name)))).toEqual([]),
  );
});

describe('RFC 5001: NSID', () => {
  test('the node’s name, to those who ask', () => {
    const reply = ask(snapshot, given([option(3)]));
    expect(optionsOf(reply)).toEqual([`3 ${Buffer.from('ns1').toString('hex')}`]);
  });

  test('also with an error, for that is when one wants to know', () => {
    const reply = ask(snapshot, given([option(3)], 'example.org'));
    expect(optionsOf(reply)?.[0]).toBe('3 6e7331');
  });
});

describe('RFC 7828: keepalive', () => {
  test.each([
    { transport: 'tcp', options: ['11 0064'] },
    { transport: 'tls', options: ['11 0064'] },
    { transport: 'udp', options: [] },
  ] as const)('over $transport: $options, in units of 100 ms', ({ transport, options }) => {
    const reply = decode(rawReply(snapshot, given([option(11)]), transport));
    expect(optionsOf(reply)?.filter((each) => each.startsWith('11 '))).toEqual(options);
  });

  test('not unless asked', () => {
    expect(optionsOf(decode(rawReply(snapshot, given([]), 'tcp')))).toEqual([]);
  });
});

describe('RFC 7830 and RFC 8467 §4.1: padding', () => {
  const big = snapshotOf({
    zones: [
      zonePlan('t', {
        records: Array.from({ length: 60 }, (_, index) =>
          records(`n${index}.t`, 'TXT', 'x'.repeat(index * 4 + 1), 'y'.repeat(200)),
        ),
      }),
    ],
  });
  test('over TLS every answer with an OPT has a multiple of 468 bytes', () => {
    for (let index = 0; index < 60; index += 1) {
      const reply = rawReply(big, queryBytes(`n${index}.t`, 'TXT', opt()), 'tls');
      expect(reply.length % 468).toBe(0);
      expect(decode(reply).answers).toHaveLength(2);
    }
  });

  test('without an OPT there is nowhere to put it', () => {
    expect(rawReply(big, queryBytes('n1.t', 'TXT'), 'tls').length).toBeLessThan(468);
  });

  test.each(['udp', 'tcp'] as const)('not over %s, where everyone can read', (transport) => {
    const reply = rawReply(big, queryBytes('n1.t', 'TXT', opt([option(12, '0000')])), transport);
    expect(optionsOf(decode(reply))).toEqual([]);
  });

  test('an answer that is almost as large as can be is padded as far as there is room', () => {
    const values = Array.from({ length: 254 }, (_, index) => `${index} ${'z'.repeat(240)}`);
    const huge = snapshotOf({
      zones: [zonePlan('t', { records: [records('huge.t', 'TXT', ...values)] })],
    });
    const reply = rawReply(huge, queryBytes('huge.t', 'TXT', opt()), 'tls');
    expect(reply.length).toBeLessThanOrEqual(65_535);
    expect(decode(reply).flag_tc).toBe(false);
  });
});

test('with every option at once a cut answer still fits 512 bytes', () => {
  const name = `${'a'.repeat(63)}.${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(54)}.t`;
  const text = Array.from({ length: 9 }, () => 'x'.repeat(250));
  const world = {
    ...snapshotOf({ zones: [zonePlan('t', { records: [records(name, 'TXT', ...text)] })] }),
    cookies: snapshot.cookies,
    nameserver: 'n'.repeat(200),
  };
  const all = [
    option(3),
    option(10, '0102030405060708'),
    option(11),
    clientSubnet('2001:db8:1:2:3:4:5:6', 128),
  ];
  const query = queryBytes(name, 'TXT', opt(all, { udpPayloadSize: 512 }));
  const reply = rawReply(world, query);
  expect([reply.length <= 512, decode(reply).flag_tc]).toEqual([true, true]);
  expect(optionsOf(decode(reply))).toHaveLength(3);
});
