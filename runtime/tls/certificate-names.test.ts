import { expect, test } from 'vitest';
import { coversHost } from './certificate-names.ts';

test.each([
  ['ns1.example.com', 'ns1.example.com', true],
  ['*.example.com', 'ns1.example.com', true],
  ['*.example.com', 'a.ns.example.com', false],
  ['*.example.com', 'example.com', false],
  ['ns1.example.com', 'ns2.example.com', false],
  ['*.example.com', '*.example.com', true],
  ['*.example.com', '*.ns.example.com', false],
  ['ns1.example.com', '*.example.com', false],
])('%s covers %s: %s', (name, host, expected) => {
  expect(coversHost(name, host)).toBe(expected);
});
