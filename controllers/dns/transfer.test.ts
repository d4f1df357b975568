import { describe, expect, test } from 'vitest';
import type { NodeView } from '../../runtime/session/node-view.ts';
import type { GeoNameRecord } from '../../runtime/store/records.ts';
import { transferCondition, zoneTransfer } from './transfer.ts';

type Zone = Parameters<typeof zoneTransfer>[0];

function zone(secondaries?: readonly { address: string; port: number; key?: string }[]): Zone {
  const spec = { origin: 'example.com', ...(secondaries && { secondaries }) };
  return { spec } as unknown as Zone;
}

const SECONDARIES = [{ address: '192.0.2.53', port: 53, key: 'xfr' }];

function edge(
  name: string,
  given: { connected?: boolean; unschedulable?: boolean; ipv4?: string[]; ipv6?: string[] } = {},
): NodeView {
  const { connected = true, unschedulable = false, ipv4 = [`${name}.v4`], ipv6 = [] } = given;
  const node = { spec: { roles: ['edge'], ipv4, ipv6, unschedulable } };
  return { name, connected, node } as unknown as NodeView;
}

function geoName(given: Partial<GeoNameRecord> = {}): GeoNameRecord {
  return {
    name: 'www.example.com',
    siteUid: 'uid',
    ttlS: 30,
    candidates: ['a', 'b', 'c'],
    policy: 'nearest',
    answersMax: 1,
    weights: [],
    ...given,
  };
}

function addressesOf(nodes: readonly NodeView[], given: Partial<GeoNameRecord> = {}): unknown {
  const sets = zoneTransfer(zone(SECONDARIES), [geoName(given)], nodes)?.addresses ?? [];
  return sets.map(({ type, values }) => `${type} ${values.join(' ')}`);
}

test('a zone without secondaries says nothing of transfers, so that its serial stays', () => {
  expect(zoneTransfer(zone(), [geoName()], [edge('a')])).toBeUndefined();
  expect(zoneTransfer(zone([]), [geoName()], [edge('a')])).toBeUndefined();
});

describe('what a geo name is for those who cannot route', () => {
  test.each([
    { when: 'all are up', nodes: [edge('a'), edge('b')], expected: ['A a.v4 b.v4'] },
    {
      when: 'one is down',
      nodes: [edge('a', { connected: false }), edge('b')],
      expected: ['A b.v4'],
    },
    {
      when: 'one is cordoned',
      nodes: [edge('a', { unschedulable: true }), edge('b')],
      expected: ['A b.v4'],
    },
    {
      when: 'those that are up are cordoned',
      nodes: [edge('a', { unschedulable: true }), edge('b', { connected: false })],
      expected: ['A a.v4'],
    },
    {
      when: 'all are down (INV-21)',
      nodes: [edge('a', { connected: false }), edge('b', { connected: false })],
      expected: ['A a.v4 b.v4'],
    },
    {
      when: 'only one that is down has IPv6',
      nodes: [edge('a', { connected: false, ipv6: ['a.v6'] }), edge('b')],
      expected: ['A b.v4', 'AAAA a.v6'],
    },
    { when: 'a node is no candidate', nodes: [edge('a'), edge('z')], expected: ['A a.v4'] },
    { when: 'no candidate is there', nodes: [edge('z')], expected: [] },
  ])('$when', ({ nodes, expected }) => {
    expect(addressesOf(nodes)).toEqual(expected);
  });

  test('with failover, those that every client would be given', () => {
    const nodes = [edge('a'), edge('b'), edge('c', { connected: false })];
    const failover = { policy: 'failover', candidates: ['c', 'b', 'a'] } as const;
    expect(addressesOf(nodes, failover)).toEqual(['A b.v4']);
    expect(addressesOf(nodes, { ...failover, answersMax: 2 })).toEqual(['A b.v4 a.v4']);
  });
});

describe('what is said of the secondaries', () => {
  const keys = new Set(['xfr']);

  test.each([
    { when: 'there are none', secondaries: [], isSigned: false, reason: undefined },
    { when: 'all is well', secondaries: SECONDARIES, isSigned: false, reason: 'Allowed' },
    {
      when: 'a key is missing',
      secondaries: [{ address: '192.0.2.54', port: 53, key: 'other' }],
      isSigned: false,
      reason: 'KeyMissing',
    },
    { when: 'the zone is signed', secondaries: SECONDARIES, isSigned: true, reason: 'ZoneSigned' },
  ])('$when', ({ secondaries, isSigned, reason }) => {
    expect(transferCondition(zone(secondaries), { keys, isSigned })?.reason).toBe(reason);
  });
});
