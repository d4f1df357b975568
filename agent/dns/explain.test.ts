import { expect, test } from 'vitest';
import { geoName, node, SERIAL, snapshotOf, zonePlan } from './dns.fixture.ts';
import { explainAnswer } from './explain.ts';

const NODES = [
  node('berlin', { ipv4: ['192.0.2.1'], latitude: 52.5, longitude: 13.4 }),
  node('osaka', { ipv4: ['192.0.2.2'], latitude: 34.7, longitude: 135.5 }),
  node('paris', { ipv4: ['192.0.2.3'], latitude: 48.9, longitude: 2.4, unschedulable: true }),
  node('tokyo', { ipv4: ['192.0.2.4'], latitude: 35.7, longitude: 139.7 }),
  node('oslo', { ipv6: ['2001:db8::1'] }),
];
const candidates = ['berlin', 'gone', 'osaka', 'oslo', 'paris', 'tokyo'];
const zones = [zonePlan('example.com', { geoNames: [geoName('www.example.com', { candidates })] })];
const locate = () => ({ latitude: 35, longitude: 139, prefixBits: 22, source: 'sha256-ab' });
const asked = { name: 'www.example.com', type: 'A', clientIp: '203.0.113.9' };

test('a person reads which node was taken and why the others were not', () => {
  const snapshot = snapshotOf({ zones, nodes: NODES, locate, health: new Map([['osaka', false]]) });
  const outcome = explainAnswer({ snapshot, ...asked });
  expect(outcome).toMatchObject({
    kind: 'explained',
    explanation: {
      nameserver: 'ns1',
      zone: 'example-com',
      serial: SERIAL,
      rcode: 'NOERROR',
      ttlS: 30,
      answers: ['192.0.2.4'],
      clientLatitude: 35,
      clientLongitude: 139,
      locationSource: 'database sha256-ab, prefix 203.0.112.0/22',
    },
  });
  const explained = outcome.kind === 'explained' ? outcome.explanation.candidates : [];
  expect(explained.map((one) => `${one.node} ${one.chosen}: ${one.reason}`)).toEqual([
    'tokyo true: nearest to the client',
    'berlin false: others are nearer',
    'gone false: there is no such node in the directory',
    "osaka false: unreachable by this nameserver's probes",
    'oslo false: it has no address of the family that was asked for',
    'paris false: cordoned',
  ]);
  expect(explained[0]?.distanceKm).toBeCloseTo(100.2, 0);
});

test('what a script reads: health, weights, scope and the decision', () => {
  const shares = geoName('share.example.com', {
    ...{ candidates: ['berlin', 'osaka', 'tokyo'], weights: [1, 2, 3], policy: 'weighted' },
  });
  const snapshot = snapshotOf({
    zones: [zonePlan('example.com', { geoNames: [shares] })],
    ...{ nodes: NODES, locate, health: new Map([['osaka', false]]) },
  });
  const outcome = explainAnswer({ snapshot, ...asked, name: 'share.example.com' });
  const explanation = outcome.kind === 'explained' ? outcome.explanation : undefined;
  expect(explanation?.decision).toBe(
    "2 of 3 candidates are up; by rotation on the client's address prefix",
  );
  const facts = explanation?.candidates.map(({ node: name, health, weight }) => [
    name,
    health,
    weight,
  ]);
  expect(facts?.toSorted()).toEqual([
    ['berlin', 'up', 1],
    ['osaka', 'unreachable', 2],
    ['tokyo', 'up', 3],
  ]);
  expect(explanation?.scopeBits).toBeGreaterThan(0);
});

test('regions and a fallback are told', () => {
  const regions = [{ nodes: ['berlin'], countries: ['DE'], continents: [] }];
  const fallback = { nodes: ['tokyo'], latitude: 36, longitude: 140 };
  const zone = zonePlan('example.com', {
    geoNames: [geoName('www.example.com', { candidates: ['berlin', 'tokyo'], regions, fallback })],
  });
  const explain = (given: Partial<Parameters<typeof snapshotOf>[0]>) => {
    const snapshot = snapshotOf({ zones: [zone], nodes: NODES, ...given });
    const outcome = explainAnswer({ snapshot, ...asked });
    return outcome.kind === 'explained' ? outcome.explanation : undefined;
  };
  const german = explain({ locate: () => ({ ...locate(), country: 'DE' }) });
  expect(german?.decision).toBe(
    '2 of 2 candidates are up; it is the turn of the nodes for country DE; nearest to the client',
  );
  expect(german?.clientCountry).toBe('DE');
  expect(german?.candidates[1]?.reason).toBe('up, but it is the turn of the nodes for country DE');
  const nowhere = explain({});
  expect(nowhere?.decision).toContain('measured from the fallback');
  expect(nowhere?.answers).toEqual(['192.0.2.4']);
});

test('a name of no zone says so', () => {
  const outcome = explainAnswer({ snapshot: snapshotOf({ zones }), ...asked, name: 'other.test' });
  const explanation = outcome.kind === 'explained' ? outcome.explanation : undefined;
  expect(explanation?.decision).toContain('see b8sctl get zones');
});

test('when all look down it says so', () => {
  const health = new Map(NODES.map(({ name }) => [name, false]));
  const outcome = explainAnswer({
    snapshot: snapshotOf({ zones, nodes: NODES, locate, health }),
    ...asked,
  });
  const first = outcome.kind === 'explained' ? outcome.explanation.candidates[0] : undefined;
  expect(first?.reason).toBe(
    "nearest to the client; unreachable by this nameserver's probes, but so is every candidate: last known good",
  );
});

test.each([
  { asked: { name: 'example.com' }, source: 'not looked up', rcode: 'NOERROR' },
  { asked: { name: 'no.example.com' }, source: 'not looked up', rcode: 'NXDOMAIN' },
  { asked: { name: 'example.org' }, source: 'not looked up', rcode: 'REFUSED' },
  { asked: {}, source: 'no database knows 203.0.113.9', rcode: 'NOERROR' },
])('$asked: $rcode, $source', ({ asked: change, source, rcode }) => {
  const outcome = explainAnswer({
    snapshot: snapshotOf({ zones, nodes: NODES }),
    ...asked,
    ...change,
  });
  const explanation = outcome.kind === 'explained' ? outcome.explanation : undefined;
  expect(explanation?.rcode).toBe(rcode);
  expect(explanation?.locationSource).toContain(source);
});

test.each([
  { asked: { name: 'a..b' }, error: '"a..b" is not a domain name' },
  { asked: { type: 'BOGUS' }, error: '"BOGUS" is not a type served here' },
  { asked: { clientIp: 'here' }, error: '"here" is not an IPv4 or IPv6 address' },
])('$error', ({ asked: change, error }) => {
  const outcome = explainAnswer({ snapshot: snapshotOf({ zones }), ...asked, ...change });
  expect(outcome).toEqual({ kind: 'refused', error });
});
