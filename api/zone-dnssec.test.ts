import { expect, test } from 'vitest';
import { validateObject } from './validate.ts';

function complaints(dnssec: object): readonly string[] {
  const validation = validateObject({
    ...{ apiVersion: 'b8s.dev/v1', kind: 'Zone', metadata: { name: 'z' } },
    spec: { origin: 'example.com', dnssec },
  });
  const violations = validation.kind === 'invalid' ? validation.violations : [];
  return violations.map(({ path, message }) => `${path} ${message}`);
}

test.each([
  {},
  { mode: 'signed' },
  { mode: 'signed', parentDs: [4711], keyGeneration: 9, parentTtlS: 3600 },
  { mode: 'off', parentDs: [] },
  { mode: 'off', parentDs: [4711] },
])('is accepted: %j', (dnssec) => {
  expect(complaints(dnssec)).toEqual([]);
});

test.each([
  {
    dnssec: { mode: 'signed', parentDs: [] },
    complaint: 'spec.dnssec.parentDs is empty; leave it',
  },
  { dnssec: { parentDs: [65_536] }, complaint: 'spec.dnssec.parentDs[0]' },
  { dnssec: { mode: 'on' }, complaint: 'spec.dnssec.mode' },
  { dnssec: { keyGeneration: 0 }, complaint: 'spec.dnssec.keyGeneration' },
])('is refused: $dnssec', ({ dnssec, complaint }) => {
  const [first = '', ...more] = complaints(dnssec);
  expect(first).toContain(complaint);
  expect(more).toEqual([]);
});
