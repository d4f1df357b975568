import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { NodeOptions } from '../support/cluster.ts';
import { geographyKnown } from '../support/geography.ts';
import { run, until } from '../support/processes.ts';
import { AREA, publish, siteYaml, useScene } from '../support/scene.ts';
import type { Server } from './support/exchange.ts';
import { type GeoRow, writeGeoFile } from './support/geo-file.ts';
import {
  DNS_PORT,
  delegationOf,
  type Internet,
  internetMissing,
  startInternet,
} from './support/internet.ts';
import { type RunningServer, stopServers } from './support/programs.ts';
import { DO } from './support/query.ts';
import { dsFromKeys, logOf, resolveName, subnetOption } from './support/resolvers.ts';
import { replaced, startTampering, type Tampering } from './support/tampering.ts';

const PLAIN = 'plain.example';
const SIGNED = 'signed.example';
/** Nodes are on <area>.0.x, all others on <area>.2.x. */
const LOOPBACK = `127.${AREA}`;
const [SERVFAIL, NXDOMAIN] = [2, 3];

/** Where clients are, by their subnets and by the addresses of their resolvers. */
const PLACES = [
  { node: 'sydney', latitude: -33.9, longitude: 151.2, subnet: '1.144.0.0', host: 21 },
  { node: 'london', latitude: 51.5, longitude: -0.1, subnet: '81.2.69.0', host: 22 },
  { node: 'newyork', latitude: 40.7, longitude: -74, subnet: '3.154.100.0', host: 23 },
] as const;

const missing = await internetMissing(LOOPBACK);
const suffix = missing === undefined ? '' : ` (skipped: ${missing})`;

describe.skipIf(missing !== undefined)(`through real resolvers${suffix}`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'b8s-dns-resolver-'));
  const geoFile = join(folder, 'places.mmdb');
  const rows = PLACES.flatMap(({ subnet, host, latitude, longitude }): readonly GeoRow[] => [
    { prefix: `${subnet}/24`, latitude, longitude },
    { prefix: `${LOOPBACK}.2.${host}/32`, latitude, longitude },
  ]);
  writeGeoFile(geoFile, rows);
  const scene = useScene('sqlite', { name: 'dns-resolver', geo: [geoFile], dnsPort: DNS_PORT });
  let internet: Internet | undefined;
  let resolvers: readonly RunningServer[] = [];
  let forwarding: RunningServer | undefined;
  let tampering: Tampering | undefined;

  beforeAll(async () => {
    const { cluster, nodes } = scene();
    mkdirSync(join(folder, 'root'), { recursive: true });
    const zones = [zoneText(PLAIN, 'off'), zoneText(SIGNED, 'signed')];
    const site = siteYaml('blog', `blog.${PLAIN}, blog.${SIGNED}`);
    await cluster.b8sctlOk(['apply', '-f', '-'], { input: [site, ...zones].join('---\n') });
    await publish(scene(), 'blog', join(import.meta.dirname, '../../manifests/demo/site'));
    await geographyKnown(cluster, { host: `blog.${PLAIN}`, nodes });
    const ds = await until('the zone is signed', () => keysOf(nodes), { timeoutMs: 30_000 });
    const [plain, signed] = [
      await delegationOf(scene(), PLAIN),
      await delegationOf(scene(), SIGNED),
    ];
    // Dom would tell the DS itself an hour later, when nobody holds older answers any more.
    const delegations = [plain, { ...signed, ds }];
    const made = await startInternet(folder, LOOPBACK, delegations);
    internet = made;
    const anchors = [made.anchor];
    const start = (name: string, host: number, more: object = {}): Promise<RunningServer> => {
      const address = `${LOOPBACK}.2.${host}`;
      return made.startResolver({ name, address, port: DNS_PORT, anchors, ...more });
    };
    resolvers = await Promise.all(PLACES.map(({ node, host }) => start(node, host)));
    forwarding = await start('forwarding', 24, { clientSubnets: 'forwarded' });
  });
  afterAll(async () => {
    tampering?.close();
    await stopServers();
    rmSync(folder, { recursive: true, force: true });
  });

  const resolver = (index = 0): RunningServer => {
    const found = resolvers[index];
    if (found === undefined) throw new Error('no resolver');
    return found;
  };
  const authoritative = (name: string): Server => {
    return { address: scene().node(name).address, port: DNS_PORT };
  };

  describe.each([PLAIN, SIGNED])('%s', (zone) => {
    test.each(PLACES.entries().toArray())(
      '%i: who asks the resolver there gets the node there',
      async (index, place) => {
        const question = { name: `blog.${zone}`, type: 'A' };
        const { answer, flags } = await resolveName(resolver(index), question);
        expect(flags.includes('AD')).toBe(zone === SIGNED);
        expect(addressesOf(answer)).toEqual([scene().node(place.node).address]);
      },
    );

    test.each(PLACES)(
      'whose subnet is handed on by a resolver elsewhere gets $node',
      async ({ node, subnet }) => {
        const { answer } = await resolveName(
          forwarding ?? resolver(),
          { name: `blog.${zone}`, type: 'A' },
          { options: [subnetOption(subnet)] },
        );
        expect(addressesOf(answer)).toEqual([scene().node(node).address]);
      },
    );

    test.each([
      { when: 'a wildcard', name: 'any.thing.wild', type: 'TXT', rcode: 0, count: 1 },
      { when: 'an alias of a site', name: 'www', type: 'A', rcode: 0, count: 2 },
      { when: 'a name below empty ones', name: 'a.b.c.deep', type: 'A', rcode: 0, count: 1 },
      { when: 'an empty name', name: 'b.c.deep', type: 'A', rcode: 0, count: 0 },
      { when: 'a type that is not there', name: 'blog', type: 'MX', rcode: 0, count: 0 },
      { when: 'a name that is not there', name: 'nothing', type: 'A', rcode: NXDOMAIN, count: 0 },
      { when: 'a name below one', name: 'x.a.b.c.deep', type: 'A', rcode: NXDOMAIN, count: 0 },
      { when: 'text that takes TCP', name: 'big', type: 'TXT', rcode: 0, count: 30 },
      { when: 'the nameservers', name: 'london.ns', type: 'A', rcode: 0, count: 1 },
      { when: 'a delegation without DS', name: 'kid', type: 'DS', rcode: 0, count: 0 },
    ])('$when: $name $type', async ({ name, type, rcode, count }) => {
      const question = { name: `${name}.${zone}`, type };
      const transport = type === 'TXT' ? 'tcp' : 'udp';
      const message = await resolveName(resolver(), question, { flags: DO, transport });
      const data = message.answer.filter((record) => !record.includes(' RRSIG '));
      // With signatures "no such name" is said by a record, not by the code (RFC 9824 §3).
      const expected = zone === SIGNED && rcode === NXDOMAIN ? 0 : rcode;
      expect([message.rcode, data.length]).toEqual([expected, count]);
      expect(message.flags.includes('AD')).toBe(zone === SIGNED);
    });
  });

  test('no resolver had to give up random letter case or minimised names', () => {
    for (const each of [...resolvers, forwarding ?? resolver()]) {
      expect(logOf(each)).not.toMatch(/apsforid|caps.*fallback/i);
    }
  });

  describe('delv validates with the DS that BIND’s own tool makes of the keys', () => {
    test.each([
      { when: 'a geo answer', name: 'blog', type: 'A', says: '; fully validated' },
      { when: 'a wildcard', name: 'some.wild', type: 'TXT', says: '; fully validated' },
      { when: 'an alias', name: 'www', type: 'A', says: '; fully validated' },
      { when: 'what is at the origin', name: '', type: 'SOA', says: '; fully validated' },
      {
        when: 'no such name',
        name: 'nothing',
        type: 'A',
        says: '; negative response, fully validated',
      },
      {
        when: 'no such type',
        name: 'blog',
        type: 'MX',
        says: '; negative response, fully validated',
      },
      {
        when: 'an empty name',
        name: 'c.deep',
        type: 'A',
        says: '; negative response, fully validated',
      },
      {
        when: 'a delegation without DS',
        name: 'kid',
        type: 'DS',
        says: '; negative response, fully validated',
      },
    ])('$when', async ({ name, type, says }) => {
      const whole = [name, SIGNED].filter((part) => part !== '').join('.');
      for (const { name: node } of scene().nodes) {
        const said = await delv(authoritative(node), whole, type);
        expect(said).toContain(says);
      }
    });

    test.each(PLACES)(
      'the geo answer for $node, as signed for a resolver there',
      async ({ node, host }) => {
        const from = ['-b', `${LOOPBACK}.2.${host}`];
        const said = await delv(authoritative('london'), `blog.${SIGNED}`, 'A', from);
        expect(said).toContain('; fully validated');
        expect(said).toContain(scene().node(node).address);
      },
    );
  });

  test('what was changed on the way is bogus for delv, and SERVFAIL at unbound', async () => {
    const server = authoritative('london');
    const change = (reply: Buffer): Buffer =>
      PLACES.reduce((message, { node }) => {
        const address = Buffer.from(scene().node(node).address.split('.').map(Number));
        return replaced(message, address, Buffer.of(127, AREA, 0, 99));
      }, reply);
    tampering = await startTampering({ address: `${LOOPBACK}.2.30`, server }, change);
    const said = await delv(tampering, `blog.${SIGNED}`, 'A');
    expect(said).toMatch(/RRSIG failed to verify|resolution failed|broken trust chain/);
    expect(said).not.toContain('fully validated');
    const deceived = await internet?.startResolver({
      ...{ name: 'deceived', address: `${LOOPBACK}.2.25`, port: DNS_PORT },
      anchors: [internet.anchor],
      stubs: [SIGNED, PLAIN].map((zone) => ({ zone, server: tampering ?? server })),
    });
    if (deceived === undefined) throw new Error('no resolver');
    const bogus = await resolveName(deceived, { name: `blog.${SIGNED}`, type: 'A' });
    expect([bogus.rcode, bogus.answer]).toEqual([SERVFAIL, []]);
    // Without signatures nobody notices: this is what they are for.
    const believed = await resolveName(deceived, { name: `blog.${PLAIN}`, type: 'A' });
    expect(addressesOf(believed.answer)).toEqual([`${LOOPBACK}.0.99`]);
  });

  test('b8sctl dns check, through a resolver, finds nothing wrong, and says what the parent has', async () => {
    const args = ['dns', 'check', PLAIN, '--resolver', resolver().address, '-o', 'json'];
    const { stdout, exitCode } = await scene().cluster.b8sctl(args);
    const { findings, registrar } = JSON.parse(stdout) as Checked;
    expect(findings.filter(({ verdict }) => verdict !== 'fine')).toEqual([]);
    expect(exitCode).toBe(0);
    const names = scene().nodes.map(({ name, address }) => [`${name}.ns.${PLAIN}.`, address]);
    const lines = (records: readonly string[]): readonly string[] => records.toSorted();
    expect(registrar.ns).toEqual(lines(names.map(([name]) => `${PLAIN}. IN NS ${name}`)));
    expect(registrar.glue).toEqual(lines(names.map(([name, at]) => `${name} IN A ${at}`)));
  });

  test('kdig over TLS at port 853 is told the same', async () => {
    const { address } = authoritative('london');
    const asked = [
      `@${address}`,
      `blog.${SIGNED}`,
      'A',
      '+dnssec',
      '+short',
      '+subnet=81.2.69.0/24',
    ];
    const [plain, tls] = await Promise.all([
      run('/usr/bin/kdig', asked),
      run('/usr/bin/kdig', [...asked, '+tls']),
    ]);
    expect(plain.stdout).toContain(scene().node('london').address);
    expect(tls.stdout.split('\n')[0]).toBe(plain.stdout.split('\n')[0]);
    expect(tls.exitCode).toBe(0);
  });

  describe('with one nameserver less everything is answered, and fresh', () => {
    /** Names that no resolver has heard of, so that each is asked for. */
    const resolveAll = async (word: string): Promise<readonly string[]> => {
      const names = Array.from({ length: 12 }, (_, n) => `${word}-${n}.wild`);
      const asked = names.flatMap((name) => [`${name}.${PLAIN}`, `${name}.${SIGNED}`]);
      const failed: string[] = [];
      for (const name of asked) {
        await until(
          `${name} is resolved`,
          async () => {
            const message = await resolveName(resolver(1), { name, type: 'TXT' });
            return message.rcode === 0 && message.answer.some((record) => record.includes(' TXT '));
          },
          { timeoutMs: 10_000 },
        ).catch(() => failed.push(name));
      }
      return failed;
    };

    test('one that says nothing any more', async () => {
      const sydney = scene().cluster.subs.get('sydney');
      sydney?.pause();
      try {
        expect(await resolveAll('paused')).toEqual([]);
      } finally {
        sydney?.resume();
      }
    });

    test('one that is gone', async () => {
      await scene().cluster.subs.get('london')?.kill9();
      expect(await resolveAll('killed')).toEqual([]);
    });
  });

  /** All there, and the same at each nameserver. */
  async function keysOf(nodes: readonly NodeOptions[]): Promise<readonly string[] | undefined> {
    const told = await Promise.all(
      nodes.map(({ address }) => dsFromKeys({ address, port: DNS_PORT }, SIGNED)),
    );
    const [first = [], ...others] = told;
    const same = others.every((each) => String(each) === String(first));
    return first.length > 0 && same ? first : undefined;
  }

  async function delv(
    server: Server,
    name: string,
    type: string,
    more: readonly string[] = [],
  ): Promise<string> {
    const [ds = ''] = await dsFromKeys(authoritative('london'), SIGNED);
    const [, , , keyTag, algorithm, digestType, ...digest] = ds.trim().split(/\s+/);
    const anchor = `"${SIGNED}" static-ds ${keyTag} ${algorithm} ${digestType} "${digest.join('')}";`;
    const file = join(folder, 'anchors');
    await run('sh', ['-c', 'cat > "$0"', file], { input: `trust-anchors { ${anchor} };\n` });
    const place = [`@${server.address}`, '-p', String(server.port), '-a', file, ...more];
    const said = await run('/usr/bin/delv', [
      ...place,
      `+root=${SIGNED}`,
      '+multiline',
      name,
      type,
    ]);
    return said.stdout + said.stderr;
  }
});

interface Checked {
  readonly findings: readonly { readonly verdict: string; readonly message: string }[];
  readonly registrar: { readonly ns: readonly string[]; readonly glue: readonly string[] };
}

function addressesOf(answer: readonly string[]): readonly string[] {
  return answer
    .map((record) => record.split(' '))
    .filter(([, , , type]) => type === 'A')
    .map(([, , , , data = '']) => [...Buffer.from(data, 'hex')].join('.'));
}

function zoneText(origin: string, mode: 'off' | 'signed'): string {
  const big = Array.from({ length: 30 }, (_, n) => `'"${String(n).padStart(100, '.')}"'`);
  return `apiVersion: b8s.dev/v1
kind: Zone
metadata: { name: ${origin.replaceAll('.', '-')} }
spec:
  origin: ${origin}
  dnssec: { mode: ${mode === 'off' ? '"off"' : mode} }
  records:
    - { name: "*.wild", type: TXT, values: ['"wild"'] }
    - { name: www, type: CNAME, values: [blog] }
    - { name: a.b.c.deep, type: A, values: [192.0.2.1] }
    - { name: kid, type: NS, values: [ns.kid.${origin}.] }
    - { name: ns.kid, type: A, values: [192.0.2.2] }
    - { name: big, type: TXT, values: [${big.join(', ')}] }
`;
}
