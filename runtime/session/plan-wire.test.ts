import { expect, test } from 'vitest';
import { Plan, SessionResponse } from '../../proto/gen/b8s/v1/agent.ts';
import { type GeoName, PlanObject, ZonePlan } from '../../proto/gen/b8s/v1/plan.ts';
import { PackedZone, packZone } from '../dns/packed-zone.ts';
import { objectDigest } from './plan-digest.ts';
import { decodeObject, encodeObject } from './plan-object.ts';
import { decodePlan, decodeResponse, encodePlan } from './plan-wire.ts';

const RECORDS = [
  { name: 'test', type: 'NS', ttlS: 60, values: ['ns1.test.'] },
  { name: 'ünïcode.test', type: 'TXT', ttlS: 0, values: ['"ü"', '"two"'] },
  { name: 'empty.test', type: '', ttlS: 0, values: [] },
];
const GEO_NAME: GeoName = {
  ...{ name: 'geo.test', ttlS: 30, policy: 'nearest', answersMax: 1, weights: [], regions: [] },
  candidates: ['london'],
  fallback: { latitude: 1.5, longitude: undefined, nodes: [] },
};
const KEY = { keyTag: 5, publicKey: Buffer.from([1, 2]), privatePem: 'a', role: 'b', ds: '' };
const ZONE: ZonePlan = {
  ...ZonePlan.fromPartial({}),
  ...{ uid: 'u', name: 'z', origin: 'test', serial: 7, mailbox: 'hostmaster.test' },
  ...{ records: RECORDS, geoNames: [GEO_NAME], keys: [KEY] },
  transfer: {
    secondaries: [{ address: '192.0.2.1', port: 53, key: undefined }],
    addresses: RECORDS,
  },
};
const OBJECTS: readonly PlanObject[] = [
  { key: 'node/a', object: { $case: 'node', value: { ...NODE(), name: 'a' } } },
  { key: 'zone/u', object: { $case: 'zone', value: ZONE } },
  { key: 'zone/none', object: { $case: 'zone', value: ZonePlan.fromPartial({}) } },
];
const PLAN: Plan = {
  position: { epoch: 1n, revision: 2n },
  base: { epoch: 1n, revision: 1n },
  upserts: OBJECTS,
  removals: ['zone/gone', 'zone/gone-too'],
  digest: 'abc',
  heartbeatIntervalMs: 500,
};

function NODE(): Extract<PlanObject['object'], { $case: 'node' }>['value'] {
  const object = PlanObject.fromPartial({ object: { $case: 'node', value: {} } });
  if (object.object?.$case !== 'node') throw new TypeError('no node');
  return object.object.value;
}

/** With every zone as plain objects. */
function plain(plan: Plan): Plan {
  return Plan.decode(Plan.encode(plan).finish());
}

test('a packed zone says what the plan says, records and all', () => {
  const packed = packZone(ZONE);
  expect(ZonePlan.decode(ZonePlan.encode(packed).finish())).toEqual(ZONE);
  expect({ ...ZONE, ...packed, bytes: undefined }).toEqual({ ...ZONE, bytes: undefined });
  expect([packed.records, packed.geoNames]).toEqual([ZONE.records, ZONE.geoNames]);
  expect(packZone(packed)).toBe(packed);
});

test('a record set is found again by its place', () => {
  const packed = packZone(ZONE);
  const places = Array.from(packed.placedRecords(), ({ place }) => place);
  expect(places.map((place) => packed.recordSetAt(place))).toEqual(RECORDS);
});

test('what a newer dom adds to a zone is not lost', () => {
  // Field 99, which nobody knows, between those of today.
  const strange = Buffer.concat([
    Buffer.from([0x0a, 1, 0x75]),
    Buffer.from([0x9a, 0x06, 2, 1, 2]),
    ZonePlan.encode({ ...ZONE, uid: '' }).finish(),
  ]);
  const packed = new PackedZone(strange);
  expect([packed.uid, packed.records]).toEqual(['u', ZONE.records]);
  expect(Buffer.from(packed.bytes)).toEqual(strange);
});

test('plans and objects are the same messages as those of the generated code', () => {
  const bytes = Plan.encode(PLAN).finish();
  const plan = decodePlan(bytes);
  expect(plain(plan)).toEqual(PLAN);
  expect(Plan.decode(encodePlan(plan))).toEqual(PLAN);
  expect(Plan.decode(encodePlan(PLAN))).toEqual(PLAN);
  for (const [index, object] of OBJECTS.entries()) {
    const packed = plan.upserts[index];
    const encoded = PlanObject.encode(object).finish();
    expect(packed && encodeObject(packed)).toEqual(encoded);
    expect(encodeObject(decodeObject(encoded))).toEqual(encoded);
    expect(packed && objectDigest(packed)).toEqual(objectDigest(object));
  }
});

test.each([
  { $case: 'plan', value: PLAN },
  { $case: 'plan', value: Plan.fromPartial({}) },
  { $case: 'heartbeat', value: { sequence: 3n } },
  { $case: 'explainQuestion', value: { id: 1n, name: 'a', type: 'A', clientIp: '' } },
  undefined,
] as const)('what dom says is the same message, too: %#', (message) => {
  const bytes = SessionResponse.encode({ message }).finish();
  const decoded = decodeResponse(bytes).message;
  if (decoded?.$case === 'plan') expect(plain(decoded.value)).toEqual(message?.value);
  else expect(decoded).toEqual(SessionResponse.decode(bytes).message);
});

test('bytes that are cut short are refused, or say less; none is read for ever', () => {
  const bytes = SessionResponse.encode({ message: { $case: 'plan', value: PLAN } }).finish();
  for (let length = 1; length < bytes.length; length += 1) {
    expect(() => decodeResponse(bytes.subarray(0, length))).toThrow();
  }
  const zone = packZone(ZONE).bytes;
  for (let length = 0; length < zone.length; length += 1) {
    try {
      const packed = new PackedZone(zone.slice(0, length));
      expect(packed.records.length + packed.geoNames.length).toBeLessThanOrEqual(4);
    } catch (error) {
      expect(error).toBeInstanceOf(Error);
    }
  }
});
