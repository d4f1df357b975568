import { expect, test } from 'vitest';
import type { Node } from '../../api/node.ts';
import type { Zone } from '../../api/zone.ts';
import { zonesByOrigin } from '../dns/zones.ts';
import type { NodeView } from '../session/node-view.ts';
import type { ZoneRecord } from '../store/records.ts';
import { alpnProof, dnsProof, httpProof } from './order.fixture.ts';
import { AWAY_GRACE_MS, BEHIND_GRACE_MS, proofStanding } from './proof-standing.ts';
import type { ProofRecord } from './records.ts';

const NOW_MS = 1_800_000_000_000;
const zone = {
  metadata: { namespace: 'default', name: 'example', uid: 'z', creationTimestamp: '' },
  spec: { origin: 'example.com' },
} as unknown as Zone;

function compiled(records: ZoneRecord['records'], serial = 7): ZoneRecord {
  return {
    zoneUid: 'z',
    serial,
    origin: 'example.com',
    records,
    geoNames: [],
  } as unknown as ZoneRecord;
}

const TEXT = { name: '_acme-challenge.a.example.com', type: 'TXT', ttlS: 1, values: ['"v"'] };
const HOST = { name: 'a.example.com', type: 'A', ttlS: 1, values: ['192.0.2.1'] };

function node(
  name: string,
  {
    serial = 7,
    error = '',
    connected = true,
    challenges = ['t'],
    roles = ['edge', 'nameserver'],
  }: {
    readonly serial?: number;
    readonly error?: string;
    readonly connected?: boolean;
    readonly challenges?: readonly string[];
    readonly roles?: readonly string[];
  } = {},
): NodeView {
  const report = { zones: [{ uid: 'z', serial, error }], challenges, sites: [] };
  return {
    name,
    connected,
    report,
    node: { spec: { roles } } as unknown as Node,
  } as unknown as NodeView;
}

const DNS = { ...dnsProof(TEXT.name, 'v'), sinceMs: NOW_MS };
const HTTP = { ...httpProof('t'), sinceMs: NOW_MS };
const ALPN = { ...alpnProof('t'), sinceMs: NOW_MS };
const since = (proof: ProofRecord, agoMs: number): ProofRecord => ({
  ...proof,
  sinceMs: NOW_MS - agoMs,
});

test.each<{
  when: string;
  proof?: ProofRecord;
  name?: string;
  record?: ZoneRecord | undefined;
  nodes?: readonly NodeView[];
  standing: string;
}>([
  { when: 'all have it', standing: 'in place' },
  { when: 'no zone is compiled', record: undefined, standing: 'zone default/example to hold' },
  {
    when: 'the zone lacks the record',
    record: compiled([HOST]),
    standing: 'zone default/example to hold',
  },
  {
    when: 'one is behind',
    nodes: [node('n1'), node('n2', { serial: 6 })],
    standing: '1/2 nameservers to serve the proof of a.example.com (not yet: n2)',
  },
  { when: 'one is ahead', nodes: [node('n1'), node('n2', { serial: 8 })], standing: 'in place' },
  {
    when: 'the serial went round',
    record: compiled([TEXT], 2 ** 32 - 1),
    nodes: [node('n1', { serial: 2 })],
    standing: 'in place',
  },
  {
    when: 'one cannot load it',
    nodes: [node('n1'), node('n2', { error: 'no' })],
    standing: '1/2 nameservers',
  },
  {
    when: 'one is behind for long',
    proof: since(DNS, BEHIND_GRACE_MS - 1),
    nodes: [node('n1'), node('n2', { serial: 6 })],
    standing: '1/2',
  },
  {
    when: 'one is behind for too long',
    proof: since(DNS, BEHIND_GRACE_MS),
    nodes: [node('n1'), node('n2', { serial: 6 })],
    standing: 'in place but n2',
  },
  {
    when: 'one is away',
    proof: since(DNS, AWAY_GRACE_MS - 1),
    nodes: [node('n1'), node('n2', { connected: false })],
    standing: '1/2',
  },
  {
    when: 'one is away for too long',
    proof: since(DNS, AWAY_GRACE_MS),
    nodes: [node('n1'), node('n2', { connected: false })],
    standing: 'in place but n2',
  },
  {
    when: 'nobody has it, however long',
    proof: since(DNS, 9 * BEHIND_GRACE_MS),
    nodes: [node('n2', { serial: 6 })],
    standing: '0/1',
  },
  {
    when: 'the clock went back',
    proof: since(DNS, -9 * BEHIND_GRACE_MS),
    nodes: [node('n1'), node('n2', { serial: 6 })],
    standing: '1/2',
  },
  {
    when: 'there is no nameserver',
    nodes: [node('n1', { roles: ['edge'] })],
    standing: 'a node with the role nameserver',
  },
  {
    when: 'the serial is known from before',
    proof: { ...DNS, serial: 5 },
    record: compiled([TEXT], 9),
    nodes: [node('n1', { serial: 6 })],
    standing: 'in place',
  },
  { when: 'edges have it', proof: HTTP, record: compiled([HOST]), standing: 'in place' },
  { when: 'edges have it, for TLS', proof: ALPN, record: compiled([HOST]), standing: 'in place' },
  {
    when: 'an edge lacks it',
    proof: HTTP,
    record: compiled([HOST]),
    nodes: [node('n1'), node('n2', { challenges: [] })],
    standing: '1/2 edges',
  },
  {
    when: 'the host has no address',
    proof: HTTP,
    record: compiled([]),
    standing: 'zone default/example to hold',
  },
  {
    when: 'a wildcard has',
    proof: HTTP,
    record: compiled([{ ...HOST, name: '*.example.com' }]),
    standing: 'in place',
  },
  {
    when: 'a geo name has no edge',
    proof: HTTP,
    record: {
      ...compiled([]),
      geoNames: [{ name: 'a.example.com', candidates: [] }],
    } as unknown as ZoneRecord,
    standing: 'zone default/example to hold',
  },
  {
    when: 'a geo name has',
    proof: HTTP,
    record: {
      ...compiled([]),
      geoNames: [{ name: 'a.example.com', candidates: ['n1'] }],
    } as unknown as ZoneRecord,
    standing: 'in place',
  },
  {
    when: 'others answer for the host',
    name: 'a.other.test',
    proof: HTTP,
    record: undefined,
    standing: 'in place',
  },
  {
    when: 'there is no edge',
    proof: HTTP,
    record: compiled([HOST]),
    nodes: [node('n1', { roles: ['nameserver'] })],
    standing: 'a node with the role edge',
  },
])('proofStanding when $when', (given) => {
  const { proof = DNS, name = 'a.example.com', nodes = [node('n1')], standing } = given;
  const record = 'record' in given ? given.record : compiled([TEXT]);
  const facts = { zones: zonesByOrigin([zone]), zoneRecord: () => record, nodes };
  const found = proofStanding({ name, proof }, facts, NOW_MS);
  if (found.kind === 'waiting') return expect(found.what).toContain(standing);
  const but = found.aside.length === 0 ? '' : ` but ${found.aside.join(', ')}`;
  return expect(`in place${but}`).toBe(standing);
});
