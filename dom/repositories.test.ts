import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Event } from '../api/event.ts';
import type { Issuer } from '../api/issuer.ts';
import { condition, type Resource } from '../api/object.ts';
import { RECONCILE_REQUESTED, type Repository } from '../api/repository.ts';
import type { Site } from '../api/site.ts';
import { memoryDisk } from '../runtime/disk/memory-disk.ts';
import { fakeGit } from '../runtime/git/fake/fake-git.ts';
import { type FakeFile, FakeRemote } from '../runtime/git/fake/remote.ts';
import { GitError } from '../runtime/git/git.ts';
import { objectKey, recordKey } from '../runtime/store/keys.ts';
import { memoryStore } from '../runtime/store/memory-store.ts';
import type { Change, Revision, Store, WatchEvent } from '../runtime/store/store.ts';
import { type VirtualClock, virtualClock } from '../runtime/test-clock.ts';
import { ADMIN, type DomScene, domScene } from './test-scene.ts';

const URL = 'https://git.example.com/infra.git';

let clock: VirtualClock;
let store: Store;
let disk: ReturnType<typeof memoryDisk>;
let remote: FakeRemote;
let isAway: boolean;
/** Dom sees nothing new of the store. */
let isBehind: boolean;
let writesLeft: number;
let asked: number;
/** Calls to the remote. */
let looks: number;
let at: DomScene;

beforeEach(async () => {
  clock = virtualClock();
  store = memoryStore({ clock });
  disk = memoryDisk();
  remote = new FakeRemote();
  isAway = false;
  isBehind = false;
  writesLeft = Infinity;
  asked = 0;
  looks = 0;
  await start();
});
afterEach(() => at.stop());

/** A dom on the same store and disk, as after a restart. */
async function start(): Promise<void> {
  const weather = async (): Promise<void> => {
    looks += 1;
    if (isAway) throw new GitError('Unreachable', 'nobody answers');
  };
  const git = fakeGit({ remotes: new Map([[URL, remote]]), weather });
  at = await domScene({ clock, store, disk, git, wrapStore });
}

/** After so many more writes this dom writes nothing any more, as one that was killed. */
function wrapStore(inner: Store): Store {
  const commit: Store['commit'] = async (transaction) => {
    if (writesLeft <= 0) return await new Promise<never>(() => undefined);
    writesLeft -= 1;
    return await inner.commit(transaction);
  };
  return new Proxy(inner, {
    get(target, key) {
      if (key === 'commit') return commit;
      if (key === 'watch')
        return (...asked: Parameters<Store['watch']>) => held(inner.watch(...asked));
      const member: unknown = Reflect.get(target, key);
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
}

async function* held(events: AsyncIterable<WatchEvent>): AsyncGenerator<WatchEvent, void, void> {
  for await (const event of events) {
    while (isBehind) await clock.sleep(100);
    yield event;
  }
}

async function restart(): Promise<void> {
  at.stop();
  writesLeft = Infinity;
  await clock.advance(100);
  await start();
}

const manifest = (kind: string, name: string, spec: object, metadata: object = {}): string =>
  JSON.stringify({ apiVersion: 'b8s.dev/v1', kind, metadata: { name, ...metadata }, spec });
const site = (name: string, spec: object = {}, metadata: object = {}): string =>
  manifest('Site', name, { hosts: [`${name}.example.com`], ...spec }, metadata);

/** Ready as soon as it is looked at. A Site without content never is. */
const issuer = (name: string, lifetime = '30d', metadata: object = {}): string =>
  manifest('Issuer', name, { ca: { lifetime } }, metadata);

const files = (...names: readonly string[]): Record<string, FakeFile> =>
  Object.fromEntries(names.map((name) => [`${name}.json`, issuer(name)]));

async function follow(spec: object = {}, name = 'infra'): Promise<void> {
  await at.apply({
    apiVersion: 'b8s.dev/v1',
    kind: 'Repository',
    metadata: { name },
    spec: { url: URL, interval: '1m', timeout: '30s', ...spec },
  });
  await settle();
}

/** Seconds pass one by one, so that all that is due happens in order. */
async function settle(seconds = 3): Promise<void> {
  for (let step = 0; step < seconds * 4; step += 1) await clock.advance(250);
}

/** Until the next look, and a little. */
const poll = (): Promise<void> => settle(70);

async function push(
  content: Readonly<Record<string, FakeFile>>,
  subject = 'Change',
): Promise<string> {
  const commit = remote.commit(content, { subject });
  await poll();
  return commit;
}

async function find<Found extends Resource>(
  kind: string,
  name: string,
): Promise<Found | undefined> {
  const reference = { kind, namespace: 'default', name };
  return at.term.api.get({ reference, revision: 0n }, ADMIN).then(
    ({ objectJson }) => JSON.parse(objectJson) as Found,
    () => undefined,
  );
}

async function repository(name = 'infra'): Promise<Repository> {
  const found = await find<Repository>('Repository', name);
  if (found === undefined) throw new Error('no repository');
  return found;
}

async function ready(name = 'infra'): Promise<string> {
  const found = condition(await repository(name), 'Ready');
  return `${found?.status} ${found?.reason}: ${found?.message}`;
}

/** All but the one that is always there. */
async function issuers(): Promise<readonly string[]> {
  const request = { kind: 'Issuer', namespace: '', labelSelector: '', limit: 0, continue: '' };
  const { objectsJson } = await at.term.api.list({ ...request, revision: 0n }, ADMIN);
  const names = objectsJson.map((each) => (JSON.parse(each) as Resource).metadata.name);
  return names.filter((name) => name !== 'internal').toSorted();
}

const lifetimeOf = async (name: string): Promise<string | undefined> =>
  (await find<Issuer>('Issuer', name))?.spec.ca?.lifetime;

async function request(words: string, name = 'infra'): Promise<void> {
  const { metadata, ...rest } = await repository(name);
  const annotations = {
    ...metadata.annotations,
    [RECONCILE_REQUESTED]: `now${(asked += 1)}${words}`,
  };
  const objectJson = JSON.stringify({ ...rest, metadata: { ...metadata, annotations } });
  const how = { manager: 'b8sctl', dryRun: false, command: 'b8sctl reconcile' };
  await at.term.api.update({ objectJson, ...how }, ADMIN);
  await settle(6);
}

async function eventReasons(): Promise<readonly string[]> {
  const all = { kind: 'Event', namespace: '', labelSelector: '', limit: 0, continue: '' };
  const { objectsJson } = await at.term.api.list({ ...all, revision: 0n }, ADMIN);
  return objectsJson.map((each) => {
    const { spec } = JSON.parse(each) as Event;
    return `${spec.reason}: ${spec.message}`;
  });
}

describe('one commit is one change', () => {
  test('a commit is applied, its objects are waited for, and the status says which it is', async () => {
    const commit = remote.commit(files('a', 'b'), { subject: 'First' });
    await follow();
    expect(await issuers()).toEqual(['a', 'b']);
    expect((await repository()).status).toMatchObject({
      ...{ lastAppliedCommit: commit, attemptedCommit: commit, subject: 'First', objects: 2 },
    });
    expect(await ready()).toBe(`True Applied: commit ${commit.slice(0, 7)} (First) is in force`);
  });

  test('at rest nothing is written, and the remote is asked now and then (INV-2)', async () => {
    await follow();
    await push({ ...files('a'), 'secret.json': manifest('Secret', 's', { data: { k: 'v' } }) });
    const { revision } = await store.list('/b8s/');
    const before = looks;
    await settle(200);
    expect((await store.list('/b8s/')).revision).toBe(revision);
    expect(looks - before).toBeGreaterThanOrEqual(3);
    expect(looks - before).toBeLessThan(6);
  });

  test('a typo in a field refuses the commit as a whole, with file, line and mend', async () => {
    await follow();
    const good = await push(files('a'));
    const typo =
      'apiVersion: b8s.dev/v1\nkind: Site\nmetadata: { name: s }\nspec:\n  hostz: [a.example.com]\n';
    await push({ ...files('b'), 'sites/s.yaml': typo });
    expect(await issuers()).toEqual(['a']);
    expect(await ready()).toMatch(/^False Invalid: .*spec\.hostz.*hosts.*\(sites\/s\.yaml:5\)/s);
    expect((await repository()).status?.lastAppliedCommit).toBe(good);
    await push(files('a', 'b'));
    expect(await ready()).toMatch(/^True/);
  });

  test('what dom itself refuses refuses the commit as a whole, too', async () => {
    await at.apply(JSON.parse(site('other', { hosts: ['taken.example.com'] })));
    await follow();
    await push({ ...files('a'), 'site.json': site('mine', { hosts: ['taken.example.com'] }) });
    expect(await issuers()).toEqual([]);
    expect(await ready()).toMatch(
      /^False Refused: .*taken\.example\.com.*other.*\(site\.json:1\)/s,
    );
  });

  test('a host moves from one Site to another within one commit', async () => {
    await follow({ timeout: '5s' });
    const hosts = ['moving.example.com'];
    await push({ 'z.json': site('z', { hosts }) });
    await push({ 'z.json': site('z'), 'a.json': site('a', { hosts }) });
    expect((await find<Site>('Site', 'a'))?.spec.hosts).toEqual(hosts);
    await push({ 'new.json': site('new', { hosts }), 'z.json': site('z') });
    expect(await find('Site', 'a')).toBeUndefined();
    expect((await find<Site>('Site', 'new'))?.spec.hosts).toEqual(hosts);
  });

  test.each([
    { when: 'both are new', before: {} },
    { when: 'one has it already', before: { 'a.json': site('a', { hosts: ['x.example.com'] }) } },
  ])('two Sites of one host refuse the commit when $when', async ({ before }) => {
    await follow({ timeout: '5s' });
    await push({ ...files('i'), ...before });
    const hosts = ['x.example.com'];
    await push({
      'b.json': site('b', { hosts }),
      'a.json': site('a', { hosts }),
      ...files('i', 'j'),
    });
    expect(await ready()).toMatch(/x\.example\.com is of two Sites \(a\.json:1, b\.json:1\)/);
    expect(await issuers()).toEqual(['i']);
  });

  test('two Sites that swap their hosts are told to take two commits', async () => {
    await follow({ timeout: '5s' });
    const [one, two] = [['one.example.com'], ['two.example.com']];
    await push({ 'a.json': site('a', { hosts: one }), 'b.json': site('b', { hosts: two }) });
    await push({ 'a.json': site('a', { hosts: two }), 'b.json': site('b', { hosts: one }) });
    expect(await ready()).toMatch(/^False Refused: .*swap hosts, which needs two commits/s);
    expect((await find<Site>('Site', 'a'))?.spec.hosts).toEqual(one);
  });

  test('an object that is declared twice refuses the commit', async () => {
    await follow();
    await push({ 'a.json': issuer('a'), 'b/c.json': issuer('a') });
    expect(await ready()).toMatch(/Issuer\/a is declared twice \(a\.json:1, b\/c\.json:1\)/);
    expect(await issuers()).toEqual([]);
  });

  test('a remote that is away takes nothing away, and is told', async () => {
    await follow();
    await push(files('a'));
    isAway = true;
    await poll();
    expect(await issuers()).toEqual(['a']);
    expect(await ready()).toMatch(
      /^False FetchUnreachable: commit .* is in force; .*nobody answers/,
    );
    isAway = false;
    await push(files('a', 'b'));
    expect(await ready()).toMatch(/^True/);
  });
});

describe('prune', () => {
  test('a removed file is pruned, once', async () => {
    await follow();
    await push(files('a', 'b', 'c'));
    await push(files('a', 'b'));
    expect(await issuers()).toEqual(['a', 'b']);
    await at.apply(JSON.parse(issuer('c')));
    await push({ ...files('a', 'b'), 'readme.txt': 'x' });
    expect(await issuers()).toEqual(['a', 'b', 'c']);
  });

  test('a moved file is not', async () => {
    await follow();
    await push(files('a', 'b'));
    const uid = (await find('Issuer', 'a'))?.metadata.uid;
    await push({ 'moved/a.json': issuer('a'), 'b.json': issuer('b') });
    expect((await find('Issuer', 'a'))?.metadata.uid).toBe(uid);
    expect(await ready()).toMatch(/^True/);
  });

  test.each<{
    readonly when: string;
    readonly content: Record<string, FakeFile>;
    readonly path?: string;
    readonly says: RegExp;
  }>([
    { when: 'the tree is empty', path: '.', content: {}, says: /declares nothing/ },
    {
      when: 'no manifest is left',
      path: '.',
      content: { 'readme.md': 'x' },
      says: /declares nothing/,
    },
    { when: 'the folder is gone', content: { 'other/a.json': issuer('a') }, says: /is no folder/ },
    { when: 'a manifest cannot be read', content: { 'd/a.yaml': 'a: [' }, says: /d\/a\.yaml/ },
  ])('nothing is pruned when $when', async ({ content, says, path = 'd' }) => {
    await follow({ path });
    await push({ 'd/a.json': issuer('a'), 'd/b.json': issuer('b') });
    expect(await issuers()).toEqual(['a', 'b']);
    await push(content);
    expect(await issuers()).toEqual(['a', 'b']);
    expect(await ready()).toMatch(says);
  });

  test('more than half of all waits for a person, who confirms that very commit', async () => {
    await follow();
    await push(files('a', 'b', 'c'));
    await push(files('a'));
    expect(await issuers()).toEqual(['a', 'b', 'c']);
    expect(await ready()).toMatch(
      /^False MassDeletion: .*would delete 2 of 3 .*Issuer\/b, Issuer\/c.*--confirm-prune/,
    );
    await request(' confirm-prune');
    expect(await issuers()).toEqual(['a']);
    expect(await ready()).toMatch(/^True/);
  });

  test('what its annotation keeps stays, and so does what somebody made anew', async () => {
    await follow({ driftPolicy: 'report' });
    const kept = issuer('kept', '30d', { annotations: { 'b8s.dev/prune': 'disabled' } });
    await push({ ...files('a', 'b', 'c', 'd'), 'kept.json': kept });
    await at.remove('Issuer', 'd');
    await at.apply(JSON.parse(issuer('d', '7d')));
    await push(files('a', 'b', 'c'));
    expect(await ready()).toMatch(/^True/);
    expect(await issuers()).toEqual(['a', 'b', 'c', 'd', 'kept']);
  });

  test('with prune off it stays', async () => {
    await follow({ prune: 'off' });
    await push(files('a', 'b'));
    await push(files('a'));
    expect(await issuers()).toEqual(['a', 'b']);
    expect((await repository()).status?.objects).toBe(1);
  });

  test('what goes to another Repository is not deleted on the way', async () => {
    await follow({ path: 'one' }, 'one');
    await follow({ path: 'two' }, 'two');
    await push({ 'one/a.json': issuer('a'), 'one/m.json': issuer('m'), 'two/b.json': issuer('b') });
    const uid = (await find('Issuer', 'm'))?.metadata.uid;
    await push({ 'one/a.json': issuer('a'), 'two/b.json': issuer('b'), 'two/m.json': issuer('m') });
    await poll();
    expect((await find('Issuer', 'm'))?.metadata.uid).toBe(uid);
    expect([await ready('one'), await ready('two')]).toEqual([
      expect.stringMatching(/^True/),
      expect.stringMatching(/^True/),
    ]);
    expect((await repository('one')).status?.objects).toBe(1);
    expect((await repository('two')).status?.objects).toBe(2);
  });

  test('a deleted Repository leaves what it kept, and no records of its own', async () => {
    await follow();
    await push(files('a', 'b'));
    await at.remove('Repository', 'infra');
    await settle();
    expect(await issuers()).toEqual(['a', 'b']);
    const { items } = await store.list('/b8s/system/repository');
    expect(items).toEqual([]);
  });
});

describe('rollback', () => {
  /** Changes all that there is, and brings a Site that is never Ready. */
  const bad = { 'a.json': issuer('a', '7d'), 'c.json': issuer('c'), 'z.json': site('z') };

  test('the state of the commit before returns, and the bad one is remembered', async () => {
    await follow({ onFailure: 'rollback' });
    const good = await push(files('a', 'b'), 'Good');
    const uid = (await find('Issuer', 'a'))?.metadata.uid;
    const commit = await push(bad, 'Bad');
    await settle(20);
    expect(await issuers()).toEqual(['a', 'b']);
    expect(await lifetimeOf('a')).toBe('30d');
    expect(await find('Site', 'z')).toBeUndefined();
    expect((await find('Issuer', 'a'))?.metadata.uid).toBe(uid);
    expect((await repository()).status).toMatchObject({
      lastAppliedCommit: good,
      badCommit: {
        commit,
        message: expect.stringMatching(/not Ready within 30s: Site\/default\/z/),
      },
    });
    expect(await ready()).toMatch(/^False BadCommit: .*--force/);
    expect((await store.list('/b8s/system/repositoryUndo')).items).toEqual([]);
  });

  test('a bad commit is not tried again: not by time, not after a restart, not by hand', async () => {
    await follow({ onFailure: 'rollback' });
    await push(files('a'));
    await push(bad);
    await settle(20);
    await poll();
    await restart();
    await poll();
    await request('');
    await settle(40);
    const history = await at.term.api.history(
      { reference: { kind: 'Site', namespace: 'default', name: 'z' } },
      ADMIN,
    );
    expect(history.records.filter(({ change }) => change === 'created')).toHaveLength(1);
    expect(await ready()).toMatch(/^False BadCommit/);
  });

  test('…but with --force, and a new commit takes its place', async () => {
    await follow({ onFailure: 'rollback' });
    await push(files('a'));
    await push(bad);
    await settle(20);
    await request(' force');
    expect(await find('Site', 'z')).toBeDefined();
    await push(files('a', 'd'));
    expect(await issuers()).toEqual(['a', 'd']);
    expect(await find('Site', 'z')).toBeUndefined();
    expect(await ready()).toMatch(/^True/);
  });

  test('what became Ready in time is not rolled back by a dom that has yet to see it', async () => {
    await follow({ onFailure: 'rollback' });
    await push(files('a'));
    remote.commit({ ...files('a', 'b'), 'z.json': site('z') });
    for (let waits = 0; (await find('Site', 'z')) === undefined && waits < 70; waits += 1)
      await settle(1);
    expect(await ready()).toMatch(/^False (Applying|Waiting)/);
    await settle(2);
    isBehind = true;
    await becomesReady(objectKey({ kind: 'Site', namespace: 'default', name: 'z' }));
    await settle(40);
    const { uid } = (await repository()).metadata;
    const record = await store.get(recordKey('repository', uid));
    expect(JSON.parse(record?.value ?? '')).toMatchObject({ attempt: { phase: 'waiting' } });
    isBehind = false;
  });

  /** As it is by the hand of another dom’s controllers. */
  async function becomesReady(key: string): Promise<void> {
    const { value = '', modRevision = 0n } = (await store.get(key)) ?? {};
    const ready = value.replace(
      /"type":"Ready","status":"False"/,
      '"type":"Ready","status":"True"',
    );
    expect(ready).not.toBe(value);
    const guards = [{ key, modRevision }];
    await store.commit({ guards, writes: [{ kind: 'put', key, value: ready }] });
  }

  test('rollback does not fight the sync: what was put back stays', async () => {
    await follow({ onFailure: 'rollback' });
    await push(files('a'));
    await push(bad);
    await settle(20);
    const generation = (await find('Issuer', 'a'))?.metadata.generation;
    await settle(300);
    expect((await find('Issuer', 'a'))?.metadata.generation).toBe(generation);
  });

  test('a superseded revision stops being waited for', async () => {
    await follow({ timeout: '1h' });
    await push(files('a'));
    await push(bad);
    expect(await ready()).toMatch(/^False Waiting: .*Site\/default\/z/);
    const commit = await push(files('a', 'd'));
    expect(await ready()).toMatch(/^True/);
    expect((await repository()).status?.lastAppliedCommit).toBe(commit);
  });

  test('without rollback it stays, and says what is not Ready', async () => {
    await follow();
    await push(bad);
    await settle(20);
    expect(await find('Site', 'z')).toBeDefined();
    expect(await ready()).toMatch(/^False NotReady: .*Site\/default\/z .*longer than 30s/);
  });

  test('what was there before the Repository came is not deleted by a rollback', async () => {
    await at.apply(JSON.parse(issuer('mine')));
    await follow({ onFailure: 'rollback' });
    await push({ 'mine.json': issuer('mine'), 'z.json': site('z') });
    await settle(40);
    expect(await issuers()).toEqual(['mine']);
    expect(await find('Site', 'z')).toBeUndefined();
  });
});

describe('drift', () => {
  const change = async (lifetime: string): Promise<void> => {
    await at.apply(JSON.parse(issuer('a', lifetime)));
    await settle(6);
  };

  test('a changed field is put back, and an event says who had changed it', async () => {
    await follow();
    await push(files('a'));
    await change('7d');
    expect(await lifetimeOf('a')).toBe('30d');
    expect(await eventReasons()).toContainEqual(
      expect.stringMatching(
        /^DriftCorrected: .*spec\.ca\.lifetime of Issuer\/a is "7d", not "30d": set by b8sctl at /,
      ),
    );
  });

  test('…or only reported, until the commit that changes the object', async () => {
    await follow({ driftPolicy: 'report' });
    await push(files('a'));
    await change('7d');
    expect(await lifetimeOf('a')).toBe('7d');
    expect((await repository()).status).toMatchObject({
      driftCount: 1,
      drift: [
        {
          object: 'Issuer/a',
          field: 'spec.ca.lifetime',
          declared: '"30d"',
          found: '"7d"',
          manager: 'b8sctl',
        },
      ],
    });
    await push({ 'a.json': issuer('a', '60d') });
    expect(await lifetimeOf('a')).toBe('60d');
    expect((await repository()).status?.driftCount).toBeUndefined();
  });

  test('an object that somebody deleted is made again', async () => {
    await follow();
    await push(files('a'));
    await at.remove('Issuer', 'a');
    await settle(6);
    expect(await issuers()).toEqual(['a']);
    expect(await ready()).toMatch(/^True/);
  });

  test('defaulted fields are not drift, also in the items of lists', async () => {
    await follow({ driftPolicy: 'report' });
    const redirects = [{ from: '/a', to: '/b' }];
    await push({ 's.json': site('s', { redirects, tls: {} }) });
    expect((await find<Site>('Site', 's'))?.spec.redirects[0]?.status).toBe(308);
    expect((await repository()).status?.driftCount).toBeUndefined();
  });

  test('fields that it does not name are for others to set', async () => {
    await follow();
    await push(files('a'));
    const labelled = JSON.parse(issuer('a', '30d', { labels: { team: 'web' } }));
    await at.apply(labelled);
    await settle(20);
    expect((await find('Issuer', 'a'))?.metadata.labels).toEqual({ team: 'web' });
  });
});

describe('others', () => {
  test('what somebody else declared is not taken from them unasked', async () => {
    await at.apply(JSON.parse(issuer('a', '7d')));
    await follow();
    await push(files('a', 'b'));
    expect(await ready()).toMatch(
      /^False Refused: .*spec\.ca\.lifetime is set by b8sctl \(a\.json:1\).*--force/s,
    );
    expect(await issuers()).toEqual(['a']);
    await request(' force');
    expect(await lifetimeOf('a')).toBe('30d');
    expect(await ready()).toMatch(/^True/);
  });

  test('a Repository waits for those that it depends on', async () => {
    await follow({ path: 'two', dependsOn: ['one'] }, 'two');
    await push({ 'one/a.json': issuer('a'), 'two/b.json': issuer('b') });
    expect(await issuers()).toEqual([]);
    expect(await ready('two')).toMatch(/^False DependencyNotReady: .*one/);
    await follow({ path: 'one' }, 'one');
    await poll();
    expect(await issuers()).toEqual(['a', 'b']);
  });

  test('while it is suspended nothing is done', async () => {
    await follow();
    await push(files('a'));
    await follow({ suspend: true });
    const before = looks;
    await push(files('b'));
    await at.remove('Issuer', 'a');
    await poll();
    expect(looks).toBe(before);
    expect(await issuers()).toEqual([]);
    await follow({ suspend: false, allowMassDeletion: true });
    expect(await issuers()).toEqual(['b']);
  });

  test('one commit is asked for by hand, and holds until the branch goes on', async () => {
    await follow();
    const first = await push(files('a'));
    await push(files('a', 'b'));
    await request(` ref=${first}`);
    expect(await issuers()).toEqual(['a']);
    await poll();
    expect(await issuers()).toEqual(['a']);
    await push(files('a', 'c'));
    expect(await issuers()).toEqual(['a', 'c']);
  });

  test('a commit that is asked for and not there holds nothing', async () => {
    await follow();
    await push(files('a'));
    await request(` ref=${'f'.repeat(40)}`);
    expect(await eventReasons()).toContainEqual(expect.stringMatching(/^FetchRefNotFound: /));
    expect((await repository()).status?.handledRequest).toMatch(/ref=f/);
    await push(files('a', 'b'));
    expect(await issuers()).toEqual(['a', 'b']);
    expect(await ready()).toMatch(/^True/);
  });

  test('the values of Secrets are in no record in the clear', async () => {
    await follow();
    await push({ 's.json': manifest('Secret', 's', { data: { password: 'hunter2' } }) });
    expect(await find('Secret', 's')).toBeDefined();
    const { items } = await store.list('/b8s');
    expect(items.filter(({ value }) => value.includes('hunter2'))).toEqual([]);
    await push({ 's.json': manifest('Secret', 's', { data: { password: 'hunter3' } }) });
    expect(await ready()).toMatch(/^True/);
  });
});

describe('content', () => {
  const page = { 'web/public/index.html': '<h1>One</h1>', 'web/public/manifest.json': '{}' };
  const declared = { 'web/site.json': site('web', { content: { path: './public' } }) };

  test('the folder of a Site becomes its release, in the same commit', async () => {
    await follow();
    await push({ ...page, ...declared });
    const release = (await find<Site>('Site', 'web'))?.spec.content?.release ?? '';
    expect(await find('Release', release)).toMatchObject({ spec: { site: 'web', files: 2 } });
    expect(await at.term.blobs.has(release)).toBe(true);
    await push({ ...page, ...declared, 'web/public/index.html': '<h1>Two</h1>' });
    const next = (await find<Site>('Site', 'web'))?.spec.content?.release;
    expect(next).not.toBe(release);
    expect(await find('Release', next ?? '')).toBeDefined();
  });

  test('a release that another Site leaves is of the new one from its first write on', async () => {
    await follow();
    await push({ ...page, ...declared });
    const { spec } = (await find<Site>('Site', 'web')) ?? {};
    const { revision } = await store.list('/b8s');
    await push({ ...page, 'web/site.json': site('blog', { content: { path: './public' } }) });
    const blog = objectKey({ kind: 'Site', namespace: 'default', name: 'blog' });
    const name = spec?.content?.release ?? '';
    const release = objectKey({ kind: 'Release', namespace: 'default', name });
    // Else it might go with the one before, whose absence is all that its removal rests on.
    expect((await keysOfFirst(blog, revision)).includes(release)).toBe(true);
    expect(await find('Release', name)).toBeDefined();
  });

  /** All that the first write of a key has written, after a revision. */
  async function keysOfFirst(key: string, afterRevision: Revision): Promise<readonly string[]> {
    const { signal } = new AbortController();
    for await (const event of store.watch('/b8s', { afterRevision, signal })) {
      const keys = event.kind === 'changes' ? event.changes.map(keyOfChange) : [];
      if (keys.includes(key)) return keys;
    }
    return [];
  }

  function keyOfChange(change: Change): string {
    return change.kind === 'put' ? change.item.key : change.key;
  }

  test.each<{
    readonly when: string;
    readonly content: Record<string, FakeFile>;
    readonly says: RegExp;
  }>([
    { when: 'it is not there', content: declared, says: /is no folder.*\(web\/site\.json:1\)/s },
    {
      when: 'it leads out of the repository',
      content: { 'site.json': site('web', { content: { path: '../up' } }) },
      says: /leads out/,
    },
    {
      when: 'it holds a link',
      content: { ...declared, ...page, 'web/public/x': { link: '/etc/passwd' } },
      says: /web\/public\/x is a symbolic link/,
    },
    {
      when: 'Git LFS keeps a file of it',
      content: {
        ...declared,
        'web/public/v.mp4': 'version https://git-lfs.github.com/spec/v1\noid x',
      },
      says: /Git LFS/,
    },
  ])('a commit is refused when $when', async ({ content, says }) => {
    await follow();
    await push({ ...files('a'), ...content });
    expect(await ready()).toMatch(says);
    expect(await issuers()).toEqual([]);
  });
});

describe('a dom that dies after any write of a change, and its successor, come to the same (INV-4)', () => {
  const after = Array.from({ length: 6 }, (_, index) => 2 * index + 1);

  test.each(after)('forward, after %i writes', async (writes) => {
    await follow({ onFailure: 'rollback' });
    await push(files('a', 'b', 'c', 'd'));
    remote.commit({ ...files('b', 'c', 'e'), 'b.json': issuer('b', '7d') });
    writesLeft = writes;
    await poll();
    await restart();
    await poll();
    expect(await issuers()).toEqual(['b', 'c', 'e']);
    expect(await lifetimeOf('b')).toBe('7d');
    expect(await ready()).toMatch(/^True/);
    expect((await store.list('/b8s/system/repositoryUndo')).items).toEqual([]);
    expect((await store.list('/b8s/system/repositoryObject')).items).toHaveLength(3);
  });

  test.each(after)('and back, after %i writes', async (writes) => {
    await follow({ onFailure: 'rollback', timeout: '10s' });
    await push(files('a', 'b', 'c', 'd'));
    remote.commit({ 'z.json': site('z'), ...files('b', 'c', 'e'), 'b.json': issuer('b', '7d') });
    writesLeft = writes;
    await poll();
    await restart();
    await settle(100);
    expect(await issuers()).toEqual(['a', 'b', 'c', 'd']);
    expect(await lifetimeOf('b')).toBe('30d');
    expect(await find('Site', 'z')).toBeUndefined();
    expect(await ready()).toMatch(/^False BadCommit/);
    expect((await store.list('/b8s/system/repositoryUndo')).items).toEqual([]);
  });
});
