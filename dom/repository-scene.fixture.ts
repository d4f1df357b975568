import type { Event } from '../api/event.ts';
import type { Issuer } from '../api/issuer.ts';
import type { KindName } from '../api/kinds.ts';
import { condition, type Resource } from '../api/object.ts';
import { RECONCILE_REQUESTED, type Repository } from '../api/repository.ts';
import { memoryDisk } from '../runtime/disk/memory-disk.ts';
import { fakeGit } from '../runtime/git/fake/fake-git.ts';
import { type FakeFile, FakeRemote } from '../runtime/git/fake/remote.ts';
import type { RepositoryHookRecord } from '../runtime/repository-records.ts';
import { objectKey, recordKey } from '../runtime/store/keys.ts';
import { memoryStore } from '../runtime/store/memory-store.ts';
import { virtualClock } from '../runtime/test-clock.ts';
import { ADMIN, type DomScene, domScene } from './test-scene.ts';

const URL = 'https://git.example.com/infra.git';

/** A dom that follows a remote in memory, in virtual time. */
export class RepositoryScene {
  readonly remote: FakeRemote = new FakeRemote();
  readonly #clock = virtualClock();
  readonly #store = memoryStore({ clock: this.#clock });
  readonly #disk = memoryDisk();
  #dom: DomScene | undefined;
  #asked = 0;

  /** Again: another dom on the same store and disk. */
  async start(): Promise<void> {
    this.#dom?.stop();
    await this.#clock.advance(100);
    const git = fakeGit({ remotes: new Map([[URL, this.remote]]) });
    const [clock, store, disk] = [this.#clock, this.#store, this.#disk];
    this.#dom = await domScene({ clock, store, disk, git });
  }

  stop(): void {
    this.#dom?.stop();
  }

  get dom(): DomScene {
    if (this.#dom === undefined) throw new Error('dom was not started');
    return this.#dom;
  }

  async follow(spec: object = {}, name = 'infra'): Promise<void> {
    await this.dom.apply({
      apiVersion: 'b8s.dev/v1',
      kind: 'Repository',
      metadata: { name },
      spec: { url: URL, interval: '1m', timeout: '30s', ...spec },
    });
    await this.settle();
  }

  /** Seconds pass one by one, so that all that is due happens in order. */
  async settle(seconds = 3): Promise<void> {
    for (let step = 0; step < seconds * 4; step += 1) await this.#clock.advance(250);
  }

  /** Pushes these files and no others; until each Repository has looked, and a little. */
  async push(files: Readonly<Record<string, FakeFile>>, subject = 'Change'): Promise<string> {
    const commit = this.remote.commit(files, { subject });
    await this.settle(70);
    return commit;
  }

  async find<Found extends Resource>(kind: string, name: string): Promise<Found | undefined> {
    const reference = { kind, namespace: 'default', name };
    return this.dom.term.api.get({ reference, revision: 0n }, ADMIN).then(
      ({ objectJson }) => JSON.parse(objectJson) as Found,
      () => undefined,
    );
  }

  async repository(name = 'infra'): Promise<Repository> {
    const found = await this.find<Repository>('Repository', name);
    if (found === undefined) throw new Error('no repository');
    return found;
  }

  /** `True Applied: commit …` */
  async ready(name = 'infra'): Promise<string> {
    const found = condition(await this.repository(name), 'Ready');
    return `${found?.status} ${found?.reason}: ${found?.message}`;
  }

  async list<Found extends Resource>(kind: string): Promise<readonly Found[]> {
    const request = { kind, namespace: '', labelSelector: '', limit: 0, continue: '' };
    const { objectsJson } = await this.dom.term.api.list({ ...request, revision: 0n }, ADMIN);
    return objectsJson.map((each) => JSON.parse(each) as Found);
  }

  /** Names, but for the one that is always there. */
  async issuers(): Promise<readonly string[]> {
    const names = (await this.list('Issuer')).map(({ metadata }) => metadata.name);
    return names.filter((name) => name !== 'internal').toSorted();
  }

  async lifetimeOf(name: string): Promise<string | undefined> {
    return (await this.find<Issuer>('Issuer', name))?.spec.ca?.lifetime;
  }

  /** What history keeps of an object: `created`, `configured`, `deleted`, in order. */
  async changesOf(kind: string, name: string): Promise<readonly string[]> {
    const reference = { kind, namespace: kind === 'Issuer' ? '' : 'default', name };
    const { records } = await this.dom.term.api.history({ reference }, ADMIN);
    return records.map(({ change }) => change);
  }

  async events(): Promise<readonly string[]> {
    const all = await this.list<Event>('Event');
    return all.map(({ spec }) => `${spec.reason}: ${spec.message}`);
  }

  /** From now on it goes only once whoever is called so lets it go. */
  async hold(kind: KindName, name: string, finalizer: string): Promise<void> {
    const key = objectKey({ kind, name });
    const { value = '', modRevision = 0n } = (await this.#store.get(key)) ?? {};
    const object = JSON.parse(value) as Resource;
    const metadata = { ...object.metadata, finalizers: [finalizer] };
    const put = { kind: 'put', key, value: JSON.stringify({ ...object, metadata }) } as const;
    await this.#store.commit({ guards: [{ key, modRevision }], writes: [put] });
    await this.settle();
  }

  /** The Git host has called for a Repository of that uid. */
  async called(uid: string, value: RepositoryHookRecord): Promise<void> {
    const key = recordKey('repositoryHook', uid);
    const put = { kind: 'put', key, value: JSON.stringify(value) } as const;
    await this.#store.commit({ guards: [], writes: [put] });
  }

  async wasCalled(uid: string): Promise<boolean> {
    return (await this.#store.get(recordKey('repositoryHook', uid))) !== undefined;
  }

  /** As `b8sctl reconcile` does it, with its flags. */
  async reconcile(words = '', name = 'infra'): Promise<void> {
    const { metadata, ...rest } = await this.repository(name);
    const text = `now${(this.#asked += 1)}${words}`;
    const annotations = { ...metadata.annotations, [RECONCILE_REQUESTED]: text };
    const objectJson = JSON.stringify({ ...rest, metadata: { ...metadata, annotations } });
    const how = { manager: 'b8sctl', dryRun: false, command: 'b8sctl reconcile' };
    await this.dom.term.api.update({ objectJson, ...how }, ADMIN);
    await this.settle(6);
  }
}

export const manifest = (
  kind: string,
  name: string,
  { spec, metadata = {} }: { readonly spec: object; readonly metadata?: object },
): string =>
  JSON.stringify({ apiVersion: 'b8s.dev/v1', kind, metadata: { name, ...metadata }, spec });

/** Without content, which is never Ready, unless the spec has some. */
export const site = (name: string, spec: object = {}): string =>
  manifest('Site', name, { spec: { hosts: [`${name}.example.com`], ...spec } });

/** Ready as soon as it is looked at. */
export const issuer = (name: string, lifetime = '30d', metadata: object = {}): string =>
  manifest('Issuer', name, { spec: { ca: { lifetime } }, metadata });

export const issuers = (...names: readonly string[]): Record<string, FakeFile> =>
  Object.fromEntries(names.map((name) => [`${name}.json`, issuer(name)]));
