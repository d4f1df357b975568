import { expect, test } from 'vitest';
import { object, Scene } from '../scene.fixture.ts';
import { renewalsCheck, type Sky } from './renewals.ts';

const LIFE_MS = 120_000;
const MINUTE_MS = 60_000;

interface Given {
  readonly kind?: Sky['kind'];
  readonly leftMs?: number;
  /** How far dom's clock was ahead when it was issued. */
  readonly aheadMs?: number;
  readonly sinceMs?: number;
  readonly current?: 'True' | 'False';
  readonly event?: string;
  readonly reason?: string;
}

/** Looked at one minute after the start. */
function looked(given: Given): readonly number[] {
  const { kind = 'fair', leftMs = LIFE_MS / 2, sinceMs = 0, current = 'True' } = given;
  const { event, reason = 'unauthorized', aheadMs = 0 } = given;
  const scene = new Scene();
  const sky = (): Sky => ({ kind, sinceMs, lifeMs: LIFE_MS });
  const wallMs = (): number => scene.nowMs;
  scene.watch(renewalsCheck(scene.ports, { history: scene.history, sky, wallMs }));
  const conditions = [{ type: 'Current', status: current, reason: 'r', message: '' }];
  scene.put(object('Certificate', 'blog', { status: { conditions } as never }));
  const uid = 'Certificate-blog';
  const notAfterMs = MINUTE_MS + leftMs;
  const [notBeforeMs, issuedMs] = [notAfterMs - LIFE_MS, notAfterMs - LIFE_MS + aheadMs];
  const times = { notBeforeMs, issuedMs, notAfterMs };
  scene.putRecord('material', uid, { directory: 'https://ca.test', ...times } as never);
  const failure = { reason, message: '', nextTryMs: 0 };
  scene.putRecord('issuance', uid, { tries: [], failures: 1, generation: 1, failure });
  if (event !== undefined)
    scene.put(object('Event', 'e', { spec: { regarding: { uid }, reason: event } }));
  scene.nowMs = MINUTE_MS;
  scene.tell((check) => check.stepped?.());
  return scene.numbers;
}

test.each<{ when: string } & Given>([
  { when: 'half of its life is left' },
  { when: 'it is fair since a moment ago', leftMs: 1, sinceMs: MINUTE_MS - 1 },
  { when: 'it seemed to be shorter', leftMs: LIFE_MS / 3 - 1, aheadMs: 10_000 },
  { when: 'a limit of the CA is in the way', leftMs: 1, reason: 'rateLimited' },
  { when: 'the CA is away since a moment ago', kind: 'away', leftMs: 1, sinceMs: MINUTE_MS - 1 },
  {
    ...{ when: 'the CA is away, and people are told', kind: 'away', leftMs: 1 },
    ...{ current: 'False', event: 'RenewalOverdue' },
  },
])('well when $when', ({ when: _, ...given }) => {
  expect(looked(given)).toEqual([]);
});

test.each<{ when: string } & Given>([
  { when: 'less than a third is left', leftMs: LIFE_MS / 3 - 1 },
  { when: 'nobody is told', kind: 'away', leftMs: 1, event: 'RenewalOverdue' },
  { when: 'there is no event', kind: 'away', leftMs: 1, current: 'False' },
])('INV-31 when $when', ({ when: _, ...given }) => {
  expect(looked(given)).toEqual([31]);
});
