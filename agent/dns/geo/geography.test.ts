import { expect, test } from 'vitest';
import {
  ask,
  geoName,
  lines,
  node,
  queryBytes,
  snapshotOf,
  UDP_CLIENT,
  zonePlan,
} from '../dns.fixture.ts';
import { explainAnswer } from '../explain.ts';
import { seededRandom } from '../seeded.fixture.ts';
import { compileDirectory } from './directory.ts';
import { distanceKm, firstLocated, type Location } from './geography.ts';

test.each([
  { from: [0, 0], to: [0, 0], km: 0 },
  { from: [0, 0], to: [0, 180], km: 20_015.11 },
  { from: [90, 0], to: [-90, 77], km: 20_015.11 },
  { from: [0, 0], to: [0, 90], km: 10_007.56 },
  { from: [0, 179.5], to: [0, -179.5], km: 111.195 },
  { from: [36.12, -86.67], to: [33.94, -118.4], km: 2886.45 },
  { from: [51.5, -0.12], to: [-33.87, 151.2], km: 16_993 },
] as const)('$from to $to is $km km', ({ from, to, km }) => {
  const place = ([latitude, longitude]: readonly [number, number]) => ({ latitude, longitude });
  expect(Math.abs(distanceKm(place(from), place(to)) - km)).toBeLessThan(1);
});

/** Another formula than ours: the angle between two vectors, which cannot share its mistakes. */
function angle(a: readonly number[], b: readonly number[]): number {
  const dot = a.reduce((sum, x, index) => sum + x * (b[index] ?? 0), 0);
  return Math.acos(Math.min(1, Math.max(-1, dot)));
}

interface Point {
  readonly latitude: number;
  readonly longitude: number;
  readonly vector: readonly number[];
}

/** Uniform on the sphere: swapped coordinates show, which cities at middling latitudes hide. */
function randomPoint(random: () => number): Point {
  const z = 2 * random() - 1;
  const turn = 2 * Math.PI * random() - Math.PI;
  const radius = Math.sqrt(1 - z * z);
  return {
    latitude: (Math.asin(z) * 180) / Math.PI,
    longitude: (turn * 180) / Math.PI,
    vector: [radius * Math.cos(turn), radius * Math.sin(turn), z],
  };
}

test('10,000 clients anywhere on Earth get the node that is nearest by another formula', () => {
  const random = seededRandom(20_260);
  const edges = Array.from({ length: 40 }, (_, index) => {
    return { name: `edge-${index}`, address: `192.0.2.${index}`, point: randomPoint(random) };
  });
  const nodes = edges.map(({ name, address, point: { latitude, longitude } }) =>
    node(name, { ipv4: [address], latitude, longitude }),
  );
  const candidates = edges.map(({ name }) => name);
  const zones = [zonePlan('example', { geoNames: [geoName('geo.example', { candidates })] })];
  let client: Point = randomPoint(random);
  const locate = (): Location => ({ ...client, prefixBits: 24, source: 'sphere' });
  const snapshot = snapshotOf({ zones, nodes, locate });
  const query = queryBytes('geo.example', 'A');
  for (let count = 0; count < 10_000; count += 1) {
    client = randomPoint(random);
    const byAngle = edges
      .map(({ address, point }) => ({ address, angle: angle(point.vector, client.vector) }))
      .toSorted((a, b) => a.angle - b.angle);
    const [first, second] = byAngle;
    // Closer than a metre is a tie to any formula.
    if (first === undefined || second === undefined || second.angle - first.angle < 1.6e-7)
      continue;
    expect(lines(ask(snapshot, query, UDP_CLIENT).answers)).toEqual([
      `geo.example A ${first.address}`,
    ]);
    // What `dns explain` says is what is answered.
    const explained = explainAnswer({
      snapshot,
      name: 'geo.example',
      type: 'A',
      clientIp: '192.0.2.200',
    });
    expect(explained).toMatchObject({ explanation: { answers: [first.address] } });
  }
});

test('databases are asked in order until one knows', () => {
  const known = (source: string) => (): Location => ({
    latitude: 0,
    longitude: 0,
    prefixBits: 8,
    source,
  });
  expect(firstLocated([() => undefined, known('b'), known('c')])('192.0.2.1')?.source).toBe('b');
  expect(firstLocated([])('192.0.2.1')).toBeUndefined();
});

test('a node whose place was not declared stands where its first address is', () => {
  const at = (address: Uint8Array | string): Location | undefined =>
    address === '192.0.2.1'
      ? { latitude: 1, longitude: 2, prefixBits: 24, source: 'test' }
      : undefined;
  const nodes = [
    node('declared', { ipv4: ['192.0.2.1'], latitude: 50, longitude: 60 }),
    node('known', { ipv4: ['192.0.2.1', '192.0.2.9'] }),
    node('unknown', { ipv4: ['192.0.2.9'] }),
    node('addressless'),
  ];
  const places = [...compileDirectory(nodes, at).values()].map(({ place }) => place);
  expect(places).toEqual([
    { latitude: 50, longitude: 60 },
    { latitude: 1, longitude: 2 },
    undefined,
    undefined,
  ]);
});
