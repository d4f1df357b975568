import { BlockList, isIP } from 'node:net';
import { expect, test } from 'vitest';
import { formatAddress, maskAddress, parseAddress, parsePeerAddress } from './address.ts';

test.each([
  ['192.0.2.1', '192.0.2.1'],
  ['2001:db8::1', '2001:db8::1'],
  ['2001:DB8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
  ['::', '::'],
  ['::1', '::1'],
  ['1::', '1::'],
  ['1:0:0:2:0:0:0:3', '1:0:0:2::3'],
  ['10:0:0:0:0:0:0:100', '10::100'],
  ['1:2:3:4:5:6:7:8', '1:2:3:4:5:6:7:8'],
  ['1:0:3:4:5:6:7:8', '1:0:3:4:5:6:7:8'],
  ['::ffff:192.0.2.1', '::ffff:c000:201'],
  ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
])('%s is written as %s', (text, canonical) => {
  const bytes = parseAddress(text);
  expect(bytes && formatAddress(bytes)).toBe(canonical);
});

const MALFORMED = `
  1.2.3 | 1.2.3.4.5 | 256.1.1.1 | 01.2.3.4 | 1.2.3.-4 | 0x1.2.3.4 | 1.2.3.4::
  1:2:3:4:5:6:7 | 1:2:3:4:5:6:7:8:9 | 1::2::3 | ::: | 1:2:3:4:5:6:7::8:: | 12345::
  1:2:3:4::5:6:7:8 | g:: | :1 | 1: | ::1.2.3 | 1.2.3.4:: | example.com
`.split(/\s*[|\n]\s*/);

test.each(MALFORMED)('"%s" is no address, as node:net says, too', (text) => {
  expect(isIP(text)).toBe(0);
  expect(parseAddress(text)).toBeUndefined();
});

test('a peer may come with a zone or mapped into IPv6', () => {
  expect(parsePeerAddress('::ffff:192.0.2.1')).toEqual(Uint8Array.of(192, 0, 2, 1));
  expect(parsePeerAddress('fe80::1%eth0')?.length).toBe(16);
});

test('masking keeps the first bits only', () => {
  const mask = (text: string, bits: number): string =>
    formatAddress(maskAddress(parseAddress(text) ?? new Uint8Array(), bits));
  expect(mask('203.0.113.255', 0)).toBe('0.0.0.0');
  expect(mask('203.0.113.255', 22)).toBe('203.0.112.0');
  expect(mask('203.0.113.255', 32)).toBe('203.0.113.255');
  expect(mask('2001:db8:ffff::1', 36)).toBe('2001:db8:f000::');
});

test('random addresses are read and written as node:net understands them', () => {
  for (let index = 0; index < 2000; index += 1) {
    const bytes = Uint8Array.from({ length: 16 }, (_, at) => (at * index * 7) % (1 + (index % 5)));
    const text = formatAddress(bytes);
    const list = new BlockList();
    list.addAddress(text, 'ipv6');
    expect(parseAddress(text)).toEqual(bytes);
    expect(
      list.check(
        Buffer.from(bytes)
          .toString('hex')
          .replace(/(....)(?=.)/g, '$1:'),
        'ipv6',
      ),
    ).toBe(true);
  }
});
