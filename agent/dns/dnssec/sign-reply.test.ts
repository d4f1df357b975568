import { describe, expect, test } from 'vitest';
import { answerQuery } from '../answer.ts';
import { opt, queryBytes, records, UDP_CLIENT } from '../dns.fixture.ts';
import { ecdsaSign } from './ecdsa.ts';
import { Signatures } from './signatures.ts';
import {
  type Asked,
  askSigned,
  CO,
  DO,
  dsOfKey,
  GERMANY,
  JAPAN,
  KEY,
  NOW_MS,
  SIGNED,
  signedSnapshot,
  zoneKey,
} from './signed.fixture.ts';
import {
  compareNames,
  dotted,
  faultsOf,
  nsecOf,
  trustKeys,
  type WireRecord,
  type WireReply,
} from './verifier.fixture.ts';

const NOW_S = NOW_MS / 1000;
const snapshot = signedSnapshot();
const keys = trustKeys(askSigned(snapshot, 'example.com', 'DNSKEY'), [dsOfKey(SIGNED, KEY)], NOW_S);

/** Asks, and demands that all that came is signed as it must be. */
function ask(name: string, type: string, asked: Asked = {}): WireReply {
  const reply = askSigned(snapshot, name, type, asked);
  if (!reply.truncated) expect(faultsOf(reply, keys, NOW_S)).toEqual([]);
  return reply;
}

const [A, NS, CNAME, SOA, MX, TXT, AAAA, DS, RRSIG, NSEC, DNSKEY, CDS, CDNSKEY, NXNAME, CAA] = [
  1, 2, 5, 6, 15, 16, 28, 43, 46, 47, 48, 59, 60, 128, 257,
];

function typesIn(section: readonly WireRecord[]): readonly number[] {
  return [...new Set(section.map(({ type }) => type))].toSorted((a, b) => a - b);
}

describe('what is there (RFC 4035 §3.1.1)', () => {
  test.each([
    { name: 'example.com', type: 'SOA', answer: [SOA, RRSIG] },
    { name: 'example.com', type: 'NS', answer: [NS, RRSIG] },
    { name: 'example.com', type: 'MX', answer: [MX, RRSIG] },
    { name: 'example.com', type: 'DNSKEY', answer: [RRSIG, DNSKEY] },
    { name: 'example.com', type: 'CDS', answer: [RRSIG, CDS] },
    { name: 'example.com', type: 'CDNSKEY', answer: [RRSIG, CDNSKEY] },
    { name: 'EXAMPLE.com', type: 'CAA', answer: [RRSIG, CAA] },
    { name: '_sip._udp.example.com', type: 'SRV', answer: [33, RRSIG] },
    // One record stands for all (RFC 8482 §4.2), signed as they would be.
    { name: 'example.com', type: 'ANY', answer: [13, RRSIG] },
    { name: 'secure.example.com', type: 'DS', answer: [DS, RRSIG] },
    { name: 'www.example.com', type: 'A', answer: [A, CNAME, RRSIG] },
    { name: 'deep.example.com', type: 'A', answer: [A, CNAME, RRSIG] },
    { name: 'out.example.com', type: 'A', answer: [CNAME, RRSIG] },
    { name: 'circle.example.com', type: 'A', answer: [CNAME, RRSIG] },
  ])('$name $type', ({ name, type, answer }) => {
    const reply = ask(name, type);
    expect(typesIn(reply.answer)).toEqual(answer);
    expect(reply).toMatchObject({ rcode: 0, authoritative: true, ednsFlags: DO, authority: [] });
  });

  test('every record of a set is under one signature', () => {
    const signatures = ask('example.com', 'MX').answer.filter(({ type }) => type === RRSIG);
    expect(signatures).toHaveLength(1);
  });

  test('addresses that help come with their signatures, if there is room', () => {
    const { additional } = ask('example.com', 'MX');
    expect(additional.map(({ type }) => type)).toEqual([A, RRSIG]);
    const room = askSigned(snapshot, 'example.com', 'MX', { udpSizeBytes: 512 });
    expect(room.truncated).toBe(false);
  });

  test.each([
    { when: 'without DO', flags: 0 },
    { when: 'with CO alone', flags: CO },
  ])('nothing is signed $when (RFC 4035 §3.1)', ({ flags }) => {
    const reply = askSigned(snapshot, 'example.com', 'MX', { flags });
    expect(typesIn([...reply.answer, ...reply.authority, ...reply.additional])).toEqual([A, MX]);
    // Asked for by name, the keys are there for everyone.
    expect(typesIn(askSigned(snapshot, 'example.com', 'DNSKEY', { flags }).answer)).toEqual([
      DNSKEY,
    ]);
    expect(askSigned(snapshot, 'no.example.com', 'A', { flags })).toMatchObject({ rcode: 3 });
  });

  test('nothing is signed in a zone without keys', () => {
    const unsigned = signedSnapshot({ ...SIGNED, keys: [] });
    for (const name of ['example.com', 'no.example.com', 'secure.example.com']) {
      const reply = askSigned(unsigned, name, 'A');
      expect(typesIn([...reply.answer, ...reply.authority])).not.toContain(RRSIG);
    }
    expect(askSigned(unsigned, 'no.example.com', 'A')).toMatchObject({ rcode: 3 });
  });
});

describe('what is not there (RFC 9824 §3)', () => {
  test.each([
    { when: '§3.1: no such name', name: 'no.example.com', types: [RRSIG, NSEC, NXNAME] },
    { when: '§3.1: below a name', name: 'x.mail.example.com', types: [RRSIG, NSEC, NXNAME] },
    { when: '§3.2: no such type', name: 'mail.example.com', type: 'TXT', types: [A, RRSIG, NSEC] },
    { when: '§3.2: empty non-terminal', name: 'ent.example.com', types: [RRSIG, NSEC] },
    {
      when: '§3.2: at the origin',
      name: 'example.com',
      types: [NS, SOA, MX, RRSIG, NSEC, DNSKEY, CDS, CDNSKEY, CAA],
    },
    {
      when: '§3.3: no such type at a wildcard',
      name: 'x.y.wild.example.com',
      type: 'MX',
      types: [A, TXT, RRSIG, NSEC],
    },
    {
      when: 'addresses of one family alone, today',
      name: 'site.example.com',
      type: 'AAAA',
      types: [A, RRSIG, NSEC],
    },
    {
      when: 'a name whose addresses are made per answer',
      name: 'site.example.com',
      type: 'TXT',
      types: [A, AAAA, RRSIG, NSEC],
    },
    {
      when: '§3.4: DS of a delegation without',
      name: 'child.example.com',
      type: 'DS',
      types: [NS, RRSIG, NSEC],
      next: ['child\0', 'example', 'com'],
    },
    {
      when: '§3.4: glue at the delegation itself is the child’s',
      name: 'self.example.com',
      type: 'DS',
      types: [NS, RRSIG, NSEC],
      next: ['self\0', 'example', 'com'],
    },
  ])('$when', ({ name, type = 'A', types, next = ['\0', ...name.split('.')] }) => {
    const reply = ask(name, type);
    expect(reply).toMatchObject({ rcode: 0, authoritative: true, answer: [] });
    expect(typesIn(reply.authority)).toEqual([SOA, RRSIG, NSEC]);
    const nsec = nsecOf(reply.authority);
    expect(nsec?.owner).toBe(name);
    expect(nsec?.types).toEqual(types);
    expect(nsec?.next).toEqual(next);
    // RFC 9077 §3: it holds no longer than the denial.
    const ttls = reply.authority.map(({ ttlS }) => ttlS);
    expect(new Set(ttls)).toEqual(new Set([300]));
  });

  test('after aliases the last name is denied', () => {
    const reply = ask('dead.example.com', 'A');
    expect(typesIn(reply.answer)).toEqual([CNAME, RRSIG]);
    expect(reply.rcode).toBe(0);
    expect(nsecOf(reply.authority)).toMatchObject({
      owner: 'nothing.example.com',
      types: [RRSIG, NSEC, NXNAME],
    });
  });

  test.each([
    { name: 'no.example.com', rcode: 3 },
    { name: 'dead.example.com', rcode: 3 },
    { name: 'ent.example.com', rcode: 0 },
    { name: 'mail.example.com', rcode: 0 },
  ])('§5.1: who says CO gets the code back: $name', ({ name, rcode }) => {
    const reply = ask(name, 'AAAA', { flags: DO | CO });
    expect(reply).toMatchObject({ rcode, ednsFlags: DO | CO });
    expect(nsecOf(reply.authority)).toBeDefined();
  });

  test('§3.5: NXNAME itself cannot be asked for', () => {
    expect(askSigned(snapshot, 'example.com', 'UNKNOWN_128')).toMatchObject({ rcode: 1 });
  });

  test('NSEC is there for who asks for it, at names that are', () => {
    const reply = ask('mail.example.com', 'NSEC');
    expect(nsecOf(reply.answer)?.types).toEqual([A, RRSIG, NSEC]);
    expect(reply.authority).toEqual([]);
    expect(nsecOf(ask('no.example.com', 'NSEC').authority)?.types).toContain(NXNAME);
  });

  test('of the signatures at a name, who asks for them gets one', () => {
    for (const name of ['mail.example.com', 'site.example.com', 'www.example.com']) {
      const { answer, authority } = askSigned(snapshot, name, 'RRSIG');
      expect(answer.map(({ type }) => type)).toEqual([RRSIG]);
      expect(answer[0]?.data.readUInt16BE(0)).toBe(NSEC);
      expect(authority).toEqual([]);
    }
  });

  test('a name too long for a label more has a next one all the same', () => {
    const labels = [
      'x'.repeat(63),
      'y'.repeat(63),
      'z'.repeat(63),
      'w'.repeat(49),
      'example',
      'com',
    ];
    const reply = ask(labels.join('.'), 'A');
    const next = nsecOf(reply.authority)?.next ?? [];
    expect(compareNames(labels, next)).toBeLessThan(0);
    expect(dotted(next).length).toBeLessThanOrEqual(253);
  });
});

test.each(['a.wild.example.com', 'b.c.wild.example.com', '*.wild.example.com'])(
  'RFC 9824 §3.3: what a wildcard stands for is signed as if it were there: %s',
  (name) => {
    const reply = ask(name, 'A');
    expect(reply.answer.map(({ owner }) => dotted(owner))).toEqual([name, name]);
    expect(reply.authority).toEqual([]);
  },
);

test('an alias that a wildcard stands for', () => {
  const reply = ask('x.any.example.com', 'A', { client: JAPAN });
  expect(reply.answer.map(({ type }) => type)).toEqual([CNAME, RRSIG, A, RRSIG]);
});

describe('delegations (RFC 4035 §3.1.4)', () => {
  test('with DS, which is signed; neither the NS rrset nor glue is', () => {
    const reply = ask('www.secure.example.com', 'A');
    expect(reply.authoritative).toBe(false);
    expect(reply.authority.map(({ type }) => type)).toEqual([NS, DS, RRSIG]);
    expect(reply.additional.map(({ type }) => type)).toEqual([A]);
  });

  test.each(['www.child.example.com', 'self.example.com'])('proven to have none: %s', (name) => {
    const reply = ask(name, 'A');
    expect(typesIn(reply.authority)).toEqual([NS, RRSIG, NSEC]);
    const [label] = name.replace('www.', '').split('.');
    expect(nsecOf(reply.authority)).toMatchObject({
      types: [NS, RRSIG, NSEC],
      // RFC 9824 §3.4: past all that lies below, which is not the zone's.
      next: [`${label}\0`, 'example', 'com'],
    });
    expect(typesIn(reply.additional)).toEqual([A]);
  });

  test('after aliases that are ours', () => {
    const reply = ask('into.example.com', 'A');
    expect(reply.answer.map(({ type }) => type)).toEqual([CNAME, RRSIG]);
    expect(typesIn(reply.authority)).toEqual([NS, RRSIG, NSEC]);
  });
});

test('each set of addresses is signed, wherever its reader is', () => {
  const [japan, germany] = [JAPAN, GERMANY].map((client) =>
    ask('site.example.com', 'A', { client }),
  );
  expect(japan?.answer[0]?.data).toEqual(Buffer.of(192, 0, 2, 2));
  expect(germany?.answer[0]?.data).toEqual(Buffer.of(192, 0, 2, 1));
});

describe('sizes (INV-25)', () => {
  test('what does not fit with its signatures is left to TCP', () => {
    for (const udpSizeBytes of [512, 1232, 4096]) {
      const reply = askSigned(snapshot, 'big.example.com', 'TXT', { udpSizeBytes });
      expect(reply).toMatchObject({ truncated: true, answer: [] });
    }
    const client = { ...UDP_CLIENT, transport: 'tcp' } as const;
    expect(ask('big.example.com', 'TXT', { client }).answer).toHaveLength(61);
  });

  test('no reply is larger than was asked for', () => {
    const context = { snapshot, nowMs: NOW_MS, signatures: new Signatures(ecdsaSign) };
    const names = ['example.com', 'no.example.com', 'www.secure.example.com', 'deep.example.com'];
    for (const name of names)
      for (const type of ['A', 'DNSKEY', 'ANY', 'MX', 'DS'])
        for (const udpPayloadSize of [512, 700, 1232]) {
          const query = queryBytes(name, type, opt([], { flags: DO, udpPayloadSize }));
          const reply = answerQuery(query, { ...context, client: UDP_CLIENT });
          expect(reply?.length).toBeLessThanOrEqual(udpPayloadSize);
        }
  });
});

describe('keys that take turns (RFC 7583 §3.3)', () => {
  const [old, young] = [zoneKey('old'), zoneKey('young')];
  const trust = (zone: typeof SIGNED, key: typeof old): readonly WireRecord[] =>
    trustKeys(
      askSigned(signedSnapshot(zone), 'example.com', 'DNSKEY'),
      [dsOfKey(zone, key)],
      NOW_S,
    );

  test.each([
    { when: 'signing', keys: [{ ...old, ds: '' }], ds: [old] },
    { when: 'publishing', keys: [old, { ...young, role: 'published', ds: '' }], ds: [old, young] },
    {
      when: 'swapping',
      keys: [
        { ...old, ds: '' },
        { ...young, role: 'published' },
      ],
      ds: [old, young],
    },
    { when: 'retiring', keys: [{ ...old, role: 'retired', ds: '' }, young], ds: [young] },
    { when: 'withdrawing', keys: [{ ...old, ds: 'delete' }], ds: [old] },
  ])('$when: every DS that the parent may hold leads to all of the zone', ({ keys: turns, ds }) => {
    const zone = { ...SIGNED, keys: turns };
    for (const key of ds) {
      const trusted = trust(zone, key);
      expect(trusted).toHaveLength(turns.length);
      for (const [name, type] of [
        ['example.com', 'MX'],
        ['no.example.com', 'A'],
        ['example.com', 'CDS'],
      ] as const)
        expect(faultsOf(askSigned(signedSnapshot(zone), name, type), trusted, NOW_S)).toEqual([]);
    }
  });

  test.each([
    { when: 'nothing is said', keys: [{ ...old, ds: '' }], cds: [], cdnskey: [] },
    {
      when: 'RFC 8078 §4: all are to go',
      keys: [{ ...old, ds: 'delete' }],
      cds: ['0000000000'],
      cdnskey: ['0000030000'],
    },
    {
      when: 'RFC 7344 §4: one is wanted, and the other is not',
      keys: [
        { ...old, ds: '' },
        { ...young, role: 'published' },
      ],
      cds: [`${hex16(young.keyTag)}0d02${dsOfKey(SIGNED, young).digest}`],
      cdnskey: [`0101030d${Buffer.from(young.publicKey).toString('hex')}`],
    },
  ])('$when', ({ keys: turns, cds, cdnskey }) => {
    const at = signedSnapshot({ ...SIGNED, keys: turns });
    for (const [type, number, data] of [
      ['CDS', CDS, cds],
      ['CDNSKEY', CDNSKEY, cdnskey],
    ] as const) {
      const { answer } = askSigned(at, 'example.com', type);
      const own = answer.filter((record) => record.type === number);
      expect(own.map((record) => record.data.toString('hex'))).toEqual(data);
    }
  });
});

test.each([
  { when: 'none signs', keys: [{ ...KEY, role: 'retired' }], problem: 'an active one' },
  {
    when: 'its halves differ',
    keys: [{ ...KEY, privatePem: zoneKey('x').privatePem }],
    problem: 'halves',
  },
  { when: 'its tag is wrong', keys: [{ ...KEY, keyTag: 1 }], problem: 'another tag' },
  { when: 'it is garbage', keys: [{ ...KEY, privatePem: 'secret' }], problem: 'in PEM' },
  {
    when: 'its role is unknown',
    keys: [KEY, { ...zoneKey('x'), role: 'king' }],
    problem: '"king"',
  },
  { when: 'its wish is unknown', keys: [{ ...KEY, ds: 'all' }], problem: '"all"' },
])('a zone whose keys are wrong is refused whole (INV-38): $when', ({ keys: given, problem }) => {
  const plan = {
    ...SIGNED,
    keys: given,
    records: [records('example.com', 'NS', 'ns1.example.com')],
  };
  expect(() => signedSnapshot(plan)).toThrow(problem);
  expect(() => signedSnapshot(plan)).not.toThrow('secret');
});

function hex16(number: number): string {
  return number.toString(16).padStart(4, '0');
}
