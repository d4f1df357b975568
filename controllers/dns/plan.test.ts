import { expect, test } from 'vitest';
import type { Zone } from '../../api/zone.ts';
import type { NodeView } from '../../runtime/session/node-view.ts';
import { object, view } from '../test-scene.ts';
import { planZone, type ZoneFacts } from './plan.ts';

const NOW_MS = 1_800_000_000_000;
const zone: Zone = object('Zone', 'example', { origin: 'example.com' });

function facts(changed: Partial<ZoneFacts> = {}): ZoneFacts {
  return {
    zone,
    zones: [zone],
    sites: [],
    nodes: [],
    previous: undefined,
    serials: [],
    ...changed,
  };
}

function nameserver(
  name: string,
  serial: number,
  options: { error?: string; connected?: boolean } = {},
): NodeView {
  const { error = '', connected = true } = options;
  return view(name, { connected, report: { zones: [{ uid: zone.metadata.uid, serial, error }] } });
}

function ready(changed: Partial<ZoneFacts>) {
  const { status } = planZone(facts(changed), NOW_MS);
  const { status: word, reason, message } = status.conditions?.[0] ?? {};
  return { ready: `${word} ${reason}`, message, servedBy: status.servedBy };
}

test('the same data keeps its serial, other data gets a greater one (INV-22)', () => {
  const first = planZone(facts(), NOW_MS).record;
  expect(first?.serial).toBe(NOW_MS / 1000);
  expect(planZone(facts({ previous: first }), NOW_MS + 5000).record).toEqual(first);
  const changed = { ...zone, metadata: { ...zone.metadata, generation: 2 } };
  const again = planZone(
    facts({ zone: changed, zones: [changed], previous: first }),
    NOW_MS + 5000,
  ).record;
  expect(again).toEqual({ ...first, generation: 2 });
  const other = planZone(facts({ nodes: [view('a')], previous: first }), NOW_MS - 60_000).record;
  expect(other?.serial).toBe(NOW_MS / 1000 + 1);
});

test('a Zone that takes over an origin goes on from the serial of the other', () => {
  expect(planZone(facts({ serials: [5, NOW_MS / 1000 + 77, 9] }), NOW_MS).record?.serial).toBe(
    NOW_MS / 1000 + 78,
  );
});

test('of two Zones with one origin the older answers, and the other says so', () => {
  const younger: Zone = object(
    'Zone',
    'younger',
    { origin: 'example.com' },
    {
      metadata: { creationTimestamp: '2026-02-01T00:00:00.000Z' },
    },
  );
  const zones = [younger, zone];
  expect(planZone(facts({ zones }), NOW_MS).record).toBeDefined();
  const lost = planZone(facts({ zone: younger, zones }), NOW_MS);
  expect(lost.record).toBeUndefined();
  expect(lost.status.conditions?.[0]).toMatchObject({ status: 'False', reason: 'OriginTaken' });
  expect(lost.status.conditions?.[0]?.message).toContain('default/example');
});

test('Ready says which nameservers serve the version', () => {
  const nodes = [view('a'), view('b')];
  const previous = planZone(facts({ nodes }), NOW_MS).record;
  const serial = previous?.serial ?? 0;
  const all = [nameserver('a', serial), nameserver('b', serial)];
  expect(ready({ previous, nodes: all })).toEqual({
    ready: 'True Served',
    message: 'served by 2/2 nameservers',
    servedBy: { current: 2, total: 2 },
  });
  expect(
    ready({ previous, nodes: [all[0]!, nameserver('b', serial - 1, { error: 'disk full' })] }),
  ).toEqual({
    ready: 'False Propagating',
    message: 'served by 1/2 nameservers; waiting for b (disk full)',
    servedBy: { current: 1, total: 2 },
  });
  const silent = nameserver('b', 0, { connected: false });
  expect(ready({ previous, nodes: [all[0]!, silent] }).ready).toBe('True Served');
  expect(ready({ previous, nodes: [silent] }).ready).toBe('Unknown NameserversSilent');
  expect(ready({ nodes: [view('c', { roles: ['edge'] })] }).ready).toBe('False NoNameservers');
});

test('a Zone that is too large keeps its last version', () => {
  const strings = Array.from({ length: 16 }, () => `"${'x'.repeat(250)}"`).join(' ');
  const values = Array.from({ length: 300 }, (_, index) => `"${index}" ${strings}`);
  const large: Zone = object('Zone', 'example', {
    origin: 'example.com',
    records: [{ name: '@', type: 'TXT', values }],
  });
  const previous = planZone(facts(), NOW_MS).record;
  const planned = planZone(facts({ zone: large, zones: [large], previous }), NOW_MS);
  expect(planned.record).toEqual(previous);
  expect(planned.status.conditions?.[1]).toMatchObject({ status: 'False', reason: 'ZoneTooLarge' });
});
