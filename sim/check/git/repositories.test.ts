import { expect, test } from 'vitest';
import type { Repository } from '../../../api/repository.ts';
import type {
  RepositoryObjectRecord,
  RepositoryRecord,
} from '../../../runtime/repository-records.ts';
import { recordKey } from '../../../runtime/store/keys.ts';
import { keyOfObject, object, putObject, record, Scene } from '../scene.fixture.ts';
import { type Pushed, repositoriesCheck } from './repositories.ts';
import { type RepositoryChangesParts, repositoryChangesCheck } from './repository-changes.ts';

const [A, B, BROKEN] = ['a'.repeat(40), 'b'.repeat(40), 'c'.repeat(40)];
const UID = 'Repository-one';
const AUTHOR = { manager: 'repository/default/one', user: 'dom', command: `commit ${B} of one` };
const MEDDLER = { manager: 'b8sctl', user: 'admin' };
const lifetime = (days: number) => ({ ca: { lifetime: `${days}d` } });
/** By commit: what the folder `one` declares. */
const TREES: Readonly<Record<string, readonly (readonly [string, object])[]>> = {
  [A]: [
    ['Issuer//a', lifetime(30)],
    ['Issuer//b', lifetime(30)],
  ],
  [B]: [['Issuer//a', lifetime(7)]],
};

const repository = (spec: object = {}, ready = 'False'): Repository =>
  object('Repository', 'one', {
    spec: {
      ...{ path: 'one', driftPolicy: 'correct', suspend: false, timeout: '30s' },
      ...{ massDeletionPercent: 50, allowMassDeletion: false, ...spec },
    },
    status: {
      conditions: [
        {
          type: 'Ready',
          status: ready as 'True',
          reason: 'R',
          message: '',
          lastTransitionTime: '',
        },
      ],
    },
  }) as Repository;
const other = (): object => {
  const { metadata } = repository();
  return { metadata: { ...metadata, name: 'two', uid: 'Repository-two' } };
};
const issuer = (name: string, days: number, parts: object = {}) =>
  object('Issuer', name, { spec: lifetime(days), ...parts });
const kept = (name: string, days: number): RepositoryObjectRecord => ({
  ...{ uid: `Issuer-${name}`, file: `${name}.yaml` },
  object: { apiVersion: 'b8s.dev/v1', kind: 'Issuer', metadata: { name }, spec: lifetime(days) },
});
const applied = (commit: string) => ({ commit, subject: 'S' });
const attempt = (commit: string, sinceMs = 0) =>
  ({ commit, subject: 'S', sinceMs, phase: 'applying' }) as const;

function watched(parts: Partial<Pushed> = {}): Scene {
  const scene = new Scene();
  const pushed: Pushed = {
    declared: (commit) => (commit in TREES ? new Map(TREES[commit]) : undefined),
    ...{ touched: new Set(), labelled: new Map(), ...parts },
  };
  const { history, changes } = scene;
  const all: RepositoryChangesParts = {
    ...{ history, changes, pushed: () => pushed },
  };
  scene.watch(
    repositoriesCheck(scene.ports, { history, pushed: () => pushed }),
    repositoryChangesCheck(scene.ports, all),
  );
  return scene;
}

function note(scene: Scene, value: Partial<RepositoryRecord>): void {
  scene.putRecord('repository', UID, { name: 'default/one', ...value });
}

/** One that keeps a and b of commit A. */
function settled(scene: Scene, spec: object = {}): void {
  scene.put(repository(spec));
  note(scene, { applied: applied(A) });
  for (const name of ['a', 'b']) {
    scene.put(issuer(name, 30));
    scene.putRecord('repositoryObject', `${UID}/Issuer//${name}`, kept(name, 30));
  }
}

/** The Repository removes b, as it does. */
function removeB(scene: Scene, beside: 'with its record' | 'alone' = 'with its record'): void {
  const gone = issuer('b', 30);
  scene.commit([
    { kind: 'delete', key: keyOfObject(gone) },
    record(gone, 'deleted', { author: AUTHOR, uid: gone.metadata.uid }),
    ...(beside === 'alone'
      ? []
      : ([{ kind: 'delete', key: recordKey('repositoryObject', `${UID}/Issuer//b`) }] as const)),
  ]);
}

const rest = (scene: Scene): void => scene.tell((check) => check.rested?.());

test('one that keeps all of its commit is innocent', () => {
  const scene = watched();
  settled(scene);
  rest(scene);
  expect(scene.violations).toEqual([]);
});

test.each([
  { whose: 'somebody else has declared meanwhile', touched: ['Issuer//b'], numbers: [] },
  { whose: 'nobody else has', touched: ['Issuer//a'], numbers: [41] },
])('half of a commit, of which the rest $whose', ({ touched, numbers }) => {
  const scene = watched({ touched: new Set(touched) });
  settled(scene);
  note(scene, { attempt: attempt(A) });
  scene.remove(recordKey('repositoryObject', `${UID}/Issuer//b`));
  rest(scene);
  expect(scene.numbers).toEqual(numbers);
});

const LEFT = new Map(TREES[B]);

test.each([
  { what: 'a newer record', first: 'one', left: LEFT, found: [] },
  { what: 'a newer record, and all else', first: 'one', left: undefined, found: [] },
  { what: 'an older record', first: 'two', left: LEFT, found: [41] },
  { what: 'an older record, and all else', first: 'two', left: undefined, found: [41] },
])('what its commit keeps and another has taken, with $what', ({ first, left, found }) => {
  const taken = new Map([['Issuer//b', lifetime(7)]]);
  const scene = watched({
    declared: (commit, path) => {
      if (path === 'two') return taken;
      return commit === A ? new Map(TREES[A]) : left;
    },
  });
  const keep = (): void => {
    scene.putRecord('repositoryObject', 'Repository-two/Issuer//b', kept('b', 7));
  };
  if (first === 'two') keep();
  settled(scene);
  if (first === 'one') keep();
  scene.put({ ...repository({ path: 'two' }), ...other() });
  scene.putRecord('repository', 'Repository-two', { name: 'default/two', applied: applied(B) });
  scene.put(issuer('b', 7));
  rest(scene);
  expect(scene.numbers).toEqual(found);
});

test.each([
  { besides: 'another one, which may have been meant to take it', found: 0 },
  { besides: 'nobody', found: 1 },
])('one that lets go of what its commit lacks, beside $besides', ({ found }) => {
  const scene = watched();
  settled(scene);
  if (found === 0) scene.put({ ...repository({ suspend: true }), ...other() });
  note(scene, { applied: applied(B) });
  scene.put(issuer('a', 7));
  scene.putRecord('repositoryObject', `${UID}/Issuer//a`, kept('a', 7));
  const byGit = { manager: 'repository/default/one', operation: 'Apply', time: '', fields: [] };
  scene.put(issuer('b', 30, { managedFields: [byGit] }));
  scene.remove(recordKey('repositoryObject', `${UID}/Issuer//b`));
  rest(scene);
  expect(scene.violations).toHaveLength(found);
});

test.each<{
  readonly when: string;
  readonly does: (scene: Scene) => void;
  readonly number: number;
}>([
  {
    when: 'something of the commit is not there',
    does: (scene) => scene.remove(keyOfObject(issuer('b', 30))),
    number: 41,
  },
  {
    when: 'it keeps what the commit does not declare',
    does: (scene) => scene.putRecord('repositoryObject', `${UID}/Issuer//c`, kept('c', 30)),
    number: 41,
  },
  {
    when: 'an object says what no commit says',
    does: (scene) => scene.put(issuer('a', 9)),
    number: 41,
  },
  {
    when: 'something is left to be undone, and nothing is under way',
    does: (scene) =>
      scene.putRecord('repositoryUndo', `${UID}/Issuer//a`, {
        found: 'kept',
        before: kept('a', 1),
      }),
    number: 41,
  },
  {
    when: 'it is said to be Ready while a commit is brought in',
    does: (scene) => {
      scene.put(repository({}, 'True'));
      note(scene, { applied: applied(A), attempt: attempt(B) });
    },
    number: 41,
  },
])('INV-$number when $when', ({ does, number }) => {
  const scene = watched();
  settled(scene);
  does(scene);
  rest(scene);
  expect(scene.numbers[0]).toBe(number);
});

test('INV-44 when somebody’s change stays, but not where it is only reported', () => {
  for (const [driftPolicy, numbers] of [
    ['correct', [44]],
    ['report', []],
  ] as const) {
    const scene = watched({ touched: new Set(['Issuer//a']) });
    settled(scene, { driftPolicy });
    scene.put(issuer('a', 9));
    rest(scene);
    expect(scene.numbers).toEqual(numbers);
  }
});

test('INV-44 when a label is gone that no manifest names', () => {
  const scene = watched({ labelled: new Map([['Issuer//a', 'Issuer-a']]) });
  settled(scene);
  scene.put(issuer('a', 30, { labels: { team: 'web' } }));
  rest(scene);
  expect(scene.violations).toEqual([]);
  scene.put(issuer('a', 30));
  rest(scene);
  expect(scene.numbers).toEqual([44]);
});

test('INV-42 when what was rolled back is tried again, unless another came or it was forced', () => {
  const bad = { commit: B, message: 'm', atMs: 1, meant: '' };
  for (const [later, numbers] of [
    [[{ bad, attempt: attempt(B, 2) }], [42]],
    [[{ bad, attempt: attempt(B, 2), forced: B }], []],
    [
      [
        { bad, attempt: attempt(A, 2) },
        { bad, attempt: attempt(B, 3) },
      ],
      [],
    ],
  ] as const) {
    const scene = watched();
    settled(scene);
    note(scene, { applied: applied(A), attempt: attempt(B, 1) });
    note(scene, { applied: applied(A), bad });
    for (const each of later) note(scene, { applied: applied(A), ...each });
    expect(scene.numbers).toEqual(numbers);
  }
});

test('what a commit no longer declares goes, with its record', () => {
  const scene = watched();
  settled(scene);
  note(scene, { applied: applied(A), attempt: attempt(B) });
  removeB(scene);
  expect(scene.violations).toEqual([]);
});

test.each<{ readonly when: string; readonly does: (scene: Scene) => void }>([
  { when: 'no commit is brought in', does: removeB },
  {
    when: 'its record stays',
    does: (scene) => {
      note(scene, { applied: applied(A), attempt: attempt(B) });
      removeB(scene, 'alone');
    },
  },
  {
    when: 'the tree declares nothing',
    does: (scene) => {
      note(scene, { applied: applied(A), attempt: attempt(BROKEN) });
      removeB(scene);
    },
  },
  {
    when: 'the commit declares it',
    does: (scene) => {
      note(scene, { applied: applied(A), attempt: attempt(A, 5) });
      removeB(scene);
    },
  },
  {
    when: 'it is more than may go unasked',
    does: (scene) => {
      scene.put(repository({ massDeletionPercent: 10 }));
      note(scene, { applied: applied(A), attempt: attempt(B) });
      removeB(scene);
    },
  },
  {
    when: 'another Repository keeps it',
    does: (scene) => {
      const other = {
        ...repository(),
        metadata: { ...repository().metadata, uid: 'two', name: 'two' },
      };
      scene.commit([putObject(other)]);
      scene.putRecord('repositoryObject', 'two/Issuer//b', kept('b', 30));
      note(scene, { applied: applied(A), attempt: attempt(B) });
      removeB(scene);
    },
  },
])('INV-43 when something is removed and $when', ({ does }) => {
  const scene = watched();
  settled(scene);
  does(scene);
  expect(scene.numbers[0]).toBe(43);
});

test('INV-43 when something is removed that the tree has for another one, new and suspended', () => {
  const scene = watched({
    declared: (commit, path) => new Map(TREES[path === 'two' ? A : commit]),
  });
  settled(scene);
  scene.put({ ...repository({ suspend: true, path: 'two' }), ...other() });
  note(scene, { applied: applied(A), attempt: attempt(B) });
  removeB(scene);
  expect(scene.numbers[0]).toBe(43);
});

test('INV-45 when an object is written twice for one commit, or put back though nobody touched it', () => {
  const write = (scene: Scene, days: number, author: typeof AUTHOR | typeof MEDDLER): void => {
    const next = issuer('a', days, { generation: days });
    const past = record(next, 'configured', { author, uid: next.metadata.uid, id: `${days}` });
    scene.commit([putObject(next), past]);
  };
  const scene = watched();
  settled(scene);
  note(scene, { applied: applied(A), attempt: attempt(B) });
  write(scene, 7, AUTHOR);
  expect(scene.violations).toEqual([]);
  write(scene, 8, AUTHOR);
  expect(scene.numbers).toEqual([45]);
  write(scene, 9, MEDDLER);
  write(scene, 10, { ...AUTHOR, command: 'put back what one declares' });
  expect(scene.numbers).toEqual([45]);
  write(scene, 11, { ...AUTHOR, command: 'put back what one declares' });
  expect(scene.numbers).toEqual([45, 45]);
});
