import { expect, test } from 'vitest';
import { ask, lines, queryBytes, records, snapshotOf, zonePlan } from './dns.fixture.ts';

const snapshot = snapshotOf({
  zones: [
    zonePlan('example.com', {
      records: [
        records('example.com', 'NS', 'ns.example.net'),
        records('example.com', 'HTTPS', '0 web.example.com'),
        records('web.example.com', 'HTTPS', '1 . alpn=h3'),
        records('web.example.com', 'A', '192.0.2.1'),
        records('_dns.example.com', 'SVCB', '1 web.example.com alpn=dot'),
      ],
    }),
  ],
});

// Knot says them, too: e2e/dns/compare.test.ts showed that they were missing.
test.each([
  {
    when: 'an alias of a service brings the service (RFC 9460 §4.1)',
    name: 'example.com',
    type: 65,
    additional: [
      'web.example.com UNKNOWN_65 0 1 0 0 1 0 3 2 104 51',
      'web.example.com A 192.0.2.1',
    ],
  },
  {
    when: 'a service brings the addresses of its target, and no other type of service',
    name: '_dns.example.com',
    type: 64,
    additional: ['web.example.com A 192.0.2.1'],
  },
])('$when', ({ name, type, additional }) => {
  const query = queryBytes(name, 'A');
  query.writeUInt16BE(type, query.length - 4);
  expect(lines(ask(snapshot, query).additionals)).toEqual(additional);
});
