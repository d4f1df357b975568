import { describe, expect, test } from 'vitest';
import { testCli } from '../../testing/test-cli.ts';
import { clientOf, type Internet, RESOLVER, soundInternet } from './internet.fixture.ts';

const NS = ['a.ns.example.com', 'b.ns.example.com'];
const DS = { keyTag: 12_345, algorithm: 13, digestType: 2, digest: 'AB12' };

async function checkIn(
  internet: Internet,
  { line = 'dns check example-com', spec = {}, status = {} } = {},
) {
  const cli = testCli();
  cli.dns = { client: clientOf(internet), resolvers: [{ address: RESOLVER, port: 53 }] };
  const put = (kind: string, namespace: string, name: string, rest: object): void => {
    cli.api.put({
      apiVersion: 'b8s.dev/v1',
      kind,
      metadata: { namespace, name },
      ...rest,
    } as never);
  };
  put('Zone', 'default', 'example-com', {
    spec: { origin: 'example.com', records: [], ...spec },
    status: { serial: 7, nameservers: NS, ...status },
  });
  const ports = { http: 80, https: 443, dns: 53 };
  put('Node', '', 'a', { spec: { roles: ['nameserver'], ipv4: ['192.0.2.1'], ipv6: [], ports } });
  put('Node', '', 'b', {
    spec: { roles: ['nameserver'], ipv4: ['192.0.2.2'], ipv6: ['2001:DB8:0::2'], ports },
  });
  return await cli.b8sctl(line);
}

test('all agree: what was seen, and what the registrar has', async () => {
  const { out, error, code } = await checkIn(soundInternet());
  expect(out).toMatchInlineSnapshot(`
    "ok      com delegates example.com to a.ns.example.com, b.ns.example.com
    ok      com has glue for a.ns.example.com: 192.0.2.1
    ok      com has glue for b.ns.example.com: 192.0.2.2, 2001:db8::2
    ok      a.ns.example.com (192.0.2.1) answers over UDP, serial 7
    ok      a.ns.example.com (192.0.2.1) answers over TCP, serial 7
    ok      a.ns.example.com (192.0.2.1) says NS a.ns.example.com, b.ns.example.com
    ok      b.ns.example.com (192.0.2.2) answers over UDP, serial 7
    ok      b.ns.example.com (192.0.2.2) answers over TCP, serial 7
    ok      b.ns.example.com (192.0.2.2) says NS a.ns.example.com, b.ns.example.com
    ok      b.ns.example.com (2001:db8::2) answers over UDP, serial 7
    ok      b.ns.example.com (2001:db8::2) answers over TCP, serial 7
    ok      b.ns.example.com (2001:db8::2) says NS a.ns.example.com, b.ns.example.com
    ok      every nameserver has serial 7

    What the registrar should hold:
      example.com. IN NS a.ns.example.com.
      example.com. IN NS b.ns.example.com.
      a.ns.example.com. IN A 192.0.2.1
      b.ns.example.com. IN A 192.0.2.2
      b.ns.example.com. IN AAAA 2001:db8::2
    "
  `);
  expect([error, code]).toEqual(['', 0]);
});

describe('what does not agree', () => {
  test.each<{
    when: string;
    change: (internet: Internet) => void;
    given?: { spec?: object; status?: object };
    says: readonly string[];
    code: number;
  }>([
    {
      when: 'the parent has no delegation',
      change: ({ delegation }) => void (delegation.ns = []),
      says: [
        'PROBLEM com does not delegate example.com',
        '→ give the lines below to the registrar',
      ],
      code: 1,
    },
    {
      when: 'the parent names one that is gone and leaves one out',
      change: ({ delegation }) => void (delegation.ns = ['a.ns.example.com', 'ns.old.net']),
      says: [
        'com delegates example.com to a.ns.example.com, ns.old.net; b.ns.example.com missing, ns.old.net too many',
      ],
      code: 1,
    },
    {
      when: 'glue is of an address that was before',
      change: ({ delegation }) => void (delegation.glue['a.ns.example.com'] = ['192.0.2.99']),
      says: [
        'com has glue for a.ns.example.com: 192.0.2.99; 192.0.2.1 missing, 192.0.2.99 too many',
        'a.ns.example.com (192.0.2.99) does not answer over UDP',
      ],
      code: 1,
    },
    {
      when: 'there is no glue',
      change: ({ delegation }) => void (delegation.glue = {}),
      says: ['com has glue for a.ns.example.com: nothing; 192.0.2.1 missing'],
      code: 1,
    },
    {
      when: 'the zone is signed and the parent does not know',
      change: () => undefined,
      given: { status: { ds: [DS] } },
      says: [
        'PROBLEM example.com is signed, and com has no DS record for it',
        '\n  example.com. IN DS 12345 13 2 ab12\n',
      ],
      code: 1,
    },
    {
      when: 'the parent has a DS of another key',
      change: ({ delegation }) => void (delegation.ds = ['1 13 2 ff']),
      given: { status: { ds: [DS] } },
      says: ['com has DS for example.com: 1 13 2 ff; 12345 13 2 ab12 missing, 1 13 2 ff too many'],
      code: 1,
    },
    {
      when: 'the parent has a DS, and the zone is not signed',
      change: ({ delegation }) => void (delegation.ds = ['1 13 2 ff']),
      says: ['validating resolvers refuse it', '→ let the registrar remove DS 1 13 2 ff'],
      code: 1,
    },
    {
      when: 'the parent has a DS, and the zone is signed only since a moment ago',
      change: ({ delegation }) => void (delegation.ds = ['1 13 2 ff']),
      given: { status: { dnssec: { phase: 'signing', keys: [] } } },
      says: ['PROBLEM com has DS records for example.com too early', '→ it passes by itself'],
      code: 1,
    },
    {
      when: 'one server is behind',
      change: ({ servers }) => void ((servers['192.0.2.1'] ?? { serial: 0 }).serial = 6),
      says: ['PROBLEM serials differ: 6, 7'],
      code: 1,
    },
    {
      when: 'all servers are behind dom',
      change: () => undefined,
      given: { status: { serial: 8 } },
      says: ['serial 7 is served, and dom has 8'],
      code: 1,
    },
    {
      when: 'TCP is closed',
      change: ({ servers }) =>
        void Object.assign(servers['192.0.2.1'] ?? {}, { silence: { tcp: 'refused' } }),
      says: [
        'ok      a.ns.example.com (192.0.2.1) answers over UDP',
        'PROBLEM a.ns.example.com (192.0.2.1) does not answer over TCP',
        '→ is sub running there, and port 53 open for UDP and TCP?',
      ],
      code: 1,
    },
    {
      when: 'a server refuses the zone',
      change: ({ servers }) =>
        void Object.assign(servers['192.0.2.1'] ?? {}, { rcode: 5, serial: undefined, ns: [] }),
      says: ['a.ns.example.com (192.0.2.1) does not serve the zone over UDP (rcode 5)'],
      code: 1,
    },
    {
      when: 'a resolver answers in place of a server',
      change: ({ servers }) => void Object.assign(servers['192.0.2.1'] ?? {}, { source: 'other' }),
      says: ['a.ns.example.com (192.0.2.1) is no authority for the zone over UDP'],
      code: 1,
    },
    {
      when: 'a server says other nameservers',
      change: ({ servers }) => void Object.assign(servers['192.0.2.2'] ?? {}, { ns: ['x.net'] }),
      says: [
        'b.ns.example.com (192.0.2.2) says NS x.net; a.ns.example.com, b.ns.example.com missing',
      ],
      code: 1,
    },
    {
      when: 'this machine has no IPv6',
      change: ({ servers }) =>
        void Object.assign(servers['2001:db8::2'] ?? {}, {
          silence: { udp: 'no-route', tcp: 'no-route', tls: 'no-route' },
        }),
      says: ['unknown b.ns.example.com (2001:db8::2) over UDP'],
      code: 2,
    },
    {
      when: 'DNS over TLS is there',
      change: ({ servers }) =>
        void Object.assign(servers['192.0.2.1'] ?? {}, { silence: { tls: undefined } }),
      says: ['What the registrar should hold:'],
      code: 0,
    },
    {
      when: 'a declared name server of others',
      change: (internet) => {
        internet.delegation.ns = ['a.ns.example.com', 'ns.other.net'];
        internet.addresses['ns.other.net'] = ['198.51.100.1'];
        for (const server of Object.values(internet.servers)) server.ns = internet.delegation.ns;
        internet.servers['198.51.100.1'] = { serial: 7, ns: internet.delegation.ns };
      },
      given: { spec: { nameservers: ['a.ns.example.com', 'ns.other.net'] } },
      says: ['ok      ns.other.net (198.51.100.1) answers over TCP, serial 7'],
      code: 0,
    },
    {
      when: 'one nameserver only',
      change: (internet) => {
        internet.delegation.ns = ['a.ns.example.com'];
        for (const server of Object.values(internet.servers)) server.ns = internet.delegation.ns;
      },
      given: { status: { nameservers: ['a.ns.example.com'] } },
      says: ['example.com has one nameserver only (RFC 1034 §4.1 asks for two)'],
      code: 1,
    },
  ])('$when', async ({ change, given, says, code }) => {
    const internet = soundInternet();
    change(internet);
    const outcome = await checkIn(internet, given);
    for (const text of says) expect(outcome.out).toContain(text);
    expect(outcome.code).toBe(code);
  });
});

test('a zone by its origin, as data', async () => {
  const { out } = await checkIn(soundInternet(), { line: 'dns check Example.com. -o json' });
  const { findings, registrar } = JSON.parse(out) as { findings: object[]; registrar: object };
  expect(findings[0]).toEqual({
    verdict: 'fine',
    message: 'com delegates example.com to a.ns.example.com, b.ns.example.com',
  });
  expect(registrar).toMatchObject({ ds: [], ns: [expect.any(String), expect.any(String)] });
});

describe('what cannot be told', () => {
  test.each([
    {
      when: 'no such zone',
      line: 'dns check example-org',
      error: 'error: no zone has the name or origin "example-org": there are example-com\n',
    },
    {
      when: 'a resolver that is no address',
      line: 'dns check example-com --resolver dns.google',
      error: expect.stringContaining('Write an IP address'),
      code: 1,
    },
  ])('$when', async ({ line, error, code = 2 }) => {
    expect(await checkIn(soundInternet(), { line })).toEqual({ out: '', error, code });
  });

  test('the resolver is silent', async () => {
    const line = 'dns check example-com --resolver 192.0.2.77';
    const { out, code } = await checkIn(soundInternet(), { line });
    expect(out).toContain('unknown the parent zone was not found: 192.0.2.77 is silent');
    expect(code).toBe(2);
  });
});
