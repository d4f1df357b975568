import { expect, test } from 'vitest';
import type { CertificatePlan, ZonePlan } from '../../proto/gen/b8s/v1/plan.ts';
import { PackedZone, packZone } from '../../runtime/dns/packed-zone.ts';
import { node, records, zonePlan } from './dns.fixture.ts';
import { hostIdentities } from './host-identities.ts';

const ZONE = zonePlan('example.com', {
  records: [
    records('example.com', 'NS', 'ns1.example.com.', 'ns2.example.com.'),
    records('ns1.example.com', 'A', '192.0.2.1'),
    records('ns2.example.com', 'A', '192.0.2.2'),
  ],
});
const NS1 = node('a', { ipv4: ['192.0.2.1'] });

function certificate(fingerprint: string, notAfterMs: bigint, ...names: string[]): CertificatePlan {
  const fixed = { uid: fingerprint, namespace: 'default', name: fingerprint };
  return { ...fixed, names, chainPem: '', keyPem: '', notAfterMs, fingerprint };
}

test.each([
  { when: 'there is none', certificates: [], shown: [] },
  {
    when: 'one names it',
    certificates: [certificate('a', 1n, 'ns1.example.com')],
    shown: ['ns1.example.com a'],
  },
  {
    when: 'a wildcard covers it',
    certificates: [certificate('a', 1n, '*.example.com')],
    shown: ['ns1.example.com a'],
  },
  {
    when: 'it names another nameserver',
    certificates: [certificate('a', 1n, 'ns2.example.com')],
    shown: [],
  },
  {
    when: 'there are several',
    certificates: [
      certificate('a', 1n, 'ns1.example.com'),
      certificate('b', 3n, 'ns1.example.com'),
      certificate('c', 2n, 'ns1.example.com'),
    ],
    shown: ['ns1.example.com b'],
  },
])('the certificate of a nameserver: $when', ({ certificates, shown }) => {
  const byKey = new Map(certificates.map((each) => [each.uid, each]));
  const identities = hostIdentities({ zones: [ZONE], certificates: byKey }, NS1);
  expect(identities.map(({ host, fingerprint }) => `${host} ${fingerprint}`)).toEqual(shown);
});

test('of packed zones the nameservers are read once, and one that is no zone names nobody', () => {
  const byKey = new Map([['a', certificate('a', 1n, 'ns1.example.com')]]);
  const hosts = (zones: readonly ZonePlan[]) =>
    hostIdentities({ zones, certificates: byKey }, NS1).map(({ host }) => host);
  const packed = packZone(ZONE);
  expect(hosts([packed])).toEqual(['ns1.example.com']);
  expect(packed.nameservers).toBe(packed.nameservers);
  expect(packed.nameservers.map(({ name, type }) => `${name} ${type}`)).toEqual([
    'example.com NS',
    'ns1.example.com A',
    'ns2.example.com A',
  ]);
  // A record set whose name is longer than the message.
  const broken = new PackedZone(Buffer.from([0x22, 1, 0x61, 0x62, 2, 0x0a, 99]));
  expect(() => broken.records).toThrow();
  expect(hosts([broken, packed])).toEqual(['ns1.example.com']);
});
