import { afterEach, beforeEach, expect, test } from 'vitest';
import { node, records, zonePlan } from '../../agent/dns/dns.fixture.ts';
import { zoneKey } from '../../agent/dns/dnssec/signed.fixture.ts';
import { createDnsEngine, type DnsEngine } from '../../agent/plane/dns-engine.ts';
import { testCli } from '../../cli/testing/test-cli.ts';
import type { ZonePlan } from '../../proto/gen/b8s/v1/plan.ts';
import { dsOf, dsText, hostWire } from '../../runtime/dns/dnssec.ts';
import { silentLog } from '../../runtime/log.ts';
import { nodeDnsClient } from '../../runtime/node/dns/client.ts';
import { type DnsListener, listenDns } from '../../runtime/node/dns/listener.ts';
import { systemRandom } from '../../runtime/node/random.ts';

/** `b8sctl dns check` over real sockets: a parent and two nameservers, each of them ours. */
const PARENT = '127.0.9.1';
const CHILDREN = { a: '127.0.9.2', b: '127.0.9.3' } as const;
/** As the clock of `testCli` says. */
const NOW_MS = Date.parse('2027-01-15T12:00:00Z');
const KEY = zoneKey('check');
const NS = ['a.ns.example.test', 'b.ns.example.test'];

const servers: { readonly engine: DnsEngine; readonly listener: DnsListener }[] = [];
let port = 0;

beforeEach(async () => {
  port = 0;
  await serve(PARENT, parentZone({}));
  for (const address of Object.values(CHILDREN)) await serve(address, childZone(7));
});

afterEach(async () => {
  while (servers.length > 0) await stop(0);
});

async function stop(index: number): Promise<void> {
  const [server] = servers.splice(index, 1);
  await server?.listener.close();
}

async function serve(address: string, zone: ZonePlan): Promise<void> {
  const engine = createDnsEngine({ nodeName: address, log: silentLog });
  await apply(engine, zone);
  const listener = await listenDns({
    addresses: [address],
    port,
    answer: (query, peer) => engine.answer(query, peer, NOW_MS),
  });
  port = listener.port;
  servers.push({ engine, listener });
}

async function apply(engine: DnsEngine | undefined, zone: ZonePlan): Promise<void> {
  const report = await engine?.apply({ zones: [zone], nodes: [], databases: [], health: {} }, []);
  expect(report?.zones.map(({ error }) => error)).toEqual([undefined]);
}

function parentZone({ glue = '127.0.9.2', ds = [] as readonly string[] }): ZonePlan {
  return zonePlan('test', {
    records: [
      records('test', 'NS', 'ns.test.'),
      records('ns.test', 'A', PARENT),
      records('example.test', 'NS', ...NS.map((name) => `${name}.`)),
      records('a.ns.example.test', 'A', glue),
      records('b.ns.example.test', 'A', '127.0.9.3'),
      ...(ds.length === 0 ? [] : [records('example.test', 'DS', ...ds)]),
    ],
  });
}

function childZone(serial: number, keys: ZonePlan['keys'] = []): ZonePlan {
  return zonePlan('example.test', {
    ...{ serial, keys },
    records: [
      records('example.test', 'NS', ...NS.map((name) => `${name}.`)),
      records('a.ns.example.test', 'A', CHILDREN.a),
      records('b.ns.example.test', 'A', CHILDREN.b),
    ],
  });
}

async function check(serial = 7, { spec = {}, status = {} } = {}) {
  const cli = testCli();
  const client = nodeDnsClient({ random: systemRandom(), timeoutMs: 5_000 });
  cli.dns = { client, resolvers: [{ address: PARENT, port }] };
  cli.api.put({
    kind: 'Zone',
    metadata: { namespace: 'default', name: 'example-test' },
    spec: { origin: 'example.test', records: [], ...spec },
    status: { serial, nameservers: NS, ...status },
  });
  for (const [name, address] of Object.entries(CHILDREN)) {
    const { roles } = node(name, { roles: ['nameserver'] });
    const ports = { http: 80, https: 443, dns: port };
    cli.api.put({
      kind: 'Node',
      metadata: { name },
      spec: { roles, ipv4: [address], ipv6: [], ports },
    });
  }
  return await cli.b8sctl(`dns check example-test --port ${port} --tls-port ${port}`);
}

test('all agree', async () => {
  const { out, error, code } = await check();
  expect([error, out.includes('PROBLEM'), code]).toEqual(['', false, 0]);
  expect(out).toContain(
    'ok      test delegates example.test to a.ns.example.test, b.ns.example.test',
  );
  expect(out).toContain('ok      b.ns.example.test (127.0.9.3) answers over TCP, serial 7');
});

test('wrong glue, a server behind, a server that is dead, each is named', async () => {
  await apply(servers[0]?.engine, parentZone({ glue: '127.0.9.9' }));
  await apply(servers[1]?.engine, childZone(6));
  await stop(2);
  const { out, code } = await check();
  expect(code).toBe(1);
  for (const text of [
    'PROBLEM test has glue for a.ns.example.test: 127.0.9.9; 127.0.9.2 missing, 127.0.9.9 too many',
    'PROBLEM a.ns.example.test (127.0.9.9) does not answer over UDP',
    'PROBLEM b.ns.example.test (127.0.9.3) does not answer over TCP',
    'PROBLEM serial 6 is served, and dom has 7 of example.test',
    '  a.ns.example.test. IN A 127.0.9.2\n',
  ]) {
    expect(out).toContain(text);
  }
});

test('a signed zone: what its nameservers sign, and what the parent holds, go together', async () => {
  const key = dsOf(hostWire('example.test'), KEY.publicKey);
  const keys = [{ keyTag: KEY.keyTag, role: 'active' }];
  const signed = {
    spec: { dnssec: { mode: 'signed', parentDs: [KEY.keyTag] } },
    status: { dnssec: { phase: 'steady', keys }, ds: [key] },
  };
  await apply(servers[0]?.engine, parentZone({ ds: [dsText(key)] }));
  for (const { engine } of servers.slice(1)) await apply(engine, childZone(7, [KEY]));
  const { out, code } = await check(7, signed);
  expect([out.includes('PROBLEM'), code]).toEqual([false, 0]);
  expect(out).toContain(`ok      test has DS for example.test: ${dsText(key).toLowerCase()}`);
  for (const what of ['the keys', 'the zone'])
    expect(out).toContain(
      `ok      b.ns.example.test (127.0.9.3) signs ${what} with key ${KEY.keyTag}, good until 2027-01-2`,
    );
  // One that does not sign makes the zone bogus for whoever asks it.
  await apply(servers[2]?.engine, childZone(7));
  expect((await check(7, signed)).out).toContain(
    'PROBLEM b.ns.example.test (127.0.9.3) has no keys of example.test: it does not sign',
  );
});

test('without a resolver that answers it cannot be told', async () => {
  await stop(0);
  const { out, code } = await check();
  expect(out).toContain('unknown the parent zone was not found: ask 127.0.9.1');
  expect(code).toBe(2);
});
