import type { Zone } from '../../../api/zone.ts';
import { parseZoneFile } from '../../../api/zone-file/parse.ts';
import { recordSets } from '../../../controllers/dns/record-sets.ts';
import { object } from '../../../controllers/test-scene.ts';
import type { ZonePlan } from '../../../proto/gen/b8s/v1/plan.ts';
import { seededRandom } from '../../support/seeded.ts';

/** One rrset: owner with a final dot, TTL in seconds, type, values as a zone file has them. */
export type Row = readonly [owner: string, ttlS: number, type: string, ...values: string[]];

export interface TestZone {
  /** Without a final dot. */
  readonly origin: string;
  readonly rows: readonly Row[];
}

const SERIAL = 2026;
const [REFRESH_S, RETRY_S, EXPIRE_S, NEGATIVE_TTL_S] = [3600, 600, 86_400, 300];
/** What our zones have; the others read it from the zone file. */
const SOA_TTL_S = 3600;
const MAIN = 'main.test';
const LABEL_63 = 'l'.repeat(63);
/** With `.main.test.` 255 bytes on the wire, the most there may be (RFC 1035 §2.3.4). */
const LONGEST = `${[LABEL_63, LABEL_63, LABEL_63, 'l'.repeat(51)].join('.')}.${MAIN}.`;
const RANDOM_NAMES = 150;

/** The zones that all servers load: every structure that an answer can depend on. */
export function testZones(seed: number): readonly TestZone[] {
  return [
    { origin: MAIN, rows: [...mainRows(), ...randomRows(seed)] },
    { origin: `served.${MAIN}`, rows: servedRows() },
    { origin: 'second.test', rows: secondRows() },
    { origin: 'types.test', rows: typeRows() },
  ];
}

function mainRows(): readonly Row[] {
  const at = (name: string): string => `${name}.${MAIN}.`;
  const origin = `${MAIN}.`;
  return [
    [origin, 3600, 'NS', at('ns1'), at('ns2'), 'ns.elsewhere.test.'],
    [origin, 300, 'A', '192.0.2.1'],
    [origin, 300, 'MX', `10 ${at('mail')}`, `20 ${at('mail2')}`, '30 mail.elsewhere.test.'],
    [origin, 300, 'TXT', '"v=spf1 -all"', '"two" "strings"'],
    [origin, 300, 'CAA', '0 issue "ca.test"', '128 iodef "mailto:x@main.test"'],
    [at('ns1'), 3600, 'A', '192.0.2.53'],
    [at('ns1'), 3600, 'AAAA', '2001:db8::53'],
    [at('ns2'), 3600, 'A', '192.0.2.54'],
    [at('mail'), 600, 'A', '192.0.2.25', '192.0.2.26', '192.0.2.27'],
    [at('mail'), 600, 'AAAA', '2001:db8::25'],
    [at('mail2'), 600, 'A', '192.0.2.28'],
    [at('_sip._udp'), 600, 'SRV', `1 2 5060 ${at('mail')}`, `1 2 5061 ${at('mail2')}`],
    [at('brief'), 1, 'A', '192.0.2.2'],
    // Empty non-terminals: deep has data only at its end, and so has the way to it.
    [at('a.b.c.deep'), 60, 'A', '192.0.2.3'],
    // Wildcards (RFC 4592 §2.2.1 has these shapes).
    [at('*.wild'), 60, 'TXT', '"a wildcard"'],
    [at('*.wild'), 60, 'MX', `10 ${at('mail')}`],
    [at('sub.*.wild'), 60, 'TXT', '"below a wildcard"'],
    [at('host.wild'), 60, 'A', '192.0.2.4'],
    [at('_ssh._tcp.host.wild'), 60, 'SRV', `0 0 22 ${at('host.wild')}`],
    [at('*.alias'), 60, 'CNAME', at('mail')],
    [at('*.dead'), 60, 'CNAME', at('nothing')],
    [at('*.self'), 60, 'CNAME', at('x.self')],
    // Chains, loops and ends of chains.
    [at('www'), 60, 'CNAME', at('mail')],
    [at('c1'), 60, 'CNAME', at('c2')],
    [at('c2'), 60, 'CNAME', at('c3')],
    [at('c3'), 60, 'CNAME', at('c4')],
    [at('c4'), 60, 'CNAME', at('mail')],
    ...Array.from({ length: 12 }, (_, n): Row => [at(`l${n}`), 60, 'CNAME', at(`l${n + 1}`)]),
    [at('l12'), 60, 'A', '192.0.2.6'],
    [at('gone'), 60, 'CNAME', at('nothing.here')],
    [at('empty'), 60, 'CNAME', at('c.deep')],
    [at('out'), 60, 'CNAME', 'www.elsewhere.test.'],
    [at('next'), 60, 'CNAME', 'www.second.test.'],
    [at('circle'), 60, 'CNAME', at('round')],
    [at('round'), 60, 'CNAME', at('circle')],
    [at('into'), 60, 'CNAME', at('www.child')],
    [at('intoserved'), 60, 'CNAME', at('www.served')],
    [at('towild'), 60, 'CNAME', at('some.wild')],
    // Delegations: with glue inside, glue beside, no glue at all, and one that is served here, too.
    [at('child'), 900, 'NS', at('ns.child'), at('ns1'), 'ns.elsewhere.test.'],
    [at('ns.child'), 900, 'A', '192.0.2.99'],
    [at('ns.child'), 900, 'AAAA', '2001:db8::99'],
    [at('glueless'), 900, 'NS', 'ns1.elsewhere.test.', 'ns2.elsewhere.test.'],
    [at('sibling'), 900, 'NS', at('ns.child')],
    [at('under.ent'), 900, 'NS', at('ns.under.ent')],
    [at('ns.under.ent'), 900, 'A', '192.0.2.98'],
    [at('served'), 900, 'NS', at('ns.served')],
    [at('ns.served'), 900, 'A', '192.0.2.97'],
    // Sizes around 512, 1232 and 4096 bytes, and beyond every datagram.
    [at('t400'), 60, 'TXT', ...texts(3, 110)],
    [at('t500'), 60, 'TXT', ...texts(4, 105)],
    [at('t1200'), 60, 'TXT', ...texts(9, 115)],
    [at('t4000'), 60, 'TXT', ...texts(25, 150)],
    [at('t9000'), 60, 'TXT', ...texts(40, 210)],
    [at('many'), 60, 'A', ...Array.from({ length: 40 }, (_, n) => `192.0.2.${n + 100}`)],
    [at('manyns'), 60, 'NS', ...Array.from({ length: 14 }, (_, n) => at(`ns${n}.manyns`))],
    ...Array.from({ length: 14 }, (_, n): Row => [at(`ns${n}.manyns`), 60, 'A', `192.0.2.${n}`]),
    [at('manymx'), 60, 'MX', ...Array.from({ length: 14 }, (_, n) => `${n} ${at(`mx${n}`)}`)],
    ...Array.from({ length: 14 }, (_, n): Row => [at(`mx${n}`), 60, 'AAAA', `2001:db8::${n}`]),
    [LONGEST, 60, 'A', '192.0.2.5'],
  ];
}

function servedRows(): readonly Row[] {
  const origin = `served.${MAIN}.`;
  return [
    [origin, 900, 'NS', `ns.${origin}`],
    [`ns.${origin}`, 900, 'A', '192.0.2.97'],
    [`www.${origin}`, 60, 'A', '192.0.2.96'],
    [`up.${origin}`, 60, 'CNAME', `mail.${MAIN}.`],
  ];
}

/** With a wildcard right at its origin, which leaves no name that does not exist. */
function secondRows(): readonly Row[] {
  return [
    ['second.test.', 60, 'NS', 'ns1.second.test.', `ns1.${MAIN}.`],
    ['ns1.second.test.', 60, 'A', '192.0.2.95'],
    ['www.second.test.', 60, 'A', '192.0.2.94'],
    ['*.second.test.', 60, 'A', '192.0.2.93'],
    ['ent.below.second.test.', 60, 'TXT', '"below"'],
  ];
}

/** Every type, each in several ways to write it: whose parser is right shows in the bytes. */
function typeRows(): readonly Row[] {
  const at = (name: string): string => `${name}.types.test.`;
  const key = 'aabbccddeeff00112233445566778899aabbccdd';
  const sha256 = `${key}001122334455667788990011`;
  return [
    ['types.test.', 60, 'NS', at('ns')],
    [at('ns'), 60, 'A', '192.0.2.90'],
    [at('ns'), 60, 'AAAA', '2001:DB8:0:0:1:0:0:1'],
    ['types.test.', 60, 'HTTPS', `0 ${at('web')}`],
    [at('web'), 60, 'HTTPS', '1 . alpn=h2,h3 ipv4hint=192.0.2.1,192.0.2.2 ipv6hint=2001:db8::1'],
    [at('web'), 60, 'A', '192.0.2.89'],
    [at('_8443._foo'), 60, 'SVCB', `2 ${at('web')} port=8443 mandatory=alpn,port alpn="h2"`],
    [at('keys'), 60, 'HTTPS', '1 . key65333=ex1 no-default-alpn alpn=h3', '16 . ech=AEX+DQ=='],
    [at('naptr'), 60, 'NAPTR', `100 10 "u" "E2U+sip" "!^.*$!sip:a@b.test!" .`],
    [at('naptr2'), 60, 'NAPTR', `100 50 "a" "z3950+N2L+N2C" "" ${at('web')}`],
    [at('1.0'), 60, 'PTR', at('web')],
    [at('ssh'), 60, 'SSHFP', `4 2 ${sha256}`, `1 1 ${key.toUpperCase()}`],
    [at('_25._tcp'), 60, 'TLSA', `3 1 1 ${sha256}`],
    [at('kid'), 60, 'NS', 'ns.elsewhere.test.'],
    [at('kid'), 60, 'DS', `60485 13 2 ${sha256}`, `1 8 1 ${key}`],
    [at('unknown'), 60, 'TYPE65280', String.raw`\# 4 0a000001`, String.raw`\# 0`],
    [at('known'), 60, 'A', String.raw`\# 4 0a000001`],
    [at('caa'), 60, 'CAA', '0 issuewild ";"', '128 iodef "mailto:a@b.test"'],
    [
      at('txt'),
      60,
      'TXT',
      String.raw`"a\"b" "\195\188" "plain" ""`,
      String.raw`"back\\slash; no comment"`,
    ],
    [at(String.raw`esc\046aped`), 60, 'A', '192.0.2.91'],
    [at(String.raw`\001\255`), 60, 'CNAME', at(String.raw`esc\.aped`)],
    [at('mx'), 60, 'MX', '0 .', `65535 ${at('ns')}`],
    [at('_nosuch._tcp'), 60, 'SRV', '0 0 0 .'],
  ];
}

/** Names up to four labels deep out of few labels, so that they meet; a few aliases among them. */
function randomRows(seed: number): readonly Row[] {
  const random = seededRandom(seed);
  const below = (limit: number): number => Math.floor(random() * limit);
  const rows = new Map<string, readonly Row[]>();
  while (rows.size < RANDOM_NAMES) {
    const labels = Array.from({ length: 1 + below(4) }, () => `r${below(6)}`);
    if (below(8) === 0) labels[0] = '*';
    const owner = `${labels.join('.')}.tree.${MAIN}.`;
    const ttlS = 1 + below(3600);
    const alias = `r${below(6)}.r${below(6)}.tree.${MAIN}.`;
    const drawn: readonly Row[] =
      // An alias of itself is refused when a zone is imported.
      below(4) === 0 && alias !== owner
        ? [[owner, ttlS, 'CNAME', alias]]
        : [
            [owner, ttlS, 'A', `198.51.100.${below(256)}`],
            ...(below(2) === 0 ? [[owner, ttlS, 'TXT', `"${owner}"`] as const] : []),
          ];
    rows.set(owner, drawn);
  }
  return [...rows.values()].flat();
}

function texts(count: number, length: number): readonly string[] {
  return Array.from({ length: count }, (_, n) => `"${String(n).padEnd(length, '.')}"`);
}

/** The zone as RFC 1035 §5 writes it. */
export function zoneFile({ origin, rows }: TestZone): string {
  const numbers = [SERIAL, REFRESH_S, RETRY_S, EXPIRE_S, NEGATIVE_TTL_S].join(' ');
  const lines = rows.flatMap(([owner, ttlS, type, ...values]) =>
    values.map((value) => `${owner} ${ttlS} IN ${type} ${value}`),
  );
  // Of a Zone the NS records have its own TTL, and the first of them is the primary.
  const [, zoneTtlS, , primary] =
    rows.find(([owner, , type]) => isApexNs({ origin, owner, type })) ?? [];
  const soa = `@ ${SOA_TTL_S} IN SOA ${primary} hostmaster.${origin}. ${numbers}`;
  return [`$ORIGIN ${origin}.`, `$TTL ${zoneTtlS}`, soa, ...lines, ''].join('\n');
}

function isApexNs(row: { origin: string; owner: string; type: string }): boolean {
  return row.type === 'NS' && row.owner === `${row.origin}.`;
}

/** The zone as dom sends it to nameservers once its file was imported. */
export function zonePlan(zone: TestZone): ZonePlan {
  const outcome = parseZoneFile(zoneFile(zone));
  if (outcome.kind === 'errors') throw new Error(JSON.stringify(outcome.errors));
  const { origin, soa } = outcome.spec;
  const name = origin.replaceAll('.', '-');
  const declared = object<Zone>('Zone', name, outcome.spec);
  const { records, nameservers, problems } = recordSets(declared, [], new Set());
  if (problems.length > 0) throw new Error(problems.join('\n'));
  return {
    ...{ uid: `uid-${origin}`, namespace: 'default', name, origin, serial: SERIAL, records },
    ...{ primaryNameserver: nameservers[0] ?? '', mailbox: soa.mailbox ?? '' },
    ...{ refreshS: soa.refreshS, retryS: soa.retryS, expireS: soa.expireS },
    ...{ negativeTtlS: soa.negativeTtlS, geoNames: [], keys: [], transfer: undefined },
  };
}
