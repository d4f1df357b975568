import { describe, expect, test } from 'vitest';
import { nameserverNames } from './nameserver-names.ts';

const NODE = { ipv4: ['192.0.2.1'], ipv6: ['2001:db8::1'] };

function zone(...records: readonly [name: string, type: string, ...values: string[]][]) {
  const sets = records.map(([name, type, ...values]) => ({ name, type, values }));
  return { origin: 'example.com', records: sets };
}

describe('the names of a nameserver', () => {
  test.each([
    {
      when: 'by glue',
      records: zone(
        ['example.com', 'NS', 'ns1.example.com.', 'ns2.example.com.'],
        ['ns1.example.com', 'A', '192.0.2.1'],
        ['ns2.example.com', 'A', '192.0.2.2'],
      ),
      names: ['ns1.example.com'],
    },
    {
      when: 'by its IPv6 address',
      records: zone(
        ['example.com', 'NS', 'ns1.example.com.'],
        ['ns1.example.com', 'AAAA', '2001:db8::1'],
      ),
      names: ['ns1.example.com'],
    },
    {
      when: 'not by an address of a name that is no nameserver',
      records: zone(
        ['example.com', 'NS', 'ns1.example.net.'],
        ['www.example.com', 'A', '192.0.2.1'],
      ),
      names: [],
    },
    {
      when: 'not by the NS set of a subzone',
      records: zone(
        ['sub.example.com', 'NS', 'ns1.example.com.'],
        ['ns1.example.com', 'A', '192.0.2.1'],
      ),
      names: [],
    },
  ])('$when', ({ records, names }) => {
    expect(nameserverNames([records, records], NODE)).toEqual(names);
  });
});
