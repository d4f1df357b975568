import type { NodePlan, ZonePlan } from '../../proto/gen/b8s/v1/plan.ts';
import { geoName, node, records, snapshotOf, zonePlan } from './dns.fixture.ts';
import type { Locate } from './geo/geography.ts';
import type { DnsSnapshot } from './snapshot.ts';

/** A zone with something of everything. */
export const EXAMPLE: ZonePlan = zonePlan('example.com', {
  records: [
    records('example.com', 'NS', 'ns1.example.com', 'ns2.example.net'),
    records('example.com', 'MX', '10 mail.example.com', '20 mail.example.org'),
    records('example.com', 'CAA', '0 issue "letsencrypt.org"'),
    records('ns1.example.com', 'A', '192.0.2.53'),
    records('ns1.example.com', 'AAAA', '2001:db8::53'),
    records('mail.example.com', 'A', '192.0.2.25'),
    records('_sip._udp.example.com', 'SRV', '1 2 5060 mail.example.com'),
    records('www.example.com', 'CNAME', 'mail.example.com'),
    records('deep.example.com', 'CNAME', 'www.example.com'),
    records('out.example.com', 'CNAME', 'elsewhere.example.net'),
    records('dead.example.com', 'CNAME', 'nothing.example.com'),
    records('circle.example.com', 'CNAME', 'round.example.com'),
    records('round.example.com', 'CNAME', 'circle.example.com'),
    records('*.any.example.com', 'CNAME', 'site.example.com'),
    records('child.example.com', 'NS', 'ns.child.example.com', 'ns.example.net'),
    records('ns.child.example.com', 'A', '192.0.2.99'),
    records('into.example.com', 'CNAME', 'www.child.example.com'),
    records('big.example.com', 'TXT', ...Array.from({ length: 60 }, (_, i) => `${i} `.repeat(9))),
  ],
  geoNames: [
    geoName('site.example.com', { candidates: ['berlin', 'tokyo'] }),
    geoName('new.example.com'),
    geoName('order.example.com', { candidates: ['berlin', 'tokyo'], policy: 'failover' }),
  ],
});
export const NODES: readonly NodePlan[] = [
  node('berlin', { ipv4: ['192.0.2.1'], latitude: 52.5, longitude: 13.4 }),
  node('tokyo', { ipv4: ['192.0.2.2'], latitude: 35.7, longitude: 139.7 }),
];
/** 1.0.0.0/8 is in Japan, 2.0.0.0/20 in Germany, the rest nowhere. */
const locate: Locate = (address) => {
  if (address[0] === 1) return located(36, 140, 8);
  return address[0] === 2 ? located(52, 13, 20) : undefined;
};
const located = (latitude: number, longitude: number, prefixBits: number) => {
  return { latitude, longitude, prefixBits, source: 'test' };
};
export const snapshot: DnsSnapshot = snapshotOf({ zones: [EXAMPLE], nodes: NODES, locate });
