import type { ZonePlan } from '../../../proto/gen/b8s/v1/plan.ts';
import { clientSubnet, geoName, node, opt, queryBytes, records, zonePlan } from '../dns.fixture.ts';
import { maskAddress } from '../geo/address.ts';
import type { Locate } from '../geo/geography.ts';

/** Draws for property tests: everything follows from one seed. */
export interface Draw {
  below(limit: number): number;
  pick<T>(items: readonly T[]): T;
}

export function drawFrom(random: () => number): Draw {
  const below = (limit: number): number => Math.floor(random() * limit);
  return { below, pick: (items) => items[below(items.length)] as (typeof items)[number] };
}

const LABELS = ['a', 'b', 'ns1', 'hostmaster', 'www', '*', 'deep', 'x'.repeat(60)] as const;
const TYPES = ['A', 'AAAA', 'CNAME', 'MX', 'TXT', 'NS', 'SRV'] as const;
const POLICIES = ['nearest', 'weighted', 'failover'] as const;
const EDGES = ['berlin', 'tokyo', 'lima', 'nowhere'] as const;

/** A few zones, one below another, with names that share labels and lead to one another. */
export function drawZones(draw: Draw): readonly ZonePlan[] {
  const origins = ['example', 'example.org', 'sub.example', 'a.b.example'].filter(
    (_, index) => index === 0 || draw.below(2) === 0,
  );
  return origins.map((origin) => drawZone(draw, origin));
}

function drawZone(draw: Draw, origin: string): ZonePlan {
  const sets = new Map([[`${origin} NS`, records(origin, 'NS', `ns1.${origin}`, 'ns.elsewhere')]]);
  const aliases = new Set<string>([origin]);
  for (let count = draw.below(14); count > 0; count -= 1) {
    const name = `${drawLabels(draw)}.${origin}`;
    const type = draw.pick(TYPES);
    const hasOther = [...sets.keys()].some((key) => key.startsWith(`${name} `));
    if (aliases.has(name) || (type === 'CNAME' && hasOther)) continue;
    if (type === 'NS' && name.startsWith('*')) continue;
    if (type === 'CNAME') aliases.add(name);
    sets.set(`${name} ${type}`, records(name, type, ...drawValues(draw, type, origin)));
  }
  // The last one as previews have it.
  const geoNames = [...EDGES.map((_, index) => `g${index}.${origin}`), `*.p.${origin}`]
    .filter(() => draw.below(2) === 0)
    .map((name) =>
      geoName(name, {
        candidates: EDGES.filter(() => draw.below(3) > 0),
        policy: draw.pick(POLICIES),
        answersMax: draw.below(4),
        ttlS: draw.pick([0, 30, 30]),
      }),
    );
  return zonePlan(origin, {
    records: [...sets.values()],
    geoNames,
    mailbox: draw.pick([`hostmaster.${origin}`, `deep.hostmaster.${origin}`, 'who.elsewhere']),
  });
}

function drawLabels(draw: Draw): string {
  const labels = Array.from({ length: 1 + draw.below(3) }, () => draw.pick(LABELS));
  return labels.map((label, index) => (index > 0 && label === '*' ? 'star' : label)).join('.');
}

function drawValues(draw: Draw, type: (typeof TYPES)[number], origin: string): readonly string[] {
  const target = draw.pick([
    `${drawLabels(draw)}.${origin}`,
    `g${draw.below(4)}.${origin}`,
    `g${draw.below(4)}.example`,
    'who.elsewhere',
  ]);
  switch (type) {
    case 'A':
      return Array.from({ length: 1 + draw.below(40) }, (_, index) => `192.0.2.${index}`);
    case 'AAAA':
      return ['2001:db8::1'];
    case 'CNAME':
    case 'NS':
      return [target];
    case 'MX':
      return [`10 ${target}`, '20 mail.elsewhere'];
    case 'SRV':
      return [`1 2 53 ${target}`];
    case 'TXT':
      return Array.from({ length: 1 + draw.below(9) }, (_, index) => `"${'t'.repeat(index * 30)}"`);
  }
}

export const NODES = [
  node('berlin', { ipv4: ['192.0.2.1'], ipv6: ['2001:db8::1'], latitude: 52, longitude: 13 }),
  node('tokyo', { ipv4: ['192.0.2.2', '192.0.2.3'], latitude: 36, longitude: 140 }),
  node('lima', { ipv4: ['192.0.2.4'], ipv6: ['2001:db8::4'], latitude: -12, longitude: -77 }),
  node('nowhere', { ipv4: ['192.0.2.5'] }),
];

/** Some prefixes of any length have a place, the same for all that is in them. */
export const locateByPrefix: Locate = (address) => {
  if (typeof address === 'string') return undefined;
  const prefixBits = [0, 7, 16, 22, 24, 27, 32, 48, 61, 128][(address[0] ?? 0) % 11] ?? -1;
  if (prefixBits < 0 || prefixBits > 8 * address.length) return undefined;
  const sum = maskAddress(address, prefixBits).reduce((total, byte) => 31 * total + byte, 7);
  const [latitude, longitude] = [(sum % 180) - 90, (sum % 359) - 179];
  return { latitude, longitude, prefixBits, source: 'drawn' };
};

/** Names that are there, below what is there, beside it, and elsewhere. */
export function drawQuery(draw: Draw, plans: readonly ZonePlan[]): Buffer {
  const plan = draw.pick(plans);
  const known = [
    plan.origin,
    ...plan.records.map(({ name }) => name),
    ...plan.geoNames.map(({ name }) => name),
  ];
  const name = draw.pick([
    draw.pick(known),
    draw.pick(known).replace(/^\*/, 'any'),
    `${drawLabels(draw)}.${draw.pick(known)}`.replaceAll(/^\*/g, 'c'),
    `${drawLabels(draw)}.${plan.origin}`,
    draw.pick(['elsewhere', '.', 'HOSTMASTER.example']),
  ]);
  const bytes = queryBytes(name.length > 250 ? 'a.example' : name, draw.pick(TYPES), drawOpt(draw));
  if (draw.below(3) === 0) mixCase(draw, bytes);
  if (draw.below(6) === 0) bytes[2] = draw.pick([0, 1, 1, 2, 4, 0x80, 0x28]);
  if (draw.below(6) === 0) bytes[3] = draw.pick([0x20, 0x10, 0x40, 0x80]);
  if (draw.below(12) === 0) bytes[draw.below(bytes.length)] = draw.below(256);
  return draw.below(30) === 0 ? bytes.subarray(0, draw.below(bytes.length)) : bytes;
}

function drawOpt(draw: Draw): ReturnType<typeof opt> | undefined {
  if (draw.below(3) === 0) return undefined;
  const byte = (): number => draw.below(256);
  const ipv4 = draw.pick([`${byte()}.${byte()}.${draw.pick([0, byte()])}.0`, drawNeighbour(draw)]);
  const ipv6 = draw.pick([
    `${(0x2000 + byte()).toString(16)}:${byte()}:${byte()}:${byte()}::`,
    `3f13::${draw.pick([0, 1, 2])}:0:0:0:0`,
  ]);
  const subnet = draw.pick([
    [],
    [clientSubnet(ipv4, draw.pick([0, 8, 20, 24, 24, 24, 32]))],
    [clientSubnet(ipv6, draw.pick([0, 32, 48, 56, 64, 128]))],
    [{ code: 'NSID', data: Buffer.alloc(0) }],
  ]);
  const cookie = { code: 'COOKIE', data: Buffer.alloc(draw.pick([8, 8, 16, 24, 40, 3]), 7) };
  const options = draw.pick([subnet, subnet, [cookie, ...subnet], [...subnet, cookie]]);
  const udpPayloadSize = draw.pick([0, 512, 600, 1232, 4096]);
  return opt(options, {
    udpPayloadSize,
    flags: draw.pick([0, 0, 0x8000, 1]),
    ednsVersion: draw.pick([0, 0, 0, 0, 1]),
  });
}

/** In one network, whose hosts are in different places. */
export function drawNeighbour(draw: Draw): string {
  return `${draw.pick([5, 16])}.5.5.${32 * draw.below(8) + draw.below(2)}`;
}

/** As resolvers do that make forging harder (the 0x20 trick). */
function mixCase(draw: Draw, query: Buffer): void {
  for (let at = 12; at < query.length && query[at] !== 0; at += 1 + (query[at] ?? 0)) {
    for (let letter = at + 1; letter <= at + (query[at] ?? 0); letter += 1) {
      const byte = query[letter] ?? 0;
      if (byte >= 0x61 && byte <= 0x7a && draw.below(2) === 0) query[letter] = byte & 0xdf;
    }
  }
}
