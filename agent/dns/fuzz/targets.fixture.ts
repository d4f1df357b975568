import { answerQuery, type DnsClient } from '../answer.ts';
import { clientSubnet, opt, queryBytes } from '../dns.fixture.ts';
import { snapshot } from '../example.fixture.ts';
import type { FuzzTarget } from './guided.fixture.ts';
import { checkReply } from './oracle.fixture.ts';
import { serverTarget } from './server.fixture.ts';
import { zoneFileTarget } from './zone-file.fixture.ts';

export const FUZZ_NOW_MS = 1_795_000_000_000;

const NAMES = [
  'example.com',
  'ns1.example.com',
  'deep.example.com',
  'dead.example.com',
  'circle.example.com',
  'x.any.example.com',
  'x.child.example.com',
  'into.example.com',
  'big.example.com',
  'site.example.com',
  'no.example.com',
  '_sip._udp.example.com',
  'example.org',
  'version.bind',
  '.',
];
const TYPES = ['A', 'AAAA', 'NS', 'SOA', 'MX', 'TXT', 'ANY', 'CNAME', 'DS', 'DNSKEY', 'AXFR'];

/** Option TLVs: subnets right and wrong, cookies of 8, 16 and 24 bytes, NSID, padding, keepalive. */
const OPTIONS: readonly Buffer[] = [
  '000800070001180000cb0071',
  '000800070001180000cb007100',
  '00080004000200000000',
  '0008000b0002380020010db8000001',
  '0008000400000000',
  '000a00080102030405060708',
  '000a00100102030405060708010000006afd1a00',
  '000a00180102030405060708010000006afd1a001122334455667788',
  '00030000',
  '000c00080000000000000000',
  '000b0000',
  '000b00020064',
  '000f00020012',
  'ffff0000',
].map((hex) => Buffer.from(hex, 'hex'));

export const QUERY_SEEDS: readonly Buffer[] = [
  ...NAMES.flatMap((name, index) => [
    queryBytes(name, TYPES[index % TYPES.length] ?? 'A'),
    queryBytes(name, 'A', opt([clientSubnet('203.0.113.0', 24)])),
    queryBytes(name, TYPES[(index + 5) % TYPES.length] ?? 'A', opt([], { flags: 0x8000 })),
  ]),
  ...OPTIONS.map((option) => withOptions(option)),
];

export const QUERY_WORDS: readonly Buffer[] = [
  ...OPTIONS,
  ...NAMES.map((name) => queryBytes(name, 'A').subarray(12, -4)),
  ...['0029', '00ff', '00fc', '00fb', '00f9', '00fa', '0003', '00fe', '0001', '0041', 'c00c'].map(
    (hex) => Buffer.from(hex, 'hex'),
  ),
  Buffer.from('0000290400000080000000', 'hex'),
];

/** The first bit of the id says over what it comes, the next from whom. */
export function clientOf(query: Buffer): DnsClient {
  const first = query[0] ?? 0;
  const address = (first & 0x40) === 0 ? '198.51.100.7' : '2001:db8::7';
  return { address, transport: first >= 0x80 ? 'tcp' : 'udp' };
}

/** Whole messages. */
export const answerTarget: FuzzTarget = {
  name: 'answer',
  seeds: QUERY_SEEDS,
  words: QUERY_WORDS,
  bytesMax: 600,
  check(query) {
    const before = Buffer.from(query);
    const client = clientOf(query);
    const context = { snapshot, client, nowMs: FUZZ_NOW_MS };
    const reply = answerQuery(query, context);
    if (!query.equals(before)) throw new Error('not so: the query is left as it was');
    checkReply(query, reply === undefined ? undefined : Buffer.from(reply), client.transport);
  },
};

/** What stands in the OPT record of a query that is otherwise in order: ECS, cookies and the rest. */
export const optionsTarget: FuzzTarget = {
  name: 'options',
  seeds: OPTIONS,
  words: OPTIONS,
  bytesMax: 400,
  check: (options) => answerTarget.check(withOptions(options)),
};

function withOptions(options: Buffer): Buffer {
  const bare = queryBytes('site.example.com', 'A', opt());
  const query = Buffer.concat([bare, options]);
  query.writeUInt16BE(options.length, bare.length - 2);
  return query;
}

export const TARGETS: readonly FuzzTarget[] = [
  answerTarget,
  optionsTarget,
  serverTarget,
  zoneFileTarget,
];
