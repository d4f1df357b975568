import { expect, test } from 'vitest';
import type { Resource } from '../../../api/object.ts';
import { recordKey } from '../../../runtime/store/keys.ts';
import type { Guard } from '../../../runtime/store/store.ts';
import { keyOfObject, object, record, Scene } from '../scene.fixture.ts';
import { deletionsCheck } from './deletions.ts';

const GARBAGE = { author: { manager: 'garbage-controller', user: 'dom' } };
const CONTENT = { author: { manager: 'content-controller', user: 'dom' } };
const blog = object('Site', 'blog', { spec: { content: { release: 'r1' } } });
const owner = { kind: 'Site', name: 'blog', uid: 'Site-blog' };
const release = object('Release', 'r1', { ownerReferences: [owner] });

function watched(...there: readonly Resource[]): Scene {
  const scene = new Scene();
  scene.watch(deletionsCheck(scene.ports, scene));
  if (there.length > 0) scene.put(...there);
  return scene;
}

function remove(
  scene: Scene,
  gone: Resource,
  parts: { readonly by?: object; readonly guards?: readonly Guard[] } = {},
): void {
  const { by = {}, guards } = parts;
  const writes = [{ kind: 'delete', key: keyOfObject(gone) } as const, record(gone, 'deleted', by)];
  scene.commit(writes, guards);
}

test('what a person deletes, bound to what was read, may go', () => {
  const scene = watched(release, blog);
  remove(scene, release);
  remove(scene, blog);
  expect(scene.violations).toEqual([]);
});

test.each<{ when: string; guards: readonly Guard[] }>([
  { when: 'it is not guarded at all', guards: [] },
  { when: 'another key is', guards: [{ key: '/b8s-epoch', modRevision: 1n }] },
  { when: 'another revision is', guards: [{ key: keyOfObject(blog), modRevision: 1n }] },
])('INV-16 when a deletion takes what it finds: $when', ({ guards }) => {
  const scene = watched(blog);
  remove(scene, blog, { guards });
  expect(scene.numbers).toEqual([16]);
});

test('a record is guarded like an object; one under a lease goes with its lease', () => {
  const scene = watched();
  const [host, session] = [recordKey('host', 'a.test'), recordKey('session', 'london')];
  scene.commit([host, session].map((key) => ({ kind: 'put', key, value: '{}' })));
  scene.commit([{ kind: 'delete', key: session }], []);
  expect(scene.violations).toEqual([]);
  scene.commit([{ kind: 'delete', key: host }], []);
  expect(scene.numbers).toEqual([16]);
});

test.each<{ when: string; owners: readonly Resource[]; of: Resource; violated: number }>([
  { when: 'its owner is gone', owners: [], of: release, violated: 0 },
  {
    when: 'a namesake of its owner is there',
    owners: [object('Site', 'blog', { uid: 'another' })],
    of: release,
    violated: 0,
  },
  {
    when: 'its owner is there',
    owners: [object('Site', 'blog')],
    of: release,
    violated: 1,
  },
  { when: 'nobody ever owned it', owners: [], of: object('Release', 'r1'), violated: 1 },
  {
    when: 'a new Site names it',
    owners: [object('Site', 'new', { spec: { content: { release: 'r1' } } })],
    of: release,
    violated: 1,
  },
])('INV-16 when garbage is collected and $when', ({ owners, of, violated }) => {
  const scene = watched(of, ...owners);
  remove(scene, of, { by: GARBAGE });
  expect(scene.numbers).toEqual(Array.from({ length: violated }, () => 16));
});

test('a release that a Site is served from does not go for its age', () => {
  const scene = watched(release, object('Site', 'blog', { status: { release: 'r1' } }));
  remove(scene, release, { by: CONTENT });
  expect(scene.numbers).toEqual([16]);
});
