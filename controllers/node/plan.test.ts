import { expect, test } from 'vitest';
import type { Node } from '../../api/node.ts';
import { emptyReport, object } from '../test-scene.ts';
import { type NodeFacts, planNode, readyCondition } from './plan.ts';

const NOW_MS = Date.parse('2026-03-01T12:00:00Z');
const NOW = '2026-03-01T12:00:00.000Z';
const EARLIER = '2026-03-01T11:00:00.000Z';

const session = { nodeUid: 'uid-node-a', agentVersion: '0.1.0', connectedSince: EARLIER };
const report = emptyReport('uid-node-a');

function node(status?: object): Node {
  return object('Node', 'a', {}, status === undefined ? {} : { status });
}

function ready(status: string) {
  return {
    conditions: [{ type: 'Ready', status, reason: 'R', message: 'm', lastTransitionTime: EARLIER }],
  };
}

const cases: readonly (Partial<NodeFacts> & {
  readonly when: string;
  readonly status: string;
  readonly reason: string;
  readonly lastSeen: string | undefined;
  readonly atTime: string;
})[] = [
  {
    when: 'it has never connected',
    status: 'Unknown',
    reason: 'NeverConnected',
    lastSeen: undefined,
    atTime: NOW,
  },
  {
    when: 'its session is open',
    session,
    status: 'True',
    reason: 'NodeConnected',
    lastSeen: undefined,
    atTime: NOW,
  },
  {
    when: 'its session stays open: the time of the change stays',
    node: node(ready('True')),
    session,
    status: 'True',
    reason: 'NodeConnected',
    lastSeen: undefined,
    atTime: EARLIER,
  },
  {
    when: 'its lease has just ended',
    node: node(ready('True')),
    status: 'False',
    reason: 'NodeSilent',
    lastSeen: NOW,
    atTime: NOW,
  },
  {
    when: 'it has been silent for a while: when it was seen stays',
    node: node({ ...ready('False'), lastSeen: EARLIER }),
    status: 'False',
    reason: 'NodeSilent',
    lastSeen: EARLIER,
    atTime: EARLIER,
  },
  {
    when: 'it reported once and its status was lost',
    report,
    status: 'False',
    reason: 'NodeSilent',
    lastSeen: NOW,
    atTime: NOW,
  },
  {
    when: 'it is back: it is seen now, and no longer "last" seen',
    node: node({ ...ready('False'), lastSeen: EARLIER }),
    session,
    status: 'True',
    reason: 'NodeConnected',
    lastSeen: undefined,
    atTime: NOW,
  },
];

test.each(cases)(
  'planNode when $when',
  ({ when: _, status, reason, lastSeen, atTime, ...facts }) => {
    const planned = planNode(
      { node: node(), session: undefined, report: undefined, ...facts },
      NOW_MS,
    );
    expect(readyCondition(planned)).toMatchObject({ status, reason, lastTransitionTime: atTime });
    expect(planned.lastSeen).toBe(lastSeen);
    expect(planned.observedGeneration).toBe(1);
  },
);

test('a silent node keeps its version, and what it reported is unknown', () => {
  const disk = { type: 'DiskFull', status: true, reason: 'Full', message: '99 % used' };
  const facts = {
    node: node({ agentVersion: '0.0.9' }),
    report: { ...report, conditions: [disk] },
  };
  const silent = planNode({ ...facts, session: undefined }, NOW_MS);
  expect(silent.agentVersion).toBe('0.0.9');
  expect(silent.conditions?.[1]).toMatchObject({ type: 'DiskFull', status: 'Unknown' });
  const connected = planNode({ ...facts, session }, NOW_MS);
  expect(connected.agentVersion).toBe('0.1.0');
  expect(connected.conditions?.[1]).toMatchObject({
    type: 'DiskFull',
    status: 'True',
    reason: 'Full',
  });
});

test('a reported condition cannot pose as Ready, and sites are counted', () => {
  const liar = { type: 'Ready', status: true, reason: 'Lie', message: '' };
  const site = {
    uid: 's',
    generation: 1,
    serving: 'r',
    verified: ['r'],
    certificate: 'f',
    error: '',
  };
  const sites = [
    site,
    { ...site, serving: '' },
    { ...site, certificate: '' },
    { ...site, error: 'e' },
  ];
  const planned = planNode(
    { node: node(), session: undefined, report: { ...report, conditions: [liar], sites } },
    NOW_MS,
  );
  expect(planned.conditions?.map(({ reason }) => reason)).toEqual(['NodeSilent']);
  expect(planned.sites).toEqual({ ready: 1, total: 4 });
});
