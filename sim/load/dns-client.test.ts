import packet from 'dns-packet';
import { expect, test } from 'vitest';
import { decodeReply, readName } from './dns-client.ts';

const SOA = { mname: 'ns.example.test', rname: 'x.example.test', serial: 4_000_000_001 };

test('a reply is read as another encoder writes it', () => {
  const bytes = packet.encode({
    ...{ type: 'response', id: 77, flags: packet.AUTHORITATIVE_ANSWER },
    questions: [{ type: 'A', name: 'Blog.example.test' }],
    answers: [
      { type: 'A', name: 'Blog.example.test', ttl: 5, data: '192.0.2.9' },
      { type: 'A', name: 'Blog.example.test', ttl: 5, data: '192.0.2.1' },
      { type: 'TXT', name: 'example.test', ttl: 6, data: ['a=', '1'] },
    ],
    authorities: [{ type: 'SOA', name: 'example.test', ttl: 7, data: SOA }],
    additionals: [
      { type: 'NS', name: 'example.test', ttl: 8, data: 'ns.example.test' },
      { type: 'OPT', name: '.', udpPayloadSize: 1232, flags: 0, options: [] } as never,
    ],
  });
  expect(decodeReply(bytes)).toMatchObject({
    ...{ id: 77, kind: 'response', opcode: 0, rcode: 0, form: 'whole', edns: 'present' },
    addresses: ['192.0.2.1', '192.0.2.9'],
    serial: SOA.serial,
    answer: [
      { name: 'blog.example.test', type: 1, ttlS: 5, text: '192.0.2.9' },
      { text: '192.0.2.1' },
      { name: 'example.test', type: 16, ttlS: 6, text: 'a=1' },
    ],
    authority: [{ name: 'example.test', type: 6, ttlS: 7, text: '4000000001' }],
    additional: [{ type: 2, text: 'ns.example.test' }],
  });
});

test('bytes that are no message throw', () => {
  const bytes = packet.encode({ type: 'response', id: 1, questions: [{ type: 'A', name: 'a.b' }] });
  expect(() => decodeReply(bytes.subarray(0, bytes.length - 1))).toThrow(RangeError);
  expect(() => decodeReply(Buffer.concat([bytes, Buffer.alloc(1)]))).toThrow(RangeError);
});

test('a name that goes round and round is none', () => {
  // "a", then back to it.
  const bytes = Buffer.from([1, 0x61, 0xc0, 0]);
  expect(() => readName(bytes, 0)).toThrow(RangeError);
});
