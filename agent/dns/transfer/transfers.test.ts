import packet from 'dns-packet';
import { describe, expect, test } from 'vitest';
import { type DnsClient, PADDING_BLOCK_BYTES } from '../answer.ts';
import { geoName, queryBytes, records } from '../dns.fixture.ts';
import { UNKNOWN_MS_MAX } from './borrowed.ts';
import { NOW_S, Primary, SECONDARY, transferable, transferPlan } from './primary.fixture.ts';
import {
  answers,
  applyChanges,
  checkSignatures,
  KEY,
  optRecord,
  readTsig,
  signed,
  transferQuery,
} from './secondary.fixture.ts';
import { TRANSFERS_MAX } from './transfers.ts';

const SOA_LINE =
  'example.com 3600 SOA ns1.example.com hostmaster.example.com 2026 3600 600 86400 300';

function rcodeOf(message: Buffer | undefined): number {
  return message === undefined ? -1 : message.readUInt16BE(2) & 0xf;
}

function extendedErrorOf(message: Buffer): number | undefined {
  const { additionals } = packet.decode(message) as unknown as {
    additionals: { type: string; options?: { code: number; data: Buffer }[] }[];
  };
  const opt = additionals.find(({ type }) => type === 'OPT');
  return opt?.options?.find(({ code }) => code === 15)?.data.readUInt16BE(0);
}

describe('AXFR (RFC 5936)', () => {
  test('the whole zone between its SOA and its SOA, authoritative, under its number', () => {
    const query = signed(transferQuery('example.com', { id: 77 }), { timeS: NOW_S });
    const messages = new Primary(transferable()).ask(query.bytes);
    const lines = answers(messages);
    expect(lines.at(0)).toBe(SOA_LINE);
    expect(lines.at(-1)).toBe(SOA_LINE);
    expect(lines.slice(1, -1).toSorted()).toEqual([
      'example.com 600 NS ns1.example.com',
      'example.com 600 NS ns2.example.com',
      `example.com 600 TXT ${['one', 'two'].map((each) => Buffer.from(each).toString('hex')).join('|')}`,
      'ns1.example.com 600 A 192.0.2.1',
      'www.example.com 600 CNAME example.com',
    ]);
    const [first] = messages;
    expect(first?.readUInt16BE(0)).toBe(77);
    expect(first?.readUInt16BE(2)).toBe(0x8400);
    checkSignatures(messages, { requestMac: query.mac });
  });

  test('many records go into one message, and only the first one has the question (§2.2.1)', () => {
    const many = Array.from({ length: 5000 }, (_, index) =>
      records(`host-${index}.example.com`, 'A', '192.0.2.7'),
    );
    const query = signed(transferQuery('example.com'), { timeS: NOW_S });
    const primary = new Primary(transferable({ records: many }));
    const messages = primary.ask(query.bytes);
    expect(answers(messages).length).toBe(5002);
    expect(messages.length).toBeLessThan(12);
    expect(messages.map((message) => message.readUInt16BE(4))).toEqual([
      1,
      ...messages.slice(1).map(() => 0),
    ]);
    checkSignatures(messages, { requestMac: query.mac });
  });

  describe('over TLS (RFC 9103)', () => {
    const many = Array.from({ length: 3000 }, (_, index) =>
      records(`host-${index}.example.com`, 'A', '192.0.2.7'),
    );
    const zone = transferable({
      records: many,
      transfer: transferPlan({
        secondaries: [{ address: '192.0.2.53', port: 53, key: undefined }],
      }),
    });
    const tls = { ...SECONDARY, transport: 'tls' } as const;
    const opt = optRecord(1232);
    const optsIn = (messages: readonly Buffer[]): readonly number[] =>
      messages.map((each) => each.readUInt16BE(10));

    test('every message has an OPT that pads it, the signature counted', () => {
      const query = signed(transferQuery('example.com', { opt }), { timeS: NOW_S });
      const signedZone = transferable({ records: many });
      const messages = new Primary(signedZone).ask(query.bytes, tls);
      expect(messages.length).toBeGreaterThan(3);
      for (const { length } of messages) expect(length % PADDING_BLOCK_BYTES).toBe(0);
      // OPT and TSIG.
      expect(optsIn(messages)).toEqual(messages.map(() => 2));
      checkSignatures(messages, { requestMac: query.mac });
    });

    test('what is said is the same as over TCP, where only the first message has an OPT', () => {
      const query = transferQuery('example.com', { opt });
      const [overTls, overTcp] = [tls, SECONDARY].map((client) =>
        new Primary(zone).ask(query, client),
      );
      expect(answers(overTls ?? [])).toEqual(answers(overTcp ?? []));
      expect(optsIn(overTcp ?? [])).toEqual(overTcp?.map((_, index) => (index === 0 ? 1 : 0)));
    });

    test('RFC 7830 §4: who knows no EDNS gets no padding', () => {
      const query = transferQuery('example.com');
      const messages = new Primary(zone).ask(query, tls);
      expect(messages).toEqual(new Primary(zone).ask(query));
      expect(optsIn(messages)).toEqual(messages.map(() => 0));
    });

    test('a message that is nearly as long as one can be is padded to that alone', () => {
      const long = Array.from({ length: 259 }, () => `"${'x'.repeat(251)}"`).join(' ');
      const large = transferable({ ...zone, records: [records('example.com', 'TXT', long)] });
      const messages = new Primary(large).ask(transferQuery('example.com', { opt }), tls);
      expect(answers(messages)).toHaveLength(3);
      for (const { length } of messages) expect(length).toBeLessThanOrEqual(65_535);
    });
  });

  test('a record that is longer than a usual message goes alone', () => {
    const long = Array.from({ length: 200 }, () => `"${'x'.repeat(250)}"`).join(' ');
    const zone = transferable({ records: [records('example.com', 'TXT', long, '"short"')] });
    const query = signed(transferQuery('example.com'), { timeS: NOW_S });
    const messages = new Primary(zone).ask(query.bytes);
    expect(answers(messages).length).toBe(4);
    expect(Math.max(...messages.map(({ length }) => length))).toBeGreaterThan(50_000);
    checkSignatures(messages, { requestMac: query.mac });
  });

  test('glue and delegations are part of it, occluded names too (§3.5)', () => {
    const zone = transferable({
      records: [
        records('sub.example.com', 'NS', 'ns.sub.example.com.'),
        records('ns.sub.example.com', 'A', '192.0.2.9'),
      ],
    });
    const query = signed(transferQuery('example.com'), { timeS: NOW_S });
    expect(answers(new Primary(zone).ask(query.bytes)).slice(1, -1)).toEqual([
      'sub.example.com 600 NS ns.sub.example.com',
      'ns.sub.example.com 600 A 192.0.2.9',
    ]);
  });

  test('geo names are the addresses that the plan says, on every nameserver the same', () => {
    const zone = transferable({
      records: [],
      geoNames: [geoName('example.com', { candidates: ['london'] })],
      transfer: transferPlan({
        addresses: [
          { name: 'example.com', type: 'A', ttlS: 30, values: ['192.0.2.10', '192.0.2.20'] },
          { name: 'example.com', type: 'AAAA', ttlS: 30, values: ['2001:db8::10'] },
        ],
      }),
    });
    const query = signed(transferQuery('example.com'), { timeS: NOW_S });
    expect(answers(new Primary(zone).ask(query.bytes)).slice(1, -1)).toEqual([
      'example.com 30 A 192.0.2.10',
      'example.com 30 A 192.0.2.20',
      'example.com 30 AAAA 2001:db8::10',
    ]);
  });

  test('an ALIAS is the addresses that its target has', () => {
    const zone = transferable({
      records: [
        records('example.com', 'ALIAS', 'web.example.com.'),
        records('web.example.com', 'A', '192.0.2.80'),
      ],
    });
    const query = signed(transferQuery('example.com'), { timeS: NOW_S });
    expect(answers(new Primary(zone).ask(query.bytes)).slice(1, -1)).toEqual([
      'example.com 600 A 192.0.2.80',
      'web.example.com 600 A 192.0.2.80',
    ]);
  });

  test('is put off while nobody has told what an ALIAS has, but not for ever', () => {
    const zone = transferable({ records: [records('example.com', 'ALIAS', 'web.example.net.')] });
    const primary = new Primary(zone);
    const ask = (): readonly Buffer[] => {
      const { bytes } = signed(transferQuery('example.com'), { timeS: primary.nowS });
      return primary.ask(bytes);
    };
    expect(rcodeOf(ask()[0])).toBe(2);
    primary.nowS += UNKNOWN_MS_MAX / 1000 - 1;
    expect(rcodeOf(ask()[0])).toBe(2);
    primary.nowS += 1;
    expect(answers(ask())).toEqual([SOA_LINE, SOA_LINE]);
  });

  test('a zone that changes meanwhile is sent as it was (INV-23)', () => {
    const many = Array.from({ length: 3000 }, (_, index) =>
      records(`host-${index}.example.com`, 'A', '192.0.2.7'),
    );
    const primary = new Primary(transferable({ records: many }));
    const reply = primary.reply(signed(transferQuery('example.com'), { timeS: NOW_S }).bytes);
    if (reply === undefined || reply instanceof Uint8Array) throw new Error('no stream');
    const messages = [Buffer.from(reply.next() ?? [])];
    primary.serve(transferable({ serial: 2027, records: [] }));
    for (let next = reply.next(); next !== undefined; next = reply.next()) {
      messages.push(Buffer.from(next));
    }
    reply.end();
    expect(answers(messages).length).toBe(3002);
    expect(answers(messages).at(-1)).toBe(SOA_LINE);
  });

  test('who asks with an OPT gets one, in the first message', () => {
    const bare = transferQuery('example.com', { opt: optRecord(1232) });
    const [message] = new Primary(transferable()).ask(signed(bare, { timeS: NOW_S }).bytes);
    const types = packet.decode(message ?? Buffer.alloc(0)).additionals?.map(({ type }) => type);
    expect(types).toEqual(['OPT', 'TSIG']);
  });

  test('only so many at once', () => {
    const primary = new Primary(transferable());
    const query = signed(transferQuery('example.com', { opt: optRecord(1232) }), { timeS: NOW_S });
    const streams = Array.from({ length: TRANSFERS_MAX }, () => primary.reply(query.bytes));
    const [refused] = primary.ask(query.bytes);
    expect(rcodeOf(refused)).toBe(2);
    expect(extendedErrorOf(readTsig(refused ?? Buffer.alloc(0))?.bare ?? Buffer.alloc(0))).toBe(14);
    const [first] = streams;
    if (first === undefined || first instanceof Uint8Array) throw new Error('no stream');
    first.end();
    expect(answers(primary.ask(query.bytes)).length).toBeGreaterThan(2);
  });
});

describe('who may take a zone', () => {
  const open = transferPlan({ secondaries: [{ address: '192.0.2.53', port: 53, key: undefined }] });
  const other = { ...KEY, name: 'other.example' };

  test.each<{
    when: string;
    client?: DnsClient;
    sign?: Parameters<typeof signed>[1] | 'unsigned';
    transfer?: ReturnType<typeof transferPlan> | 'nobody';
    origin?: string;
  }>([
    { when: 'another address signs with the key', client: { ...SECONDARY, address: '192.0.2.54' } },
    { when: 'the address does not sign', sign: 'unsigned' },
    {
      when: 'the address signs with the key of another secondary',
      sign: { timeS: NOW_S, key: other },
      transfer: transferPlan({
        secondaries: [
          { address: '192.0.2.53', port: 53, key: KEY },
          { address: '192.0.2.99', port: 53, key: other },
        ],
      }),
    },
    { when: 'the zone names no secondaries', transfer: 'nobody', sign: 'unsigned' },
    { when: 'it is over UDP (§4.2)', client: { ...SECONDARY, transport: 'udp' } },
    { when: 'the name is below the origin', origin: 'www.example.com', sign: 'unsigned' },
    { when: 'the zone is not ours', origin: 'example.net', sign: 'unsigned' },
  ])('refused, and said so: $when', ({ client, sign, transfer, origin = 'example.com' }) => {
    const zone = transferable({
      transfer: transfer === 'nobody' ? undefined : (transfer ?? transferPlan()),
    });
    const bare = transferQuery(origin, { opt: optRecord(1232) });
    const bytes = sign === 'unsigned' ? bare : signed(bare, sign ?? { timeS: NOW_S }).bytes;
    const [message = Buffer.alloc(12)] = new Primary(zone).ask(bytes, client);
    expect(rcodeOf(message)).toBe(5);
    expect(extendedErrorOf(readTsig(message)?.bare ?? message)).toBe(18);
  });

  test.each([
    { when: 'the address alone is enough', sign: false },
    { when: 'it signs although it need not', sign: true },
  ])('allowed: $when', ({ sign }) => {
    const shared = { address: '192.0.2.99', port: 53, key: KEY };
    const transfer = transferPlan({ secondaries: [...open.secondaries, shared] });
    const bare = transferQuery('example.com');
    const query = sign ? signed(bare, { timeS: NOW_S }).bytes : bare;
    expect(answers(new Primary(transferable({ transfer })).ask(query)).at(0)).toBe(SOA_LINE);
  });

  test('an IPv6 secondary, however its address is written', () => {
    const secondaries = [{ address: '2001:DB8:0::53', port: 53, key: undefined }];
    const primary = new Primary(transferable({ transfer: transferPlan({ secondaries }) }));
    const client = { ...SECONDARY, address: '2001:db8::53' };
    expect(answers(primary.ask(transferQuery('example.com'), client)).at(0)).toBe(SOA_LINE);
  });

  test('a signed zone is never handed out', () => {
    const key = { keyTag: 1, publicKey: Buffer.alloc(64), privatePem: '', role: 'active', ds: '' };
    const book = transferable({ transfer: open, keys: [key] });
    const [message] = new Primary({ ...book, keys: [] }).ask(transferQuery('example.com'));
    expect(rcodeOf(message)).toBe(0);
    const primary = new Primary();
    primary.serve({ ...book, keys: [] });
    primary.book.replace([book], primary.snapshot.zones);
    expect(rcodeOf(primary.ask(transferQuery('example.com'))[0])).toBe(5);
  });

  test('a secondary that is taken out of the zone is out at once', () => {
    const primary = new Primary(transferable());
    const { bytes } = signed(transferQuery('example.com'), { timeS: NOW_S });
    expect(rcodeOf(primary.ask(bytes)[0])).toBe(0);
    primary.serve(transferable({ transfer: undefined }));
    // Nor is its key known any more (RFC 8945 §5.2.1).
    expect(rcodeOf(primary.ask(bytes)[0])).toBe(9);
  });
});

describe('IXFR (RFC 1995)', () => {
  const versions = [
    transferable({ serial: 1, records: [records('a.example.com', 'A', '192.0.2.1')] }),
    transferable({
      serial: 2,
      records: [records('a.example.com', 'A', '192.0.2.1', '192.0.2.2')],
    }),
    transferable({
      serial: 3,
      records: [
        { ...records('a.example.com', 'A', '192.0.2.2'), ttlS: 60 },
        records('b.example.com', 'TXT', '"new"'),
      ],
    }),
    transferable({ serial: 4, records: [records('b.example.com', 'TXT', '"newer"')] }),
  ] as const;

  function primaryOf(count: number): Primary {
    const primary = new Primary(versions[0]);
    for (const version of versions.slice(1, count)) primary.serve(version);
    return primary;
  }

  function zoneAt(index: number): readonly string[] {
    const { bytes } = signed(transferQuery('example.com'), { timeS: NOW_S });
    const version = versions[index];
    if (version === undefined) throw new Error('no such version');
    return answers(new Primary(version).ask(bytes)).slice(1, -1).toSorted();
  }

  test.each([1, 2, 3])('what changed from serial %i on makes the newest version', (serial) => {
    const query = signed(transferQuery('example.com', { serial }), { timeS: NOW_S });
    const messages = primaryOf(4).ask(query.bytes);
    checkSignatures(messages, { requestMac: query.mac });
    expect(applyChanges(zoneAt(serial - 1), answers(messages))).toEqual(zoneAt(3));
  });

  test('the form of §4: old SOA, what goes, new SOA, what comes, between the newest SOAs', () => {
    const query = signed(transferQuery('example.com', { serial: 2 }), { timeS: NOW_S });
    const short = answers(primaryOf(3).ask(query.bytes)).map((line) =>
      line.replace(/^example.com .* SOA .*com (\d) .*$/, 'SOA $1'),
    );
    expect(short).toEqual([
      'SOA 3',
      'SOA 2',
      'a.example.com 600 A 192.0.2.1',
      'a.example.com 600 A 192.0.2.2',
      'SOA 3',
      'a.example.com 60 A 192.0.2.2',
      `b.example.com 600 TXT ${Buffer.from('new').toString('hex')}`,
      'SOA 3',
    ]);
  });

  test.each([
    { when: 'it is up to date', serial: 4, soas: 1 },
    { when: 'it has a newer version (RFC 1982)', serial: 5, soas: 1 },
    { when: 'it is newer by half the circle less one', serial: 4 + 0x7fff_ffff, soas: 1 },
    { when: 'its version is not known any more', serial: 0, soas: 2 },
    { when: 'it is from the other half of the circle', serial: 0xffff_ffff, soas: 2 },
  ])('the SOA alone, or the whole zone: $when', ({ serial, soas }) => {
    const query = signed(transferQuery('example.com', { serial }), { timeS: NOW_S });
    const lines = answers(primaryOf(4).ask(query.bytes));
    expect(lines.filter((line) => line.includes(' SOA ')).length).toBe(soas);
    expect(lines.length).toBe(soas === 1 ? 1 : 2 + zoneAt(3).length);
  });

  test('over UDP it is one message, or the SOA that leads to TCP (§4)', () => {
    const udp = { ...SECONDARY, transport: 'udp' } as const;
    const query = signed(transferQuery('example.com', { serial: 3 }), { timeS: NOW_S });
    const primary = primaryOf(4);
    const small = primary.ask(query.bytes, udp);
    expect(applyChanges(zoneAt(2), answers(small))).toEqual(zoneAt(3));
    checkSignatures(small, { requestMac: query.mac });
    const many = Array.from({ length: 100 }, (_, index) =>
      records(`host-${index}.example.com`, 'A', '192.0.2.7'),
    );
    primary.serve(transferable({ serial: 5, records: many }));
    const large = primary.ask(query.bytes, udp);
    expect(answers(large).length).toBe(1);
    expect(large[0]?.length).toBeLessThanOrEqual(512);
    checkSignatures(large, { requestMac: query.mac });
  });

  test('a zone with names that borrow addresses is always sent whole', () => {
    const alias = records('example.com', 'ALIAS', 'a.example.com.');
    const withAlias = versions.map((each) => ({ ...each, records: [...each.records, alias] }));
    const primary = new Primary();
    for (const version of withAlias) primary.serve(version);
    const query = signed(transferQuery('example.com', { serial: 3 }), { timeS: NOW_S });
    const lines = answers(primary.ask(query.bytes));
    expect(lines.filter((line) => line.includes(' SOA ')).length).toBe(2);
  });

  test('another Zone of the same origin has a history of its own', () => {
    const primary = primaryOf(3);
    primary.serve({ ...versions[3], uid: 'another' });
    const query = signed(transferQuery('example.com', { serial: 3 }), { timeS: NOW_S });
    const lines = answers(primary.ask(query.bytes));
    expect(lines.filter((line) => line.includes(' SOA ')).length).toBe(2);
  });

  test.each([
    { when: 'there is no SOA in it', edit: (bytes: Buffer) => bytes.writeUInt16BE(0, 8) },
    { when: 'the SOA is cut', edit: (bytes: Buffer) => bytes.writeUInt16BE(8, bytes.length - 24) },
  ])('FORMERR: $when', ({ edit }) => {
    const query = transferQuery('example.com', { serial: 3 });
    edit(query);
    expect(rcodeOf(primaryOf(4).ask(query)[0])).toBe(1);
  });

  // NSD says it, too: e2e/dns/compare.test.ts showed that it was missing.
  test('BADVERS for a version of EDNS that nobody speaks (RFC 6891 §6.1.3)', () => {
    const opt = optRecord(1232);
    opt[6] = 1;
    const query = transferQuery('example.com', { serial: 3, opt });
    const [reply = Buffer.alloc(0)] = primaryOf(4).ask(query);
    expect(rcodeOf(reply)).toBe(0);
    // Its upper bits are the first byte of the OPT's TTL.
    expect(reply.subarray(-11)[5]).toBe(1);
    expect(reply.readUInt16BE(6)).toBe(0);
  });
});

describe('a query that is no transfer', () => {
  const primary = new Primary(transferable());

  test('is answered as it is without a signature', () => {
    const [message = Buffer.alloc(0)] = primary.ask(queryBytes('www.example.com', 'A'));
    expect(answers([message])).toEqual(['www.example.com 600 CNAME example.com']);
    expect(readTsig(message)).toBeUndefined();
  });

  test('is answered and signed with one, as secondaries ask for the SOA', () => {
    const query = signed(queryBytes('example.com', 'SOA'), { timeS: NOW_S });
    const messages = primary.ask(query.bytes, { ...SECONDARY, transport: 'udp' });
    expect(answers(messages)).toEqual([SOA_LINE]);
    checkSignatures(messages, { requestMac: query.mac });
  });

  test('is cut when its signature does not fit into a datagram', () => {
    const texts = Array.from({ length: 5 }, (_, index) => `"${String(index).repeat(80)}"`);
    const zone = transferable({ records: [records('example.com', 'TXT', ...texts)] });
    const query = signed(queryBytes('example.com', 'TXT'), { timeS: NOW_S });
    const udp = { ...SECONDARY, transport: 'udp' } as const;
    const messages = new Primary(zone).ask(query.bytes, udp);
    expect((messages[0]?.readUInt16BE(2) ?? 0) & 0x0200).toBe(0x0200);
    expect(messages[0]?.length).toBeLessThanOrEqual(512);
    checkSignatures(messages, { requestMac: query.mac });
    const overTcp = new Primary(zone).ask(query.bytes);
    expect(answers(overTcp).length).toBe(5);
  });
});
