import { beforeEach, expect, test } from 'vitest';
import type { Zone } from '../../api/zone.ts';
import { type TestCli, testCli } from '../testing/test-cli.ts';

let cli: TestCli;
beforeEach(() => {
  cli = testCli();
});

const FILE = `$ORIGIN example.org.
$TTL 1h
@ IN SOA ns1.example.net. hostmaster 7 1h 10m 2w 5m
  NS ns1.example.net.
  A 192.0.2.10
  RRSIG A 13 2 3600 20270101000000 20260101000000 1 example.org. AAAA
www 60 CNAME @
`;

function zones(): readonly Zone[] {
  return cli.api.objects().filter(({ kind }) => kind === 'Zone') as readonly unknown[] as Zone[];
}

test('import makes a Zone of a file, and says what differs', async () => {
  cli.files.set('db.example.org', FILE);
  const { out, error, code } = await cli.b8sctl('zone import db.example.org -n web');
  expect(code).toBe(0);
  expect(out).toBe('zone.b8s.dev/example-org created\n');
  expect(error).toBe(
    'Note: db.example.org:6:3: 1 RRSIG left out: b8s makes such records by itself\n' +
      "Note: the name servers stay ns1.example.net; remove spec.nameservers to serve from the cluster's own\n",
  );
  expect(zones()).toMatchObject([
    {
      metadata: { name: 'example-org', namespace: 'web' },
      spec: {
        origin: 'example.org',
        ttl: 3600,
        nameservers: ['ns1.example.net'],
        soa: { mailbox: 'hostmaster.example.org', refreshS: 3600, negativeTtlS: 300 },
        records: [
          { name: '@', type: 'A', values: ['192.0.2.10'] },
          { name: 'www', type: 'CNAME', ttl: 60, values: ['example.org.'] },
        ],
      },
    },
  ]);
});

test('import reads standard input, takes a name and an origin, and can print the manifest', async () => {
  cli.stdin = '@ 60 SOA ns1 h 1 1h 1h 1h 60\nwww A 192.0.2.1\n';
  const line = 'zone import - --name mine --origin example.org -o yaml';
  const { out, code } = await cli.b8sctl(line);
  expect(code).toBe(0);
  expect(zones()).toEqual([]);
  cli.files.set('zone.yaml', out);
  expect((await cli.b8sctl('apply -f zone.yaml')).out).toBe('zone.b8s.dev/mine created\n');
  expect(zones()[0]?.spec.records).toEqual([{ name: 'www', type: 'A', values: ['192.0.2.1'] }]);
});

test('a second import configures the Zone, and keeps what a file does not speak of', async () => {
  cli.stdin = FILE;
  const spec = { origin: 'example.org', nameservers: ['old.example.net'], other: 'kept' };
  cli.api.put({ kind: 'Zone', metadata: { name: 'example-org', namespace: 'default' }, spec });
  const dry = await cli.b8sctl('zone import - --dry-run');
  expect(dry.out).toBe('zone.b8s.dev/example-org configured (server dry run)\n');
  expect(zones()[0]?.spec.records).toEqual([]);
  expect((await cli.b8sctl('zone import -')).out).toBe('zone.b8s.dev/example-org configured\n');
  expect(zones()[0]?.spec).toMatchObject({ nameservers: ['ns1.example.net'], other: 'kept' });
  expect(zones()[0]?.spec.records).toHaveLength(2);
});

test('a Zone of that name with another origin is not touched', async () => {
  cli.stdin = FILE;
  const spec = { origin: 'example.com' };
  cli.api.put({ kind: 'Zone', metadata: { name: 'mine', namespace: 'default' }, spec });
  const { error, code } = await cli.b8sctl('zone import - --name mine');
  expect(code).toBe(1);
  expect(error).toContain(
    'error: Zone "mine" is of example.com, and the file of example.org; give another --name',
  );
});

test('errors come together, by line and column, and nothing is changed', async () => {
  cli.files.set('bad', `${FILE}$INCLUDE more\nmail MX mail.example.net.\n`);
  const { out, error, code } = await cli.b8sctl('zone import bad');
  expect({ out, code }).toEqual({ out: '', code: 1 });
  expect(error).toBe(`error: bad is no zone that b8s can serve:
  bad:8:1: $INCLUDE is not followed; put the text of that file here, in its place
  bad:9:9: MX "mail.example.net." must be a preference and a mail server, e.g. 10 mail.example.net.
`);
  expect(zones()).toEqual([]);
});

test.each([
  { line: 'zone import nowhere', says: 'error: the path "nowhere" does not exist\n' },
  { line: 'zone import - --name A_B', says: /^.*error: --name "A_B" must be lower-case/s },
  {
    line: 'zone export nowhere',
    says: 'Error from server (NotFound): zones "nowhere" not found\n',
  },
])('$line fails', async ({ line, says }) => {
  cli.stdin = FILE;
  const { error, code } = await cli.b8sctl(line);
  expect(code).toBe(1);
  if (typeof says === 'string') expect(error).toBe(says);
  else expect(error).toMatch(says);
});

test('export prints the zone as it is served, and hosts of Sites as comments', async () => {
  const namespace = 'default';
  cli.api.put({
    kind: 'Zone',
    metadata: { namespace, name: 'example-org' },
    spec: {
      origin: 'example.org',
      records: [
        { name: '@', type: 'ALIAS', values: ['web.example.net.'] },
        { name: 'mail', type: 'MX', ttl: 60, values: ['10 mx', '20 mx.example.net.'] },
        { name: '@', type: 'TXT', values: ['v=spf1 -all'] },
      ],
    },
    status: { serial: 2_027_011_500, nameservers: ['fra1.ns.example.org', 'nyc1.ns.example.org'] },
  });
  const child = { origin: 'child.example.org' };
  cli.api.put({ kind: 'Zone', metadata: { namespace, name: 'child' }, spec: child });
  cli.api.put({
    kind: 'Node',
    metadata: { name: 'fra1' },
    spec: { ipv4: ['192.0.2.1'], ipv6: ['2001:db8::1'] },
  });
  cli.api.put({ kind: 'Node', metadata: { name: 'lon1' }, spec: { ipv4: ['192.0.2.2'] } });
  cli.api.put({
    kind: 'Site',
    metadata: { namespace, name: 'blog' },
    spec: { hosts: ['blog.example.org', 'blog.example.net', 'x.child.example.org'] },
    status: { dns: { zones: [], candidates: ['fra1', 'lon1'] } },
  });
  const { out, error, code } = await cli.b8sctl('zone export example-org');
  expect(code).toBe(0);
  expect(error).toBe(
    'Warning: nyc1.ns.example.org is a name server without an address; BIND refuses such a zone\n' +
      'Warning: hosts of Sites are comments only: their addresses depend on who asks, see the end of the file\n',
  );
  expect(out.replaceAll('\t', ' ')).toBe(`$ORIGIN example.org.
$TTL 300
@ 3600 IN SOA fra1.ns.example.org. hostmaster.example.org. 2027011500 3600 600 1209600 300
@ 300 IN NS fra1.ns.example.org.
@ 300 IN NS nyc1.ns.example.org.
; ALIAS web.example.net. is answered by b8s only; other servers find no address here
@ 300 IN TYPE65401 \\# 17 03776562076578616d706c65036e657400
mail 60 IN MX 10 mx.example.org.
mail 60 IN MX 20 mx.example.net.
@ 300 IN TXT "v=spf1 -all"
fra1.ns 300 IN A 192.0.2.1
fra1.ns 300 IN AAAA 2001:db8::1
; blog.example.org. 30 A AAAA of Site default/blog: nearest of fra1, lon1
`);
});

test('completion offers zones to export', async () => {
  cli.api.put({
    kind: 'Zone',
    metadata: { namespace: 'default', name: 'a-zone' },
    spec: { origin: 'a.zone' },
  });
  for (const word of ['export', 'ds', 'roll-key'])
    expect((await cli.b8sctl(['__complete', 'zone', word, ''])).out).toBe('a-zone\n');
  expect((await cli.b8sctl(['__complete', 'zone', ''])).out).toBe('ds\nexport\nimport\nroll-key\n');
});
