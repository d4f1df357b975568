import { expect, test } from 'vitest';
import type { Site } from '../../api/site.ts';
import type { AccessRecord } from '../../runtime/store/records.ts';
import type { World } from '../../runtime/store/world.ts';
import { accessOf } from './access-view.ts';

const users = [{ name: 'ann', of: 'seal', hash: 'fake$1$2' }];
const own: AccessRecord = { siteUid: 'u1', secret: 'staff', users };

function planned(record: AccessRecord | undefined) {
  const auth = { secret: 'staff', realm: 'r', paths: ['/*'] };
  const metadata = { namespace: 'default', name: 'blog', uid: 'u1', generation: 1 };
  const stored = record && { value: record, modRevision: 7n };
  const world = { record: (_: string, id: string) => (id === 'default/blog' ? stored : undefined) };
  return accessOf(world as unknown as World, { metadata, spec: { auth } } as unknown as Site);
}

test.each([
  { when: 'the passwords are hashed', record: own, names: ['ann'], version: '7' },
  { when: 'nothing is hashed yet', record: undefined, names: [], version: '' },
  {
    when: 'they are of an earlier Site of the name',
    record: { ...own, siteUid: 'u0' },
    names: [],
    version: '',
  },
  {
    when: 'they are of another Secret',
    record: { ...own, secret: 'other' },
    names: [],
    version: '',
  },
])('nodes are told $names when $when', ({ record, names, version }) => {
  const access = planned(record);
  expect(access?.plan.users.map(({ name }) => name)).toEqual(names);
  expect(access?.version).toBe(version);
  // What tells of the sealed value stays with dom.
  expect(JSON.stringify(access?.plan)).not.toContain('seal');
});

test('nobody is asked where the spec says nothing', () => {
  const metadata = { namespace: 'default', name: 'blog', uid: 'u1', generation: 1 };
  const world = { record: () => undefined };
  const site = { metadata, spec: {} };
  expect(accessOf(world as unknown as World, site as unknown as Site)).toBeUndefined();
});
