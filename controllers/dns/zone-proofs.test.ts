import { expect, test } from 'vitest';
import { condition } from '../../api/object.ts';
import { alpnProof, dnsProof, httpProof, testOrder } from '../../runtime/acme/order.fixture.ts';
import type { ProofRecord } from '../../runtime/acme/records.ts';
import type { RecordSetRecord } from '../../runtime/store/records.ts';
import { type Scene, scene, served } from '../test-scene.ts';
import { dnsController } from './controller.ts';
import { PROOF_VERSIONS_PER_S_MAX } from './version-times.ts';

const ZONE = 'default/example';
const NAME = '_acme-challenge.blog.example.com';

async function zones(): Promise<Scene> {
  const at = await scene();
  at.start(dnsController(at));
  await at.node('a');
  await at.connect('a');
  await at.create('Zone', 'example', { origin: 'example.com' });
  await at.create('Zone', 'other', { origin: 'other.test' });
  return at;
}

function texts(at: Scene, zone = ZONE): readonly RecordSetRecord[] {
  const { records = [] } = at.world.record('zone', zone)?.value ?? {};
  return records.filter(({ type }) => type === 'TXT');
}

function order(...values: readonly string[]) {
  const name = 'blog.example.com';
  return testOrder(values.map((value) => ({ name, proof: dnsProof(NAME, value) })));
}

test('a proof is in the zone for as long as the order wants it, and in no other (INV-32)', async () => {
  const at = await zones();
  const serial = () => at.world.record('zone', ZONE)?.value.serial ?? 0;
  const [before, other] = [serial(), at.world.record('zone', 'default/other')];
  await at.put('acmeOrder', 'uid-1', order('one'));
  expect(texts(at)).toEqual([{ name: NAME, type: 'TXT', ttlS: 1, values: ['"one"'] }]);
  const proposed = serial();
  expect(proposed).toBeGreaterThan(before);

  const [asked] = order('one').authorizations;
  await at.put('acmeOrder', 'uid-1', {
    ...order('one'),
    authorizations: [{ ...asked!, state: 'asked' }],
  });
  await at.put('acmeOrder', 'uid-2', order('two'));
  await at.clock.advance(1000);
  expect(texts(at)[0]?.values).toEqual(['"one"', '"two"']);
  await at.put('acmeOrder', 'uid-1', { ...order(), phase: 'finalizing' });
  await at.clock.advance(1000);
  expect(texts(at)[0]?.values).toEqual(['"two"']);
  await at.put('acmeOrder', 'uid-2', undefined);
  await at.clock.advance(1000);
  expect(texts(at)).toEqual([]);
  expect(at.world.record('zone', 'default/other')).toEqual(other);
  await at.end();
});

test('an order that is gone while no controller ran leaves nothing behind (INV-32)', async () => {
  const first = await zones();
  await first.put('acmeOrder', 'uid-1', order('one'));
  const left = first.world.record('zone', ZONE)?.value;
  await first.end();
  const at = await zones();
  const zoneUid = at.world.get('Zone', { namespace: 'default', name: 'example' })?.metadata.uid;
  await at.put('zone', ZONE, { ...left!, zoneUid: zoneUid ?? '' });
  await at.clock.advance(1000);
  expect(texts(at)).toEqual([]);
  await at.end();
});

test('a zone that is signed stays so, with the proof in it', async () => {
  const at = await zones();
  await at.configure('Zone', 'example', { dnssec: { mode: 'signed' } });
  const before = at.world.record('zone', ZONE)?.value;
  await at.put('acmeOrder', 'uid-1', order('one'));
  await at.clock.advance(1000);
  const after = at.world.record('zone', ZONE)?.value;
  expect(texts(at)[0]?.values).toEqual(['"one"']);
  expect(after?.keys).toEqual(before?.keys);
  expect(after?.keys).toHaveLength(1);
  expect(after?.serial).toBeGreaterThan(before?.serial ?? 0);
  await at.end();
});

test('secondaries get the proof with a new serial', async () => {
  const at = await zones();
  await at.configure('Zone', 'example', { secondaries: [{ address: '192.0.2.53', port: 53 }] });
  const before = at.world.record('zone', ZONE)?.value;
  await at.put('acmeOrder', 'uid-1', order('one'));
  await at.clock.advance(1000);
  const after = at.world.record('zone', ZONE)?.value;
  expect(after?.transfer).toEqual(before?.transfer);
  expect(after?.serial).toBeGreaterThan(before?.serial ?? 0);
  await at.end();
});

test('what a person declares is not held back while proofs are', async () => {
  const at = await zones();
  await at.put('acmeOrder', 'uid-1', order('one'));
  await at.put('acmeOrder', 'uid-2', order('two'));
  expect(texts(at)[0]?.values).toEqual(['"one"']);
  await at.configure('Zone', 'example', {
    records: [{ name: 'www', type: 'A', values: ['192.0.2.1'] }],
  });
  expect(texts(at)[0]?.values).toEqual(['"one"', '"two"']);
  await at.end();
});

test('a proof that cannot be put up is in the condition, and the rest of the zone is served', async () => {
  const at = await zones();
  const records = [{ name: 'blog', type: 'NS', values: ['ns.example.net.'] }];
  await at.configure('Zone', 'example', { records });
  await at.put('acmeOrder', 'uid-1', order('one'));
  const zone = at.world.get('Zone', { namespace: 'default', name: 'example' });
  expect(condition(zone!, 'RecordsAccepted')).toMatchObject({
    status: 'False',
    message: expect.stringContaining(`${NAME} TXT, a proof for a certificate, is left out`),
  });
  expect(texts(at)).toEqual([]);
  await at.end();
});

test.each([
  { when: 'a step changes no proof', step: { notBeforeMs: 5 } },
  { when: 'the CA was told to look', step: { startedMs: 2 } },
])('an order asks for no zone when $when', async ({ step }) => {
  const at = await zones();
  const controller = dnsController(at);
  const change = { kind: 'record', record: 'acmeOrder', id: 'uid-1', deleted: false } as const;
  await at.put('acmeOrder', 'uid-1', order('one'));
  expect(controller.affected(change)).toEqual([ZONE]);
  await at.put('acmeOrder', 'uid-1', { ...order('one'), ...step });
  expect(controller.affected(change)).toEqual([]);
  await at.put('acmeOrder', 'uid-1', undefined);
  expect(controller.affected({ ...change, deleted: true })).toEqual([ZONE]);
  expect(controller.affected({ ...change, deleted: true })).toEqual([]);
  await at.end();
});

function numbered(index: number, proof: (name: string) => ProofRecord) {
  const name = `n${index}.example.com`;
  const operation = { kind: 'record', record: 'acmeOrder', id: `uid-${index}` } as const;
  return { ...operation, value: testOrder([{ name, proof: proof(name) }]), modRevision: 0n };
}

test.each([
  {
    when: 'they prove by DNS, below a wildcard',
    proof: (name: string) => dnsProof(`_acme-challenge.${name}`, name),
    hosts: [],
  },
  {
    when: 'they prove by HTTP, for hosts of Sites',
    proof: () => httpProof('t1'),
    hosts: Array.from({ length: 1000 }, (_, index) => `n${index}.example.com`),
  },
])('a thousand orders at once make a few versions of the zone, when $when', async (given) => {
  const at = await zones();
  await at.configure('Zone', 'example', {
    records: [{ name: '*', type: 'A', values: ['192.0.2.1'] }],
  });
  for (let first = 0; first < given.hosts.length; first += 100)
    await at.create('Site', `s${first}`, { hosts: given.hosts.slice(first, first + 100) });
  await at.report('a', { challenges: ['t1'] });
  const serials: number[] = [];
  at.world.subscribe((changes) => {
    if (!changes.some((each) => each.kind === 'record' && each.record === 'zone')) return;
    serials.push(at.world.record('zone', ZONE)?.value.serial ?? 0);
  });
  const startMs = at.clock.monotonicMs();
  for (let batch = 0; batch < 50; batch += 1) {
    const indices = Array.from({ length: 20 }, (_, index) => 20 * batch + index);
    const orders = indices.map((index) => numbered(index, given.proof));
    await at.writer.commit(orders, { manager: 'test', user: 'test' });
    await at.clock.advance(20);
  }
  await at.clock.advance(1000);
  const seconds = (at.clock.monotonicMs() - startMs) / 1000;
  const zone = at.world.record('zone', ZONE)?.value;
  const standIns = zone?.geoNames.filter(({ standIn }) => standIn !== undefined) ?? [];
  expect(texts(at).length + standIns.length).toBe(1000);
  expect(serials.length).toBeLessThanOrEqual(1 + seconds * PROOF_VERSIONS_PER_S_MAX);
  // Each is another version, and the later one is the greater one (INV-22).
  expect(serials).toEqual([...new Set(serials)].toSorted((one, other) => one - other));
  await at.end();
});

test.each([
  { when: 'HTTP-01', proof: httpProof('t1') },
  { when: 'TLS-ALPN-01', proof: alpnProof('t1') },
])(
  'with $when the host of a Site leads to who has the proof, until it is served',
  async (given) => {
    const at = await zones();
    await at.create('Site', 'blog', { hosts: ['blog.example.com'] });
    const site = () => at.world.get('Site', { namespace: 'default', name: 'blog' })!;
    const name = () => at.world.record('zone', ZONE)?.value.geoNames[0];
    const proven = testOrder([{ name: 'blog.example.com', proof: given.proof }]);
    await at.put('acmeOrder', 'uid-1', proven);
    expect(name()).not.toHaveProperty('standIn');
    expect(name()?.candidates).toEqual([]);
    await at.report('a', { challenges: ['t1'] });
    expect(name()).toMatchObject({ candidates: ['a'], standIn: 'proof' });
    const release = 'sha256-1';
    await at.commit({ kind: 'status', base: site(), status: { release } as object });
    await at.report('a', { sites: [served(site(), release)], challenges: ['t1'] });
    expect(name()?.candidates).toEqual(['a']);
    expect(name()).not.toHaveProperty('standIn');
    await at.end();
  },
);
