import { expect, test } from 'vitest';
import type { Issuer } from '../api/issuer.ts';
import { condition, type Resource } from '../api/object.ts';
import { RECONCILE_REQUESTED, type Repository } from '../api/repository.ts';
import { memoryDisk } from '../runtime/disk/memory-disk.ts';
import { fakeGit } from '../runtime/git/fake/fake-git.ts';
import { type FakeFile, FakeRemote } from '../runtime/git/fake/remote.ts';
import { memoryStore } from '../runtime/store/memory-store.ts';
import type { Store } from '../runtime/store/store.ts';
import { virtualClock } from '../runtime/test-clock.ts';
import { ADMIN, type DomScene, domScene } from './test-scene.ts';

/**
 * All that can happen to a commit on its way, by chance: it is overtaken, taken back, bad, its branch
 * goes, its folder moves, dom is killed, suspended, called, the clock is set, the Repository is made
 * anew. Whenever it is quiet, what is there is one commit's whole state.
 */

const URL = 'https://git.example.com/infra.git';
const BRANCH = 'refs/heads/main';
const SEEDS = Array.from({ length: 16 }, (_, index) => index + 1);
const STEPS = 25;
const NAMES = ['a', 'b', 'c', 'd', 'e'] as const;
const HOUR_MS = 3_600_000;

/** Numerical Recipes' generator: the same for one seed everywhere. */
function chances(seed: number): (below: number) => number {
  let state = Math.imul(seed, 2_654_435_761) >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** Lifetimes by name. */
type State = Readonly<Record<string, string>>;

class Storm {
  readonly chance: (below: number) => number;
  readonly said: string[] = [];
  readonly #remote = new FakeRemote();
  /** What each commit declares; undefined: it must never be in force. */
  readonly #states = new Map<string, State | undefined>();
  readonly #inner = virtualClock();
  readonly #disk = memoryDisk();
  readonly #store: Store;
  /** What a Repository that is gone has left, until a commit declares it. */
  readonly #left = new Set<string>();
  #setMs = 0;
  #writesLeft = Infinity;
  #folder = '';
  #spec = { url: URL, interval: '20s', timeout: '10s', onFailure: 'rollback', suspend: false };
  #path = '.';
  #asked = 0;
  #dom: DomScene | undefined;

  constructor(seed: number) {
    this.chance = chances(seed);
    this.#store = this.#mortal(memoryStore({ clock: this.#clock }));
  }

  get #clock() {
    return { ...this.#inner, nowMs: () => this.#inner.nowMs() + this.#setMs };
  }

  get dom(): DomScene {
    if (this.#dom === undefined) throw new Error('dom was not started');
    return this.#dom;
  }

  /** After so many more writes a dom writes nothing any more, as one that was killed. */
  #mortal(inner: Store): Store {
    const commit: Store['commit'] = async (transaction) => {
      if (this.#writesLeft <= 0) return await new Promise<never>(() => undefined);
      this.#writesLeft -= 1;
      return await inner.commit(transaction);
    };
    return new Proxy(inner, {
      get(target, key) {
        if (key === 'commit') return commit;
        const member: unknown = Reflect.get(target, key);
        return typeof member === 'function' ? member.bind(target) : member;
      },
    });
  }

  async start(): Promise<void> {
    this.#dom?.stop();
    this.#writesLeft = Infinity;
    await this.#inner.advance(100);
    const git = fakeGit({ remotes: new Map([[URL, this.#remote]]) });
    const [clock, store, disk] = [this.#clock, this.#store, this.#disk];
    this.#dom = await domScene({ clock, store, disk, git });
  }

  stop(): void {
    this.#dom?.stop();
  }

  async pass(seconds: number): Promise<void> {
    for (let step = 0; step < seconds * 4; step += 1) await this.#inner.advance(250);
  }

  async declare(): Promise<void> {
    await this.dom.apply({
      ...{ apiVersion: 'b8s.dev/v1', kind: 'Repository', metadata: { name: 'infra' } },
      spec: { ...this.#spec, path: this.#path, allowMassDeletion: true },
    });
  }

  /** At least one object, or nothing would be declared. */
  push(how: 'good' | 'typo' | 'never ready' = 'good'): string {
    const names = NAMES.filter((_, index) => index === 0 || this.chance(2) === 0);
    const state = Object.fromEntries(names.map((name) => [name, `${30 + this.chance(9)}d`]));
    const files: Record<string, FakeFile> = {};
    for (const [name, lifetime] of Object.entries(state))
      files[`${this.#folder}${name}.json`] = manifest('Issuer', name, { ca: { lifetime } });
    if (how === 'typo') files[`${this.#folder}t.json`] = manifest('Issuer', 't', { cb: {} });
    if (how === 'never ready')
      files[`${this.#folder}z.json`] = manifest('Site', 'z', { hosts: ['z.example.com'] });
    const commit = this.#remote.commit(files, { subject: `${how} ${this.#states.size}` });
    this.#states.set(commit, how === 'good' ? state : undefined);
    return commit;
  }

  async request(words: string): Promise<void> {
    const { metadata, ...rest } = await this.repository();
    const text = `now${(this.#asked += 1)}${words}`;
    const annotations = { ...metadata.annotations, [RECONCILE_REQUESTED]: text };
    const objectJson = JSON.stringify({ ...rest, metadata: { ...metadata, annotations } });
    const how = { manager: 'b8sctl', dryRun: false, command: 'b8sctl reconcile' };
    await this.dom.term.api.update({ objectJson, ...how }, ADMIN);
  }

  /** One thing that happens, which is noted. */
  async happen(): Promise<void> {
    const happenings: Readonly<Record<string, () => unknown>> = {
      'a good commit': () => this.push(),
      'another good commit': () => this.push(),
      'a typo': () => this.push('typo'),
      'a commit that is never Ready': () => this.push('never ready'),
      'the branch goes back': () => {
        const commits = [...this.#states.keys()];
        this.#point(commits[this.chance(commits.length)]);
      },
      'the branch is deleted': () => this.#point(undefined),
      'it is suspended': () => this.#configure({ suspend: true }),
      'it is resumed': () => this.#configure({ suspend: false }),
      'another timeout': () => this.#configure({ timeout: `${10 + this.chance(5)}s` }),
      'the folder moves, then the path': async () => {
        this.#folder = this.#folder === '' ? 'x/' : '';
        this.push();
        await this.pass(this.chance(30));
        this.#path = this.#folder === '' ? '.' : 'x';
        await this.declare();
      },
      'the path is wrong': () => {
        this.#path = 'nowhere';
        return this.declare();
      },
      'the path is mended': () => {
        this.#path = this.#folder === '' ? '.' : 'x';
        return this.declare();
      },
      'dom is killed': async () => {
        this.#writesLeft = this.chance(8);
        await this.pass(this.chance(40));
        await this.start();
      },
      'dom is restarted': () => this.start(),
      'the host calls': () => this.request(` webhook=body:${this.#asked}`),
      'somebody asks': () => this.request(''),
      'somebody forces': () => this.request(' force'),
      'the clock is set': () => {
        this.#setMs += (this.chance(3) - 1) * HOUR_MS * (1 + this.chance(48));
      },
      'an object is deleted by hand': () => this.dom.remove('Issuer', 'a').catch(() => undefined),
      'it is made anew': async () => {
        const sites = (await this.#list('Site')).map(({ metadata }) => metadata.name);
        for (const name of [...Object.keys(await this.world()), ...sites]) this.#left.add(name);
        await this.dom.remove('Repository', 'infra');
        await this.pass(this.chance(3));
        await this.declare();
      },
    };
    const names = Object.keys(happenings);
    const name = names[this.chance(names.length)] ?? '';
    this.said.push(name);
    await happenings[name]?.();
  }

  async #configure(more: Partial<typeof this.spec>): Promise<void> {
    this.#spec = { ...this.#spec, ...more };
    await this.declare();
  }

  get spec() {
    return this.#spec;
  }

  #point(commit: string | undefined): void {
    for (const ref of [BRANCH, 'HEAD'])
      if (commit === undefined) this.#remote.refs.delete(ref);
      else this.#remote.refs.set(ref, commit);
  }

  async repository(): Promise<Repository> {
    const reference = { kind: 'Repository', namespace: 'default', name: 'infra' };
    const found = await this.dom.term.api.get({ reference, revision: 0n }, ADMIN);
    return JSON.parse(found.objectJson) as Repository;
  }

  async world(): Promise<State> {
    const issuers = (await this.#list('Issuer')) as readonly Issuer[];
    const own = issuers.filter(({ metadata }) => metadata.name !== 'internal');
    return Object.fromEntries(
      own.map(({ metadata, spec }) => [metadata.name, spec.ca?.lifetime ?? '']),
    );
  }

  async #list(kind: string): Promise<readonly Resource[]> {
    const all = { kind, namespace: '', labelSelector: '', limit: 0, continue: '', revision: 0n };
    const { objectsJson } = await this.dom.term.api.list(all, ADMIN);
    return objectsJson.map((each) => JSON.parse(each) as Resource);
  }

  /** Once all that was begun is over: what is there is what the commit in force says. */
  async check(): Promise<void> {
    const { status, spec } = await this.repository();
    if (spec.suspend || status?.lastAppliedCommit === undefined) return;
    const state = this.#states.get(status.lastAppliedCommit);
    const world = await this.world();
    for (const name of Object.keys(state ?? {})) this.#left.delete(name);
    const own = Object.entries(world).filter(([name]) => !this.#left.has(name));
    const ready = condition(await this.repository(), 'Ready');
    const told = `${ready?.reason}: ${ready?.message}\n${this.said.join('\n')}`;
    expect(Object.fromEntries(own), told).toEqual(state);
    // Of a commit that was on its way when the Repository was deleted, it stays, too.
    if (!this.#left.has('z')) expect(await this.#list('Site'), told).toEqual([]);
    const undo = await this.#store.list('/b8s/system/repositoryUndo');
    expect(undo.items, told).toEqual([]);
  }

  /** What comes last is good, and nothing is in its way. */
  async end(): Promise<void> {
    this.#path = this.#folder === '' ? '.' : 'x';
    await this.#configure({ suspend: false });
    const commit = this.push();
    await this.pass(120);
    const repository = await this.repository();
    const told = this.said.join('\n');
    expect(condition(repository, 'Ready'), told).toMatchObject({ reason: 'Applied' });
    expect(repository.status?.lastAppliedCommit, told).toBe(commit);
    await this.check();
  }
}

function manifest(kind: string, name: string, spec: object): string {
  return JSON.stringify({ apiVersion: 'b8s.dev/v1', kind, metadata: { name }, spec });
}

test.each(SEEDS)(
  'whatever happens to a commit, what is there is one commit’s whole state: seed %i',
  async (seed) => {
    const storm = new Storm(seed);
    await storm.start();
    storm.push();
    await storm.declare();
    await storm.pass(30);
    for (let step = 1; step <= STEPS; step += 1) {
      await storm.happen();
      await storm.pass(storm.chance(12));
      if (step % 5 > 0) continue;
      await storm.pass(90);
      await storm.check();
    }
    await storm.end();
    storm.stop();
  },
  60_000,
);
