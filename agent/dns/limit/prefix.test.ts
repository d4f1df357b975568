import { expect, test } from 'vitest';
import { formatAddress, maskAddress, parsePeerAddress } from '../address.ts';
import { seededRandom } from '../seeded.fixture.ts';
import { PREFIX_BYTES_MAX, writePrefix } from './prefix.ts';

function prefixOf(address: string): string {
  const key = Buffer.alloc(PREFIX_BYTES_MAX + 2, 0xaa);
  const end = writePrefix(address, key, 1);
  expect(end).toBeLessThanOrEqual(1 + PREFIX_BYTES_MAX);
  return key.toString('hex', 1, end);
}

test.each([
  { address: '198.51.100.7', hex: Buffer.from('198.51.100.').toString('hex') },
  { address: '255.255.255.255', hex: Buffer.from('255.255.255.').toString('hex') },
  { address: '2001:db8:1:2ff::7', hex: '20010db8000102' },
  { address: '2001:DB8:1:200:3:4:5:6', hex: '20010db8000102' },
  { address: '2001:db8::7', hex: '20010db8000000' },
  { address: 'fe80::1%eth0', hex: 'fe800000000000' },
  { address: '::', hex: '00000000000000' },
  { address: '::1', hex: '00000000000000' },
  { address: '1::', hex: '00010000000000' },
  { address: '::2:3:4:5:6:7:8', hex: '00000002000300' },
  { address: '::ffff:198.51.100.7', hex: 'c6336400000000' },
  { address: 'odd', hex: '2e' },
  { address: '', hex: '2e' },
  { address: 'x'.repeat(300), hex: '2e' },
  { address: `${'x'.repeat(300)}.y`, hex: `${'78'.repeat(11)}2e` },
  { address: ':'.repeat(300), hex: '00000000000000' },
])('$address', ({ address, hex }) => {
  expect(prefixOf(address)).toBe(hex);
});

test('10,000 addresses of IPv6 are cut as the parser reads them', () => {
  const random = seededRandom(56);
  for (let count = 0; count < 10_000; count += 1) {
    const zeros = Math.floor(random() * 16);
    const from = Math.floor(random() * 16);
    const bytes = Uint8Array.from({ length: 16 }, () => Math.floor(random() * 256));
    // No IPv4 within IPv6: that is counted as IPv4.
    bytes.fill(0, from, from + zeros)[15] = 1;
    const text = formatAddress(bytes);
    const expected = maskAddress(parsePeerAddress(text) ?? new Uint8Array(), 56).subarray(0, 7);
    expect(prefixOf(text), text).toBe(Buffer.from(expected).toString('hex'));
  }
});
