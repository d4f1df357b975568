import { expect, test } from 'vitest';
import { recordTypeOf } from '../message/codes.ts';
import { parseRecord } from './record-data.ts';

function bytesOf(type: string, text: string): string {
  const { data } = parseRecord(recordTypeOf(type) ?? 0, text);
  return data.parts
    .map((part) => Buffer.from(part as string, 'latin1').toString('latin1'))
    .join('');
}

const long = 'x'.repeat(255);

test.each([
  { type: 'A', text: '192.0.2.1', wire: '\xc0\x00\x02\x01' },
  { type: 'AAAA', text: '::1', wire: `${'\0'.repeat(15)}\x01` },
  { type: 'CNAME', text: 'a.example.', wire: '\x01a\x07example' },
  { type: 'MX', text: '10 mail.example.', wire: '\0\x0a\x04mail\x07example' },
  { type: 'MX', text: '0 .', wire: '\0\0' },
  { type: 'SRV', text: '1 2 443 a.example', wire: '\0\x01\0\x02\x01\xbb\x01a\x07example\0' },
  { type: 'CAA', text: '0 issue "letsencrypt.org"', wire: '\0\x05issueletsencrypt.org' },
  { type: 'CAA', text: '128 iodef mailto:a@b.example', wire: '\x80\x05iodefmailto:a@b.example' },
  { type: 'TXT', text: 'v=spf1 -all', wire: '\x0bv=spf1 -all' },
  { type: 'TXT', text: '"v=spf1 " "-all"', wire: '\x07v=spf1 \x04-all' },
  { type: 'TXT', text: '"say \\"hi\\" \\195\\188"', wire: '\x0bsay "hi" \xc3\xbc' },
  { type: 'TXT', text: 'ü', wire: '\x02\xc3\xbc' },
  { type: 'TXT', text: '""', wire: '\0' },
  { type: 'TXT', text: long, wire: `\xff${long}` },
])('$type $text', ({ type, text, wire }) => {
  expect(bytesOf(type, text)).toBe(wire);
});

test.each([
  { type: 'A', text: '::1', error: 'is an IPv6 address; those go into a record of type AAAA' },
  { type: 'A', text: '192.0.2.1 192.0.2.2', error: 'must be one IPv4 address' },
  { type: 'AAAA', text: '192.0.2.1', error: 'is an IPv4 address' },
  { type: 'MX', text: 'mail.example.', error: 'must be a preference and a mail server' },
  {
    type: 'MX',
    text: '65536 mail.example.',
    error: 'preference "65536" must be a number from 0 to 65535',
  },
  { type: 'NS', text: 'a..b', error: 'has an empty label' },
  { type: 'CAA', text: '256 issue a', error: 'flags "256" must be a number from 0 to 255' },
  { type: 'CAA', text: '0 is-sue a', error: 'tag "is-sue" must be issue, issuewild or iodef' },
  { type: 'CAA', text: '0 issue', error: 'must be flags, tag and value' },
  { type: 'TXT', text: '"open', error: 'has a quote that does not close' },
  { type: 'TXT', text: 'a\\', error: 'has a "\\" with nothing' },
  { type: 'TXT', text: '\\999', error: 'has a "\\" with nothing' },
  { type: 'TXT', text: 'x'.repeat(256), error: 'has a string of 256 bytes' },
  { type: 'SOA', text: 'a b 1 2 3 4 5', error: 'type 6 cannot be served' },
])('$type refuses $text', ({ type, text, error }) => {
  expect(() => bytesOf(type, text)).toThrow(error);
});
