import packet from 'dns-packet';
import { describe, expect, test } from 'vitest';
import { DnsType, parseDnsServer } from './client.ts';
import { decodeMessage, encodeQuery } from './wire.ts';

test('a query, as an independent decoder reads it', () => {
  const query = encodeQuery({ id: 7, name: 'Example.com.', type: DnsType.NS, recursion: 'wished' });
  expect(packet.decode(query)).toMatchObject({
    ...{ id: 7, type: 'query', flag_rd: true, flag_aa: false },
    questions: [{ name: 'Example.com', type: 'NS', class: 'IN' }],
    additionals: [{ type: 'OPT', udpPayloadSize: 1232, flag_do: true }],
  });
});

test.each(['a..b', 'x'.repeat(64), 'a b', `${'a.'.repeat(130)}b`])('%s is no name', (name) => {
  const asked = { id: 1, name, type: DnsType.A, recursion: 'unwished' } as const;
  expect(() => encodeQuery(asked)).toThrow(RangeError);
});

test('a reply that an independent encoder made', () => {
  const [name, ttl, klass] = ['example.com', 60, 'IN'] as const;
  const soa = { mname: 'ns.example.com', rname: 'h.example.com', serial: 4_000_000_000 };
  const reply = packet.encode({
    ...{ id: 9, type: 'response', flags: packet.AUTHORITATIVE_ANSWER | 3 },
    questions: [{ name: 'EXAMPLE.com', type: 'SOA', class: klass }],
    answers: [
      { type: 'A', name, ttl, data: '192.0.2.1' },
      { type: 'AAAA', name, ttl, data: '2001:db8::1' },
      { type: 'NS', name, ttl, data: 'NS.example.com' },
      { type: 'SOA', name, ttl, data: { ...soa, refresh: 1, retry: 2, expire: 3, minimum: 4 } },
      {
        type: 'DS',
        name,
        ttl,
        data: { keyTag: 5, algorithm: 13, digestType: 2, digest: Buffer.of(0xab, 1) },
      },
    ],
    additionals: [{ type: 'OPT', name: '.', udpPayloadSize: 1232, flags: 0, options: [] } as never],
  });
  expect(decodeMessage(reply)).toEqual({
    ...{ id: 9, kind: 'response', rcode: 3, source: 'authority', form: 'whole' },
    question: { name, type: DnsType.SOA },
    answer: [
      { name, type: DnsType.A, ttlS: ttl, text: '192.0.2.1' },
      { name, type: DnsType.AAAA, ttlS: ttl, text: '2001:db8::1' },
      { name, type: DnsType.NS, ttlS: ttl, text: 'ns.example.com' },
      {
        name,
        type: DnsType.SOA,
        ttlS: ttl,
        text: 'ns.example.com h.example.com 4000000000 1 2 3 4',
      },
      { name, type: DnsType.DS, ttlS: ttl, text: '5 13 2 ab01' },
    ],
    ...{ authority: [], additional: [] },
  });
});

describe('what is no message is a RangeError, at once', () => {
  const header = (counts: string): string => `000780000000${counts}`;
  test.each([
    { when: 'empty', hex: '' },
    { when: 'half a header', hex: '0007800000' },
    { when: 'a question that is not there', hex: '000780000001000000000000' },
    { when: 'a record that is not there', hex: `00078000${'0000'}000100000000` },
    { when: 'a name that points to itself', hex: `${'000780000001000000000000'}c00c00010001` },
    { when: 'a name that points forward', hex: `${'000780000001000000000000'}c01000010001` },
    { when: 'a label of a kind that does not exist', hex: `${'000780000001000000000000'}4061` },
    { when: 'a name beyond the end', hex: `${'000780000001000000000000'}3f61` },
    {
      when: 'a record longer than the rest',
      hex: `${'000780000000000100000000'}0000010001000000000fff`,
    },
    { when: '65,535 records in nothing', hex: header('ffffffffffff').slice(0, 24) },
  ])('$when', ({ hex }) => {
    expect(() => decodeMessage(Buffer.from(hex, 'hex'))).toThrow(RangeError);
  });
});

test.each([
  { text: '192.0.2.1', server: { address: '192.0.2.1', port: 53 } },
  { text: '192.0.2.1:5300', server: { address: '192.0.2.1', port: 5300 } },
  { text: '2001:db8::1', server: { address: '2001:db8::1', port: 53 } },
  { text: '[2001:db8::1]:5300', server: { address: '2001:db8::1', port: 5300 } },
  { text: '[192.0.2.1]:5300', server: undefined },
  { text: '192.0.2.1:0', server: undefined },
  { text: '192.0.2.1:65536', server: undefined },
  { text: 'dns.example', server: undefined },
])('$text', ({ text, server }) => {
  expect(parseDnsServer(text)).toEqual(server);
});
