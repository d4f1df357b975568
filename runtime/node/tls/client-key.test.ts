import { expect, test } from 'vitest';
import { clientKey } from './client-key.ts';

test.each([
  { address: '192.0.2.7', client: '192.0.2.7' },
  { address: '2001:db8:1:2:3:4:5:6', client: '2001:db8:1:2' },
  { address: '2001:db8:1:2::9', client: '2001:db8:1:2' },
  { address: '2001:db8::1', client: '2001:db8:0:0' },
  { address: '::1', client: '0:0:0:0' },
  { address: 'fe80::1%eth0', client: 'fe80:0:0:0' },
  { address: '2001:db8:1:2::', client: '2001:db8:1:2' },
  { address: '64:ff9b::192.0.2.1', client: '64:ff9b:0:0' },
])('$address counts as $client', ({ address, client }) => {
  expect(clientKey(address)).toBe(client);
});
