import { expect, test } from 'vitest';
import { secondaryViolations } from './zone-secondaries.ts';

type Spec = Parameters<typeof secondaryViolations>[0];

const SECONDARY = { address: '192.0.2.53', port: 53, key: 'xfr' };
const SIGNED = { mode: 'signed', keyGeneration: 1, parentTtlS: 86_400 } as const;

test.each<{ when: string; spec: Spec; says: readonly string[] }>([
  { when: 'there are none', spec: {}, says: [] },
  { when: 'none, in a signed zone', spec: { secondaries: [], dnssec: SIGNED }, says: [] },
  { when: 'all is well', spec: { secondaries: [SECONDARY] }, says: [] },
  {
    when: 'over IPv6, without a key',
    spec: { secondaries: [{ address: '2001:db8::53', port: 5353 }] },
    says: [],
  },
  {
    when: 'signing has been switched off',
    spec: { secondaries: [SECONDARY], dnssec: { ...SIGNED, mode: 'off' } },
    says: [],
  },
  {
    when: 'it is a name',
    spec: { secondaries: [{ ...SECONDARY, address: 'ns1.example.net' }] },
    says: ['spec.secondaries.0.address is not an IPv4 address'],
  },
  {
    when: 'it is a network',
    spec: { secondaries: [{ ...SECONDARY, address: '192.0.2.0/24' }] },
    says: ['spec.secondaries.0.address must be one address, without a prefix length'],
  },
  {
    when: 'the key cannot be one',
    spec: { secondaries: [{ ...SECONDARY, key: 'Xfr.' }] },
    says: ['spec.secondaries.0.key must be lower-case letters'],
  },
  {
    when: 'the zone is signed',
    spec: { secondaries: [SECONDARY], dnssec: SIGNED },
    says: ['spec.secondaries cannot go together with spec.dnssec'],
  },
])('secondaries: $when', ({ spec, says }) => {
  const violations = secondaryViolations(spec);
  expect(violations.length).toBe(says.length);
  for (const [index, violation] of violations.entries()) {
    const { path, message } = violation as unknown as { path: unknown; message: string };
    const place = Array.isArray(path) ? path.join('.') : String(path);
    const sentence = `${place.replaceAll(/\[(\d+)\]/g, '.$1')} ${message.replace(/^"[^"]*":? /, '')}`;
    expect(sentence).toContain(says[index] ?? '');
  }
});
