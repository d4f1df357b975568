import { expect, test } from 'vitest';
import { API_VERSION } from '../../api/object.ts';
import { type Zone, zoneKind } from '../../api/zone.ts';
import { zoneOfHost, zonesByOrigin } from './zones.ts';

function zone(name: string, origin: string, metadata: object = {}): Zone {
  return {
    apiVersion: API_VERSION,
    kind: 'Zone',
    metadata: {
      name,
      namespace: 'default',
      uid: name,
      resourceVersion: '1',
      generation: 1,
      creationTimestamp: '2026-01-01T00:00:00.000Z',
      ...metadata,
    },
    spec: zoneKind.normalize({ origin }) as Zone['spec'],
  };
}

test.each([
  { when: 'it is the origin itself', host: 'example.com', name: 'outer' },
  { when: 'it lies below', host: 'a.b.example.com', name: 'outer' },
  { when: 'a longer origin fits too', host: 'a.eu.example.com', name: 'inner' },
  { when: 'it only ends in the same letters', host: 'notexample.com', name: undefined },
  { when: 'it lies above', host: 'com', name: undefined },
])('zoneOfHost when $when', ({ host, name }) => {
  const zones = zonesByOrigin([zone('outer', 'example.com'), zone('inner', 'eu.example.com')]);
  expect(zoneOfHost(zones, host)?.metadata.name).toBe(name);
});

test.each([
  { when: 'one is older', first: {}, second: { creationTimestamp: '2025-01-01T00:00:00.000Z' } },
  { when: 'both are of one moment: the uid decides', first: {}, second: { uid: 'a' } },
  {
    when: 'the older one is being deleted',
    first: {
      creationTimestamp: '2020-01-01T00:00:00.000Z',
      deletionTimestamp: '2026-01-02T00:00:00Z',
    },
    second: {},
  },
])('of two zones with one origin the second answers when $when', ({ first, second }) => {
  const [one, two] = [zone('one', 'example.com', first), zone('two', 'example.com', second)];
  expect(zonesByOrigin([one, two]).get('example.com')).toBe(two);
  expect(zonesByOrigin([two, one]).get('example.com')).toBe(two);
});
