import { expect, test } from 'vitest';
import type { Resource } from '../../../api/object.ts';
import { RECONCILE_REQUESTED, type Repository } from '../../../api/repository.ts';
import type { RepositoryUndoRecord } from '../../../runtime/repository-records.ts';
import { object } from '../../test-scene.ts';
import { type CommitSet, type Desired, type Facts, nameOfKey } from '../facts.ts';
import { driftOf } from './drift.ts';
import { planRepository, type Step } from './plan.ts';

const T = 1_000_000_000;
const [A, B, C] = ['a'.repeat(40), 'b'.repeat(40), 'c'.repeat(40)];
const URL = 'https://git.example.com/infra.git';
const MEANT = JSON.stringify([URL, '.', '30s']);
const MANAGER = 'repository/default/infra';
const NOBODY = { verdict: undefined, trouble: undefined, blockedBy: undefined };

const issuer = (name: string, lifetime = '30d', file = `${name}.yaml`): Desired => ({
  ...{ key: `Issuer//${name}`, file, locate: () => 1 },
  object: {
    ...{ apiVersion: 'b8s.dev/v1', kind: 'Issuer', metadata: { name } },
    spec: { ca: { lifetime } },
  },
});
const setOf = (commit: string, ...desired: readonly Desired[]): CommitSet => ({
  ...{ commit, subject: 'S', problems: [], desired },
});

interface World {
  readonly spec?: object;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly record?: Partial<Facts['record']>;
  readonly remote?: Partial<Facts['remote']>;
  readonly set?: CommitSet;
  readonly kept?: readonly Desired[];
  readonly undo?: Readonly<Record<string, RepositoryUndoRecord>>;
  /** By key: an object that differs from what is kept; null: there is none. */
  readonly live?: Readonly<Record<string, Resource | null>>;
  readonly facts?: Partial<Facts>;
}

/** An object as dom holds it once it was applied; Issuers are Ready. */
function applied(
  { key, object: { spec } }: Desired,
  status: 'True' | 'False' = 'True',
  manager = MANAGER,
): Resource {
  const { kind, name } = nameOfKey(key);
  const fields = ['/spec/ca/lifetime'];
  const managedFields = [{ manager, operation: 'apply', time: '2026-01-01T00:00:00Z', fields }];
  const ready = { type: 'Ready', status, reason: 'R', message: 'm', lastTransitionTime: '' };
  return object(kind, name, spec as object, {
    metadata: { managedFields },
    status: { conditions: [{ ...ready, observedGeneration: 1 }] },
  });
}

function factsOf(world: World): Facts {
  const { kept = [], live = {}, undo = {}, set } = world;
  const repository: Repository = object(
    'Repository',
    'infra',
    { url: URL, timeout: '30s', ...world.spec },
    { metadata: { annotations: world.annotations } },
  );
  const stored = <Value>(value: Value) => ({ value, modRevision: 1n });
  const there = new Map(
    [...kept, ...(set?.desired ?? [])].map((each) => [each.key, applied(each)]),
  );
  const liveOf = (key: string): Resource | undefined =>
    key in live
      ? (live[key] ?? undefined)
      : kept.some((each) => each.key === key)
        ? there.get(key)
        : undefined;
  return {
    repository,
    record: { name: 'default/infra', ...world.record },
    inventory: new Map(
      kept.map(({ key, file, object: declared }) => {
        const uid = applied({ key, file, object: declared, locate: () => 1 }).metadata.uid;
        return [key, stored({ uid, file, object: declared })];
      }),
    ),
    undo: new Map(Object.entries(undo).map(([key, value]) => [key, stored(value)])),
    remote: {
      ...{ head: set?.commit, set, failure: undefined, phase: 'idle', request: undefined },
      ...{ nextInMs: 60_000, ...world.remote },
    },
    ...NOBODY,
    attemptForMs: T - (world.record?.attempt?.sinceMs ?? T),
    live: liveOf,
    same: (one, other) => JSON.stringify(one) === JSON.stringify(other),
    drifted: () =>
      kept.flatMap(({ key, object: declared }) =>
        driftOf({ key, declared, manager: MANAGER }, liveOf(key)).map((drift) => ({ key, drift })),
      ),
    keepers: () => [],
    claimant: () => undefined,
    gives: () => false,
    behind: () => undefined,
    unread: () => undefined,
    ...world.facts,
  };
}

function told(step: Step): string {
  switch (step.kind) {
    case 'rest':
      return `rest: ${step.say.ready.reason}`;
    case 'note': {
      const { attempt, applied: inForce, bad } = step.record;
      const words = [
        attempt && `${attempt.phase} ${attempt.commit[0]}`,
        inForce && `in force ${inForce.commit[0]}`,
        bad && `bad ${bad.commit[0]}`,
      ];
      return `note: ${words.filter((word) => word !== undefined).join(', ')}; ${step.undo} undo`;
    }
    case 'check':
    case 'change': {
      const isStalled = step.kind === 'change' && step.say.mood === 'stalled';
      const what = isStalled ? `${step.kind}, ${step.say.ready.reason}` : step.kind;
      return `${what}: ${step.changes.map((each) => `${each.object === undefined ? each.how : 'apply'} ${nameOfKey(each.key).name}`).join(', ')}`;
    }
    case 'correct':
      return `correct: ${step.keys.map((key) => nameOfKey(key).name).join(', ')}`;
    case 'restore':
    case 'wait':
      return step.kind;
  }
}

const inForce = { applied: { commit: A, subject: 'S' } };
const attempt = (phase: 'applying' | 'waiting' | 'undoing', sinceMs = T) => ({
  attempt: { commit: B, subject: 'S', phase, sinceMs, ...(phase === 'undoing' && { why: 'w' }) },
});
const [one, two, three] = [issuer('one'), issuer('two'), issuer('three')];
const labelled: Desired = {
  ...one,
  object: { ...one.object, metadata: { name: 'one', labels: { team: 'web' } } },
};
const good = { commit: B, problems: [] };
const kept: RepositoryUndoRecord = {
  found: 'kept',
  before: { uid: 'u', file: 'f', object: one.object },
};

test.each<{ readonly when: string; readonly world: World; readonly step: string }>([
  { when: 'nobody has looked yet', world: {}, step: 'rest: Fetching' },
  {
    when: 'it is suspended',
    world: { spec: { suspend: true }, set: setOf(A, one) },
    step: 'rest: Suspended',
  },
  {
    when: 'the remote is away from the start',
    world: { remote: { failure: { reason: 'Unreachable', message: 'm' } } },
    step: 'rest: FetchUnreachable',
  },
  { when: 'a dom has just begun to lead', world: { record: inForce, kept: [one] }, step: 'wait' },
  {
    when: 'a commit is there: it is checked before anything is written',
    world: { set: setOf(B, one, two) },
    step: 'check: apply one, apply two',
  },
  {
    when: 'the check went well',
    world: { set: setOf(B, one), facts: { verdict: good } },
    step: 'note: applying b; keep undo',
  },
  {
    when: 'the check did not go well',
    world: { set: setOf(B, one), facts: { verdict: { commit: B, problems: ['p'] } } },
    step: 'rest: Refused',
  },
  {
    when: 'a verdict is of another commit',
    world: { set: setOf(B, one), facts: { verdict: { commit: A, problems: [] } } },
    step: 'check: apply one',
  },
  {
    when: 'a manifest is bad',
    world: { record: inForce, kept: [one], set: { ...setOf(B), problems: ['p'] } },
    step: 'rest: Invalid',
  },
  {
    when: 'the tree declares nothing: nothing is pruned',
    world: { record: inForce, kept: [one], set: setOf(B) },
    step: 'rest: NothingDeclared',
  },
  {
    when: 'only a file moved: nothing is removed',
    world: { record: inForce, kept: [one], set: setOf(B, issuer('one', '30d', 'moved.yaml')) },
    step: 'check: apply one',
  },
  {
    when: 'a commit changes nothing here',
    world: { record: inForce, kept: [one], set: setOf(B, one) },
    step: 'note: applying b, in force a; keep undo',
  },
  {
    when: 'one of two goes, which is not more than half',
    world: { record: inForce, kept: [one, two], set: setOf(B, one) },
    step: 'check: delete two',
  },
  {
    when: 'two of three go',
    world: { record: inForce, kept: [one, two, three], set: setOf(B, one) },
    step: 'rest: MassDeletion',
  },
  {
    when: 'two of three go, and that commit was confirmed',
    world: { record: { ...inForce, confirmed: B }, kept: [one, two, three], set: setOf(B, one) },
    step: 'check: delete three, delete two',
  },
  {
    when: 'two of three go, and another commit was confirmed',
    world: { record: { ...inForce, confirmed: A }, kept: [one, two, three], set: setOf(B, one) },
    step: 'rest: MassDeletion',
  },
  {
    when: 'mass deletion is allowed',
    world: {
      spec: { allowMassDeletion: true },
      record: inForce,
      kept: [one, two, three],
      set: setOf(B, one),
    },
    step: 'check: delete three, delete two',
  },
  {
    when: 'prune is off',
    world: { spec: { prune: 'off' }, record: inForce, kept: [one, two], set: setOf(B, one) },
    step: 'check: let go two',
  },
  {
    when: 'what goes was made anew by somebody',
    world: {
      record: inForce,
      kept: [one, two],
      set: setOf(B, one),
      live: { 'Issuer//two': object('Issuer', 'two', { ca: {} }, { metadata: { uid: 'new' } }) },
    },
    step: 'check: let go two',
  },
  {
    when: 'another Repository keeps what goes',
    world: {
      record: inForce,
      kept: [one, two],
      set: setOf(B, one),
      facts: { keepers: () => ['default/other'] },
    },
    step: 'check: let go two',
  },
  {
    when: 'the commit was rolled back',
    world: {
      record: { ...inForce, bad: { commit: B, message: 'm', atMs: T, meant: MEANT } },
      kept: [one],
      set: setOf(B, two),
    },
    step: 'rest: BadCommit',
  },
  {
    when: 'it was, and the Repository says something else by now',
    world: {
      record: { ...inForce, bad: { commit: B, message: 'm', atMs: T, meant: 'of another folder' } },
      kept: [one],
      set: setOf(B, one, two),
    },
    step: 'check: apply two',
  },
  {
    when: 'a dependency is not Ready',
    world: { set: setOf(B, one), facts: { blockedBy: 'b' } },
    step: 'rest: DependencyNotReady',
  },
  {
    when: 'all is as it should be',
    world: { record: inForce, kept: [one], set: setOf(A, one) },
    step: 'rest: Applied',
  },
  {
    when: 'a field drifted',
    world: {
      record: inForce,
      kept: [one],
      set: setOf(A, one),
      live: { 'Issuer//one': applied(issuer('one', '7d')) },
    },
    step: 'correct: one',
  },
  {
    when: 'a field drifted while the remote is away',
    world: {
      record: inForce,
      kept: [one],
      remote: { failure: { reason: 'Unreachable', message: 'm' } },
      live: { 'Issuer//one': null },
    },
    step: 'correct: one',
  },
  {
    when: 'a field drifted for another Repository keeps the object, too',
    world: {
      record: inForce,
      kept: [one],
      set: setOf(A, one),
      live: { 'Issuer//one': applied(issuer('one', '7d'), 'True', 'repository/default/other') },
      facts: { keepers: () => ['default/other'] },
    },
    step: 'rest: Drifted',
  },
  {
    when: '…and a label is gone that only this one declares',
    world: {
      record: inForce,
      kept: [labelled],
      set: setOf(A, labelled),
      live: { 'Issuer//one': applied(issuer('one', '7d'), 'True', 'repository/default/other') },
      facts: { keepers: () => ['default/other'] },
    },
    step: 'rest: Drifted',
  },
  {
    when: '…and gives it up',
    world: {
      record: inForce,
      kept: [one],
      set: setOf(A, one),
      live: { 'Issuer//one': applied(issuer('one', '7d'), 'True', 'repository/default/other') },
      facts: { keepers: () => ['default/other'], gives: () => true },
    },
    step: 'correct: one',
  },
  {
    when: 'a field drifted and that is only reported',
    world: {
      spec: { driftPolicy: 'report' },
      record: inForce,
      kept: [one],
      set: setOf(A, one),
      live: { 'Issuer//one': null },
    },
    step: 'rest: Applied',
  },
  {
    when: 'an attempt goes on after a crash',
    world: { record: { ...inForce, ...attempt('applying') }, kept: [one], set: setOf(B, one, two) },
    step: 'change: apply two',
  },
  {
    when: '…also where a newer commit is refused',
    world: {
      record: { ...inForce, ...attempt('applying') },
      kept: [one],
      set: { ...setOf(C), problems: ['a typo'] },
      remote: { attempt: setOf(B, one, two) },
    },
    step: 'change, Invalid: apply two',
  },
  {
    when: '…and is waited for until it is read again',
    world: {
      record: { ...inForce, ...attempt('applying') },
      kept: [one],
      set: { ...setOf(C), problems: ['a typo'] },
    },
    step: 'rest: Invalid',
  },
  {
    when: 'somebody else has declared what is left of it, for longer than its time',
    world: {
      record: { ...inForce, ...attempt('applying', T - 30_000) },
      kept: [one],
      set: setOf(B, one, two),
      facts: { trouble: 'spec.ca is set by b8sctl' },
    },
    step: 'change, Refused: apply two',
  },
  {
    when: 'what goes may be on its way to another Repository',
    world: {
      record: { ...inForce, ...attempt('applying') },
      kept: [one, two],
      set: setOf(B, one, three),
      facts: { unread: () => 'default/x' },
    },
    step: 'change: apply three',
  },
  {
    when: '…and the other one has had half of the time: what it claims is not known',
    world: {
      record: { ...inForce, ...attempt('applying', T - 15_000) },
      kept: [one, two],
      set: setOf(B, one),
      facts: { unread: () => 'default/x' },
    },
    step: 'change: let go two',
  },
  {
    when: '…or it has had it by the clock, and this dom has only begun to look',
    world: {
      record: { ...inForce, ...attempt('applying', T - 3_600_000) },
      kept: [one, two],
      set: setOf(B, one),
      facts: { unread: () => 'default/x', attemptForMs: 14_999 },
    },
    step: 'rest: Applying',
  },
  {
    when: 'two of three go, or on to another Repository, of which that is not known',
    world: {
      record: inForce,
      kept: [one, two, three],
      set: setOf(B, one),
      facts: { unread: () => 'default/x' },
    },
    step: 'rest: MassDeletion',
  },
  {
    when: 'all of an attempt is applied',
    world: { record: { ...inForce, ...attempt('applying') }, kept: [one], set: setOf(B, one) },
    step: 'note: waiting b, in force a; keep undo',
  },
  {
    when: 'all of an attempt is Ready',
    world: {
      record: { ...inForce, ...attempt('waiting') },
      kept: [one],
      set: setOf(B, one),
      undo: { 'Issuer//one': kept },
    },
    step: 'note: in force b; drop undo',
  },
  {
    when: 'something of it is not Ready yet',
    world: {
      spec: { onFailure: 'rollback' },
      record: { ...inForce, ...attempt('waiting', T - 29_999) },
      kept: [one],
      set: setOf(B, one),
      undo: { 'Issuer//one': kept },
      live: { 'Issuer//one': applied(one, 'False') },
    },
    step: 'rest: Waiting',
  },
  {
    when: 'its time is over',
    world: {
      spec: { onFailure: 'rollback' },
      record: { ...inForce, ...attempt('waiting', T - 30_000) },
      kept: [one],
      set: setOf(B, one),
      undo: { 'Issuer//one': kept },
      live: { 'Issuer//one': applied(one, 'False') },
    },
    step: 'note: undoing b, in force a; keep undo',
  },
  {
    when: 'its time is over by the clock, but this dom has only begun to look',
    world: {
      spec: { onFailure: 'rollback' },
      record: { ...inForce, ...attempt('waiting', T - 3_600_000) },
      kept: [one],
      set: setOf(B, one),
      undo: { 'Issuer//one': kept },
      live: { 'Issuer//one': applied(one, 'False') },
      facts: { attemptForMs: 29_999 },
    },
    step: 'rest: Waiting',
  },
  {
    when: 'its time is over, and it is kept',
    world: {
      record: { ...inForce, ...attempt('waiting', T - 30_000) },
      kept: [one],
      set: setOf(B, one),
      undo: { 'Issuer//one': kept },
      live: { 'Issuer//one': applied(one, 'False') },
    },
    step: 'rest: NotReady',
  },
  {
    when: 'it is undone',
    world: {
      record: { ...inForce, ...attempt('undoing') },
      kept: [one],
      undo: { 'Issuer//one': kept },
    },
    step: 'restore',
  },
  {
    when: 'all is undone',
    world: { record: { ...inForce, ...attempt('undoing') }, kept: [one] },
    step: 'note: in force a, bad b; drop undo',
  },
  {
    when: 'a newer commit comes while one is undone',
    world: {
      record: { ...inForce, ...attempt('undoing') },
      kept: [one],
      set: setOf('c'.repeat(40), two),
      undo: { 'Issuer//one': kept },
    },
    step: 'restore',
  },
  {
    when: 'a newer commit comes while one is waited for',
    world: {
      record: { ...inForce, ...attempt('waiting') },
      kept: [one],
      set: setOf('c'.repeat(40), one, two),
      undo: { 'Issuer//one': kept },
      live: { 'Issuer//one': applied(one, 'False') },
    },
    step: 'check: apply two',
  },
  {
    when: 'a bad newer commit comes while one is waited for',
    world: {
      record: { ...inForce, ...attempt('waiting') },
      kept: [one],
      set: { ...setOf('c'.repeat(40)), problems: ['p'] },
      undo: { 'Issuer//one': kept },
    },
    step: 'note: in force b; drop undo',
  },
  {
    when: 'a request was looked at',
    world: {
      annotations: { [RECONCILE_REQUESTED]: 'now' },
      record: inForce,
      kept: [one],
      set: setOf(A, one),
      remote: { request: 'now' },
    },
    step: 'note: in force a; keep undo',
  },
  {
    when: 'a request to try a bad commit again',
    world: {
      annotations: { [RECONCILE_REQUESTED]: 'now force' },
      record: { ...inForce, bad: { commit: B, message: 'm', atMs: T, meant: MEANT } },
      kept: [one],
      set: setOf(B, two),
      remote: { request: 'now force' },
    },
    step: 'note: in force a; keep undo',
  },
  {
    when: 'a request that was answered',
    world: {
      annotations: { [RECONCILE_REQUESTED]: 'now' },
      record: { ...inForce, request: 'now' },
      kept: [one],
      set: setOf(A, one),
      remote: { request: 'now' },
    },
    step: 'rest: Applied',
  },
])('planRepository when $when', ({ world, step }) => {
  expect(told(planRepository(factsOf(world), T))).toBe(step);
});

test('what is being deleted is waited for, and what holds it is named', () => {
  const metadata = {
    deletionTimestamp: '2026-01-01T00:00:00Z',
    finalizers: ['example.com/backup'],
  };
  const held = object('Issuer', 'two', { ca: {} }, { metadata });
  const step = planRepository(
    factsOf({
      record: { ...inForce, ...attempt('waiting') },
      ...{ kept: [one], set: setOf(B, one), undo: { 'Issuer//two': kept } },
      live: { 'Issuer//two': held },
    }),
    T,
  );
  expect(step.kind === 'rest' && step.say.message).toMatch(
    /Issuer\/two, which is being deleted and held by example\.com\/backup/,
  );
});

test('a commit that is refused when half of it is applied says why', () => {
  const problems = ['commit bbbbbbb is signed by ada with K, which is revoked'];
  const set: CommitSet = { ...setOf(B), problems, reason: 'NotVerified' };
  const record = { ...inForce, ...attempt('applying') };
  const step = planRepository(factsOf({ record, kept: [one], set }), T);
  expect(step.kind === 'rest' && step.say).toMatchObject({
    ready: { status: 'False', reason: 'NotVerified' },
    message: expect.stringMatching(/half applied, and is refused by now: .*which is revoked/),
  });
});
