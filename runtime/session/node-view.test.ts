import { expect, test } from 'vitest';
import { type Node, nodeKind } from '../../api/node.ts';
import { API_VERSION } from '../../api/object.ts';
import type { World } from '../store/world.ts';
import { nodeViews, servesZone } from './node-view.ts';

const node: Node = {
  apiVersion: API_VERSION,
  kind: 'Node',
  metadata: {
    name: 'london',
    uid: 'new',
    resourceVersion: '1',
    generation: 1,
    creationTimestamp: '2026-01-01T00:00:00.000Z',
  },
  spec: nodeKind.normalize({}) as Node['spec'],
};
const site = { uid: 's', generation: 1, serving: '', verified: [], certificate: '', error: '' };

function world(nodeUid: string): World {
  const session = { nodeUid, agentVersion: '0', connectedSince: '' };
  const report = { nodeUid, sites: [site], zones: [], unreachable: [], conditions: [], geo: [] };
  const records: Record<string, unknown> = { session, report };
  return {
    revision: 1n,
    get: () => undefined,
    list: () => [node],
    records: () => [],
    record: (kind: string) => ({ value: records[kind], modRevision: 1n }),
  } as unknown as World;
}

test('a session and a report of this Node count', () => {
  const [view] = nodeViews(world('new'));
  expect(view?.connected).toBe(true);
  expect(view?.site('s')).toEqual(site);
});

test('those that another Node of the same name left do not', () => {
  const [view] = nodeViews(world('old'));
  expect(view).toMatchObject({ connected: false, report: undefined });
  expect(view?.site('s')).toBeUndefined();
});

test('a Node that is being deleted is left out', () => {
  const metadata = { ...node.metadata, deletionTimestamp: '2026-01-02T00:00:00.000Z' };
  const deleting = { ...world('new'), list: () => [{ ...node, metadata }] } as unknown as World;
  expect(nodeViews(deleting)).toEqual([]);
});

test.each([
  { when: 'that version', serial: 7, serves: true },
  { when: 'a later one', serial: 8, serves: true },
  { when: 'one before', serial: 6, serves: false },
  { when: 'none', serial: undefined, serves: false },
])('a version of a Zone is served by whoever says that it serves $when', ({ serial, serves }) => {
  const zones = serial === undefined ? [] : [{ uid: 'z', serial, error: '' }];
  const report = { nodeUid: 'new', sites: [], zones, unreachable: [], conditions: [], geo: [] };
  const [view] = nodeViews(world('new'));
  if (view === undefined) throw new Error('no view');
  expect(servesZone({ ...view, report }, { uid: 'z', serial: 7 })).toBe(serves);
  expect(servesZone({ ...view, report: undefined }, { uid: 'z', serial: 7 })).toBe(false);
});
