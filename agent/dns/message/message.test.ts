import { describe, expect, test } from 'vitest';
import { answerQuery } from '../answer.ts';
import { ask, lines, opt, queryBytes, snapshotOf, UDP_CLIENT, zonePlan } from '../dns.fixture.ts';
import { snapshot } from '../example.fixture.ts';

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
      rcode: 0,
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
