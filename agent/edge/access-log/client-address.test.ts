import { expect, test } from 'vitest';
import { notedAddress } from './client-address.ts';

test.each([
  ['203.0.113.7', '203.0.113.7', '203.0.113.0'],
  ['255.255.255.255', '255.255.255.255', '255.255.255.0'],
  // As a socket that takes both kinds names it.
  ['::ffff:203.0.113.7', '203.0.113.7', '203.0.113.0'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2:3:4:5:6', '2001:db8:1::'],
  ['fe80::1%eth0', 'fe80::1', 'fe80::'],
  ['::1', '::1', '::'],
  ['no address', undefined, undefined],
  ['', undefined, undefined],
  [undefined, undefined, undefined],
])('%s is noted as %s, or of its network as %s', (address, full, network) => {
  expect(notedAddress(address, 'full')).toBe(full);
  expect(notedAddress(address, 'network')).toBe(network);
  expect(notedAddress(address, 'none')).toBeUndefined();
});
