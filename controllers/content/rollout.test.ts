import { expect, test } from 'vitest';
import type { Release } from '../../api/release.ts';
import type { Site } from '../../api/site.ts';
import type { NodeView } from '../../runtime/session/node-view.ts';
import { digest, object, served, view } from '../test-scene.ts';
import { planRollout } from './rollout.ts';

const DEADLINE_MS = 10 * 60 * 1000;
const NOW_MS = Date.parse('2026-03-01T12:00:00Z');
const OLD = digest('1');
const NEW = digest('2');
const release: Release = object('Release', NEW, { site: 'blog', files: 1, sizeBytes: 1 });

function site(options: { content?: object; serving?: string; startedMs?: number } = {}): Site {
  const { content = { release: NEW }, serving, startedMs } = options;
  const startedAt = new Date(startedMs ?? 0).toISOString();
  const rollout = { release: NEW, verified: 0, total: 0, startedAt };
  return object(
    'Site',
    'blog',
    { hosts: ['blog.example.com'], content },
    {
      status: {
        ...(serving === undefined ? {} : { release: serving }),
        ...(startedMs === undefined ? {} : { rollout }),
      },
    },
  );
}

function edge(name: string, verified: readonly string[], connected = true): NodeView {
  return view(name, { connected, report: { sites: [{ ...served(site(), OLD), verified }] } });
}

const has = (name: string) => edge(name, [NEW, OLD]);
const lacks = (name: string) => edge(name, [OLD]);
const silent = (name: string) => edge(name, [OLD], false);

test.each([
  { when: 'nothing is named', content: {}, edges: [has('a')], serving: OLD, reason: 'NoContent' },
  {
    when: 'only a path is named',
    content: { path: './public' },
    edges: [has('a')],
    serving: OLD,
    reason: 'ContentNotUploaded',
  },
  {
    when: 'the release is not there',
    missing: true,
    edges: [has('a')],
    serving: OLD,
    reason: 'ReleaseNotFound',
  },
  { when: 'there is no edge', edges: [], serving: OLD, reason: 'NoEdges' },
  { when: 'no edge is connected', edges: [silent('a')], serving: OLD, reason: 'EdgesSilent' },
  {
    when: 'one edge has it, one has not',
    edges: [has('a'), lacks('b')],
    serving: OLD,
    reason: 'RollingOut',
  },
  { when: 'every edge has it', edges: [has('a'), has('b')], serving: NEW, reason: 'Verified' },
  {
    when: 'every connected edge has it, a silent one has not',
    edges: [has('a'), silent('b')],
    serving: NEW,
    reason: 'Verified',
  },
  {
    when: 'a moment before the deadline',
    ageMs: DEADLINE_MS - 1,
    edges: [has('a'), has('b'), lacks('c')],
    serving: OLD,
    reason: 'RollingOut',
  },
  {
    when: 'at the deadline, with more than half',
    ageMs: DEADLINE_MS,
    edges: [has('a'), has('b'), lacks('c')],
    serving: NEW,
    reason: 'Verified',
  },
  {
    when: 'at the deadline, with exactly half',
    ageMs: DEADLINE_MS,
    edges: [has('a'), lacks('b')],
    serving: OLD,
    reason: 'RolloutStalled',
  },
  {
    when: 'at the deadline, with nobody connected',
    ageMs: DEADLINE_MS,
    edges: [silent('a')],
    serving: OLD,
    reason: 'EdgesSilent',
  },
])('planRollout when $when', ({ edges, serving, reason, content, missing, ageMs }) => {
  const options = {
    serving: OLD,
    ...(content === undefined ? {} : { content }),
    ...(ageMs === undefined ? {} : { startedMs: NOW_MS - ageMs }),
  };
  const planned = planRollout(
    { site: site(options), release: missing === true ? undefined : release, edges },
    NOW_MS,
  );
  expect({ serving: planned.serving, reason: planned.condition.reason }).toEqual({
    serving,
    reason,
  });
});

test('the first release is served under the same rule', () => {
  const first = (edges: readonly NodeView[]) =>
    planRollout({ site: site(), release, edges }, NOW_MS);
  expect(first([has('a'), lacks('b')]).serving).toBeUndefined();
  expect(first([has('a')]).serving).toBe(NEW);
});

test('what is served stays served though edges lose it or come without it', () => {
  const planned = planRollout(
    { site: site({ serving: NEW }), release, edges: [lacks('a')] },
    NOW_MS,
  );
  expect(planned).toMatchObject({ serving: NEW, rollout: { verified: 0, total: 1 } });
});

test('a rollout notes its start once and its end once', () => {
  const begun = planRollout({ site: site({ serving: OLD }), release, edges: [lacks('a')] }, NOW_MS);
  expect(begun.rollout).toEqual({
    release: NEW,
    from: OLD,
    phase: 'verifying',
    verified: 0,
    total: 1,
    startedAt: '2026-03-01T12:00:00.000Z',
  });
  expect(begun.recheckInMs).toBe(DEADLINE_MS);
  const during: Site = {
    ...site(),
    status: { release: OLD, ...(begun.rollout && { rollout: begun.rollout }) },
  };
  const ended = planRollout({ site: during, release, edges: [has('a')] }, NOW_MS + 5000);
  expect(ended.rollout).toMatchObject({
    startedAt: begun.rollout?.startedAt,
    finishedAt: '2026-03-01T12:00:05.000Z',
  });
  const after: Site = {
    ...site(),
    status: { release: NEW, ...(ended.rollout && { rollout: ended.rollout }) },
  };
  const later = planRollout({ site: after, release, edges: [has('a')] }, NOW_MS + 99_000);
  expect(later.rollout).toEqual(ended.rollout);
  expect(later.recheckInMs).toBe(Infinity);
});

test('a rollout that the clock says begins later begins now: its deadline is not put off', () => {
  const startedMs = NOW_MS + 3_600_000;
  const edges = [has('a'), has('b'), lacks('c')];
  const planned = planRollout({ site: site({ serving: OLD, startedMs }), release, edges }, NOW_MS);
  expect(planned.rollout?.startedAt).toBe('2026-03-01T12:00:00.000Z');
  expect(planned.recheckInMs).toBe(DEADLINE_MS);
});

test('a slow edge is named with what it says is wrong', () => {
  const broken = view('b', { report: { sites: [{ ...served(site(), OLD), error: 'disk full' }] } });
  const { condition } = planRollout(
    { site: site({ serving: OLD }), release, edges: [has('a'), broken] },
    NOW_MS,
  );
  expect(condition.message).toBe(
    'sha256-222222222222 is verified on 1/2 edges; waiting for b (disk full)',
  );
});
