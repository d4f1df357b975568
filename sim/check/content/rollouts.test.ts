import { expect, test } from 'vitest';
import { ROLLOUT_RESUMED } from '../../../api/requests.ts';
import { objectKey } from '../../../runtime/store/keys.ts';
import { object, Scene } from '../scene.fixture.ts';
import { rolloutsCheck } from './rollouts.ts';

const SPEC = { content: { release: 'two' }, rollout: { strategy: 'rolling', observe: '10s' } };
const ROLLOUT = { release: 'two', startedAt: '2026-01-01T00:00:00.000Z', phase: 'rolling' };

interface Told {
  readonly release?: string;
  readonly switchedAt?: string;
  readonly nodes?: readonly string[];
  readonly aheadAt?: string;
  readonly phase?: string;
  readonly spec?: object;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** A Site that most serve from `one`, while these nodes are told `two`. */
function site(told: Told = {}) {
  const { release = 'one', switchedAt = '2026-01-01T00:00:00.000Z', nodes = [] } = told;
  const { aheadAt = '2026-01-01T00:01:00.000Z', phase = 'rolling', spec = SPEC } = told;
  const ahead =
    nodes.length === 0 ? {} : { ahead: [{ release: 'two', switchedAt: aheadAt, nodes }] };
  const status = { release, switchedAt, rollout: { ...ROLLOUT, phase }, ...ahead };
  const { annotations = {} } = told;
  return object('Site', 'blog', { spec, status, annotations });
}

function world(): Scene {
  const scene = new Scene();
  scene.watch(rolloutsCheck(scene.ports, scene.changes));
  scene.put(site());
  return scene;
}

function at(scene: Scene, seconds: number, told: Told): void {
  scene.nowMs = seconds * 1000;
  scene.put(site(told));
}

const done = { release: 'two', switchedAt: '2026-01-01T00:01:00.000Z' };

test('a rollout whose batches are watched', () => {
  const scene = world();
  at(scene, 1, { nodes: ['a'] });
  at(scene, 12, { nodes: ['a', 'b'] });
  at(scene, 15, { nodes: ['a', 'b'] });
  at(scene, 23, done);
  expect(scene.violations).toEqual([]);
});

test.each([
  { when: 'the next batch follows at once', next: { nodes: ['a', 'b'] } },
  { when: 'it ends at once', next: done },
])('unwatched: $when (INV-28)', ({ next }) => {
  const scene = world();
  at(scene, 1, { nodes: ['a'] });
  at(scene, 9, next);
  expect(scene.numbers).toEqual([28]);
});

test('all at once, or back, is nothing that is watched', () => {
  const scene = world();
  at(scene, 1, { nodes: ['a'] });
  at(scene, 2, { ...done, spec: { ...SPEC, rollout: { strategy: 'all' } } });
  const other = world();
  at(other, 1, { nodes: ['a'] });
  at(other, 2, { switchedAt: '2026-01-01T00:01:01.000Z', phase: 'undone' });
  expect([...scene.violations, ...other.violations]).toEqual([]);
});

test('what was undone is tried again only after a word of a person', () => {
  const undone = { switchedAt: '2026-01-01T00:01:01.000Z', phase: 'undone' };
  const again = {
    switchedAt: undone.switchedAt,
    nodes: ['a'],
    aheadAt: '2026-01-01T00:02:00.000Z',
  };
  const told = (between: Told): readonly number[] => {
    const scene = world();
    at(scene, 1, { nodes: ['a'] });
    at(scene, 2, undone);
    at(scene, 3, { ...undone, ...between });
    at(scene, 60, { ...again, ...(between.annotations && { annotations: between.annotations }) });
    return scene.numbers;
  };
  expect(told({})).toEqual([28]);
  expect(told({ annotations: { [ROLLOUT_RESUMED]: 'now' } })).toEqual([]);
  expect(told({ spec: { ...SPEC, content: { release: 'one' } } })).toEqual([]);
});

test.each([
  { when: 'undone with the time from before', next: { phase: 'undone' }, numbers: [27] },
  {
    when: 'undone within a second',
    next: { switchedAt: '2026-01-01T00:01:01.500Z', phase: 'undone' },
    numbers: [27],
  },
])('a time that misleads who asks by date: $when (INV-27)', ({ next, numbers }) => {
  const scene = world();
  at(scene, 1, { nodes: ['a'] });
  at(scene, 2, next);
  expect(scene.numbers).toEqual(numbers);
});

test.each([
  { when: 'is there', isRemoved: false, violated: [27] },
  { when: 'was removed', isRemoved: true, violated: [] },
])('a node leaves a batch for what it served before, and $when', ({ isRemoved, violated }) => {
  const scene = world();
  scene.put(object('Node', 'a', { spec: {} }));
  scene.put(object('Node', 'b', { spec: {} }));
  at(scene, 1, { nodes: ['a', 'b'] });
  if (isRemoved) scene.remove(objectKey({ kind: 'Node', name: 'b' }));
  at(scene, 12, { nodes: ['a'] });
  expect(scene.numbers).toEqual(violated);
});
