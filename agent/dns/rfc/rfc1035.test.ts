import packet from 'dns-packet';
import { describe, expect, test } from 'vitest';
import { answerQuery } from '../answer.ts';
import {
  type Decoded,
  opt,
  queryBytes,
  records,
  snapshotOf,
  UDP_CLIENT,
  zonePlan,
} from '../dns.fixture.ts';
import { snapshot } from '../example.fixture.ts';
import { rawReply } from './rfc.fixture.ts';

type Change = (query: Buffer) => void;

function changed(change: Change, query = queryBytes('mail.example.com', 'A')): Buffer {
  change(query);
  return query;
}

const rcodeOf = (reply: Buffer): number => reply.readUInt8(3) & 0xf;

describe('RFC 1035 §4.1.1: the header', () => {
  /** QR is asked for nowhere, and set in every reply. */
  test.each([
    { when: 'nothing is set', flags: 0x0000, reply: 0x8400 },
    { when: 'RD is set: echoed', flags: 0x0100, reply: 0x8500 },
    { when: 'AA is set: means nothing in a query', flags: 0x0400, reply: 0x8400 },
    { when: 'TC is set: means nothing in a query', flags: 0x0200, reply: 0x8400 },
    { when: 'RA is set: never offered', flags: 0x0080, reply: 0x8400 },
    { when: 'Z is set: "must be zero in all queries and responses"', flags: 0x0040, reply: 0x8400 },
    { when: 'AD is set: cleared (RFC 4035 §3.1.6)', flags: 0x0020, reply: 0x8400 },
    { when: 'CD is set: cleared (RFC 4035 §3.1.6)', flags: 0x0010, reply: 0x8400 },
    { when: 'an rcode is set: means nothing in a query', flags: 0x000f, reply: 0x8400 },
    { when: 'all of them are set', flags: 0x07ff, reply: 0x8500 },
  ])('flags when $when', ({ flags, reply }) => {
    const query = changed((bytes) => bytes.writeUInt16BE(flags, 2));
    expect(rawReply(snapshot, query).readUInt16BE(2)).toBe(reply);
  });

  test.each([
    { when: 'our own data', name: 'mail.example.com', aa: true },
    { when: 'a name that we know does not exist', name: 'no.example.com', aa: true },
    { when: 'a delegation', name: 'x.child.example.com', aa: false },
    { when: 'an alias of ours that leads into a delegation', name: 'into.example.com', aa: true },
    { when: 'nobody’s name', name: 'example.org', aa: false },
  ])('AA speaks of the first owner of the answer: $when', ({ name, aa }) => {
    const reply = rawReply(snapshot, queryBytes(name, 'A'));
    expect((reply.readUInt8(2) & 0x04) !== 0).toBe(aa);
  });

  test.each(Array.from({ length: 15 }, (_, index) => index + 1))(
    'opcode %i is NOTIMP, and echoed without a question (NOTIFY RFC 1996, UPDATE RFC 2136, DSO)',
    (opcode) => {
      const query = changed((bytes) => bytes.writeUInt16BE((opcode << 11) | 0x0100, 2));
      const reply = rawReply(snapshot, query);
      expect([reply.readUInt16BE(2), reply.length]).toEqual([0x8104 | (opcode << 11), 12]);
    },
  );

  test('another opcode with an OPT is answered with one (RFC 6891 §6.1.1)', () => {
    const query = changed(
      (bytes) => bytes.writeUInt16BE(4 << 11, 2),
      queryBytes('example.com', 'SOA', opt()),
    );
    const reply = rawReply(snapshot, query);
    expect(rcodeOf(reply)).toBe(4);
    expect(packet.decode(reply).additionals).toMatchObject([{ type: 'OPT' }]);
  });

  test.each([
    { when: 'a response', bytes: changed((query) => query.writeUInt16BE(0x8000, 2)) },
    {
      when: 'a response of another opcode',
      bytes: changed((query) => query.writeUInt16BE(0xa000, 2)),
    },
    { when: 'eleven bytes', bytes: queryBytes('example.com', 'A').subarray(0, 11) },
    { when: 'nothing', bytes: Buffer.alloc(0) },
  ])('$when: no reply at all', ({ bytes }) => {
    expect(answerQuery(bytes, { snapshot, client: UDP_CLIENT, nowMs: 0 })).toBeUndefined();
  });

  test.each([0, 1, 4711, 65_535])('ID %i comes back', (id) => {
    expect(rawReply(snapshot, queryBytes('example.com', 'A', { id })).readUInt16BE(0)).toBe(id);
  });
});

describe('RFC 1035 §4.1.1 and RFC 9619 §4: the counts', () => {
  const question = queryBytes('mail.example.com', 'A').subarray(12);
  const twice = Buffer.concat([queryBytes('mail.example.com', 'A'), question]);
  test.each([
    { when: 'two questions', query: changed((q) => q.writeUInt16BE(2, 4), twice) },
    { when: 'no question', query: changed((q) => q.writeUInt16BE(0, 4)).subarray(0, 12) },
    {
      when: 'no question is said to be there, but one is',
      query: changed((q) => q.writeUInt16BE(0, 4)),
    },
    { when: '65,535 questions', query: changed((q) => q.writeUInt16BE(65_535, 4)) },
    { when: 'an answer in a query', query: changed((q) => q.writeUInt16BE(1, 6)) },
    { when: 'an authority in a query', query: changed((q) => q.writeUInt16BE(1, 8)) },
    { when: '65,535 additional records', query: changed((q) => q.writeUInt16BE(65_535, 10)) },
    {
      when: 'a byte after the end',
      query: Buffer.concat([changed(() => undefined), Buffer.of(0)]),
    },
  ])('$when: FORMERR', ({ query }) => {
    expect(rcodeOf(rawReply(snapshot, query))).toBe(1);
  });

  test.each([
    { when: 'no question', change: (q: Buffer) => q.writeUInt16BE(0, 4), echoed: 0 },
    { when: 'an answer', change: (q: Buffer) => q.writeUInt16BE(1, 6), echoed: 1 },
  ])('$when: the question is echoed only if there was one', ({ change, echoed }) => {
    expect(rawReply(snapshot, changed(change)).readUInt16BE(4)).toBe(echoed);
  });
});

describe('RFC 1035 §3.1 and §4.1.2: the question', () => {
  const ask = (name: readonly number[] | Buffer, rest = [0, 1, 0, 1]): Buffer =>
    rawReply(
      snapshot,
      Buffer.concat([queryBytes('x', 'A').subarray(0, 12), Buffer.from(name), Buffer.from(rest)]),
    );
  const label = (length: number): Buffer =>
    Buffer.concat([Buffer.of(length), Buffer.alloc(length, 97)]);
  test.each([
    { when: 'the root', name: [0], rcode: 5 },
    { when: 'a label of 63 bytes', name: Buffer.concat([label(63), Buffer.of(0)]), rcode: 5 },
    { when: 'a label of 64 bytes', name: Buffer.concat([label(64), Buffer.of(0)]), rcode: 1 },
    { when: 'a pointer to the question itself', name: [0xc0, 12], rcode: 1 },
    { when: 'a pointer into the header', name: [0xc0, 0], rcode: 1 },
    { when: 'a label and a pointer back to it', name: [1, 97, 0xc0, 12], rcode: 1 },
    { when: 'an extended label (RFC 2671 §3, withdrawn)', name: [0x41, 0, 0], rcode: 1 },
    { when: 'a reserved kind of label', name: [0x80, 0], rcode: 1 },
    { when: 'no end', name: [3, 97, 98], rcode: 1 },
  ])('$when: rcode $rcode', ({ name, rcode }) => expect(rcodeOf(ask(name))).toBe(rcode));

  test('it ends before its class', () => expect(rcodeOf(ask([0], [0, 1, 0]))).toBe(1));

  test('RFC 4343 §3: letters fold, nothing else does, and the reply has what was asked', () => {
    const world = snapshotOf({
      zones: [zonePlan('t', { records: [records('[a.t', 'A', '192.0.2.1')] })],
    });
    const name = (text: string): Buffer => Buffer.from(`${text}\x01T\0`, 'latin1');
    const reply = (text: string): Buffer =>
      rawReply(
        world,
        Buffer.concat([queryBytes('x', 'A').subarray(0, 12), name(text), Buffer.of(0, 1, 0, 1)]),
      );
    expect(reply('\x02[A').subarray(12, 18).toString('latin1')).toBe('\x02[A\x01T\0');
    expect(rcodeOf(reply('\x02[A'))).toBe(0);
    // "{" is "[" with the bit that tells "a" from "A".
    expect(rcodeOf(reply('\x02{a'))).toBe(3);
  });
});

describe('RFC 1035 §3.2.4, §3.2.5 and §6.2: classes', () => {
  const reply = (klass: number): Buffer =>
    rawReply(
      snapshot,
      changed((query) => query.writeUInt16BE(klass, query.length - 2)),
    );
  test.each([
    { klass: 1, says: 'IN', rcode: 0, aa: true },
    { klass: 2, says: 'CSNET', rcode: 5, aa: false },
    { klass: 3, says: 'CHAOS', rcode: 5, aa: false },
    { klass: 4, says: 'HESIOD', rcode: 5, aa: false },
    { klass: 254, says: 'NONE', rcode: 5, aa: false },
    { klass: 255, says: 'ANY: ours, but nobody can be sure of every class', rcode: 0, aa: false },
    { klass: 0, says: 'reserved', rcode: 5, aa: false },
  ])('class $klass ($says): rcode $rcode', ({ klass, rcode, aa }) => {
    expect([rcodeOf(reply(klass)), (reply(klass).readUInt8(2) & 4) !== 0]).toEqual([rcode, aa]);
  });
});

describe('RFC 6895 §3.1 and RFC 3597 §5: types', () => {
  test.each([
    { type: 41, says: 'OPT', rcode: 1 },
    { type: 250, says: 'TSIG', rcode: 1 },
    { type: 249, says: 'TKEY', rcode: 4 },
    { type: 253, says: 'MAILB', rcode: 4 },
    { type: 254, says: 'MAILA', rcode: 4 },
    { type: 251, says: 'IXFR', rcode: 5 },
    { type: 252, says: 'AXFR', rcode: 5 },
    { type: 0, says: 'reserved: no such data', rcode: 0 },
    { type: 10, says: 'NULL: no such data', rcode: 0 },
    { type: 65_280, says: 'private: no such data', rcode: 0 },
  ])('type $type ($says): rcode $rcode', ({ type, rcode }) => {
    const query = changed((bytes) => bytes.writeUInt16BE(type, bytes.length - 4));
    const reply = rawReply(snapshot, query);
    expect(rcodeOf(reply)).toBe(rcode);
    if (rcode === 0) expect((packet.decode(reply) as Decoded).authorities).toHaveLength(1);
  });
});
