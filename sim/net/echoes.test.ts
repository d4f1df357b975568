import { expect, test } from 'vitest';
import { Plan, SessionResponse } from '../../proto/gen/b8s/v1/agent.ts';
import { seededRandom } from '../engine/random.ts';
import { Echoes } from './echoes.ts';

const plan = (revision: bigint): Uint8Array =>
  SessionResponse.encode({
    message: {
      $case: 'plan',
      value: Plan.fromPartial({ position: { epoch: 1n, revision }, digest: 'x'.repeat(40) }),
    },
  }).finish();
const HEARTBEAT = SessionResponse.encode({
  message: { $case: 'heartbeat', value: { sequence: 7n } },
}).finish();

test('a node hears a plan that it was sent before, and never what another one was', () => {
  const echoes = new Echoes({ random: seededRandom('echo'), faults: () => ({ echo: 1 }) });
  expect(echoes.after('uid-1', HEARTBEAT)).toBeUndefined();
  expect(echoes.after('uid-1', plan(1n))).toBeUndefined();
  expect(echoes.after('uid-1', HEARTBEAT)).toEqual(plan(1n));
  expect(echoes.after('uid-2', HEARTBEAT)).toBeUndefined();
});

test('in fair weather nobody hears the past', () => {
  const echoes = new Echoes({ random: seededRandom('echo'), faults: () => ({ echo: 0 }) });
  for (let revision = 1n; revision < 50n; revision += 1n)
    expect(echoes.after('uid-1', plan(revision))).toBeUndefined();
});
