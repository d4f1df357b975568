import { expect, test } from 'vitest';
import { maskAddress, parsePeerAddress } from '../geo/address.ts';
import { seededRandom } from '../seeded.fixture.ts';
import { PREFIX_BITS, PREFIX_BYTES_MAX, writePrefix } from './prefix.ts';

function prefixOf(address: Uint8Array): string {
  const key = Buffer.alloc(PREFIX_BYTES_MAX + 2, 0xaa);
  const end = writePrefix(address, key, 1);
  expect(end).toBeLessThanOrEqual(1 + PREFIX_BYTES_MAX);
  return key.toString('hex', 1, end);
}

test.each([
  { address: '198.51.100.7', hex: '18c63364' },
  { address: '255.255.255.255', hex: '18ffffff' },
  { address: '2001:db8:1:2ff::7', hex: '3820010db8000102' },
  { address: 'fe80::1%eth0', hex: '38fe800000000000' },
  { address: '::', hex: '3800000000000000' },
  { address: '1::', hex: '3800010000000000' },
  // IPv4 within IPv6 is counted as IPv4.
  { address: '::ffff:198.51.100.7', hex: '18c63364' },
])('$address', ({ address, hex }) => {
  expect(prefixOf(parsePeerAddress(address) ?? new Uint8Array())).toBe(hex);
});

test.each([
  { family: 'IPv4', bytes: 4, bits: PREFIX_BITS.ipv4 },
  { family: 'IPv6', bytes: 16, bits: PREFIX_BITS.ipv6 },
])('10,000 addresses of $family are alike within their prefix, and only there', (given) => {
  const { bytes, bits } = given;
  const random = seededRandom(bits);
  const address = (): Uint8Array =>
    Uint8Array.from({ length: bytes }, () => Math.floor(random() * 256));
  for (let count = 0; count < 10_000; count += 1) {
    const [one, other] = [address(), address()];
    const neighbour = Uint8Array.from(other);
    neighbour.set(maskAddress(one, bits).subarray(0, bits / 8));
    expect(prefixOf(neighbour)).toBe(prefixOf(one));
    const flipped = Uint8Array.from(one);
    const bit = Math.floor(random() * bits);
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (0x80 >> (bit & 7));
    expect(prefixOf(flipped)).not.toBe(prefixOf(one));
  }
});
