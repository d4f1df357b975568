import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { condition } from '../api/object.ts';
import { RECONCILE_REQUESTED, type Repository } from '../api/repository.ts';
import { NO_CHANGES } from '../controllers/repository/plan/change-digest.ts';
import type { ForecastHead } from '../proto/gen/b8s/v1/api.ts';
import { memoryDisk } from '../runtime/disk/memory-disk.ts';
import { fakeGit } from '../runtime/git/fake/fake-git.ts';
import { type FakeFile, FakeRemote } from '../runtime/git/fake/remote.ts';
import { objectKey } from '../runtime/store/keys.ts';
import { memoryStore } from '../runtime/store/memory-store.ts';
import type { Store } from '../runtime/store/store.ts';
import { type VirtualClock, virtualClock } from '../runtime/test-clock.ts';
import { ADMIN, type DomScene, domScene, VIEWER } from './test-scene.ts';

const URL = 'https://git.example.com/infra.git';

let clock: VirtualClock;
let store: Store;
let disk: ReturnType<typeof memoryDisk>;
let remote: FakeRemote;
let weather: (signal: AbortSignal) => Promise<void>;
let at: DomScene;

beforeEach(async () => {
  clock = virtualClock();
  store = memoryStore({ clock });
  disk = memoryDisk();
  remote = new FakeRemote();
  weather = async () => undefined;
  const git = fakeGit({
    remotes: new Map([[URL, remote]]),
    weather: (_url, signal) => weather(signal),
  });
  at = await domScene({ clock, store, disk, git });
});
afterEach(() => at.stop());

const manifest = (kind: string, name: string, spec: object, metadata: object = {}): string =>
  JSON.stringify({ apiVersion: 'b8s.dev/v1', kind, metadata: { name, ...metadata }, spec });
const issuer = (name: string, lifetime = '30d', metadata: object = {}): string =>
  manifest('Issuer', name, { ca: { lifetime } }, metadata);
const files = (...names: readonly string[]): Record<string, FakeFile> =>
  Object.fromEntries(names.map((name) => [`${name}.json`, issuer(name)]));

async function follow(spec: object = {}, name = 'infra', annotations = {}): Promise<void> {
  await at.apply({
    apiVersion: 'b8s.dev/v1',
    kind: 'Repository',
    metadata: { name, annotations },
    spec: { url: URL, interval: '1h', timeout: '30s', ref: { branch: 'main' }, ...spec },
  });
  await settle(5);
}

const never = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));

async function settle(seconds: number): Promise<void> {
  for (let step = 0; step < seconds * 4; step += 1) await clock.advance(250);
}

interface Told {
  readonly head: ForecastHead;
  /** `create Issuer/a: why` */
  readonly lines: readonly string[];
  readonly text: string;
}

async function forecast(more: object = {}, name = 'infra'): Promise<Told> {
  const repository = { kind: 'Repository', namespace: '', name };
  const request = { repository, ref: '', force: false, confirmPrune: false, ...more };
  const parts = at.term.api.forecastRepository(request, VIEWER, new AbortController().signal);
  let head: ForecastHead | undefined;
  const lines: string[] = [];
  let text = '';
  for await (const { part } of parts) {
    text += JSON.stringify(part?.value);
    if (part?.$case === 'head') head = part.value;
    else if (part?.$case === 'change') {
      const { action, object, why } = part.value;
      lines.push(`${action} ${object?.kind}/${object?.name}${why === '' ? '' : `: ${why}`}`);
    }
  }
  if (head === undefined) throw new Error('no head');
  return { head, lines, text };
}

/** All that dom holds: what a forecast must not touch. */
async function everything(): Promise<unknown> {
  const { items } = await store.list('/b8s/');
  return [items, [...disk.files().keys()]];
}

const holdsOf = ({ head }: Told): readonly string[] => head.holds.map(({ reason }) => reason);

const commit = (content: Readonly<Record<string, FakeFile>>, branch = 'main'): string =>
  remote.commit(content, { branch, subject: 'Change' });

describe('what dom would do for a commit is what it does', () => {
  const first = {
    ...files('a', 'b', 'c', 'd'),
    's.json': manifest('Secret', 's', { data: { k: 'one' } }),
  };
  const next = {
    'a.json': issuer('a', '7d'),
    'moved/b.json': issuer('b'),
    'c.json': issuer('c', '30d', { annotations: { 'b8s.dev/prune': 'disabled' } }),
    'e.json': issuer('e'),
    's.json': manifest('Secret', 's', { data: { k: 'two', more: 'x' } }),
  };
  const said = [
    'update Secret/s',
    'update Issuer/a',
    'keep Issuer/b: it was in b.json',
    'update Issuer/c',
    'create Issuer/e',
    'delete Issuer/d',
  ];

  test('of a branch that is not followed, with nothing written anywhere', async () => {
    commit(first);
    await follow();
    const before = await everything();
    commit(
      {
        ...next,
        'w/site.json': manifest('Site', 'w', {
          hosts: ['w.example.com'],
          content: { path: './p' },
        }),
        'w/p/index.html': 'x',
      },
      'change',
    );
    const told = await forecast({ ref: 'change' });
    expect(told.lines).toEqual([...said.slice(0, 5), 'create Site/w', 'delete Issuer/d']);
    expect(told.head).toMatchObject({ subject: 'Change', holds: [], changes: 7 });
    expect(await everything()).toEqual(before);
  });

  test('and then it does just that', async () => {
    commit(first);
    await follow();
    commit(next);
    const { lines } = await forecast();
    expect(lines).toEqual(said);
    const { head } = await forecast();
    await follow({}, 'infra', { [RECONCILE_REQUESTED]: 'now' });
    await settle(60);
    const { lines: after, head: then } = await forecast();
    expect([after, then.appliedCommit]).toEqual([[], head.commit]);
  });

  test('the values of Secrets are told by name only', async () => {
    commit(first);
    await follow();
    commit(next, 'change');
    const { text } = await forecast({ ref: 'change' });
    expect(text).toContain('"changedValues":["k","more"]');
    expect(text).not.toMatch(/"(one|two)"/);
  });
});

describe('why nothing is done, or not yet', () => {
  test.each<{
    readonly when: string;
    readonly content: Record<string, FakeFile>;
    readonly says: RegExp;
  }>([
    { when: 'a manifest has a typo', content: { 'x.yaml': 'kind: [' }, says: /^Invalid.*x\.yaml/s },
    { when: 'nothing is declared', content: { 'a.json': '' }, says: /^NothingDeclared/ },
    {
      when: 'a host is another’s',
      content: { 's.json': manifest('Site', 's', { hosts: ['t.example.com'] }) },
      says: /^Refused.*t\.example\.com.*\(s\.json:1\)/s,
    },
    {
      when: 'a field is another’s',
      content: { 'z.json': issuer('z', '9d') },
      says: /^Refused.*spec\.ca\.lifetime is set by b8sctl \(z\.json:1\)/s,
    },
  ])('$when: there are no changes', async ({ content, says }) => {
    await at.apply(JSON.parse(manifest('Site', 'other', { hosts: ['t.example.com'] })));
    await at.apply(JSON.parse(issuer('z', '8d')));
    commit(files('a'));
    await follow();
    commit({ ...files('a'), ...content }, 'bad');
    const { head, lines } = await forecast({ ref: 'bad' });
    const [hold] = head.holds;
    expect(`${hold?.reason} ${hold?.message}`).toMatch(says);
    expect([hold?.passes, lines]).toEqual([false, []]);
  });

  test('a field of another is taken over where that is asked for', async () => {
    await at.apply(JSON.parse(issuer('z', '8d')));
    commit(files('a'));
    await follow();
    commit({ ...files('a'), 'z.json': issuer('z', '9d') }, 'force');
    const { lines } = await forecast({ ref: 'force', force: true });
    expect(lines).toEqual(['update Issuer/z: it was there, and becomes the Repository’s']);
  });

  test('too many deletions wait for a person, and are told all the same', async () => {
    commit(files('a', 'b', 'c'));
    await follow();
    commit(files('a'), 'less');
    const told = await forecast({ ref: 'less' });
    expect([holdsOf(told), told.head.holds[0]?.passes]).toEqual([['MassDeletion'], true]);
    expect(told.lines).toEqual(['delete Issuer/b', 'delete Issuer/c']);
    expect(holdsOf(await forecast({ ref: 'less', confirmPrune: true }))).toEqual([]);
  });

  test('a suspended one, and one whose dependency is not Ready, say so first', async () => {
    commit(files('a'));
    await follow({ suspend: true, dependsOn: ['base'] });
    const told = await forecast();
    expect(holdsOf(told)).toEqual(['Suspended', 'DependencyNotReady']);
    expect(told.lines).toEqual(['create Issuer/a']);
  });

  test('a commit that was rolled back is told as bad, and done with force', async () => {
    commit(files('a'));
    await follow({ onFailure: 'rollback', timeout: '5s', interval: '10s' });
    commit({ ...files('a', 'b'), 's.json': manifest('Site', 's', { hosts: ['s.example.com'] }) });
    await settle(60);
    const told = await forecast();
    expect(holdsOf(told)).toEqual(['BadCommit']);
    expect(told.lines).toEqual(['create Issuer/b', 'create Site/s']);
    expect(holdsOf(await forecast({ force: true }))).toEqual([]);
  });
});

test('what stays and what goes to another Repository says why', async () => {
  const kept = issuer('k', '30d', { annotations: { 'b8s.dev/prune': 'disabled' } });
  commit({
    'one/a.json': issuer('a'),
    'one/m.json': issuer('m'),
    'one/k.json': kept,
    'two/b.json': issuer('b'),
  });
  await follow({ path: 'one', allowMassDeletion: true }, 'one');
  await follow({ path: 'two' }, 'two');
  commit({ 'one/a.json': issuer('a'), 'two/b.json': issuer('b'), 'two/m.json': issuer('m') });
  expect((await forecast({}, 'one')).lines).toEqual([
    'let go Issuer/k: b8s.dev/prune is disabled',
    'hand over Issuer/m: repository default/two declares it in this commit',
  ]);
  expect((await forecast({}, 'two')).lines).toEqual([
    'keep Issuer/m: it was there, and becomes the Repository’s',
  ]);
});

test.each<{ readonly when: string; readonly spec: object; readonly files: object }>([
  { when: 'refuses the commit', spec: {}, files: { 'two/x.json': '{"kind":"Site"}' } },
  { when: 'is suspended', spec: { suspend: true }, files: {} },
  {
    when: 'is made by this commit',
    spec: { path: 'three' },
    files: {
      'one/new.json': manifest('Repository', 'new', {
        ...{ url: URL, path: 'two', ref: { branch: 'main' } },
      }),
    },
  },
])('what may go to another Repository, which $when, stays', async ({ spec, files: more }) => {
  const before = {
    'one/a.json': issuer('a'),
    'two/b.json': issuer('b'),
    'three/c.json': issuer('c'),
  };
  commit({ ...before, 'one/m.json': issuer('m') });
  await follow({ path: 'one', allowMassDeletion: true }, 'one');
  await follow({ path: 'two', ...spec }, 'two');
  commit({ ...before, 'two/m.json': issuer('m'), ...more });
  expect((await forecast({}, 'one')).lines).toContainEqual(
    expect.stringMatching(
      /^let go Issuer\/m: repository default\/(two|new) may declare it, and cannot read this commit$/,
    ),
  );
});

test('what has drifted is put back, field by field', async () => {
  commit(files('a', 'b'));
  await follow();
  await at.apply(
    JSON.parse(
      manifest('Repository', 'infra', { url: URL, suspend: true, ref: { branch: 'main' } }),
    ),
  );
  await at.apply(JSON.parse(issuer('a', '7d')));
  const { lines } = await forecast();
  expect(lines).toEqual([
    expect.stringMatching(
      /^put back Issuer\/a: spec\.ca\.lifetime of Issuer\/a is "7d", not "30d": set by b8sctl/,
    ),
  ]);
});

test('what another Repository has taken over is not put back, and that is said', async () => {
  const before = {
    'one/a.json': issuer('a'),
    'two/b.json': issuer('b'),
    'two/m.json': issuer('m'),
  };
  const first = commit(before);
  await follow({ path: 'one', interval: '10s' }, 'one');
  await follow({ path: 'two', interval: '10s', massDeletionPercent: 0 }, 'two');
  commit({ 'one/a.json': issuer('a'), 'one/m.json': issuer('m', '7d'), 'two/c.json': issuer('c') });
  await settle(20);
  await follow({ path: 'one', suspend: true }, 'one');
  const told = await forecast({ ref: first }, 'two');
  expect([told.lines, told.head.holds]).toEqual([
    [],
    [
      expect.objectContaining({
        ...{ reason: 'Drifted', passes: false },
        message: expect.stringMatching(/is "7d", not "30d": set by repository\/default\/one at/),
      }),
    ],
  ]);
});

test('another Repository of the remote whose Secret is lost stands in nobody’s way', async () => {
  commit(files('a'));
  await follow();
  await at.apply(JSON.parse(manifest('Secret', 'ledger', { data: { token: 'of-somebody' } })));
  await follow({ path: '.', secretRef: 'ledger' }, 'other');
  const key = objectKey({ kind: 'Secret', namespace: 'default', name: 'ledger' });
  const sealed = await store.get(key);
  const lost = sealed?.value.replace(/(?<="token":")[^"]+/, 'v1:c2VhbGVkIHdpdGggYW5vdGhlciBrZXk');
  expect(lost).not.toBe(sealed?.value);
  await store.commit({
    guards: [],
    writes: [{ kind: 'put', key, value: lost ?? '' }],
  });
  await settle(5);
  const next = commit(files('a', 'b'));
  const { lines, text } = await forecast({ ref: next });
  expect(lines).toEqual(['create Issuer/b']);
  expect(text).not.toContain('ledger');
  await expect(forecast({ ref: next }, 'other')).rejects.toThrow(/ledger/);
});

/** What becomes of a commit if it is to do what a plan says. */
async function ask(next: string, expected: string): Promise<string> {
  const request = `${clock.nowMs()} ref=${next} expect=${expected}`;
  await follow({}, 'infra', { [RECONCILE_REQUESTED]: request });
  return await ready();
}

async function ready(): Promise<string> {
  const reference = { kind: 'Repository', namespace: 'default', name: 'infra' };
  const { objectJson } = await at.term.api.get({ reference, revision: 0n }, ADMIN);
  const { status, reason } = condition(JSON.parse(objectJson) as Repository, 'Ready') ?? {};
  return `${status} ${reason}`;
}

test('a commit is applied as its plan says, or not at all', async () => {
  commit(files('a', 'b'));
  await follow();
  const next = commit({ ...files('b'), 'a.json': issuer('a', '7d') });
  const planned = await forecast({ ref: next });
  // Of nobody's concern but the plan's: Git does not name it.
  await at.apply(JSON.parse(issuer('a', '30d', { labels: { team: 'web' } })));
  expect(await ask(next, planned.head.digest)).toBe('False PlanChanged');
  const again = await forecast({ ref: next });
  expect(again.head.digest).not.toBe(planned.head.digest);
  expect(again.lines).toEqual(planned.lines);
  expect(await ask(next, again.head.digest)).toBe('True Applied');
});

test('whether all is as the plan says is asked again, not remembered', async () => {
  commit(files('a', 'b'));
  await follow();
  const next = commit({ ...files('b'), 'a.json': issuer('a', '7d') });
  const { digest } = (await forecast({ ref: next })).head;
  await at.apply(JSON.parse(issuer('a', '30d', { labels: { team: 'web' } })));
  expect(await ask(next, digest)).toBe('False PlanChanged');
  await at.apply(JSON.parse(issuer('a', '30d')));
  await settle(5);
  expect(await ready()).toBe('True Applied');
});

test('a plan also says what becomes of an object before it is removed, and how it goes', async () => {
  commit(files('a', 'b', 'c'));
  await follow();
  const next = commit(files('a', 'b'));
  const digest = async (): Promise<string> => (await forecast({ ref: next })).head.digest;
  const before = await digest();
  expect(await digest()).toBe(before);
  await at.apply(JSON.parse(issuer('c', '30d', { labels: { team: 'web' } })));
  const labelled = await digest();
  expect(labelled).not.toBe(before);
  await at.apply(JSON.parse(issuer('c', '30d', { annotations: { 'b8s.dev/prune': 'disabled' } })));
  const kept = await digest();
  expect(new Set([before, labelled, kept]).size).toBe(3);
  await follow({ prune: 'off' });
  expect(await digest()).not.toBe(kept);
});

test('a plan that changes nothing is a plan, too', async () => {
  commit(files('a'));
  await follow();
  const next = commit({ ...files('a'), 'README.md': 'Read me' });
  const { head, lines } = await forecast({ ref: next });
  expect([lines, head.digest]).toEqual([[], NO_CHANGES]);
  expect(await ask(next, `${NO_CHANGES.slice(1)}0`)).toBe('False PlanChanged');
  expect(await ask(next, head.digest)).toBe('True Applied');
});

describe('what it costs has bounds', () => {
  test('one at a time for a Repository, and none for long', async () => {
    commit(files('a'));
    await follow();
    weather = never;
    const hanging = forecast();
    const over = expect(hanging).rejects.toMatchObject({ code: 'FAILED_PRECONDITION' });
    await clock.advance(10);
    await expect(forecast()).rejects.toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
    await settle(31);
    await over;
  });

  test('who asks on and on is told to wait', async () => {
    commit(files('a'));
    await follow();
    for (let asked = 0; asked < 20; asked += 1) await forecast();
    await expect(forecast()).rejects.toMatchObject({
      code: 'RESOURCE_EXHAUSTED',
      message: expect.stringMatching(/try again in a moment/),
    });
    await settle(61);
    expect((await forecast()).lines).toEqual([]);
  });

  test('the controller is not held up by it', async () => {
    commit(files('a'));
    await follow({ interval: '10s' });
    let stuck = 0;
    weather = (signal) => {
      stuck += 1;
      return stuck === 1 ? never(signal) : Promise.resolve();
    };
    void forecast().catch(() => undefined);
    commit(files('a', 'b'));
    await settle(20);
    const reference = { kind: 'Repository', namespace: 'default', name: 'infra' };
    const { objectJson } = await at.term.api.get({ reference, revision: 0n }, ADMIN);
    expect(condition(JSON.parse(objectJson) as Repository, 'Ready')?.status).toBe('True');
    expect((JSON.parse(objectJson) as Repository).status?.objects).toBe(2);
  });

  test.each(['', '--upload-pack=x', 'a b', 'a*', `${'x'.repeat(300)}`, 'a\u0000b'])(
    'the ref %j is a branch, or is refused',
    async (ref) => {
      commit(files('a'));
      await follow();
      const made = forecast({ ref });
      if (ref === '') expect((await made).lines).toEqual([]);
      else await expect(made).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    },
  );

  test('a branch that is not there, and a remote that is away, are told', async () => {
    commit(files('a'));
    await follow();
    await expect(forecast({ ref: 'nope' })).rejects.toMatchObject({ code: 'FAILED_PRECONDITION' });
    await expect(forecast({}, 'other')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});

test('who asks about the same commit again does not have it read again', async () => {
  await follow({ path: 'a' });
  await follow({ path: 'b' }, 'other');
  const commit = remote.commit({ 'a/one.json': issuer('one'), 'b/two.json': issuer('two') });
  let calls = 0;
  weather = async () => void (calls += 1);
  const first = await forecast({ ref: commit });
  expect(calls).toBe(1);
  expect(first.lines).toEqual(['create Issuer/one']);
  expect((await forecast({ ref: commit })).lines).toEqual(first.lines);
  // It was read for that one, too.
  expect((await forecast({ ref: commit }, 'other')).lines).toEqual(['create Issuer/two']);
  expect(calls).toBe(1);
  // What it follows is asked of the remote every time.
  await forecast();
  expect(calls).toBe(2);
  // Read in another way it is another one.
  await follow({ path: 'b' });
  calls = 0;
  await forecast({ ref: commit });
  await forecast({ ref: commit });
  expect(calls).toBe(1);
});
