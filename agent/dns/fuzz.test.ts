import packet from 'dns-packet';
import { expect, test } from 'vitest';
import { answerQuery } from './answer.ts';
import { createCookies } from './cookie/cookies.ts';
import {
  clientSubnet,
  geoName,
  node,
  opt,
  queryBytes,
  records,
  snapshotOf,
  zonePlan,
} from './dns.fixture.ts';
import { seededRandom } from './seeded.fixture.ts';

const SEED = 0x5eed;
const INPUTS = 50_000;

const world = snapshotOf({
  zones: [
    zonePlan('example', {
      records: [
        records('example', 'NS', 'ns.example', 'ns.example.net'),
        records('ns.example', 'A', '192.0.2.53'),
        records('*.example', 'TXT', 'wild', 'x'.repeat(250), 'y'.repeat(250)),
        records('big.example', 'TXT', ...Array.from({ length: 99 }, (_, i) => `${i}`.repeat(50))),
        records('alias.example', 'CNAME', 'geo.example'),
        records('sub.example', 'NS', 'ns.sub.example'),
        records('ns.sub.example', 'A', '192.0.2.1'),
        records('loan.example', 'ALIAS', 'geo.example'),
        records('away.example', 'ALIAS', 'known.elsewhere'),
        records('lost.example', 'ALIAS', 'lost.elsewhere'),
        records('far.example', 'CNAME', 'host.other'),
      ],
      geoNames: [geoName('geo.example', { candidates: ['a', 'b'] })],
    }),
    zonePlan('other', { records: [records('host.other', 'CNAME', 'far.example')] }),
  ],
  nodes: [node('a', { ipv4: ['192.0.2.1'] }), node('b', { ipv4: ['192.0.2.2'], ipv6: ['::1'] })],
});

const snapshot = {
  ...world,
  cookies: createCookies([new Uint8Array(16), new Uint8Array(16).fill(1)]),
  identity: { version: 'b8s', name: 'a' },
  lookUpForeign: (name: string, family: 'A' | 'AAAA') =>
    name.startsWith('\x05known')
      ? { addresses: [new Uint8Array(family === 'A' ? 4 : 16)], ttlS: 60, age: 'fresh' as const }
      : undefined,
};

/** Options that are understood, and one that is not. */
const OPTIONS = [
  clientSubnet('203.0.113.0', 24),
  clientSubnet('2001:db8::', 48),
  ...[3, 10, 11, 12, 99].map((code) => ({ code, data: Buffer.alloc(code === 10 ? 8 : 0) })),
  { code: 10, data: Buffer.alloc(24, 1) },
];

const NAMES = [
  'loan.example',
  'away.example',
  'lost.example',
  'far.example',
  'id.server',
  'example',
  'big.example',
  'alias.example',
  'x.sub.example',
  'w.example',
  'x.ns.example',
  'geo.example',
  '.',
];
const TYPES = ['A', 'AAAA', 'NS', 'SOA', 'TXT', 'MX', 'ANY', 'CNAME'];

test(`${INPUTS} mutated queries (seed ${SEED}): never a throw, a response answered, a byte too many`, () => {
  const random = seededRandom(SEED);
  const below = (limit: number): number => Math.floor(random() * limit);
  const pick = <T>(items: readonly T[]): T => items[below(items.length)] as T;
  const outcomes = new Map<string, number>();
  for (let index = 0; index < INPUTS; index += 1) {
    const query = mutate(seedQuery(pick, below), below);
    const transport = pick(['udp', 'tcp', 'tls'] as const);
    const client = { address: pick(['198.51.100.7', '2001:db8::7', 'odd']), transport };
    const context = { snapshot, client, nowMs: 0 };
    const before = Buffer.from(query);
    const reply = answerQuery(query, context);
    const demand = (holds: boolean): void => {
      // Not `expect`: half a million of them take longer than the answers.
      if (!holds) throw new Error(`seed ${SEED}, input ${index}: ${before.toString('hex')}`);
    };
    demand(query.equals(before));
    if (reply === undefined) {
      demand(query.length < 12 || (query[2] ?? 0) >= 0x80);
      continue;
    }
    demand(query.length >= 12 && (query[2] ?? 0) < 0x80);
    check(Buffer.from(reply), query, transport, demand);
    demand(Buffer.from(answerQuery(query, context) ?? []).equals(reply));
    const rcode = `rcode ${(reply[3] ?? 0) & 0xf}${((reply[2] ?? 0) & 2) === 0 ? '' : ' cut'}`;
    outcomes.set(rcode, (outcomes.get(rcode) ?? 0) + 1);
  }
  // The rare paths were reached, too.
  expect([...outcomes.keys()].toSorted()).toEqual([
    'rcode 0',
    'rcode 0 cut',
    'rcode 1',
    'rcode 2',
    'rcode 3',
    'rcode 4',
    'rcode 5',
  ]);
});

type Demand = (holds: boolean) => void;
type Below = (limit: number) => number;

function seedQuery(pick: <T>(items: readonly T[]) => T, below: Below): Buffer {
  const options = Array.from({ length: below(4) }, () => pick(OPTIONS));
  const udpPayloadSize = pick([0, 512, 700, 1232, 4096, 65_535]);
  const given =
    below(3) === 0 ? {} : opt(options, { udpPayloadSize, ednsVersion: below(20) === 0 ? 1 : 0 });
  return below(50) === 0
    ? Buffer.from(Array.from({ length: below(80) }, () => below(256)))
    : queryBytes(pick(NAMES), pick(TYPES), given);
}

/** Nothing, bits flipped, bytes set to telling values, cut, or grown. */
function mutate(query: Buffer, below: Below): Buffer {
  const copy = Buffer.from(query);
  for (let count = below(4); count > 0 && copy.length > 0; count -= 1) {
    const at = below(copy.length);
    if (below(2) === 0) copy[at] = (copy[at] ?? 0) ^ (1 << below(8));
    else copy[at] = [0, 1, 0x3f, 0x40, 0x80, 0xc0, 0xff][below(7)] ?? 0;
  }
  const shape = below(10);
  if (shape === 0) return copy.subarray(0, below(copy.length + 1));
  return shape === 1 ? Buffer.concat([copy, Buffer.alloc(below(300), below(256))]) : copy;
}

function check(
  reply: Buffer,
  query: Buffer,
  transport: 'udp' | 'tcp' | 'tls',
  demand: Demand,
): void {
  demand(reply.length <= (transport === 'udp' ? 1232 : 65_535));
  demand(reply.readUInt16BE(0) === query.readUInt16BE(0));
  demand((reply[2] ?? 0) >= 0x80 && ((reply[3] ?? 0) & 0xf0) === 0);
  const decoded = packet.decode(reply);
  const opts = decoded.additionals?.filter(({ type }) => type === 'OPT') ?? [];
  demand(opts.length <= 1);
  // Without EDNS in a well-formed query there is none in the reply, and 512 bytes are the limit.
  const sizeMax = opts.length === 0 ? 512 : 1232;
  demand(transport !== 'udp' || reply.length <= sizeMax);
  demand(transport !== 'tls' || opts.length === 0 || reply.length % 468 === 0);
  const question = reply.readUInt16BE(4) === 1 ? reply.subarray(12, questionEnd(reply)) : undefined;
  if (question !== undefined) {
    demand(question.equals(query.subarray(12, 12 + question.length)));
  }
}

function questionEnd(reply: Buffer): number {
  let offset = 12;
  while ((reply[offset] ?? 0) !== 0) offset += 1 + (reply[offset] ?? 0);
  return offset + 5;
}
